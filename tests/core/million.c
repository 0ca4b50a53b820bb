/* A million vectors: kinds whose sums have no bound, or whose windows move on without end, are then as close to the
 * truth as ever, and no state holds a denormal or a NaN
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "live.h"
#include "stream/stream.h"
#include <math.h>

#define STEPS 1000000
#define CHUNK 1000
#define WATCHED 20                /* more than a chunk */

static void
check_state (const CoStream * stream)
{
  const CoAttention *attention = &stream->model->stack.layers[0].attention;
  const gsize size = attention->klass->state_size (attention) - 64;
  const double *numbers =
      (const double *) (stream->state + CO_STREAM_HEAD_SIZE + 64);

  for (gsize i = 0; i < size / sizeof (double); i++) {
    int class = fpclassify (numbers[i]);
    g_assert_true (class == FP_ZERO || class == FP_NORMAL);
  }
}

static void
test_million (gconstpointer data)
{
  const Shape shape = {.E = 4,.H = 2,.N = 3,.L = 1,.ff = 3 };
  const Variant *variant = data;
  g_autoptr (GRand) random = g_rand_new_with_seed (ref_seed ());
  g_autoptr (RefModel) m = ref_model_random (variant, &shape, random);
  g_autofree gchar *text = ref_model_describe (m);
  g_autoptr (Live) live = live_new (m, 1, random);

  g_test_message ("CONTINUAL_TEST_SEED=%u: %s", ref_seed (), text);
  for (gsize t = 0; t < STEPS; t += CHUNK) {
    g_autoptr (Chunk) chunk = chunk_new (live, CHUNK, FALSE, 1, random);

    live->check = FALSE;
    outputs_free (live_run (live, chunk));
  }
  check_state (live->stream);
  live->check = TRUE;
  for (gsize t = 0; t < WATCHED; t++) {
    g_autoptr (Chunk) chunk = chunk_new (live, 1, FALSE, 1, random);

    outputs_free (live_run (live, chunk));
  }
  g_assert_cmpuint (live->n_checked, >, 0);
  g_test_message ("largest error %.3g of the tolerance", live->worst);
}

int
main (int argc, char **argv)
{
  const gchar *names[] = { "recurrent-linear/attention", "kernel/elu",
    "kernel/exp", "kernel/chunks-relu", "kernel/cache-elu",
    "kernel/cache-chunks-exp"
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree gchar *path = g_strdup_printf ("/million/%s", names[i]);
    const Variant *v = variants;

    while (v->name && !g_str_equal (v->name, names[i]))
      v++;
    g_assert_nonnull (v->name);
    g_test_add_data_func (path, v, test_million);
  }
  return g_test_run ();
}
