/* The memory of a stream is what its steps use
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * It grows with the window, and not with its square, except where layers evaluate whole windows: these have one matrix of all
 * queries and keys, whatever the number of layers and heads. */
#include "live.h"
#include <model/model.h>

#define WINDOW 400

static CoModel *
load (GBytes * file, gboolean look_back, guint n)
{
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = g_strdup_printf ("%u", n);
  CoModel *model;

  g_assert_true (co_options_set (options, "sequence_len", text, NULL));
  if (look_back)
    g_assert_true (co_options_set (options, "query_index", "-3", NULL));
  model = co_model_load_bytes (file, options, &error);
  g_assert_no_error (error);
  return model;
}

/* Whether all rows of a window attend in some layer: in the first one by their places, in one between, in the last if all are
 * answered */
static gboolean
has_windows (const CoStack * stack)
{
  const CoAttentionClass *first = stack->layers[0].attention.klass;

  return first == &co_cached_window_class
      || (first == &co_retroactive_class && (stack->n_layers > 2
          || (stack->n_layers == 2 && (stack->all_positions
                  || co_pool_reduces (stack->pool)))));
}

static void
test_growth (gconstpointer data)
{
  const Variant *variant = data;

  g_test_message ("CONTINUAL_TEST_SEED=%u", ref_seed ());
  for (guint seed = 0; seed < 6; seed++) {
    const Shape shape = {.E = 24,.H = 3,.N = 2 * WINDOW,.ff = 8 };
    g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed () + seed);
    g_autoptr (RefModel) m = ref_model_random (variant, &shape, random);
    g_autoptr (GBytes) file = ref_model_write (m, NULL);
    g_autoptr (CoModel) half = load (file, variant->look_back, WINDOW);
    g_autoptr (CoModel) whole = load (file, variant->look_back, 2 * WINDOW);
    const double square = 4. * WINDOW * WINDOW;
    /* Of a N^2 + b N + c, this is 2 a N^2 - c. */
    const double more = (double) co_model_get_stream_bytes (whole, 1) -
        2. * co_model_get_stream_bytes (half, 1);
    const gsize n_matrices = has_windows (&half->stack) ? 1 : 0;

    if (more > 2 * n_matrices * square + square / 10) {
      g_autofree gchar *what = ref_model_describe (m);

      g_error ("%s: %.2f matrices of (N, N) floats, expected %zu", what,
          more / square / 2, n_matrices);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (const Variant * v = variants; v->name; v++) {
    g_autofree gchar *path = g_strdup_printf ("/scratch/%s", v->name);

    /* Kinds with a window of one length */
    if (!v->windows && (g_str_equal (v->kind, "single-output")
            || g_str_equal (v->kind, "retroactive") || g_str_equal (v->kind, "deep")))
      g_test_add_data_func (path, v, test_growth);
  }
  return g_test_run ();
}
