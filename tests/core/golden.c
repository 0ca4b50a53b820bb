/* Every case of tests/golden, through the core: step by step, in chunks, and evaluated as a whole
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "golden.h"
#include "cpu.h"
#include <math.h>

/* All outputs of the case's stream, fed in chunks of @chunk. */
static gsize
run (const Golden * g, CoStream * stream, gsize chunk, float *y, gsize *first)
{
  gsize n = 0, capacity = co_stream_max_outputs (stream, chunk);
  g_autofree CoOutput *outputs = g_new (CoOutput, capacity);
  gboolean chunked = co_model_get_info (g->model)->chunk_len > 1;

  *first = G_MAXSIZE;
  for (gsize t = 0; t < g->n_steps; t += chunk) {
    CoInput input = golden_input (g, t);
    CoResult result = {.capacity = capacity,.y = y + n * g->y_size,.outputs =
          outputs };
    gsize got = co_stream_forward_steps (stream, &input,
        MIN (chunk, g->n_steps - t), TRUE, &result);

    if (got > 0 && n == 0)
      /* A case with chunks counts from the vector that is answered. */
      *first = t + outputs[0].step - (chunked ? outputs[0].age : 0);
    n += got;
  }
  return n + co_stream_drain (stream, &(CoResult) {
        .capacity = capacity,.y = y + n * g->y_size});
}

static void
compare (const Golden * g, const float *y, const float *truth, gsize n,
    const gchar * how)
{
  double worst = 0;

  for (gsize i = 0; i < n * g->y_size; i++) {
    double e = fabs (y[i] - truth[i]);
    worst = e <= worst ? worst : e;     /* a NaN stays */
  }
  g_test_message ("%s, %s: largest error %g of %g", g->name, how, worst,
      g->atol);
  g_assert_true (worst <= g->atol);
}

static void
test_stream (gconstpointer data)
{
  const gsize chunks[] = { 1, 3, 7, 1000 };
  g_autoptr (Golden) g = golden_load (data, NULL);
  const gsize n = g->n_outputs;
  g_autofree float *y = g_new (float, (n + 64) * g->y_size);

  for (gsize i = 0; i < G_N_ELEMENTS (chunks); i++) {
    g_autoptr (CoStream) stream = golden_stream (g);
    g_autofree gchar *how = g_strdup_printf ("chunks of %" G_GSIZE_FORMAT,
        chunks[i]);
    gsize first, got = run (g, stream, chunks[i], y, &first);

    g_assert_cmpuint (got, ==, n);
    g_assert_cmpuint (first, ==, g->first);
    compare (g, y, g->y, n, how);
  }
}

static void
test_forward (gconstpointer data)
{
  g_autoptr (Golden) g = golden_load (data, NULL);
  const CoModelInfo *info = co_model_get_info (g->model);
  /* Recycled positions count from the window's own beginning: only the first window is the stream's. */
  gsize windows = g->has_positions ? 1 : g->n_outputs;
  g_autofree float *y = g_new (float, g->n_outputs * g->y_size);

  if (g->key || g->memory) {
    g_test_skip ("its inputs are not one sequence");
    return;
  }
  if (info->sequence_len && info->warm_up == info->sequence_len) {
    for (gsize i = 0; i < windows; i++)
      co_model_forward (g->model, g->x + i * info->n_inputs,
          info->sequence_len, y + i * g->y_size, NULL);
    compare (g, y, g->y, windows, "forward");
  } else {
    co_model_forward (g->model, g->x, g->n_steps, y, NULL);
    compare (g, y, g->y + (g->n_outputs - 1) * g->y_size, 1, "forward");
  }
}

/* The same weights without metadata, the hyper-parameters given as options. */
static void
test_options (gconstpointer data)
{
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (Golden) g = golden_load (data, options);
  g_autofree float *y = g_new (float, (g->n_outputs + 64) * g->y_size);
  g_autoptr (CoStream) stream = golden_stream (g);
  gsize first, got = run (g, stream, 1, y, &first);

  g_assert_cmpuint (got, ==, g->n_outputs);
  compare (g, y, g->y, got, "hyper-parameters given as options");
}

int
main (int argc, char **argv)
{
  g_auto (GStrv) names = golden_names ();

  g_test_init (&argc, &argv, NULL);
  if (cpu_is_missing ())
    return 0;
  g_assert_cmpuint (g_strv_length (names), >, 0);
  for (gsize i = 0; names[i]; i++) {
    const gchar *name = g_intern_string (names[i]);
    g_autofree gchar *a = g_strdup_printf ("/golden/stream/%s", name);
    g_autofree gchar *b = g_strdup_printf ("/golden/forward/%s", name);
    g_autofree gchar *c = g_strdup_printf ("/golden/options/%s", name);

    g_test_add_data_func (a, name, test_stream);
    g_test_add_data_func (b, name, test_forward);
    g_test_add_data_func (c, name, test_options);
  }
  return g_test_run ();
}
