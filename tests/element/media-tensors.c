/* gst-continual: tensors and classes on buffers of video and audio (GStreamer 1.26)
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mediatest.h"

#include <glib/gstdio.h>

/* The next frame is @t; @y: with that output, NULL: with none. */
static void
expect_frame (GstHarness * h, const Golden * g, gsize t, const float *y)
{
  GstBuffer *buffer = gst_harness_try_pull (h);
  const GstTensor *tensor;
  guint8 pixel;

  fail_unless (buffer != NULL, "frame %zu is missing", t);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), t * TICK);
  fail_unless_equals_int (gst_buffer_extract (buffer, 3, &pixel, 1), 1);
  fail_unless_equals_int (pixel, (guint8) t);
  tensor = get_tensor (buffer, "continual");
  if (y) {
    fail_unless (tensor != NULL, "frame %zu has no output", t);
    fail_unless (difference (tensor->data, y, g->y_size) <= g->atol);
    fail_unless (get_tensor (buffer, "features") != NULL);
  } else {
    fail_unless (tensor == NULL, "frame %zu has an output", t);
  }
  gst_buffer_unref (buffer);
}

/* Every frame comes out, in order, with the output that answers for it. @delay: outputs of the case end so many frames
 * before its inputs. */
static void
check_case (const gchar * name, gsize delay)
{
  g_autoptr (Golden) g = golden_load (name, NULL);
  GstHarness *h = encoder_new (name, "");
  const gsize begin = g->first - delay;

  gst_harness_set_src_caps_str (h, VIDEO);
  for (gsize t = 0; t < g->n_steps; t++) {
    fail_unless_equals_int (gst_harness_push (h, inferred_new (g, t)),
        GST_FLOW_OK);
    /* Nothing waits longer than it has to. */
    if (t >= delay)
      expect_frame (h, g, t - delay, t - delay >= begin ?
          g->y + (t - delay - begin) * g->y_size : NULL);
    fail_unless (gst_harness_try_pull (h) == NULL);
  }
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  for (gsize t = g->n_steps - delay; t < g->n_steps; t++)
    expect_frame (h, g, t, NULL);
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}

GST_START_TEST (test_golden)
{
  check_case ("encoder-1-relu", 0);
  check_case ("encoder-2-relu", 0);
  check_case ("encoder-1-retroactive", 0);
  check_case ("recurrent-full-2", 0);
}

GST_END_TEST;

GST_START_TEST (test_looking_back)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-query-index-2", NULL);

  check_case ("encoder-1-query-index-2",
      co_model_get_info (g->model)->delay);
}

GST_END_TEST;

/* The answers of a chunk come together; the incomplete one is answered at EOS. */
GST_START_TEST (test_chunks)
{
  const gchar *name = "kernel-relu-chunk-4-window-2-decay";
  g_autoptr (Golden) g = golden_load (name, NULL);
  GstHarness *h = encoder_new (name, "");

  gst_harness_set_src_caps_str (h, VIDEO);
  for (gsize t = 0; t < 6; t++)
    gst_harness_push (h, inferred_new (g, t));
  for (gsize t = 0; t < 3; t++)
    expect_frame (h, g, t, g->y + t * g->y_size);
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_push (h, inferred_new (g, 6));
  gst_harness_push (h, inferred_new (g, 7));
  expect_frame (h, g, 3, g->y + 3 * g->y_size);
  expect_frame (h, g, 4, g->y + 4 * g->y_size);
  fail_unless (gst_harness_push_event (h, gst_event_new_eos ()));
  for (gsize t = 5; t < 8; t++)
    expect_frame (h, g, t, g->y + t * g->y_size);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A frame without the tensor, or with an absent or an invalid vector, passes and leaves the state as it was. */
GST_START_TEST (test_frames_without)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  const gsize C = co_model_get_info (g->model)->n_inputs;
  g_autofree float *nan = g_new (float, C);
  GstHarness *h = encoder_new ("encoder-1-relu", "input-tensor=features");
  GstBus *bus = bus_new (h->element);
  gsize n = 0;

  for (gsize i = 0; i < C; i++)
    nan[i] = NAN;
  gst_harness_set_src_caps_str (h, VIDEO);
  for (gsize t = 0; t < 40; t++) {
    GstBuffer *frame;

    if (t % 4 == 0) {
      frame = frame_new (t);
    } else if (t % 4 == 1) {
      frame = frame_new (t);
      nan[0] = t % 8 == 1 ? NAN : 1;
      gst_buffer_add_tensor_meta (frame);
      {
        GstTensor **tensors = g_new (GstTensor *, 1);

        tensors[0] = tensor_new ("features", nan, C);
        gst_tensor_meta_set (gst_buffer_get_tensor_meta (frame), 1, tensors);
      }
    } else {
      frame = inferred_new (g, n++);
      gst_buffer_memset (frame, 0, (guint8) t, 4);
      GST_BUFFER_PTS (frame) = t * TICK;
    }
    fail_unless_equals_int (gst_harness_push (h, frame), GST_FLOW_OK);
    expect_frame (h, g, t, t % 4 > 1 && n > g->first ?
        g->y + (n - 1 - g->first) * g->y_size : NULL);
  }
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "features", "onnxinference",
      NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_misfits)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  GstHarness *h = encoder_new ("encoder-1-relu", "input-tensor=boxes");
  GstBus *bus = bus_new (h->element);

  gst_harness_set_src_caps_str (h, VIDEO);
  fail_unless_equals_int (gst_harness_push (h, inferred_new (g, 0)),
      GST_FLOW_ERROR);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "32 float32", "\"boxes\" (1x3",
      "input-tensor", NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Flushes drop what waits, resets and new caps don't. */
GST_START_TEST (test_events)
{
  const gchar *name = "encoder-1-query-index-2";
  g_autoptr (Golden) g = golden_load (name, NULL);
  const gsize delay = co_model_get_info (g->model)->delay;
  GstHarness *h = encoder_new (name, "");
  GstSegment segment;

  gst_harness_set_src_caps_str (h, VIDEO);
  for (gsize t = 0; t < delay; t++)
    gst_harness_push (h, inferred_new (g, t));
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_push_event (h, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty ("continual-reset")));
  for (gsize t = 0; t < delay; t++)
    expect_frame (h, g, t, NULL);

  gst_harness_push (h, inferred_new (g, 0));
  gst_harness_set_src_caps_str (h,
      "video/x-raw,format=GRAY8,width=4,height=1,framerate=100/1");
  expect_frame (h, g, 0, NULL);

  gst_harness_push (h, inferred_new (g, 1));
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (gsize t = 0; t < g->n_steps; t++)
    gst_harness_push (h, inferred_new (g, t));
  for (gsize t = 0; t < g->n_steps - delay; t++)
    expect_frame (h, g, t, t + delay >= g->first ?
        g->y + (t + delay - g->first) * g->y_size : NULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* The attention weights come as a tensor, too; audio is media as well. */
GST_START_TEST (test_weights_on_audio)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  const CoModelInfo *info = co_model_get_info (g->model);
  GstHarness *h = encoder_new ("encoder-1-relu",
      "attention-weights=heads output-tensor=mine");
  const GstTensor *weights;
  GstBuffer *buffer = NULL;

  gst_harness_set_src_caps_str (h,
      "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved");
  for (gsize t = 0; t <= g->first; t++) {
    gst_harness_push (h, inferred_new (g, t));
    gst_clear_buffer (&buffer);
    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL);
  }
  fail_unless (get_tensor (buffer, "mine") != NULL);
  weights = get_tensor (buffer, "mine-weights");
  fail_unless (weights != NULL);
  fail_unless_equals_uint64 (weights->num_dims, 3);
  fail_unless_equals_uint64 (weights->dims[0], info->n_heads);
  fail_unless_equals_uint64 (weights->dims[1], 1);
  fail_unless_equals_uint64 (weights->dims[2], info->sequence_len);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* The classes of a frame: the best two, in the words of the model. */
GST_START_TEST (test_classes)
{
  const gchar *const labels[] = { "a", "b", "c", "d", "e" };
  g_autofree gchar *path = model_copy ("classifier-1", "labels",
      "[\"a\",\"b\",\"c\",\"d\",\"e\"]");
  g_autoptr (Golden) g = golden_load ("classifier-1", NULL);
  g_autofree gchar *line = g_strdup_printf ("continualencoder model-path=%s ! "
      "classlabeler softmax=false top-k=2", path);
  GstHarness *h = gst_harness_new_parse (line);
  GstBus *bus = bus_new (h->element);
  guint n_messages = 0;
  GstMessage *message;

  gst_harness_set_src_caps_str (h, VIDEO);
  for (gsize t = 0; t < g->n_steps; t++) {
    GstAnalyticsRelationMeta *meta;
    GstAnalyticsClsMtd classes;
    gpointer state = NULL;
    GstBuffer *buffer;
    const float *y;
    gsize best = 0;

    gst_harness_push (h, inferred_new (g, t));
    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL);
    meta = gst_buffer_get_analytics_relation_meta (buffer);
    if (t < g->first) {
      fail_unless (meta == NULL);
      gst_buffer_unref (buffer);
      continue;
    }
    fail_unless (meta != NULL);
    fail_unless (gst_analytics_relation_meta_iterate (meta, &state,
            gst_analytics_cls_mtd_get_mtd_type (), &classes));
    fail_unless_equals_int (gst_analytics_cls_mtd_get_length (&classes), 2);
    y = g->y + (t - g->first) * g->y_size;
    for (gsize i = 1; i < 5; i++)
      if (y[i] > y[best])
        best = i;
    fail_unless_equals_string (g_quark_to_string
        (gst_analytics_cls_mtd_get_quark (&classes, 0)), labels[best]);
    fail_unless (fabs (gst_analytics_cls_mtd_get_level (&classes, 0) - y[best])
        <= g->atol);
    fail_unless (gst_analytics_cls_mtd_get_level (&classes, 1)
        <= gst_analytics_cls_mtd_get_level (&classes, 0));
    fail_if (gst_analytics_relation_meta_iterate (meta, &state,
            gst_analytics_cls_mtd_get_mtd_type (), &classes));
    gst_buffer_unref (buffer);
  }
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
    n_messages += gst_structure_has_name (gst_message_get_structure (message),
        "class-label");
    gst_message_unref (message);
  }
  fail_unless_equals_int (n_messages, g->n_steps - g->first);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
  g_unlink (path);
}

GST_END_TEST;

/* The tensors of another element stay in a meta of their own, which other elements read first. */
GST_START_TEST (test_meta_of_its_own)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  GstHarness *h = encoder_new ("encoder-1-relu", "attention-weights=mean");
  const guint expected[] = { 2, 2 };
  GstBuffer *buffer = NULL;
  gpointer state = NULL;
  GstMeta *meta;
  guint n = 0;

  gst_harness_set_src_caps_str (h, VIDEO);
  for (gsize t = 0; t <= g->first; t++) {
    gst_harness_push (h, inferred_new (g, t));
    gst_clear_buffer (&buffer);
    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL);
  }
  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
              GST_TENSOR_META_API_TYPE))) {
    fail_unless (n < G_N_ELEMENTS (expected));
    fail_unless_equals_uint64 (((GstTensorMeta *) meta)->num_tensors,
        expected[n++]);
  }
  fail_unless_equals_int (n, G_N_ELEMENTS (expected));
  fail_unless (gst_tensor_meta_get_index_from_id (gst_buffer_get_tensor_meta
          (buffer), g_quark_from_string ("features")) == 1);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Two inferences need two names. */
GST_START_TEST (test_names_taken)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  GstHarness *h = encoder_new ("encoder-1-relu", "output-tensor=boxes");
  GstBus *bus = bus_new (h->element);

  gst_harness_set_src_caps_str (h, VIDEO);
  fail_unless_equals_int (gst_harness_push (h, inferred_new (g, 0)),
      GST_FLOW_ERROR);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "boxes", "output-tensor",
      NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
analytics_suite (void)
{
  Suite *s = suite_create ("analytics");
  TCase *tc = tcase_create ("media");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_golden);
  tcase_add_test (tc, test_looking_back);
  tcase_add_test (tc, test_chunks);
  tcase_add_test (tc, test_frames_without);
  tcase_add_test (tc, test_misfits);
  tcase_add_test (tc, test_events);
  tcase_add_test (tc, test_weights_on_audio);
  tcase_add_test (tc, test_classes);
  tcase_add_test (tc, test_meta_of_its_own);
  tcase_add_test (tc, test_names_taken);
  return s;
}

GST_CHECK_MAIN (analytics);
