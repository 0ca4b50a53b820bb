/* gst-continual: attention above the first layer stays a distribution, however large its logits
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What rounding of the first layer does to logits of 1e4 in the next is nobody's fault; that weights are not negative
 * and sum to 1 holds whatever they are. */
#include "variants.h"

static void
check (const Variant * variant, GRand * random)
{
  const Shape shape = {.L = 3,.max_len = 100,.logits = 1e4 };
  g_autoptr (RefModel) m = ref_model_random (variant, &shape, random);
  CoModel *model = ref_model_load (m);
  const CoModelInfo *info = co_model_get_info (model);
  CoStream *stream = co_stream_new (model, 1);
  const gsize rows = info->n_heads * info->n_positions, keys = info->n_weights;
  g_autofree float *x = g_new (float, info->n_inputs);
  g_autofree float *y = g_new (float, info->n_positions * info->n_outputs);
  g_autofree float *weights = g_new (float, rows * keys);
  CoResult result = {.capacity = 1,.y = y,.weights = weights };
  gsize n = 0;

  for (guint t = 0; t < 60; t++) {
    for (gsize i = 0; i < info->n_inputs; i++)
      x[i] = ref_normal (random);
    if (!co_stream_forward_steps (stream, &(CoInput) {
            .x = x}, 1, TRUE, &result))
      continue;
    n++;
    for (gsize r = 0; r < rows; r++) {
      double sum = 0;

      for (gsize j = 0; j < keys; j++) {
        g_assert_cmpfloat (weights[r * keys + j], >=, 0);
        sum += weights[r * keys + j];
      }
      g_assert_cmpfloat_with_epsilon (sum, 1, keys * 0x1p-22);
    }
  }
  g_assert_cmpuint (n, >, 0);
  co_stream_unref (stream);
  co_model_unref (model);
}

static void
test_distribution (gconstpointer name)
{
  const guint32 seed = ref_seed ();
  GRand *random = g_rand_new_with_seed (seed);

  g_test_message ("CONTINUAL_TEST_SEED=%u", seed);
  for (const Variant * v = variants; v->name; v++)
    for (guint i = 0; g_str_has_prefix (v->name, name) && i < 20; i++)
      check (v, random);
  g_rand_free (random);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/upper-logits/retroactive", "retroactive/stack", test_distribution);
  g_test_add_data_func ("/upper-logits/single-output", "single-output/stack", test_distribution);
  return g_test_run ();
}
