/* Random models over random streams give what float64 gives, whatever happens to the streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "cpu.h"

#define CASES 16

/* Where all that came counts, the truth takes a time that grows with the square of the stream, or worse. */
static gboolean
remembers_all (const RefModel * m)
{
  return ref_reach (m) == G_MAXSIZE;
}

/* A case of a variant: its own seed, so that it can be run alone. */
static GRand *
begin (const Variant * variant, guint i, const Shape * shape, RefModel ** m)
{
  guint32 seed = ref_seed () + 1000 * g_str_hash (variant->name) + i;
  GRand *random = g_rand_new_with_seed (seed);
  g_autofree gchar *text = NULL;

  *m = ref_model_random (variant, shape, random);
  text = ref_model_describe (*m);
  g_test_message ("CONTINUAL_TEST_SEED=%u, case %u: %s", ref_seed (), i, text);
  return random;
}

/* update_state=FALSE gives what the chunk gives and leaves everything as it was. */
static void
run_twice (Live * live, const Chunk * chunk)
{
  g_autoptr (GBytes) before = co_stream_get_state (live->stream);
  g_autoptr (GBytes) after = NULL;
  g_autoptr (Outputs) tried = outputs_new (live, chunk->T);
  g_autoptr (Outputs) taken = NULL;
  CoInput input = chunk_input (chunk);

  tried->n = co_stream_forward_steps (live->stream, &input, chunk->T, FALSE,
      &tried->result);
  after = co_stream_get_state (live->stream);
  g_assert_true (g_bytes_equal (before, after));
  taken = live_run (live, chunk);
  g_assert_true (outputs_equal (tried, taken));
}

/* Away from a state and back to it */
static void
leave_and_return (Live * live, GRand * random)
{
  g_autoptr (GBytes) state = co_stream_get_state (live->stream);
  g_autoptr (Chunk) other = chunk_new (live, 5, FALSE, 1, random);
  g_autoptr (Outputs) out = outputs_new (live, 5);
  g_autoptr (GError) error = NULL;
  CoInput input = chunk_input (other);

  if (live->m->decoder)
    co_stream_set_memory (live->stream, CO_ALL_STREAMS, other->x, 5, NULL);
  co_stream_forward_steps (live->stream, &input, 5, TRUE, &out->result);
  co_stream_set_state (live->stream, state, &error);
  g_assert_no_error (error);
}

/* What happens between two chunks */
static void
disturb (Live * live, GRand * random)
{
  switch (g_rand_int_range (random, 0, 8)) {
    case 0:
      live_reset (live, g_rand_int_range (random, -1, live->S));
      break;
    case 1:{
      CoStream *copy = co_stream_copy (live->stream);
      co_stream_unref (live->stream);
      live->stream = copy;
      break;
    }
    case 2:
      leave_and_return (live, random);
      break;
    case 3:
      live_drain (live);
      break;
    case 4:
    case 5:
      if (live->m->decoder)
        live_set_memory (live, g_rand_int_range (random, -1, live->S), random);
      break;
    default:
      break;
  }
}

static void
walk (Live * live, gsize n_vectors, float loudness, GRand * random)
{
  for (gsize n = 0; n < n_vectors;) {
    gsize T = g_rand_int_range (random, 0, 5) ? g_rand_int_range (random, 1, 6)
        : g_rand_int_range (random, 0, remembers_all (live->m) ? 20 : 90);
    g_autoptr (Chunk) chunk = chunk_new (live, T, TRUE, loudness, random);

    disturb (live, random);
    if (g_rand_int_range (random, 0, 3) == 0) {
      run_twice (live, chunk);
    } else {
      outputs_free (live_run (live, chunk));
    }
    n += MAX (T, 1);
  }
}

static void
test_stream (gconstpointer data)
{
  const Variant *variant = data;
  const Shape shape = {.max_len = 200 };
  double worst = 0;
  gsize n = 0;

  for (guint i = 0; i < CASES; i++) {
    g_autoptr (RefModel) m = NULL;
    g_autoptr (GRand) random = begin (variant, i, &shape, &m);
    g_autoptr (Live) live = live_new (m, g_rand_int_range (random, 1, 6),
        random);

    walk (live, MAX (3 * m->N + 20, 40), 1, random);
    worst = MAX (worst, live->worst);
    n += live->n_checked;
  }
  g_test_message ("%zu answers, largest error %.3g of the tolerance", n, worst);
  g_assert_cmpuint (n, >, 100);
}

/* Queries and keys that make logits of 1 to 1e4, and vectors loud enough to take all the mass and to leave with it. */
static void
test_logits (gconstpointer data)
{
  const Variant *variant = data;
  const float logits[] = { 1, 10, 100, 1e3, 1e4 };
  const float loudness[] = { 1, 3000 };
  double worst = 0;

  for (guint i = 0; i < G_N_ELEMENTS (logits) * 4; i++) {
    const Shape shape = {.logits = logits[i / 4],.L = 1,.max_len = 200 };
    g_autoptr (RefModel) m = NULL;
    g_autoptr (GRand) random = begin (variant, i, &shape, &m);
    g_autoptr (Live) live = live_new (m, 2, random);

    walk (live, MAX (3 * m->N + 20, 40), loudness[i % 2], random);
    worst = MAX (worst, live->worst);
  }
  g_test_message ("largest error %.3g of the tolerance", worst);
}

/* Residuals whose mean is a hundred times their deviation, before layers that normalise first */
static void
test_offset (gconstpointer data)
{
  const Shape shape = {.E = 32,.H = 2 };
  double worst = 0;
  gsize n = 0;

  for (guint i = 0; n < 5; i++) {
    g_autoptr (RefModel) m = NULL;
    g_autoptr (GRand) random = begin (data, i, &shape, &m);
    g_autoptr (Live) live = NULL;

    if (!m->norm_first || !m->positions || !m->encoder_norm.gain)
      continue;
    for (gsize k = 0; k < m->P * m->E; k++)
      m->positions[k] += 100;
    live = live_new (m, 2, random);
    walk (live, MAX (3 * m->N + 20, 40), 1, random);
    worst = MAX (worst, live->worst);
    n++;
  }
  g_test_message ("largest error %.3g of the tolerance", worst);
}

/* The end of a long stream (with `-m slow` a longer one) is as close to the truth as its beginning. */
static void
test_long (gconstpointer data)
{
  const Variant *variant = data;
  /* Of these the truth needs every row of every layer. */
  const gboolean slow = variant->decoder || (variant->max_layers > 0
      && !variant->fills && g_str_equal (variant->kind, "recurrent-full"));
  const gsize steps = slow ? 400 : g_test_slow ()? 20000 : 2000;
  const Shape shape = {.E = 6,.H = 2,.N = 7,.ff = 5,.max_len = steps };
  g_autoptr (RefModel) m = NULL;
  g_autoptr (GRand) random = begin (variant, 0, &shape, &m);
  g_autoptr (Live) live = live_new (m, 1, random);
  const gsize chunk_len = remembers_all (m) ? 10 : 100;
  const gsize watched = 2 * chunk_len;
  double first = 0;

  for (gsize t = 0; t < steps; t += chunk_len) {
    g_autoptr (Chunk) chunk = chunk_new (live, chunk_len, FALSE, 1, random);

    live->check = t < watched || t >= steps - watched;
    outputs_free (live_run (live, chunk));
    if (t + chunk_len == watched) {
      first = live->worst;
      live->worst = 0;
    }
  }
  g_test_message ("largest error of the first %zu: %.3g of the tolerance, of the last: %.3g", watched, first,
      live->worst);
  g_assert_cmpfloat (live->worst, <=, MAX (3 * first, 0.1));
}

/* co_model_forward() and a fresh stream agree on the truth. */
static void
test_forward (gconstpointer data)
{
  const Variant *variant = data;

  for (guint i = 0; i < CASES; i++) {
    g_autoptr (RefModel) m = NULL;
    g_autoptr (GRand) random = begin (variant, i, NULL, &m);
    g_autoptr (Live) live = live_new (m, 1, random);
    g_autoptr (Chunk) chunk = NULL;
    g_autoptr (Outputs) out = NULL;
    gboolean window = ref_reach (m) == m->N;
    gsize n = MAX (window ? m->N : live->info->warm_up, m->N), age;

    live->has_key = live->has_value = FALSE;
    if (!window)
      n += g_rand_int_range (random, 0, 5);
    chunk = chunk_new (live, n, FALSE, 1, random);
    outputs_free (live_run (live, chunk));
    out = outputs_new (live, 1);
    ref_n_answers (m, n, 0, &age);
    if (m->chunk_len > 1)
      live->filled[0] = 0;
    co_model_forward (live->model, chunk->x, n, out->result.y,
        out->result.weights);
    live_compare (live, 0, age, out->result.y, out->result.weights);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (cpu_is_missing ())
    return 0;
  for (const Variant * v = variants; v->name; v++) {
    const struct
    {
      const gchar *name;
      GTestDataFunc function;
    } tests[] = {
      {"stream", test_stream},
      {"logits", test_logits},
      {"long", test_long},
      {"offset", strstr (v->name, "classifier") ? test_offset : NULL},
      {"forward", v->separate || v->decoder ? NULL : test_forward},
    };
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++) {
      g_autofree gchar *path = g_strdup_printf ("/truth/%s/%s", v->name,
          tests[i].name);
      if (tests[i].function)
        g_test_add_data_func (path, v, tests[i].function);
    }
  }
  return g_test_run ();
}
