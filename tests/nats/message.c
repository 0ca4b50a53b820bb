/* Messages and records without servers: what is written is read, and what others write is read safely or refused
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/message.h"
#include "worker/record.h"

#define N_ALTERED 20000

static const gchar *const headers[] = {
  "Continual-Stream", "Continual-Caps", "Continual-Buffers", "Continual-Labels", "Continual-End", "Continual-Source"
};

static guint
get_seed (void)
{
  const gchar *seed = g_getenv ("CONTINUAL_TEST_SEED");
  const guint n = seed ? (guint) g_ascii_strtoull (seed, NULL, 10) : g_random_int ();

  g_test_message ("CONTINUAL_TEST_SEED=%u", n);
  return n;
}

static guint64
random_time (GRand * random)
{
  return g_rand_boolean (random) ? TENSOR_TIME_NONE : ((guint64) g_rand_int (random) << 32 | g_rand_int (random)) >> 1;
}

static TensorMessage *
random_message (GRand * random)
{
  TensorMessage *m = tensor_message_new ();
  const guint n = g_rand_int_range (random, 0, 5);

  m->stream = g_uuid_string_random ();
  m->index = g_rand_int (random);
  m->caps = g_strdup ("other/tensors, dimensions=(string)4");
  for (guint i = 0; i < n; i++) {
    const guint8 data[32] = { i, 7 };
    const TensorBuffer b = { random_time (random), random_time (random), g_rand_int_range (random, 0, 33), g_rand_boolean (random) };

    tensor_message_append (m, &b, data);
  }
  if (g_rand_boolean (random))
    m->labels = g_strsplit ("yes,no \"x\",\xc3\xa4\\", ",", -1);
  m->end = g_rand_boolean (random);
  if (g_rand_boolean (random))
    m->source = 1 + g_rand_int (random);
  if (m->source > 0 && g_rand_boolean (random))
    m->source_part = 1 + g_rand_int_range (random, 0, 100);
  return m;
}

static void
test_round_trip (void)
{
  GRand *random = g_rand_new_with_seed (get_seed ());

  for (guint i = 0; i < 2000; i++) {
    g_autoptr (TensorMessage) a = random_message (random), b = NULL;
    g_autofree gchar *why = NULL;
    natsMsg *msg = tensor_message_write (a, "subject", "id");

    g_assert_nonnull (msg);
    b = tensor_message_read (msg, &why);
    g_assert_cmpstr (why, ==, NULL);
    g_assert_cmpstr (a->stream, ==, b->stream);
    g_assert_cmpuint (a->index, ==, b->index);
    g_assert_cmpstr (a->caps, ==, b->caps);
    g_assert_cmpmem (a->data->data, a->data->len, b->data->data, b->data->len);
    g_assert_cmpuint (a->buffers->len, ==, b->buffers->len);
    for (guint j = 0; j < a->buffers->len; j++) {
      const TensorBuffer *x = &g_array_index (a->buffers, TensorBuffer, j), *y = &g_array_index (b->buffers, TensorBuffer, j);

      g_assert_true (x->pts == y->pts && x->duration == y->duration && x->size == y->size && x->discont == y->discont);
    }
    g_assert_true ((a->labels == NULL) == (b->labels == NULL));
    if (a->labels)
      g_assert_true (g_strv_equal ((const gchar * const *) a->labels, (const gchar * const *) b->labels));
    g_assert_true (a->end == b->end && a->source == b->source && a->source_part == b->source_part);
    natsMsg_Destroy (msg);
  }
  g_rand_free (random);
}

static void
alter (gchar * text, GRand * random)
{
  static const gchar likely[] = "0123456789 +-:![]\",\\";
  const gsize n = strlen (text);

  for (guint i = g_rand_int_range (random, 1, 4); n > 0 && i > 0; i--)
    text[g_rand_int_range (random, 0, n)] = g_rand_boolean (random) ?
        likely[g_rand_int_range (random, 0, strlen (likely))] : g_rand_int_range (random, 1, 256);
  if (g_rand_int_range (random, 0, 4) == 0)
    text[g_rand_int_range (random, 0, n + 1)] = '\0';
}

/* What is accepted holds what it says, whoever wrote it. (Run this under a sanitizer.) */
static void
test_altered (void)
{
  GRand *random = g_rand_new_with_seed (get_seed ());
  guint accepted = 0;

  for (guint i = 0; i < N_ALTERED; i++) {
    g_autoptr (TensorMessage) a = random_message (random), b = NULL;
    g_autofree gchar *why = NULL, *text = NULL;
    const gchar *header = headers[g_rand_int_range (random, 0, G_N_ELEMENTS (headers))];
    natsMsg *msg = tensor_message_write (a, "subject", "id");
    const char *value = NULL;
    gsize bytes = 0;

    if (natsMsgHeader_Get (msg, header, &value) == NATS_OK) {
      text = g_strdup (value);
      alter (text, random);
      natsMsgHeader_Set (msg, header, text);
    }
    b = tensor_message_read (msg, &why);
    natsMsg_Destroy (msg);
    g_assert_true ((b == NULL) == (why != NULL));
    if (!b) {
      g_assert_true (g_utf8_validate (why, -1, NULL));
      continue;
    }
    accepted++;
    for (guint j = 0; j < b->buffers->len; j++)
      bytes += g_array_index (b->buffers, TensorBuffer, j).size;
    g_assert_cmpuint (bytes, ==, b->data->len);
    g_assert_true (b->stream[0] && !strchr (b->stream, ' '));
    g_assert_true (b->caps || b->data->len == 0);
  }
  g_assert_cmpuint (accepted, >, N_ALTERED / 20);
  g_assert_cmpuint (accepted, <, N_ALTERED);
  g_rand_free (random);
}

static void
test_record (void)
{
  GRand *random = g_rand_new_with_seed (get_seed ());

  for (guint i = 0; i < 5000; i++) {
    g_autoptr (GBytes) snapshot = g_bytes_new_static ("\n{snapshot\0}", 12), bytes = NULL, again = NULL;
    g_autofree gchar *why = NULL;
    Record a, b;
    gsize size;
    g_autofree gchar *data = NULL;

    record_init (&a);
    record_init (&b);
    a.stream = g_strdup ("id");
    a.index = g_rand_int (random);
    a.covered = G_MAXINT64 - g_rand_int (random);
    a.caps = g_strdup ("x, y=(string)\"z\"");
    for (guint t = g_rand_int_range (random, 0, 4); t > 0; t--) {
      const RecordTime time = { random_time (random), random_time (random) };

      g_array_append_val (a.times, time);
    }
    bytes = record_write (&a, snapshot);
    data = g_memdup2 (g_bytes_get_data (bytes, &size), g_bytes_get_size (bytes));
    if (i % 2) {                /* altered: read or refused */
      data[g_rand_int_range (random, 0, size)] ^= 1 << g_rand_int_range (random, 0, 8);
      size = g_rand_int_range (random, 0, 4) ? size : (gsize) g_rand_int_range (random, 0, size);
      g_assert_true (record_read (&b, data, size, &again, &why) == (why == NULL));
    } else {
      g_assert_true (record_read (&b, data, size, &again, &why));
      g_assert_true (g_bytes_equal (snapshot, again));
      g_assert_cmpstr (a.stream, ==, b.stream);
      g_assert_cmpstr (a.caps, ==, b.caps);
      g_assert_true (a.index == b.index && a.covered == b.covered && a.over == b.over);
      g_assert_cmpmem (a.times->data, a.times->len * sizeof (RecordTime), b.times->data, b.times->len * sizeof (RecordTime));
    }
    record_clear (&a);
    record_clear (&b);
  }
  g_rand_free (random);
}

int
main (int argc, char **argv)
{
  int res;

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (nats_Open (-1), ==, NATS_OK);
  g_test_add_func ("/message/round-trip", test_round_trip);
  g_test_add_func ("/message/altered", test_altered);
  g_test_add_func ("/record", test_record);
  res = g_test_run ();
  nats_Close ();
  return res;
}
