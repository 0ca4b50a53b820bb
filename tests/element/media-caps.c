/* gst-continual: caps of video and audio that list tensors, and tensor decoders (GStreamer 1.28)
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mediatest.h"

#include <glib/gstdio.h>

#define AUDIO "audio/x-raw,format=S16LE,rate=8000,channels=1,layout=interleaved"
#define GROUP(Group, Id, Dims) Group "=(/uniquelist){(GstCaps)[tensor/strided, tensor-id=(string)" Id ", dims=" Dims \
    ", dims-order=(string)row-major, type=(string)float32]}"
#define LISTED(Groups) ", tensors=(structure)[tensorgroups, " Groups "]"

static gchar *
labelled_model (void)
{
  return model_copy ("classifier-1", "labels", "[\"a\",\"b\",\"c\",\"d\",\"e\"]");
}

/* The src caps of @h must be @media with exactly the listed @groups. */
static void
expect_src_caps (GstHarness * h, const gchar * media, const gchar * groups)
{
  g_autofree gchar *text = g_strdup_printf ("%s, tensors=(structure)"
      "[tensorgroups, %s]", media, groups);
  GstCaps *expected = gst_caps_from_string (text);
  GstCaps *found = gst_pad_get_current_caps (h->sinkpad);

  fail_unless (expected != NULL, "%s", text);
  fail_unless (found && gst_caps_is_equal (found, expected),
      "expected %s, found %" GST_PTR_FORMAT, text, found);
  gst_caps_unref (expected);
  gst_caps_unref (found);
}

/* The caps keep the tensors that they list. The output is added, under a registered name if the model has labels. */
GST_START_TEST (test_listing)
{
  g_autoptr (Golden) g = golden_load ("classifier-1", NULL);
  g_autofree gchar *path = labelled_model ();
  g_autofree gchar *line = g_strdup_printf ("continualencoder model-path=%s", path);
  GstHarness *h = gst_harness_new_parse (line);
  GstBuffer *buffer = NULL;

  gst_harness_set_src_caps_str (h, VIDEO LISTED (GROUP ("mine", "features", "<20>")));
  for (gsize t = 0; t <= g->first; t++) {
    gst_harness_push (h, inferred_new (g, t));
    gst_clear_buffer (&buffer);
    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL);
  }
  expect_src_caps (h, VIDEO, GROUP ("mine", "features", "<20>") ", "
      GROUP ("classification-generic-out", "classification-generic-out", "<5>"));
  fail_unless (get_tensor (buffer, "classification-generic-out") != NULL);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  g_unlink (path);
}

GST_END_TEST;

/* Caps without a list are as good: the output is listed, with the weights, and all positions as rows. */
GST_START_TEST (test_listing_weights)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-retroactive", NULL);
  const CoModelInfo *info = co_model_get_info (g->model);
  GstHarness *h = encoder_new ("encoder-1-retroactive", "attention-weights=heads");
  g_autofree gchar *groups =
      g_strdup_printf (GROUP ("continual", "continual", "<%zu,%zu>") ", "
      GROUP ("continual-weights", "continual-weights", "<%zu,%zu,%zu>"),
      info->n_positions, info->n_outputs, info->n_heads, info->n_positions,
      info->n_weights);

  gst_harness_set_src_caps_str (h, AUDIO);
  gst_harness_push (h, inferred_new (g, 0));
  expect_src_caps (h, AUDIO, groups);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Downstream that wants the output's tensor is no reason to want it from upstream. */
GST_START_TEST (test_wanted)
{
  GstHarness *h = encoder_new ("encoder-1-relu", "");
  GstCaps *caps;

  gst_harness_set_sink_caps_str (h, VIDEO LISTED (GROUP ("continual", "continual", "<32>")));
  caps = gst_pad_peer_query_caps (h->srcpad, NULL);
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    fail_if (gst_structure_has_field (gst_caps_get_structure (caps, i), "tensors"),
        "%" GST_PTR_FORMAT, caps);
  fail_if (gst_caps_is_empty (caps));
  gst_caps_unref (caps);

  gst_harness_set_sink_caps_str (h,
      VIDEO LISTED (GROUP ("continual", "continual", "<32>") ", " GROUP ("x", "x", "<7>")));
  caps = gst_pad_peer_query_caps (h->srcpad, NULL);
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    fail_unless (gst_structure_has_field (gst_caps_get_structure (caps, i), "tensors"));
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* The listed tensor that fits is read; the names win over the order on the buffer. */
GST_START_TEST (test_chosen)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  const gsize C = co_model_get_info (g->model)->n_inputs;
  GstHarness *h = encoder_new ("encoder-1-relu", "");
  GstBuffer *buffer = NULL;

  gst_harness_set_src_caps_str (h,
      VIDEO LISTED (GROUP ("a", "boxes", "<1,3>") ", " GROUP ("b", "features", "<0,32>")));
  for (gsize t = 0; t <= g->first; t++) {
    GstTensor *decoy[] = { tensor_new ("decoy", g->x, C) };
    GstBuffer *in = frame_new (t), *features = inferred_new (g, t);

    gst_tensor_meta_set (gst_buffer_add_tensor_meta (in), 1,
        g_memdup2 (decoy, sizeof decoy));
    gst_buffer_copy_into (in, features, GST_BUFFER_COPY_META, 0, -1);
    gst_buffer_unref (features);
    gst_harness_push (h, in);
    gst_clear_buffer (&buffer);
    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL);
  }
  fail_unless (difference (get_tensor (buffer, "continual")->data, g->y,
          g->y_size) <= g->atol);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Before a buffer flows: what is listed does not fit. */
static void
check_refused (const gchar * properties, const gchar * groups,
    const gchar * found)
{
  g_autofree gchar *caps = g_strdup_printf (VIDEO
      ", tensors=(structure)[tensorgroups, %s]", groups);
  GstHarness *h = encoder_new ("encoder-1-relu", properties);
  GstBus *bus = bus_new (h->element);

  gst_harness_set_src_caps_str (h, caps);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "32 float32", found,
      "input-tensor", NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_START_TEST (test_refused)
{
  check_refused ("", GROUP ("a", "boxes", "<1,3>"), "\"boxes\"");
  check_refused ("input-tensor=other", GROUP ("a", "features", "<32>"),
      "\"features\"");
  check_refused ("", "a=(/uniquelist){(GstCaps)[tensor/strided, tensor-id=(string)u8, dims=<32>, "
      "dims-order=(string)row-major, type=(string)uint8]}", "uint8");
  check_refused ("", "a=(/uniquelist){(GstCaps)[tensor/strided, tensor-id=(string)columns, dims=<4,8>, "
      "dims-order=(string)col-major, type=(string)float32]}", "\"columns\"");
}

GST_END_TEST;

/* A vector in a GstAnalyticsTensorMtd is one, too. */
GST_START_TEST (test_tensor_mtd)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  gsize dims[] = { co_model_get_info (g->model)->n_inputs };
  GstHarness *h = encoder_new ("encoder-1-relu", "input-tensor=features");
  GstBuffer *buffer = NULL;

  gst_harness_set_src_caps_str (h, VIDEO);
  for (gsize t = 0; t <= g->first; t++) {
    GstBuffer *in = frame_new (t);
    GstAnalyticsRelationMeta *meta = gst_buffer_add_analytics_relation_meta (in);
    GstAnalyticsTensorMtd mtd;

    fail_unless (gst_analytics_relation_meta_add_tensor_mtd_simple (meta,
            g_quark_from_string ("features"), GST_TENSOR_DATA_TYPE_FLOAT32,
            gst_buffer_new_memdup (g->x + t * dims[0], dims[0] * sizeof *g->x),
            GST_TENSOR_DIM_ORDER_ROW_MAJOR, 1, dims, &mtd));
    gst_harness_push (h, in);
    gst_clear_buffer (&buffer);
    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL);
  }
  fail_unless (get_tensor (buffer, "continual") != NULL);
  fail_unless (difference (get_tensor (buffer, "continual")->data, g->y,
          g->y_size) <= g->atol);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* ---- classlabeler ---- */

/* The first class of @buffer, NULL: it has none. */
static const gchar *
get_class (GstBuffer * buffer, gfloat * level)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsClsMtd classes;
  gpointer state = NULL;

  if (!meta || !gst_analytics_relation_meta_iterate (meta, &state,
          gst_analytics_cls_mtd_get_mtd_type (), &classes))
    return NULL;
  *level = gst_analytics_cls_mtd_get_level (&classes, 0);
  return g_quark_to_string (gst_analytics_cls_mtd_get_quark (&classes, 0));
}

/* tensordecodebin plugs it for video and for audio. */
static void
check_plugged (const gchar * media)
{
  const gchar *const labels[] = { "a", "b", "c", "d", "e" };
  g_autoptr (Golden) g = golden_load ("classifier-1", NULL);
  g_autofree gchar *path = labelled_model ();
  g_autofree gchar *line = g_strdup_printf ("continualencoder model-path=%s ! tensordecodebin", path);
  GstHarness *h = gst_harness_new_parse (line);
  guint n = 0;

  gst_harness_set_src_caps_str (h, media);
  for (gsize t = 0; t < g->n_steps; t++) {
    GstBuffer *buffer;
    gfloat level = -1;
    const gchar *found;
    const float *y;
    gsize best = 0;

    fail_unless_equals_int (gst_harness_push (h, inferred_new (g, t)), GST_FLOW_OK);
    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL);
    found = get_class (buffer, &level);
    if (t >= g->first) {
      y = g->y + (t - g->first) * g->y_size;
      for (gsize i = 1; i < 5; i++)
        if (y[i] > y[best])
          best = i;
      fail_unless_equals_string (found, labels[best]);
      fail_unless (level > 0 && level <= 1);
      n++;
    }
    gst_buffer_unref (buffer);
  }
  fail_unless (n > 0);
  gst_harness_teardown (h);
  g_unlink (path);
}

GST_START_TEST (test_plugged)
{
  check_plugged (VIDEO);
  check_plugged (AUDIO);
}

GST_END_TEST;

/* It does not take what it cannot read: the scores of other decoders. */
GST_START_TEST (test_not_plugged)
{
  GstElement *labeler = gst_element_factory_make ("classlabeler", NULL);
  GstPad *pad = gst_element_get_static_pad (labeler, "sink");
  GstCaps *boxes = gst_caps_from_string (VIDEO LISTED (GROUP ("boxes", "boxes", "<1,3>")));
  GstCaps *scores = gst_caps_from_string (VIDEO LISTED (GROUP ("boxes", "boxes", "<1,3>") ", "
          GROUP ("continual", "continual", "<5>")));
  GstCaps *plain = gst_caps_from_string (VIDEO);

  fail_if (gst_pad_query_accept_caps (pad, boxes));
  fail_unless (gst_pad_query_accept_caps (pad, scores));
  fail_unless (gst_pad_query_accept_caps (pad, plain));
  gst_caps_unref (boxes);
  gst_caps_unref (scores);
  gst_caps_unref (plain);
  gst_object_unref (pad);
  gst_object_unref (labeler);
}

GST_END_TEST;

/* In a pipeline, it says why. */
GST_START_TEST (test_labeler_refuses)
{
  GstHarness *h = gst_harness_new_parse ("classlabeler");
  GstBus *bus = bus_new (h->element);

  gst_harness_set_src_caps_str (h, VIDEO LISTED (GROUP ("boxes", "boxes", "<1,3>")));
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "scores", "\"boxes\"",
      "input-tensor", NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Probabilities are not made probabilities again; logits are. */
static gfloat
label_one (const gchar * id)
{
  const float scores[] = { 0.1f, 0.7f, 0.2f };
  GstHarness *h = gst_harness_new_parse ("classlabeler");
  GstTensor *tensors[] = { tensor_new (id, scores, 3) };
  GstBuffer *buffer = frame_new (0);
  gfloat level = -1;

  gst_tensor_meta_set (gst_buffer_add_tensor_meta (buffer), 1,
      g_memdup2 (tensors, sizeof tensors));
  gst_harness_set_src_caps_str (h, VIDEO);
  gst_harness_push (h, buffer);
  buffer = gst_harness_try_pull (h);
  fail_unless (buffer != NULL);
  fail_unless_equals_string (get_class (buffer, &level), "1");
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  return level;
}

GST_START_TEST (test_probabilities)
{
  const gdouble sum = exp (0.1) + exp (0.7) + exp (0.2);

  fail_unless (fabs (label_one ("classification-generic-softmaxed-out") - 0.7) < 1e-6);
  fail_unless (fabs (label_one ("classification-generic-out") - exp (0.7) / sum) < 1e-6);
  fail_unless (fabs (label_one ("continual") - exp (0.7) / sum) < 1e-6);
}

GST_END_TEST;

/* GStreamer's own decoder reads the output as well. */
GST_START_TEST (test_classifier_decoder)
{
  g_autoptr (Golden) g = golden_load ("classifier-1", NULL);
  g_autofree gchar *path = labelled_model ();
  g_autofree gchar *line =
      g_strdup_printf ("continualencoder model-path=%s ! classifiertensordecoder", path);
  GstHarness *h = gst_harness_new_parse (line);
  GstBuffer *buffer = NULL;
  const float *y = g->y;
  gsize best = 0;
  gfloat level = -1;
  gchar number[8];

  gst_harness_set_src_caps_str (h, VIDEO);
  for (gsize t = 0; t <= g->first; t++) {
    gst_harness_push (h, inferred_new (g, t));
    gst_clear_buffer (&buffer);
    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL);
  }
  for (gsize i = 1; i < 5; i++)
    if (y[i] > y[best])
      best = i;
  g_snprintf (number, sizeof number, "%zu", best);
  fail_unless_equals_string (get_class (buffer, &level), number);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
  g_unlink (path);
}

GST_END_TEST;

static Suite *
media_caps_suite (void)
{
  Suite *s = suite_create ("media-caps");
  TCase *tc = tcase_create ("caps");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_listing);
  tcase_add_test (tc, test_listing_weights);
  tcase_add_test (tc, test_wanted);
  tcase_add_test (tc, test_chosen);
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_tensor_mtd);
  tcase_add_test (tc, test_plugged);
  tcase_add_test (tc, test_not_plugged);
  tcase_add_test (tc, test_labeler_refuses);
  tcase_add_test (tc, test_probabilities);
  tcase_add_test (tc, test_classifier_decoder);
  return s;
}

GST_CHECK_MAIN (media_caps);
