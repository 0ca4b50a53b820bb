/* Snapshots: exact where they fit, refused where they don't, and harmless whatever is in them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include <math.h>
#include <string.h>

#define SUM_SIZE 32

/* Small, so that every byte can have its turn. */
static const Shape small = {.E = 6,.H = 2,.N = 3,.ff = 3,.max_len = 9 };

typedef struct
{
  RefModel *m;
  GRand *random;
  Live *live;
} Fixture;

static void
set_up (Fixture * self, gconstpointer data)
{
  g_test_message ("CONTINUAL_TEST_SEED=%u", ref_seed ());
  self->random = g_rand_new_with_seed (ref_seed ());
  self->m = ref_model_random (data, &small, self->random);
  self->live = live_new (self->m, 2, self->random);
  self->live->check = FALSE;
}

static void
tear_down (Fixture * self, gconstpointer data)
{
  live_free (self->live);
  ref_model_free (self->m);
  g_rand_free (self->random);
}

static void
advance (Fixture * self, gsize T)
{
  g_autoptr (Chunk) chunk = chunk_new (self->live, T, TRUE, 1, self->random);

  outputs_free (live_feed (self->live, self->live->stream, chunk));
}

/* From a snapshot and from a copy a stream goes on to the bit, in a model loaded anew as well. */
static void
test_exact (Fixture * self, gconstpointer data)
{
  for (guint i = 0; i < 12; i++) {
    g_autoptr (GBytes) state = co_stream_get_state (self->live->stream);
    g_autoptr (CoModel) model = ref_model_load (self->m);
    g_autoptr (CoStream) again = co_stream_new (model, 2);
    g_autoptr (CoStream) copy = co_stream_copy (self->live->stream);
    g_autoptr (Chunk) chunk = chunk_new (self->live, i, TRUE, 1, self->random);
    g_autoptr (Outputs) a = NULL, b = NULL, c = NULL;
    g_autoptr (GBytes) after_a = NULL, after_b = NULL, after_c = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_true (co_stream_set_state (again, state, &error));
    g_assert_no_error (error);
    a = live_feed (self->live, self->live->stream, chunk);
    b = live_feed (self->live, again, chunk);
    c = live_feed (self->live, copy, chunk);
    g_assert_true (outputs_equal (a, b));
    g_assert_true (outputs_equal (a, c));
    after_a = co_stream_get_state (self->live->stream);
    after_b = co_stream_get_state (again);
    after_c = co_stream_get_state (copy);
    g_assert_true (g_bytes_equal (after_a, after_b));
    g_assert_true (g_bytes_equal (after_a, after_c));
  }
}

/* The two streams of a chunk in each other's place */
static void
swap (const Live * live, Chunk * chunk)
{
  const gsize widths[] = { live->info->n_inputs, live->info->n_keys, live->info->n_values };
  float *rows[] = { chunk->x, chunk->key, chunk->value };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const gsize n = chunk->T * widths[i];

    for (gsize j = 0; rows[i] && j < n; j++) {
      const float value = rows[i][j];

      rows[i][j] = rows[i][n + j];
      rows[i][n + j] = value;
    }
  }
  for (gsize t = 0; chunk->mask && t < chunk->T; t++) {
    const guint8 one = chunk->mask[t];

    chunk->mask[t] = chunk->mask[chunk->T + t];
    chunk->mask[chunk->T + t] = one;
  }
}

static void
move_state (const CoStream * from, guint s, CoStream * to, guint place)
{
  g_autoptr (GBytes) state = co_stream_get_state_at (from, s);
  g_autoptr (GBytes) again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (co_stream_set_state_at (to, place, state, &error));
  g_assert_no_error (error);
  again = co_stream_get_state_at (to, place);
  g_assert_true (g_bytes_equal (state, again));
}

/* A stream moves to another place, or to one of its own, and goes on to the bit; the others stay as they are. */
static void
test_moved (Fixture * self, gconstpointer data)
{
  CoStream *here = self->live->stream;
  g_autoptr (CoStream) there = co_stream_new (self->live->model, 2);
  g_autoptr (CoStream) alone = co_stream_new (self->live->model, 1);
  g_autoptr (GBytes) one = NULL, both = NULL, after = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 6; i++) {
    g_autoptr (Chunk) chunk = chunk_new (self->live, i, TRUE, 1, self->random);

    co_stream_clean_state (there, CO_ALL_STREAMS);
    move_state (here, 0, there, 1);
    move_state (here, 1, there, 0);
    outputs_free (live_feed (self->live, here, chunk));
    swap (self->live, chunk);
    outputs_free (live_feed (self->live, there, chunk));
    for (guint s = 0; s < 2; s++) {
      g_autoptr (GBytes) a = co_stream_get_state_at (here, s);
      g_autoptr (GBytes) b = co_stream_get_state_at (there, 1 - s);

      g_assert_true (g_bytes_equal (a, b));
    }
  }
  move_state (here, 1, alone, 0);
  one = co_stream_get_state (alone);
  g_assert_true (co_stream_set_state_at (there, 1, one, &error));
  g_assert_no_error (error);
  both = co_stream_get_state (there);
  g_assert_false (co_stream_set_state_at (there, 1, both, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_STATE);
  g_assert_nonnull (strstr (error->message, "another number of streams"));
  after = co_stream_get_state (there);
  g_assert_true (g_bytes_equal (both, after));
}

/* A cleaned stream is a new one. */
static void
test_clean (Fixture * self, gconstpointer data)
{
  g_autoptr (CoStream) fresh = co_stream_new (self->live->model, 2);
  g_autoptr (GBytes) before = co_stream_get_state (fresh);
  g_autoptr (GBytes) after = NULL;

  advance (self, 8);
  co_stream_clean_state (self->live->stream, CO_ALL_STREAMS);
  after = co_stream_get_state (self->live->stream);
  g_assert_true (g_bytes_equal (before, after));
  advance (self, 8);
  co_stream_clean_state (self->live->stream, 0);
  co_stream_clean_state (self->live->stream, 1);
  g_bytes_unref (after);
  after = co_stream_get_state (self->live->stream);
  g_assert_true (g_bytes_equal (before, after));
}

static void
check_refused (CoStream * stream, const guint8 * data, gsize n,
    const gchar * fragment)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, n);
  g_autoptr (GError) error = NULL;

  g_assert_false (co_stream_set_state (stream, bytes, &error));
  g_assert_error (error, CO_ERROR, CO_ERROR_STATE);
  if (fragment && !strstr (error->message, fragment))
    g_error ("expected \"%s\" in \"%s\"", fragment, error->message);
}

/* Every byte has its turn, or, of a large snapshot, all of the head and of the sum and some between. */
static gsize
next (gsize i, gsize n)
{
  return i < 256 || i + 64 >= n ? 1 : MIN (1 + n / 2048, n - 64 - i);
}

static void
test_altered (Fixture * self, gconstpointer data)
{
  g_autoptr (GBytes) state = NULL, after = NULL;
  g_autofree guint8 *bytes = NULL;
  gsize n;

  advance (self, 5);
  state = co_stream_get_state (self->live->stream);
  bytes = g_memdup2 (g_bytes_get_data (state, &n), g_bytes_get_size (state));
  for (gsize i = 0; i < n; i += next (i, n)) {
    bytes[i] ^= 1 << i % 8;
    check_refused (self->live->stream, bytes, n, NULL);
    bytes[i] ^= 1 << i % 8;
  }
  for (gsize i = 0; i < n; i += next (i, n) + i / 100)
    check_refused (self->live->stream, bytes, i, NULL);
  bytes = g_realloc (bytes, n + 1);
  bytes[n] = 0;
  check_refused (self->live->stream, bytes, n + 1, "behind its end");
  check_refused (self->live->stream, (const guint8 *) "", 0, "truncated");
  after = co_stream_get_state (self->live->stream);
  g_assert_true (g_bytes_equal (state, after));
}

static void
test_other (Fixture * self, gconstpointer data)
{
  g_autoptr (GBytes) state = co_stream_get_state (self->live->stream);
  g_autoptr (CoStream) three = co_stream_new (self->live->model, 3);
  g_autoptr (RefModel) m = ref_model_random (data, &small, self->random);
  g_autoptr (CoModel) model = ref_model_load (m);
  g_autoptr (CoStream) other = co_stream_new (model, 2);
  gsize n;
  const guint8 *bytes = g_bytes_get_data (state, &n);

  check_refused (three, bytes, n, "another number of streams");
  check_refused (other, bytes, n, "another model");
}

/* The same weights with another hyper-parameter are another model. */
static void
test_settings (Fixture * self, gconstpointer data)
{
  g_autoptr (GBytes) state = co_stream_get_state (self->live->stream);
  g_autoptr (CoModel) model = NULL;
  g_autoptr (CoStream) other = NULL;
  gsize n;
  const guint8 *bytes = g_bytes_get_data (state, &n);

  self->m->eps *= 2;
  model = ref_model_load (self->m);
  other = co_stream_new (model, 2);
  check_refused (other, bytes, n, "with other hyper-parameters");
}

/* Said by an option, the same hyper-parameters make the same model. */
static void
test_options (Fixture * self, gconstpointer data)
{
  g_autoptr (GBytes) state = co_stream_get_state (self->live->stream);
  g_autoptr (GBytes) file = ref_model_write (self->m, NULL);
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (CoModel) model = NULL;
  g_autoptr (CoStream) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *max_len = g_strdup_printf ("%zu", MAX (self->m->max_len,
          1));

  g_assert_true (co_options_set (options, "precision", "float32", NULL));
  g_assert_true (co_options_set (options, "warm_up",
          self->m->partial ? "partial" : "drop", NULL));
  if (self->m->max_len > 0)
    g_assert_true (co_options_set (options, "max_len", max_len, NULL)
        && co_options_set (options, "at_max",
            self->m->drop_oldest ? "drop-oldest" : "error", NULL));
  model = co_model_load_bytes (file, options, &error);
  g_assert_no_error (error);
  again = co_stream_new (model, 2);
  g_assert_true (co_stream_set_state (again, state, &error));
  g_assert_no_error (error);
}

static void
sign (guint8 * bytes, gsize n)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = SUM_SIZE;

  g_checksum_update (sum, bytes, n - SUM_SIZE);
  g_checksum_get_digest (sum, bytes + n - SUM_SIZE, &size);
}

/* A forged snapshot, its checksum right, is refused or is a state like any other: nothing is read or written outside
 * it. (Run this under a sanitizer.) */
static void
test_forged (Fixture * self, gconstpointer data)
{
  const guint64 words[] = { 1, 2, 3, 1000003, G_MAXUINT32, G_MAXINT64 - 1,
    G_MAXINT64, G_MAXUINT64, G_GUINT64_CONSTANT (0x7fc000007fc00000),
    G_GUINT64_CONSTANT (0x7ff0000000000000)
  };
  g_autoptr (GBytes) state = NULL;
  g_autofree guint8 *forged = NULL;
  gsize n, accepted = 0;

  advance (self, 7);
  state = co_stream_get_state (self->live->stream);
  n = g_bytes_get_size (state);
  forged = g_malloc (n);
  for (gsize i = 0; i + 8 + SUM_SIZE <= n; i += 8) {
    /* Of what is behind the first counters a sample will do. */
    if (i > 512 && g_rand_int_range (self->random, 0, n / 512 + 1) > 0)
      continue;
    for (gsize w = 0; w < G_N_ELEMENTS (words); w++) {
      g_autoptr (CoStream) stream = co_stream_copy (self->live->stream);
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;

      memcpy (forged, g_bytes_get_data (state, NULL), n);
      memcpy (forged + i, &words[w], 8);
      sign (forged, n);
      bytes = g_bytes_new (forged, n);
      if (co_stream_set_state (stream, bytes, &error)) {
        g_autoptr (Chunk) chunk = chunk_new (self->live, 3, FALSE, 1,
            self->random);
        outputs_free (live_feed (self->live, stream, chunk));
        accepted++;
      } else {
        g_assert_error (error, CO_ERROR, CO_ERROR_STATE);
      }
    }
  }
  g_assert_cmpuint (accepted, >, 0);
}

/* A NaN or an infinity in a state would stay there. */
static void
test_not_finite (Fixture * self, gconstpointer data)
{
  g_autoptr (GBytes) state = NULL;
  g_autofree guint8 *forged = NULL;
  gsize n;

  advance (self, 7);
  state = co_stream_get_state (self->live->stream);
  forged = g_memdup2 (g_bytes_get_data (state, &n), g_bytes_get_size (state));
  /* Behind the head, the stream's head and the attention's counters come its numbers. */
  memset (forged + 64 + 64 + 64, 0xff, 8);
  sign (forged, n);
  check_refused (self->live->stream, forged, n, "not finite");
}

/* Huge, tiny and negative numbers, as floats and as doubles */
static void
forge (guint8 * numbers, gsize n, GRand * random)
{
  const float floats[] = { 1e38f, -1e38f, 3.4e38f, 1e30f, -1e20f, 1e-38f, 0, -1 };
  const double doubles[] = { 1e300, -1e300, 1.7e308, 1e100, -1e40, 1e-300, 0, -1 };

  for (gsize i = 0; i < n; i++) {
    const guint which = g_rand_int_range (random, 0, G_N_ELEMENTS (floats));

    if (g_rand_boolean (random)) {
      memcpy (numbers + 8 * i, &floats[which], 4);
      memcpy (numbers + 8 * i + 4, &floats[which], 4);
    } else {
      memcpy (numbers + 8 * i, &doubles[which], 8);
    }
  }
}

/* Vectors until nothing of a window is left, in any layer. Whether the outputs of the last window are finite. */
static gboolean
recovers (Fixture * self, CoStream * stream)
{
  const gsize T = 3 * MAX (small.N * (self->live->info->n_layers + 1),
      (self->m->window_len + 1) * self->m->chunk_len);
  g_autoptr (Chunk) before = chunk_new (self->live, T, FALSE, 1, self->random);
  g_autoptr (Chunk) chunk = chunk_new (self->live, 3 * small.N, FALSE, 1, self->random);
  g_autoptr (Outputs) out = NULL;

  outputs_free (live_feed (self->live, stream, before));
  out = live_feed (self->live, stream, chunk);
  for (gsize i = 0; i < out->n * out->y_size; i++)
    if (!isfinite (out->result.y[i]))
      return FALSE;
  return TRUE;
}

/* Sums over features of either sign may be near 0 as they are, and then a quotient is not finite: not for ever, but for long. */
static gboolean
may_cancel (const Variant * variant)
{
  const gchar *const signed_maps[] = { "identity", "random-fourier", "smoothed-random-fourier", "generalized", NULL };

  return variant->map && g_strv_contains (signed_maps, variant->map);
}

/* A forged snapshot, whose numbers no stream comes to, is refused, or they are gone after some windows: no NaN stays. */
static void
test_huge (Fixture * self, gconstpointer data)
{
  g_autoptr (GBytes) state = NULL;
  g_autofree guint8 *forged = NULL;
  gsize n, words, refused = 0;

  advance (self, 7);
  state = co_stream_get_state (self->live->stream);
  n = g_bytes_get_size (state);
  words = self->live->info->state_bytes / 8;
  forged = g_malloc (n);
  for (guint i = 0; i < 200; i++) {
    /* A few words somewhere, or from somewhere to the end; never a counter of the stream */
    const gsize first = g_rand_int_range (self->random, 16, words);
    const gsize count = i % 2 ? words - first :
        MIN (words - first, (gsize) g_rand_int_range (self->random, 1, 9));
    g_autoptr (CoStream) stream = co_stream_copy (self->live->stream);
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (GError) error = NULL;

    memcpy (forged, g_bytes_get_data (state, NULL), n);
    forge (forged + 64 + 8 * first, count, self->random);
    sign (forged, n);
    bytes = g_bytes_new (forged, n);
    if (!co_stream_set_state (stream, bytes, &error)) {
      g_assert_error (error, CO_ERROR, CO_ERROR_STATE);
      refused++;
      continue;
    }
    if (!recovers (self, stream) && !may_cancel (data))
      g_error ("%u: %zu words from %zu of %zu leave outputs that are not finite", i,
          count, first, words);
  }
  g_test_message ("%zu of 200 refused", refused);
}

int
main (int argc, char **argv)
{
  const struct
  {
    const gchar *name;
    void (*function) (Fixture *, gconstpointer);
  } tests[] = {
    {"exact", test_exact},
    {"moved", test_moved},
    {"clean", test_clean},
    {"altered", test_altered},
    {"other", test_other},
    {"settings", test_settings},
    {"options", test_options},
    {"forged", test_forged},
    {"not-finite", test_not_finite},
    {"huge", test_huge},
  };

  g_test_init (&argc, &argv, NULL);
  for (const Variant * v = variants; v->name; v++)
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++) {
      g_autofree gchar *path = g_strdup_printf ("/snapshots/%s/%s", v->name,
          tests[i].name);
      g_test_add (path, Fixture, v, set_up, tests[i].function, tear_down);
    }
  return g_test_run ();
}
