/* continual-worker: which shards are this worker's
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/leases.h"

#include <string.h>

/* Milliseconds for the list of the bucket's keys */
#define LEAST_WAIT 200
#define MOST_WAIT 2000
#define TRIES 10

typedef enum
{
  LEASE_NONE,
  LEASE_HELD,
  LEASE_TO_RELEASE,             /* held, and too many */
  LEASE_RELEASED                /* to be deleted from the bucket */
} LeaseState;

typedef struct
{
  LeaseState state;
  guint64 revision;
  gint64 until;                 /* monotonic time */
} Lease;

struct _Leases
{
  Link *link;
  kvStore *bucket;
  gchar *worker, *entry;        /* its key, and its value */
  guint n;
  gint64 time;                  /* of a lease, in microseconds */
  GThread *thread;

  GMutex lock;                  /* guards, with `changed`: */
  GCond changed;
  Lease *leases;                /* (n); their revisions belong to the thread */
  gboolean stopping;
};

/* What the bucket says */
typedef struct
{
  guint workers;                /* that live, with this one */
  gboolean *taken;              /* (n) */
} Survey;

static gboolean
read_shard (const gchar * key, guint n, guint * shard)
{
  guint64 number;

  if (!g_str_has_prefix (key, "shard.")
      || !g_ascii_string_to_unsigned (key + 6, 10, 0, n - 1, &number, NULL))
    return FALSE;
  *shard = (guint) number;
  return TRUE;
}

/* The library waits for as many keys as there were when it began. Where one expires meanwhile, as at a worker's death, it would wait far
 * longer than a lease lasts. */
static natsStatus
list_keys (Leases * self, kvKeysList * keys)
{
  kvWatchOptions options;

  kvWatchOptions_Init (&options);
  options.Timeout = CLAMP (self->time / 5000, LEAST_WAIT, MOST_WAIT);
  return kvStore_Keys (keys, self->bucket, &options);
}

static gboolean
survey (Leases * self, Survey * result)
{
  kvKeysList keys;
  natsStatus s = list_keys (self, &keys);

  if (s != NATS_OK && s != NATS_NOT_FOUND)
    return FALSE;
  result->workers = 1;
  result->taken = g_new0 (gboolean, self->n);
  for (int i = 0; s == NATS_OK && i < keys.Count; i++) {
    guint shard;

    if (read_shard (keys.Keys[i], self->n, &shard))
      result->taken[shard] = TRUE;
    else if (g_str_has_prefix (keys.Keys[i], "worker.")
        && strcmp (keys.Keys[i], self->worker) != 0)
      result->workers++;
  }
  if (s == NATS_OK)
    kvKeysList_Destroy (&keys);
  return TRUE;
}

static void
get_key (guint shard, gchar key[32])
{
  g_snprintf (key, 32, "shard.%u", shard);
}

/* TRUE: the entry of @shard is ours, whatever became of the answer of an update. */
static gboolean
is_ours (Leases * self, guint shard, guint64 * revision)
{
  kvEntry *entry = NULL;
  gchar key[32];
  gboolean ours = FALSE;

  get_key (shard, key);
  if (kvStore_Get (&entry, self->bucket, key) == NATS_OK) {
    ours = g_strcmp0 (kvEntry_ValueString (entry), self->worker) == 0;
    *revision = kvEntry_Revision (entry);
  }
  kvEntry_Destroy (entry);
  return ours;
}

/* Without an answer in time it becomes too old. */
static void
renew (Leases * self, guint shard)
{
  Lease *lease = &self->leases[shard];
  const gint64 now = g_get_monotonic_time ();
  guint64 revision = 0;
  gchar key[32];

  get_key (shard, key);
  if (kvStore_UpdateString (&revision, self->bucket, key, self->worker,
          lease->revision) != NATS_OK && !is_ours (self, shard, &revision))
    return;
  lease->revision = revision;
  g_mutex_lock (&self->lock);
  lease->until = now + self->time;
  g_mutex_unlock (&self->lock);
}

static gboolean
take (Leases * self, guint shard)
{
  Lease *lease = &self->leases[shard];
  const gint64 now = g_get_monotonic_time ();
  gchar key[32];

  get_key (shard, key);
  if (kvStore_CreateString (&lease->revision, self->bucket, key, self->worker) != NATS_OK)
    return FALSE;
  g_mutex_lock (&self->lock);
  lease->until = now + self->time;
  lease->state = LEASE_HELD;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* FALSE: the servers did not answer. */
static gboolean
delete (Leases * self, guint shard)
{
  gchar key[32];
  natsStatus s;

  get_key (shard, key);
  s = kvStore_Delete (self->bucket, key);
  g_mutex_lock (&self->lock);
  self->leases[shard].state = LEASE_NONE;
  g_mutex_unlock (&self->lock);
  return s == NATS_OK;
}

static LeaseState
get_state (Leases * self, guint shard)
{
  const gint64 now = g_get_monotonic_time ();
  LeaseState state;

  g_mutex_lock (&self->lock);
  if ((self->leases[shard].state == LEASE_HELD || self->leases[shard].state == LEASE_TO_RELEASE)
      && now >= self->leases[shard].until)
    self->leases[shard].state = LEASE_NONE;     /* the bucket has forgotten it */
  state = self->leases[shard].state;
  g_mutex_unlock (&self->lock);
  return state;
}

static void
ask_to_release (Leases * self, guint n)
{
  g_mutex_lock (&self->lock);
  for (guint i = self->n; i-- > 0 && n > 0;)
    if (self->leases[i].state == LEASE_TO_RELEASE)
      n--;
  for (guint i = self->n; i-- > 0 && n > 0;)
    if (self->leases[i].state == LEASE_HELD) {
      self->leases[i].state = LEASE_TO_RELEASE;
      n--;
    }
  g_mutex_unlock (&self->lock);
}

static gboolean
is_stopping (Leases * self)
{
  gboolean stopping;

  g_mutex_lock (&self->lock);
  stopping = self->stopping;
  g_mutex_unlock (&self->lock);
  return stopping;
}

static void
balance (Leases * self)
{
  Survey found = { 0 };
  guint held = 0, share;

  for (guint i = 0; i < self->n; i++) {
    const LeaseState state = get_state (self, i);

    if (is_stopping (self))
      return;
    if (state == LEASE_RELEASED)
      delete (self, i);
    else if (state != LEASE_NONE)
      renew (self, i);
    held += state == LEASE_HELD || state == LEASE_TO_RELEASE;
  }
  if (!survey (self, &found))
    return;
  share = (self->n + found.workers - 1) / found.workers;
  for (guint i = 0; i < self->n && held < share; i++)
    if (!found.taken[i] && get_state (self, i) == LEASE_NONE)
      held += take (self, i);
  if (held > share)
    ask_to_release (self, held - share);
  g_free (found.taken);
}

static gpointer
run (gpointer data)
{
  Leases *self = data;

  g_mutex_lock (&self->lock);
  while (!self->stopping) {
    gint64 until;

    g_mutex_unlock (&self->lock);
    until = g_get_monotonic_time () + self->time / 5;
    kvStore_PutString (NULL, self->bucket, self->worker, self->entry);
    balance (self);
    g_mutex_lock (&self->lock);
    while (!self->stopping && g_cond_wait_until (&self->changed, &self->lock, until));
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* All workers must agree on the model and the shards. */
static gboolean
check_others (Leases * self, gchar ** why)
{
  kvKeysList keys;
  gboolean ok = TRUE;
  natsStatus s = NATS_TIMEOUT;

  for (guint i = 0; i < TRIES && s != NATS_OK && s != NATS_NOT_FOUND; i++)
    s = list_keys (self, &keys);
  if (s == NATS_NOT_FOUND)
    return TRUE;
  if (s != NATS_OK) {
    g_autofree gchar *text = link_explain (s);

    *why = g_strdup_printf ("expected the list of other workers, found: %s; start it again when the servers have elected their leaders", text);
    return FALSE;
  }
  for (int i = 0; ok && i < keys.Count; i++) {
    kvEntry *entry = NULL;

    if (!g_str_has_prefix (keys.Keys[i], "worker.")
        || kvStore_Get (&entry, self->bucket, keys.Keys[i]) != NATS_OK)
      continue;
    ok = g_strcmp0 (kvEntry_ValueString (entry), self->entry) == 0;
    if (!ok)
      *why = g_strdup_printf ("%s: expected workers of the same --shards and model, %s, found one that lives with %s: stop all of them "
          "before another model begins, or use another --name", keys.Keys[i], self->entry,
          kvEntry_ValueString (entry) ? kvEntry_ValueString (entry) : "nothing");
    kvEntry_Destroy (entry);
  }
  kvKeysList_Destroy (&keys);
  return ok;
}

Leases *
leases_new (Link * link, const WorkerNames * names,
    const WorkerOptions * options, const gchar * worker, const gchar * model,
    gchar ** why)
{
  Leases *self = g_new0 (Leases, 1);
  natsStatus s;

  self->link = link;
  self->n = options->shards;
  self->time = (gint64) (options->lease * G_USEC_PER_SEC);
  self->worker = g_strdup_printf ("worker.%s", worker);
  self->entry = g_strdup_printf ("shards %u, model %s", options->shards, model);
  self->leases = g_new0 (Lease, self->n);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  s = js_KeyValue (&self->bucket, link_get_jetstream (link), names->leases_bucket);
  if (s != NATS_OK)
    *why = link_explain (s);
  if (s != NATS_OK || !check_others (self, why)) {
    leases_free (self);
    return NULL;
  }
  self->thread = g_thread_new ("leases", run, self);
  return self;
}

void
leases_free (Leases * self)
{
  if (self->thread) {
    gboolean answered = TRUE;   /* else the bucket forgets them */

    g_mutex_lock (&self->lock);
    self->stopping = TRUE;
    g_cond_signal (&self->changed);
    g_mutex_unlock (&self->lock);
    g_thread_join (self->thread);
    for (guint i = 0; answered && i < self->n; i++)
      if (get_state (self, i) != LEASE_NONE)
        answered = delete (self, i);
    if (answered)
      kvStore_Delete (self->bucket, self->worker);
  }
  kvStore_Destroy (self->bucket);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->worker);
  g_free (self->entry);
  g_free (self->leases);
  g_free (self);
}

gboolean
leases_has (Leases * self, guint shard)
{
  const LeaseState state = get_state (self, shard);

  return state == LEASE_HELD || state == LEASE_TO_RELEASE;
}

gboolean
leases_is_to_release (Leases * self, guint shard)
{
  return get_state (self, shard) == LEASE_TO_RELEASE;
}

void
leases_release (Leases * self, guint shard)
{
  g_mutex_lock (&self->lock);
  if (self->leases[shard].state == LEASE_TO_RELEASE)
    self->leases[shard].state = LEASE_RELEASED;
  g_mutex_unlock (&self->lock);
}
