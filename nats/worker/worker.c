/* continual-worker: streams of vectors from NATS JetStream through one model
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One thread does everything but leases: it takes what has come for its shards, steps all streams together, posts the outputs, and
 * now and then the records of the streams; only then it acknowledges what came. */
#include <glib-unix.h>
#include <gst/gst.h>
#include <jansson.h>
#include <locale.h>
#include <string.h>

#include "worker/batch.h"
#include "worker/leases.h"
#include "worker/names.h"
#include "worker/options.h"
#include "worker/shard.h"

/* Microseconds */
#define IDLE_WAIT (20 * 1000)
#define START_TIME (30 * G_USEC_PER_SEC)        /* for servers that elect their leaders */
#define RETRY_TIME (200 * 1000)
/* Messages of a batch at most, of all shards */
#define MAX_BATCH 1024
/* Bytes that headers and the record take beside an output or a snapshot */
#define OVERHEAD 16384

typedef struct
{
  WorkerOptions *options;
  WorkerNames *names;
  Link *link;
  CoModel *model;
  gchar *id;
  FeedContext context;
  PostOffice *office;
  Leases *leases;
  Shard **shards;               /* (options->shards) NULL: not ours */

  gboolean unanswered;          /* the states are ahead of the outputs that are stored: nothing may be saved */
  gint64 saved_at, status_at;   /* monotonic time of the last snapshots, and status line */
  BatchCounts counts, told;
  guint looked;                 /* into partitions behind the last shard */
  gint64 snapshot_time;         /* microseconds that the last snapshots took */

  GMutex lock;                  /* guards, with `changed`: */
  GCond changed;
  gboolean arrived;
} Worker;

static gint stop;               /* atomic: a signal came */

static gboolean
on_signal (gpointer data)
{
  g_atomic_int_set (&stop, TRUE);
  return G_SOURCE_CONTINUE;
}

static gpointer
wait_for_signals (gpointer data)
{
  GMainContext *context = data;
  GMainLoop *loop = g_main_loop_new (context, FALSE);

  g_main_loop_run (loop);
  g_main_loop_unref (loop);
  return NULL;
}

static void
watch_signals (void)
{
  GMainContext *context = g_main_context_new ();
  const gint signals[] = { SIGINT, SIGTERM };

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++) {
    GSource *source = g_unix_signal_source_new (signals[i]);

    g_source_set_callback (source, on_signal, NULL, NULL);
    g_source_attach (source, context);
  }
  g_thread_unref (g_thread_new ("signals", wait_for_signals, context));
}

/* From a thread of the NATS library */
static void
on_arrived (gpointer data)
{
  Worker *self = data;

  g_mutex_lock (&self->lock);
  self->arrived = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
wait_for_messages (Worker * self)
{
  const gint64 until = g_get_monotonic_time () + IDLE_WAIT;

  g_mutex_lock (&self->lock);
  while (!self->arrived && g_cond_wait_until (&self->changed, &self->lock, until));
  self->arrived = FALSE;
  g_mutex_unlock (&self->lock);
}

/* An ID of the model: what a snapshot of a fresh stream has depends on nothing else. */
static gchar *
identify (CoModel * model)
{
  g_autoptr (CoStream) stream = co_stream_new (model, 1);
  g_autoptr (GBytes) state = co_stream_get_state (stream);
  gchar *sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, state);

  sum[16] = '\0';
  return sum;
}

static gboolean
fail (const gchar * why)
{
  g_printerr ("continual-worker: %s\n", why);
  return FALSE;
}

/* Bytes of a payload beside headers, of which one may be the labels */
static gsize
get_max_payload (const Worker * self)
{
  const gchar *const *labels = co_model_get_labels (self->model);
  const gsize most = link_get_max_payload (self->link);
  gsize bytes = 0;

  for (guint i = 0; labels && labels[i]; i++)
    bytes += 6 * strlen (labels[i]) + 3;        /* the longest escapes of JSON */
  return most - MIN (most, bytes);
}

/* The servers must take an output and a snapshot. */
static gboolean
check_sizes (Worker * self)
{
  const CoModelInfo *info = self->context.info;
  const gsize output = info->n_positions * info->n_outputs * sizeof (float);
  const gsize largest = MAX (output, info->state_bytes) + OVERHEAD;
  g_autofree gchar *why = NULL;

  if (info->bare_attention || info->n_memory > 0)
    return fail ("expected the model of an encoder, found one that needs separate keys or a memory");
  if (largest <= self->context.max_payload)
    return TRUE;
  why = g_strdup_printf ("expected servers that take messages of %" G_GSIZE_FORMAT " bytes, as large as a snapshot (%" G_GSIZE_FORMAT
      ") or an output (%" G_GSIZE_FORMAT "), found %" G_GSIZE_FORMAT ": set max_payload in their configuration", largest,
      info->state_bytes, output, self->context.max_payload);
  return fail (why);
}

/* Waits for servers that are starting. */
static gboolean
create_names (Worker * self, gchar ** why)
{
  const gint64 until = g_get_monotonic_time () + START_TIME;

  for (;;) {
    gboolean again;

    if (worker_names_create (self->names, self->link, self->options, &again, why))
      return TRUE;
    if (!again || g_get_monotonic_time () > until || g_atomic_int_get (&stop))
      return FALSE;
    g_clear_pointer (why, g_free);
    g_usleep (RETRY_TIME);
  }
}

static gboolean
start (Worker * self)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *why = NULL, *model = NULL;

  self->model = co_model_load (self->options->model, self->options->model_options, &error);
  if (!self->model)
    return fail (error->message);
  self->link = link_open (&(LinkSettings) {
      self->options->servers, self->options->credentials, "continual-worker"}, NULL, NULL, &why);
  if (!self->link || !create_names (self, &why))
    return fail (why);
  self->context = (FeedContext) {
    .link = self->link,
    .model = self->model,
    .info = co_model_get_info (self->model),
    .slots = slots_new (self->model, self->options->threads),
    .name = self->options->name,
    .vectors = self->names->vectors,
    .outputs = self->names->outputs,
    .states = self->names->states,
    .worker = self->id,
    .max_payload = get_max_payload (self),
  };
  if (!check_sizes (self))
    return FALSE;
  self->office = post_office_new (self->link);
  self->shards = g_new0 (Shard *, self->options->shards);
  model = identify (self->model);
  self->leases = leases_new (self->link, self->names, self->options, self->id, model, &why);
  return self->leases ? TRUE : fail (why);
}

/* Opens what has become ours, and closes what is not ours any more. */
static void
follow_leases (Worker * self)
{
  for (guint i = 0; i < self->options->shards; i++) {
    const gboolean ours = leases_has (self->leases, i);
    Shard *shard = self->shards[i];
    g_autofree gchar *why = NULL;

    if (shard && (!ours || shard->broken))
      g_clear_pointer (&self->shards[i], shard_close);
    if (ours && !self->shards[i] && !leases_is_to_release (self->leases, i)) {
      self->shards[i] = shard_open (&self->context, i, self->options->window,
          on_arrived, self, &why);
      if (!self->shards[i])
        g_printerr ("continual-worker: shard %u: %s\n", i, why);
    }
  }
}

static Shard *
find_shard (Worker * self, Feed * feed)
{
  for (guint i = 0; i < self->options->shards; i++)
    if (self->shards[i]
        && g_hash_table_lookup (self->shards[i]->feeds, feed->key) == feed)
      return self->shards[i];
  return NULL;
}

/* Another worker has written to @feed: its shard is read again, if it is ours still. */
static void
give_up_shard (Worker * self, Feed * feed)
{
  Shard *shard = find_shard (self, feed);

  g_printerr ("continual-worker: shard %u: stream %s was continued by somebody else; the shard is read again\n", shard->number, feed->key);
  shard->broken = TRUE;
}

/* Returns the number of messages. */
static guint
run_batch (Worker * self)
{
  g_autoptr (GPtrArray) active = g_ptr_array_new ();
  g_autoptr (GPtrArray) lost = g_ptr_array_new ();
  guint n = 0;

  for (guint i = 0; i < self->options->shards; i++)
    if (self->shards[i] && !self->shards[i]->broken)
      n += shard_gather (self->shards[i], MAX_BATCH / self->options->shards + 1, active);
  if (active->len == 0)
    return n;
  batch_run (&self->context, active, &self->counts);
  self->unanswered = !batch_post (self->office, active, lost, &stop);
  for (guint i = 0; i < lost->len; i++)
    give_up_shard (self, lost->pdata[i]);
  for (guint i = 0; i < active->len; i++)
    feed_clear_batch (active->pdata[i]);
  return n;
}

/* Saves the streams of shard @only, or of all for -1. FALSE: the servers did not answer and a signal came. */
static gboolean
save (Worker * self, gint only)
{
  g_autoptr (GPtrArray) posts =
      g_ptr_array_new_with_free_func ((GDestroyNotify) post_free);
  const gint64 begin = g_get_monotonic_time ();
  const gint64 idle = (gint64) (self->options->idle * G_USEC_PER_SEC);

  for (guint i = 0; i < self->options->shards; i++)
    if (self->shards[i] && !self->shards[i]->broken && (only < 0 || (guint) only == i)
        && !shard_post_records (self->shards[i], posts))
      return TRUE;              /* no room now: later */
  if (!post_office_send (self->office, posts, &stop))
    return FALSE;
  for (guint i = 0; i < posts->len; i++) {
    const Post *post = posts->pdata[i];

    if (post->state == POST_STORED)
      feed_record_stored (post->owner, post);
    else
      give_up_shard (self, post->owner);
  }
  for (guint i = 0; i < self->options->shards; i++)
    if (self->shards[i] && !self->shards[i]->broken && (only < 0 || (guint) only == i))
      shard_saved (self->shards[i], idle);
  if (only < 0) {
    self->saved_at = g_get_monotonic_time ();
    self->snapshot_time = self->saved_at - begin;
  }
  return TRUE;
}

static gboolean
is_save_due (Worker * self)
{
  if (g_get_monotonic_time () - self->saved_at >= self->options->snapshot_interval * G_USEC_PER_SEC)
    return TRUE;
  for (guint i = 0; i < self->options->shards; i++)
    if (self->shards[i] && reader_count_unacknowledged (self->shards[i]->reader) >= self->options->window / 2)
      return TRUE;
  return FALSE;
}

/* Where there are more workers than before, they get their share. */
static void
hand_over (Worker * self)
{
  for (guint i = 0; i < self->options->shards; i++)
    if (leases_is_to_release (self->leases, i)
        && (!self->shards[i] || save (self, (gint) i))) {
      g_clear_pointer (&self->shards[i], shard_close);
      leases_release (self->leases, i);
    }
}

/* Where the servers map keys to more partitions than there are shards, nobody answers some. Each call looks into one partition behind
 * the last shard. */
static void
check_mapping (Worker * self)
{
  const guint shards = self->options->shards, shard = shards + self->looked % (3 * shards);

  if (worker_names_has_shard (self->names, self->link, self->options, shard))
    g_printerr ("continual-worker: expected vectors in the shards 0 to %u, found some in shard %u, which nobody answers: give --shards the "
        "number of partitions of the servers' mapping\n", shards - 1, shard);
  self->looked++;
}

static void
tell_status (Worker * self)
{
  const gint64 now = g_get_monotonic_time ();
  const gdouble seconds = (now - self->status_at) / (gdouble) G_USEC_PER_SEC;
  const guint64 vectors = self->counts.vectors - self->told.vectors;
  const guint64 batches = self->counts.batches - self->told.batches;
  const gint64 step_time = self->counts.step_time - self->told.step_time;
  g_autofree gchar *subject = g_strdup_printf ("%s.stats.%s", self->options->name, self->id);
  guint shards = 0, streams = 0;
  guint64 behind = 0;
  json_t *root;
  gchar *text;

  if (seconds < self->options->status_interval)
    return;
  for (guint i = 0; i < self->options->shards; i++)
    if (self->shards[i]) {
      shards++;
      streams += g_hash_table_size (self->shards[i]->feeds);
      behind += self->shards[i]->pending;
    }
  g_print ("%u of %u shards, %u streams, %" G_GUINT64_FORMAT " vectors (%.0f/s, %.1f in a step, %.1f us each), %" G_GUINT64_FORMAT
      " messages behind, snapshots %.1f ms, %" G_GUINT64_FORMAT " problems\n", shards, self->options->shards, streams,
      self->counts.vectors, vectors / seconds, batches > 0 ? vectors / (gdouble) batches : 0.0,
      vectors > 0 ? step_time / (gdouble) vectors : 0.0, behind, self->snapshot_time / 1e3, self->context.n_problems);
  root = json_pack ("{s:s, s:i, s:i, s:I, s:f, s:I, s:f, s:I}", "worker", self->id, "shards", (int) shards, "streams", (int) streams,
      "vectors", (json_int_t) self->counts.vectors, "rate", vectors / seconds, "behind", (json_int_t) behind,
      "snapshot_seconds", self->snapshot_time / 1e6, "problems", (json_int_t) self->context.n_problems);
  text = json_dumps (root, JSON_COMPACT);
  natsConnection_PublishString (link_get_connection (self->link), subject, text);
  free (text);
  json_decref (root);
  self->told = self->counts;
  self->status_at = now;
  check_mapping (self);
}

static void
run (Worker * self)
{
  g_autofree gchar *servers = link_hide_secrets (self->options->servers);

  self->saved_at = self->status_at = g_get_monotonic_time ();
  g_print ("continual-worker %s: model %s, %s.vectors of %s\n", self->id, self->options->model, self->options->name, servers);
  while (!g_atomic_int_get (&stop) && !self->unanswered) {
    follow_leases (self);
    hand_over (self);
    if (run_batch (self) == 0)
      wait_for_messages (self);
    if (is_save_due (self) && !self->unanswered)
      save (self, -1);
    tell_status (self);
  }
  if (self->unanswered || !save (self, -1))
    fail ("the servers did not take the last snapshots: the next worker goes on behind the last ones that they have");
}

static void
clear (Worker * self)
{
  for (guint i = 0; self->shards && i < self->options->shards; i++)
    g_clear_pointer (&self->shards[i], shard_close);
  g_clear_pointer (&self->leases, leases_free);
  g_clear_pointer (&self->office, post_office_free);
  g_clear_pointer (&self->context.slots, slots_free);
  g_clear_pointer (&self->link, link_close);
  g_clear_pointer (&self->model, co_model_unref);
  worker_names_free (self->names);
  worker_options_free (self->options);
  g_free (self->shards);
  g_free (self->id);
}

int
main (int argc, char **argv)
{
  Worker self = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree gchar *uuid = g_uuid_string_random ();
  gboolean ok;

  setlocale (LC_CTYPE, "");
  setvbuf (stdout, NULL, _IOLBF, 0);
  gst_init (NULL, NULL);        /* for caps */
  self.options = worker_options_parse (&argc, &argv, &error);
  if (!self.options)
    return error ? (fail (error->message), 2) : 0;
  self.names = worker_names_new (self.options->name);
  self.id = g_strdup_printf ("%s-%.8s", g_get_host_name (), uuid);
  g_strdelimit (self.id, ".", '-');
  g_mutex_init (&self.lock);
  g_cond_init (&self.changed);
  watch_signals ();
  ok = start (&self);
  if (ok)
    run (&self);
  clear (&self);
  return ok ? 0 : 1;
}
