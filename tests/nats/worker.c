/* continual-worker: what is wrong harms its own stream only, and is told
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "common/reader.h"
#include "line.h"
#include "servers.h"

#define MODEL "golden/encoder-2-retroactive"
#define ARGUMENTS "--shards 4 --lease 2 --snapshot-interval 0.3 --status-interval 0.5"
#define CAPS "other/tensors, format=(string)static, num_tensors=(int)1, types=(string)float32, dimensions=(string)%s, framerate=(fraction)100/1"
#define WAIT (30 * G_USEC_PER_SEC)

typedef struct
{
  Servers *servers;
  Link *link;
  CoModel *model;
  GSubprocess *worker;
  Reader *reader;
  natsSubscription *problems;
  GHashTable *lines;            /* key to Line * */
} Fixture;

static void
on_arrived (gpointer data)
{
}

static void
open_outputs (Fixture * self)
{
  const gint64 until = g_get_monotonic_time () + WAIT;

  while (!self->reader) {
    g_autofree gchar *why = NULL;

    self->reader = reader_open (self->link, &(ReaderSettings) {
        "continual-outputs", "continual.outputs.*", NULL, READER_ALL, 4096, 512}, on_arrived, NULL, &why);
    g_assert_cmpint (g_get_monotonic_time (), <, until);
    g_usleep (20000);
  }
}

static void
set_up (Fixture * self, gconstpointer data)
{
  g_autofree gchar *path = golden_file (MODEL);

  self->servers = servers_new (1, 4);
  self->link = servers_link (self->servers);
  self->model = co_model_load (path, NULL, NULL);
  self->lines = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) line_free);
  g_assert_cmpint (natsConnection_SubscribeSync (&self->problems, link_get_connection (self->link), "continual.problems.*"), ==, NATS_OK);
  self->worker = worker_start (self->servers, MODEL, ARGUMENTS);
  open_outputs (self);
}

static void
stop_worker (Fixture * self, gint signal)
{
  g_subprocess_send_signal (self->worker, signal);
  g_assert_true (g_subprocess_wait (self->worker, NULL, NULL));
  if (signal == SIGTERM)
    g_assert_true (g_subprocess_get_if_exited (self->worker) && g_subprocess_get_exit_status (self->worker) == 0);
  g_clear_object (&self->worker);
}

static void
tear_down (Fixture * self, gconstpointer data)
{
  stop_worker (self, SIGTERM);
  natsSubscription_Destroy (self->problems);
  g_hash_table_unref (self->lines);
  reader_close (self->reader);
  link_close (self->link);
  co_model_unref (self->model);
  servers_free (self->servers);
}

static Line *
add_line (Fixture * self, const gchar * key)
{
  Line *line = line_new (key, self->link, self->model, 7);

  g_hash_table_insert (self->lines, line->key, line);
  return line;
}

static gboolean
all_came (Fixture * self)
{
  GHashTableIter iter;
  ReaderItem item;
  Line *came;
  gpointer line;
  gboolean all = TRUE;

  while (reader_next (self->reader, &item)) {
    g_autofree gchar *why = NULL;
    g_autoptr (TensorMessage) message = tensor_message_read (item.msg, &why);

    g_assert_nonnull (message);
    came = g_hash_table_lookup (self->lines, strrchr (natsMsg_GetSubject (item.msg), '.') + 1);
    if (came)
      line_take (came, message);
    natsMsg_Destroy (item.msg);
    reader_acknowledge (self->reader, FALSE);
  }
  g_hash_table_iter_init (&iter, self->lines);
  while (g_hash_table_iter_next (&iter, NULL, &line))
    all = line_check (line) && all;
  return all;
}

static void
wait_for_all (Fixture * self)
{
  const gint64 until = g_get_monotonic_time () + WAIT;

  while (!all_came (self)) {
    g_assert_cmpint (g_get_monotonic_time (), <, until);
    g_usleep (5000);
  }
}

/* A problem of @key that says @text */
static void
expect_problem (Fixture * self, const gchar * key, const gchar * text)
{
  g_autofree gchar *subject = g_strdup_printf ("continual.problems.%s", key);
  natsMsg *msg = NULL;

  g_assert_cmpint (natsSubscription_NextMsg (&msg, self->problems, WAIT / 1000), ==, NATS_OK);
  g_assert_cmpstr (natsMsg_GetSubject (msg), ==, subject);
  if (!g_strstr_len (natsMsg_GetData (msg), natsMsg_GetDataLength (msg), text))
    g_error ("expected \"%s\" in %.*s", text, natsMsg_GetDataLength (msg), natsMsg_GetData (msg));
  natsMsg_Destroy (msg);
}

static void
expect_no_problem (Fixture * self)
{
  natsMsg *msg = NULL;

  if (natsSubscription_NextMsg (&msg, self->problems, 50) == NATS_OK)
    g_error ("%.*s", natsMsg_GetDataLength (msg), natsMsg_GetData (msg));
}

/* Without a value, a header is left out. */
static void
publish_caps (Fixture * self, const gchar * key, const gchar * stream, const gchar * caps, const gchar * buffers, const gchar * end, gsize size)
{
  const gchar *const headers[][2] = {
    {"Continual-Stream", stream}, {"Continual-Caps", caps}, {"Continual-Buffers", buffers}, {"Continual-End", end}
  };
  g_autofree gchar *subject = g_strdup_printf ("continual.vectors.%s", key);
  g_autofree gchar *data = g_malloc0 (size);
  natsMsg *msg = NULL;

  g_assert_cmpint (natsMsg_Create (&msg, subject, NULL, data, (int) size), ==, NATS_OK);
  for (gsize i = 0; i < G_N_ELEMENTS (headers); i++)
    if (headers[i][1])
      natsMsgHeader_Set (msg, headers[i][0], headers[i][1]);
  g_assert_cmpint (js_PublishMsg (NULL, link_get_jetstream (self->link), msg, NULL, NULL), ==, NATS_OK);
  natsMsg_Destroy (msg);
}

static void
publish (Fixture * self, const gchar * key, const gchar * stream, const gchar * dims, const gchar * buffers, gsize size)
{
  g_autofree gchar *caps = dims ? g_strdup_printf (CAPS, dims) : NULL;

  publish_caps (self, key, stream, caps, buffers, NULL, size);
}

static void
push (Line * line, guint n)
{
  for (guint i = 0; i < n; i++)
    line_push (line);
}

/* Garbage between the messages of a stream, and beside another one, changes neither. */
static void
test_bad_messages (Fixture * self, gconstpointer data)
{
  Line *good = add_line (self, "good");
  g_autofree gchar *caps = g_strdup_printf (CAPS, "32:1:1:1");

  push (good, 5);
  publish (self, "bad", NULL, NULL, NULL, 9);
  expect_problem (self, "bad", "Continual-Stream: expected ID INDEX, found none");
  publish (self, "bad", "x 0", "31:1:1:1", "0+10:124", 124);
  expect_problem (self, "bad", "takes vectors of 32 values");
  publish (self, "bad", "x 1", "32:1:2:1", "0+10:256", 256);
  expect_problem (self, "bad", "expected one stream in a buffer, found 2");
  publish (self, "bad", "x 2", "32:1:1:1", "0+10:100", 100);
  expect_problem (self, "bad", "whole vectors, 128 bytes each, found one of 100 bytes");
  publish (self, "bad", "x 4", "32:1:1:1", "-+-:0", 0);
  expect_problem (self, "bad", "expected message 3 of its stream, found 4");
  publish (self, "bad", "y 7", "32:1:1:1", "-+-:0", 0);
  expect_problem (self, "bad", "found message 7 of y first");
  publish_caps (self, "feature", "x 0", "other/tensors(memory:X), format=(string)static, num_tensors=(int)1, types=(string)float32, "
      "dimensions=(string)32:1:1:1", "0+10:128", NULL, 128);
  expect_problem (self, "feature", "expected caps in system memory");
  publish_caps (self, "ended", "x 0", caps, "0+10:128", "true", 128);
  publish_caps (self, "ended", "x 1", caps, "10+10:128", NULL, 128);
  expect_problem (self, "ended", "expected another ID behind the end of a stream");
  outbox_drain (good->outbox, WAIT);
  publish (self, "good", NULL, NULL, NULL, 10);
  expect_problem (self, "good", "Continual-Stream: expected ID INDEX, found none");
  push (good, 30);
  wait_for_all (self);
}

/* Keys that the library cannot name: the other streams of their shards go on, behind a restart as well. */
static void
test_odd_keys (Fixture * self, gconstpointer data)
{
  const gchar *const odd[] = { "a\"b", "a\\b", "*", "\xff\xfe" };

  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    publish (self, odd[i], "x 0", "32:1:1:1", "0+10:128", 128);
  for (guint i = 0; i < 12; i++) {
    g_autofree gchar *key = g_strdup_printf ("key%u", i);

    push (add_line (self, key), 5);
  }
  wait_for_all (self);
  stop_worker (self, SIGTERM);
  self->worker = worker_start (self->servers, MODEL, ARGUMENTS);
  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    publish (self, odd[i], "x 1", "32:1:1:1", "10+10:128", 128);
  for (guint i = 0; i < 12; i++) {
    g_autofree gchar *key = g_strdup_printf ("key%u", i);

    push (g_hash_table_lookup (self->lines, key), 5);
  }
  wait_for_all (self);
  {
    natsMsg *msg = NULL;

    g_assert_cmpint (natsSubscription_NextMsg (&msg, self->problems, WAIT / 1000), ==, NATS_OK);
    g_assert_true (g_str_has_prefix (natsMsg_GetSubject (msg), "continual.problems.shard-"));
    g_assert_nonnull (g_strstr_len (natsMsg_GetData (msg), natsMsg_GetDataLength (msg), "expected keys in UTF-8"));
    natsMsg_Destroy (msg);
  }
}

/* A record that is altered or garbage resets its stream. Other streams are not affected. */
static void
test_bad_records (Fixture * self, gconstpointer data)
{
  Line *good = add_line (self, "good"), *other = add_line (self, "other");
  kvStore *states = NULL;
  kvEntry *entry = NULL;
  g_autofree gchar *record = NULL;
  gsize size;

  push (good, 20);
  push (other, 20);
  line_end_stream (other);
  wait_for_all (self);
  stop_worker (self, SIGTERM);
  g_assert_cmpint (js_KeyValue (&states, link_get_jetstream (self->link), "continual-states"), ==, NATS_OK);
  g_assert_cmpint (kvStore_Get (&entry, states, "good"), ==, NATS_OK);
  size = kvEntry_ValueLen (entry);
  record = g_memdup2 (kvEntry_Value (entry), size);
  record[size - 100] ^= 1;
  kvEntry_Destroy (entry);
  g_assert_cmpint (kvStore_Put (NULL, states, "altered", record, (int) size), ==, NATS_OK);
  g_assert_cmpint (kvStore_PutString (NULL, states, "garbage", "garbage"), ==, NATS_OK);
  g_assert_cmpint (kvStore_PutString (NULL, states, "forged",
          "{\"version\":1,\"index\":-5,\"covered\":0,\"over\":false,\"times\":[1]}\n"), ==, NATS_OK);
  kvStore_Destroy (states);
  self->worker = worker_start (self->servers, MODEL, ARGUMENTS);
  push (good, 20);
  push (other, 20);
  wait_for_all (self);
  expect_no_problem (self);
  /* The next messages of these streams, of which there must be outputs afterwards as of any new stream */
  push (add_line (self, "garbage"), 20);
  expect_problem (self, "garbage", "expected a record of version 1");
  push (add_line (self, "forged"), 20);
  expect_problem (self, "forged", "expected a record of version 1");
  wait_for_all (self);
  publish (self, "altered", "z 0", "32:1:1:1", "-+-:0", 0);
  expect_problem (self, "altered", "altered");
}

/* A killed worker is replaced; another model, other shards and other leases are refused while it lives. */
static void
test_others (Fixture * self, gconstpointer data)
{
  static const gchar *const refused[][2] = {
    {"golden/deep-3", ARGUMENTS},
    {MODEL, "--shards 8 --lease 2"},
    {MODEL, "--shards 4 --lease 3"},
    {"golden/mha-retroactive", ARGUMENTS},
    {MODEL, "--shards 0"},
    {MODEL, "--nonsense"},
    {"golden/nothing", ARGUMENTS},
  };
  Line *line = add_line (self, "line");

  push (line, 20);
  wait_for_all (self);
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GSubprocess) worker = worker_start (self->servers, refused[i][0], refused[i][1]);

    g_assert_true (g_subprocess_wait (worker, NULL, NULL));
    g_assert_cmpint (g_subprocess_get_exit_status (worker), >, 0);
  }
  stop_worker (self, SIGKILL);
  push (line, 20);
  self->worker = worker_start (self->servers, MODEL, ARGUMENTS);
  push (line, 20);
  line_end_stream (line);
  push (line, 20);
  wait_for_all (self);
}

/* Another model may begin when no worker lives: its streams begin anew, which is told, and outputs go on. */
static void
test_new_model (Fixture * self, gconstpointer data)
{
  Line *line = add_line (self, "line"), *same;
  g_autofree gchar *path = golden_file ("golden/encoder-2-relu");

  push (line, 20);
  wait_for_all (self);
  stop_worker (self, SIGTERM);
  co_model_unref (self->model);
  self->model = co_model_load (path, NULL, NULL);
  self->worker = worker_start (self->servers, "golden/encoder-2-relu", ARGUMENTS);
  outbox_drain (line->outbox, WAIT);
  g_hash_table_remove (self->lines, "line");
  same = add_line (self, "line");
  push (same, 30);
  expect_problem (self, "line", "another model");
  wait_for_all (self);
}

static void
test_stats (Fixture * self, gconstpointer data)
{
  natsSubscription *stats = NULL;
  natsMsg *msg = NULL;
  gint64 until = g_get_monotonic_time () + WAIT;
  gboolean found = FALSE;

  g_assert_cmpint (natsConnection_SubscribeSync (&stats, link_get_connection (self->link), "continual.stats.*"), ==, NATS_OK);
  push (add_line (self, "line"), 20);
  wait_for_all (self);
  while (!found && g_get_monotonic_time () < until
      && natsSubscription_NextMsg (&msg, stats, WAIT / 1000) == NATS_OK) {
    found = g_strstr_len (natsMsg_GetData (msg), natsMsg_GetDataLength (msg), "\"streams\":1") != NULL;
    natsMsg_Destroy (msg);
  }
  g_assert_true (found);
  natsSubscription_Destroy (stats);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const gchar *path;
    void (*run) (Fixture * self, gconstpointer data);
  } tests[] = {
    {"/worker/bad-messages", test_bad_messages},
    {"/worker/odd-keys", test_odd_keys},
    {"/worker/bad-records", test_bad_records},
    {"/worker/others", test_others},
    {"/worker/new-model", test_new_model},
    {"/worker/stats", test_stats},
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
