/* gst-continual: attention weights are a second tensor of each output, and only when asked for
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attentiontest.h"

/* Weights (H, P, W) of each output, as the core gives them. */
static float *
core_weights (const Golden * g, gsize * size)
{
  const CoModelInfo *info = co_model_get_info (g->model);
  g_autoptr (CoStream) stream = co_stream_new (g->model, 1);
  const gsize capacity = co_stream_max_outputs (stream, g->n_steps);
  g_autofree float *y = g_new (float, capacity * g->y_size);
  float *weights;

  *size = info->n_heads * info->n_positions * info->n_weights;
  weights = g_new (float, capacity * *size);
  fail_unless_equals_uint64 (co_stream_forward_steps (stream, &(CoInput) {
          .x = g->x,.key = g->key,.value = g->value}, g->n_steps, TRUE,
          &(CoResult) {
          .capacity = capacity,.y = y,.weights = weights}), g->n_outputs);
  return weights;
}

/* The outputs are as ever; @weights (H, P, W) are beside them, or their mean over heads. */
static void
expect_both (GstHarness * h, const Golden * g, gsize i, const float *weights,
    gsize n_heads, gsize size)
{
  GstBuffer *buffer = gst_harness_try_pull (h), *part;

  fail_unless (buffer != NULL);
  fail_unless_equals_int (gst_buffer_n_memory (buffer), 2);
  part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 0,
      g->y_size * sizeof (float));
  fail_unless (difference (part, g->y + i * g->y_size, g->y_size) <= g->atol);
  gst_buffer_unref (part);
  part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY,
      g->y_size * sizeof (float), -1);
  if (n_heads == 1) {
    fail_unless (difference (part, weights, size) <= 1e-6);
  } else {
    const gsize one = size / n_heads;
    g_autofree float *mean = g_new0 (float, one);

    for (gsize j = 0; j < size; j++)
      mean[j % one] += weights[j] / n_heads;
    fail_unless (difference (part, mean, one) <= 1e-6);
  }
  gst_buffer_unref (part);
  gst_buffer_unref (buffer);
}

static void
check_dimensions (GstHarness * h, const gchar * expected)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  gint n;

  fail_unless (gst_structure_get_int (s, "num_tensors", &n) && n == 2);
  fail_unless_equals_string (gst_structure_get_string (s, "types"),
      "float32,float32");
  fail_unless_equals_string (gst_structure_get_string (s, "dimensions"),
      expected);
  gst_caps_unref (caps);
}

static const struct
{
  const gchar *name, *heads, *mean;
} cases[] = {
  {"encoder-1-relu", "32:1:1:1,8:1:4:1", "32:1:1:1,8:1:1:1"},
  {"encoder-2-relu", "32:1:1:1,8:1:4:1", "32:1:1:1,8:1:1:1"},
  {"encoder-1-retroactive", "32:8:1:1,8:8:4:1", "32:8:1:1,8:8:1:1"},
  {"encoder-2-retroactive", "32:8:1:1,8:8:4:1", "32:8:1:1,8:8:1:1"},
  {"deep-3", "32:1:1:1,6:1:4:1", "32:1:1:1,6:1:1:1"},
  {"mha-single-output-bias-kv", "24:1:1:1,7:1:3:1", "24:1:1:1,7:1:1:1"},
};

static void
check_encoder (const gchar * name, gboolean heads, const gchar * dimensions)
{
  g_autoptr (Golden) g = golden_load (name, NULL);
  const CoModelInfo *info = co_model_get_info (g->model);
  g_autofree gchar *dims = g_strdup_printf ("%" G_GSIZE_FORMAT, info->n_inputs);
  g_autofree float *weights = NULL;
  GstHarness *h = encoder_new (name, heads ? "attention-weights=heads" :
      "attention-weights=mean");
  gsize size;

  weights = core_weights (g, &size);
  encoder_set_caps (h, dims, 100);
  push_vectors (h, g, 0, g->n_steps);
  check_dimensions (h, dimensions);
  for (gsize i = 0; i < g->n_outputs; i++)
    expect_both (h, g, i, weights + i * size, heads ? 1 : info->n_heads, size);
  gst_harness_teardown (h);
}

GST_START_TEST (test_encoder)
{
  check_encoder (cases[__i__].name, TRUE, cases[__i__].heads);
  check_encoder (cases[__i__].name, FALSE, cases[__i__].mean);
}

GST_END_TEST;

GST_START_TEST (test_attention)
{
  g_autoptr (Golden) g =
      golden_load ("mha-single-output-qkv-kdim-vdim", NULL);
  const CoModelInfo *info = co_model_get_info (g->model);
  g_autofree float *weights = NULL;
  Rig rig = rig_new ("mha-single-output-qkv-kdim-vdim", N_PADS, FALSE);
  gsize size;

  weights = core_weights (g, &size);
  gst_element_set_state (rig.element, GST_STATE_READY);
  gst_util_set_object_arg (G_OBJECT (rig.element), "attention-weights",
      "heads");
  gst_element_set_state (rig.element, GST_STATE_PLAYING);
  rig_set_caps (&rig, QUERY, info->n_inputs, 1, 100, 1);
  rig_set_caps (&rig, KEY, info->n_keys, 1, 100, 1);
  rig_set_caps (&rig, VALUE, info->n_values, 1, 100, 1);
  for (gsize t = 0; t < g->n_steps; t++) {
    rig_push (&rig, KEY, g->key, info->n_keys, t, 1);
    rig_push (&rig, VALUE, g->value, info->n_values, t, 1);
    rig_push (&rig, QUERY, g->x, info->n_inputs, t, 1);
  }
  for (gsize i = 0; i < 5; i++) {
    GstBuffer *buffer = gst_harness_pull (rig.pads[QUERY]), *part;

    part = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY,
        g->y_size * sizeof (float), -1);
    fail_unless (difference (part, weights + i * size, size) <= 1e-6);
    gst_buffer_unref (part);
    gst_buffer_unref (buffer);
  }
  check_dimensions (rig.pads[QUERY], "24:1:1:1,6:1:3:1");
  rig_free (&rig);
}

GST_END_TEST;

/* Not asked for, they are not there; a kind that has none is refused. */
GST_START_TEST (test_none)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  g_autofree gchar *path = model_path ("recurrent-linear-2");
  GstHarness *h = encoder_new ("encoder-1-relu", "");
  GstElement *element;
  GstMessage *message;
  GError *error = NULL;
  GstBus *bus;

  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, g->n_steps);
  pull_outputs (h, g, 0, g->n_outputs);
  gst_harness_teardown (h);

  element = gst_element_factory_make ("continualencoder", NULL);
  bus = bus_new (element);
  g_object_set (element, "model-path", path, NULL);
  gst_util_set_object_arg (G_OBJECT (element), "attention-weights", "mean");
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message, "recurrent-linear") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  bus_free (element, bus);
  gst_object_unref (element);
}

GST_END_TEST;

static Suite *
attention_weights_suite (void)
{
  Suite *s = suite_create ("attention-weights");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_encoder, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tc, test_attention);
  tcase_add_test (tc, test_none);
  return s;
}

GST_CHECK_MAIN (attention_weights);
