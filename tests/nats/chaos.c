/* Servers and workers die at random, and outputs are those of one process, to the bit, each once
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: chaos SECONDS SERVERS. CONTINUAL_TEST_SEED repeats a run, as far as the machine allows. */
#include <gio/gio.h>
#include <signal.h>
#include <string.h>

#include "common/reader.h"
#include "line.h"
#include "servers.h"

#define STREAMS 64
#define SHARDS 8
#define WORKERS 2
#define WORKER_ARGUMENTS "--shards 8 --lease 2 --snapshot-interval 0.7 --window 256 --status-interval 5"
/* Seconds after the last vector in which everything must be answered */
#define PATIENCE 90

static const gchar *const models[] = {
  "golden/encoder-2-retroactive", "golden/recurrent-linear-2", "golden/deep-3", "golden-models/part-look-ahead",
  "golden-models/part-answer-interval"
};

static void
on_arrived (gpointer data)
{
}

static void
take_outputs (Reader * reader, GHashTable * lines)
{
  ReaderItem item;

  while (reader_next (reader, &item)) {
    g_autofree gchar *why = NULL;
    g_autoptr (TensorMessage) message = tensor_message_read (item.msg, &why);

    if (!message)
      g_error ("%s", why);
    line_take (g_hash_table_lookup (lines, strrchr (natsMsg_GetSubject (item.msg), '.') + 1), message);
    natsMsg_Destroy (item.msg);
    reader_acknowledge (reader, FALSE);
  }
}

/* What may happen next, and when */
typedef struct
{
  Servers *servers;
  const gchar *model;
  GRand *random;
  GSubprocess *workers[WORKERS];
  gboolean stopped[WORKERS];
  gint64 worker_at[WORKERS];    /* monotonic time of its next change */
  gint64 server_at;
  gint dead;                    /* server; -1: none */
  guint n_kills, n_stops, n_ends, n_server_kills;
} Chaos;

static gint64
later (Chaos * self, gdouble least, gdouble most)
{
  return g_get_monotonic_time () + (gint64) (g_rand_double_range (self->random, least, most) * G_USEC_PER_SEC);
}

static void
change_worker (Chaos * self, guint i)
{
  const gdouble what = g_rand_double (self->random);

  if (!self->workers[i]) {
    self->workers[i] = worker_start (self->servers, self->model, WORKER_ARGUMENTS);
    self->worker_at[i] = later (self, 3, 12);
  } else if (self->stopped[i]) {
    g_subprocess_send_signal (self->workers[i], SIGCONT);
    self->stopped[i] = FALSE;
    self->worker_at[i] = later (self, 3, 12);
  } else if (what < 0.25) {     /* it sleeps, loses its leases, and wakes up */
    g_subprocess_send_signal (self->workers[i], SIGSTOP);
    self->stopped[i] = TRUE;
    self->n_stops++;
    self->worker_at[i] = later (self, 1, 6);
  } else {
    if (what < 0.5) {
      g_subprocess_send_signal (self->workers[i], SIGTERM);
      self->n_ends++;
    } else {
      g_subprocess_send_signal (self->workers[i], SIGKILL);
      self->n_kills++;
    }
    g_subprocess_wait (self->workers[i], NULL, NULL);
    g_clear_object (&self->workers[i]);
    self->worker_at[i] = later (self, 0, 3);
  }
}

static void
change_server (Chaos * self)
{
  if (self->dead >= 0) {
    servers_start (self->servers, self->dead);
    self->dead = -1;
    self->server_at = later (self, 12, 20);
    return;
  }
  self->dead = g_rand_int_range (self->random, 0, self->servers->n);
  servers_kill (self->servers, self->dead);
  self->n_server_kills++;
  self->server_at = later (self, 1, 5);
}

static void
chaos_step (Chaos * self)
{
  const gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < WORKERS; i++)
    if (now >= self->worker_at[i])
      change_worker (self, i);
  if (now >= self->server_at)
    change_server (self);
}

/* Peace: everything lives. */
static void
chaos_end (Chaos * self)
{
  if (self->dead >= 0)
    change_server (self);
  for (guint i = 0; i < WORKERS; i++)
    if (!self->workers[i] || self->stopped[i])
      change_worker (self, i);
}

static void
chaos_clear (Chaos * self)
{
  for (guint i = 0; i < WORKERS; i++) {
    g_subprocess_send_signal (self->workers[i], SIGTERM);
    g_assert_true (g_subprocess_wait_check (self->workers[i], NULL, NULL));
    g_object_unref (self->workers[i]);
  }
}

static Reader *
open_outputs (Link * link)
{
  const gint64 until = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  for (;;) {                    /* a worker creates the stream */
    g_autofree gchar *why = NULL;
    Reader *reader = reader_open (link, &(ReaderSettings) {
        "continual-outputs", "continual.outputs.*", NULL, READER_ALL, 4096, 512}, on_arrived, NULL, &why);

    if (reader)
      return reader;
    if (g_get_monotonic_time () > until)
      g_error ("%s", why);
    g_usleep (100000);
  }
}

static void
run (gint seconds, guint n_servers, guint seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  const gchar *golden = models[g_rand_int_range (random, 0, G_N_ELEMENTS (models))];
  g_autofree gchar *path = golden_file (golden);
  g_autoptr (CoModel) model = co_model_load (path, NULL, NULL);
  Servers *servers = servers_new (n_servers, SHARDS);
  g_autofree gchar *arguments = g_strdup_printf (WORKER_ARGUMENTS " --replicas %u", n_servers);
  Chaos chaos = {.servers = servers,.model = golden,.random = random,.dead = -1,.server_at = G_MAXINT64 };
  g_autoptr (GHashTable) lines = g_hash_table_new (g_str_hash, g_str_equal);
  Link *link = servers_link (servers);
  Line *line[STREAMS];
  Reader *reader;
  gint64 until;
  guint64 vectors = 0, messages = 0;
  gboolean all = FALSE;

  g_print ("# model %s, CONTINUAL_TEST_SEED=%u, %s\n", golden, seed, servers->dir);
  for (guint i = 0; i < WORKERS; i++) {
    chaos.workers[i] = worker_start (servers, golden, arguments);
    chaos.worker_at[i] = later (&chaos, 4, 8);
  }
  if (n_servers > 1)
    chaos.server_at = later (&chaos, 8, 12);
  reader = open_outputs (link);
  for (guint i = 0; i < STREAMS; i++) {
    g_autofree gchar *key = g_strdup_printf ("mic%u", i);

    line[i] = line_new (key, link, model, seed);
    g_hash_table_insert (lines, line[i]->key, line[i]);
  }
  until = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  while (g_get_monotonic_time () < until) {
    chaos_step (&chaos);
    for (guint i = 0; i < STREAMS; i++)
      line_push (line[i]);
    take_outputs (reader, lines);
    for (guint i = 0; i < STREAMS; i++)
      line_check (line[i]);
    g_usleep (20000);
  }
  chaos_end (&chaos);
  for (guint i = 0; i < STREAMS; i++) {
    line_end_stream (line[i]);
    g_assert_true (outbox_drain (line[i]->outbox, PATIENCE * G_USEC_PER_SEC));
  }
  until = g_get_monotonic_time () + PATIENCE * G_USEC_PER_SEC;
  while (!all && g_get_monotonic_time () < until) {
    take_outputs (reader, lines);
    all = TRUE;
    for (guint i = 0; i < STREAMS; i++)
      all = line_check (line[i]) && all;
    g_usleep (10000);
  }
  for (guint i = 0; i < STREAMS; i++) {
    if (!line_check (line[i]))
      g_error ("%s: %u of %u outputs, %u of %u ends", line[i]->key, line[i]->came_pts->len, line[i]->y_pts->len, (guint) line[i]->n_ended, line[i]->n_begun);
    vectors += line[i]->n_vectors;
    messages += line[i]->n_messages;
    line_free (line[i]);
  }
  g_print ("# %" G_GUINT64_FORMAT " vectors of %d streams, outputs in %" G_GUINT64_FORMAT " messages; workers: %u killed, %u stopped for a time, "
      "%u ended; servers: %u killed\n", vectors, STREAMS, messages, chaos.n_kills, chaos.n_stops, chaos.n_ends, chaos.n_server_kills);
  chaos_clear (&chaos);
  reader_close (reader);
  link_close (link);
  servers_free (servers);
}

int
main (int argc, char **argv)
{
  const gchar *seed = g_getenv ("CONTINUAL_TEST_SEED");

  g_assert_cmpint (argc, ==, 3);
  run (atoi (argv[1]), atoi (argv[2]), seed ? (guint) g_ascii_strtoull (seed, NULL, 10) : g_random_int ());
  return 0;
}
