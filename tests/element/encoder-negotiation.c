/* gst-continual: caps of continualencoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include "tensor/media.h"

/* 20 features, a window of 8, 5 outputs; and 32, 8 and 32 */
#define CLASSIFIER "classifier-1"
#define RETROACTIVE "encoder-1-retroactive"

/* The caps that come out for those that go in. */
static void
check_caps (const gchar * model, const gchar * in, const gchar * out)
{
  GstHarness *h = encoder_new (model, "");
  g_autofree gchar *in_text = g_strconcat (TENSORS, ",", in, NULL);
  g_autofree gchar *out_text = g_strconcat (TENSORS, ",", out, NULL);
  g_autoptr (GstCaps) expected = gst_caps_from_string (out_text);
  g_autoptr (GstCaps) found = NULL;

  gst_harness_set_src_caps_str (h, in_text);
  found = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (found != NULL, "%s", in);
  fail_unless (gst_caps_is_equal (found, expected), "%s: expected %s, found %s",
      in, out, gst_caps_to_string (found));
  gst_harness_teardown (h);
}

GST_START_TEST (test_spellings)
{
  const gchar *spellings[] = { "(string)20", "(string)20:1", "(string)20:1:1",
    "(string)20:1:1:1", "20", "(string)20:1:1:1:1"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (spellings); i++) {
    g_autofree gchar *in = g_strdup_printf ("dimensions=%s,framerate=100/1",
        spellings[i]);

    check_caps (CLASSIFIER, in,
        "dimensions=(string)5:1:1:1,framerate=100/1");
  }
}

GST_END_TEST;

/* One buffer per output: T times as many as came. */
GST_START_TEST (test_output)
{
  check_caps (CLASSIFIER, "dimensions=(string)20:16,framerate=30000/1001",
      "dimensions=(string)5:1:1:1,framerate=480000/1001");
  check_caps (CLASSIFIER, "dimensions=(string)20:1:3,framerate=25/1",
      "dimensions=(string)5:1:3:1,framerate=25/1");
  check_caps (RETROACTIVE, "dimensions=(string)32,framerate=25/1",
      "dimensions=(string)32:8:1:1,framerate=25/1");
  check_caps (RETROACTIVE, "dimensions=(string)32:2:3,framerate=25/1",
      "dimensions=(string)32:8:3:1,framerate=50/1");
  check_caps (CLASSIFIER, "dimensions=(string)20,framerate=0/1",
      "dimensions=(string)5:1:1:1,framerate=0/1");
  check_caps (CLASSIFIER, "dimensions=(string)20",
      "dimensions=(string)5:1:1:1,framerate=0/1");
}

GST_END_TEST;

/* Downstream chooses its spelling. */
GST_START_TEST (test_downstream_spelling)
{
  const gchar *spellings[] = { "(string)5", "(string)5:1", "(string)5:1:1",
    "(string)5:1:1:1", "5"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (spellings); i++) {
    GstHarness *h = encoder_new (CLASSIFIER, "");
    g_autofree gchar *text = g_strdup_printf (TENSORS ",dimensions=%s",
        spellings[i]);
    g_autoptr (GstCaps) wanted = gst_caps_from_string (text);
    g_autoptr (GstCaps) found = NULL;

    gst_harness_set_sink_caps_str (h, text);
    encoder_set_caps (h, "20:4", 25);
    found = gst_pad_get_current_caps (h->sinkpad);
    fail_unless (found != NULL, "%s", spellings[i]);
    fail_unless (gst_caps_is_subset (found, wanted), "%s",
        gst_caps_to_string (found));
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

static GstCaps *
query_sink_caps (GstHarness * h, const gchar * filter)
{
  GstCaps *caps = filter ? gst_caps_from_string (filter) : NULL;
  GstCaps *res = gst_pad_peer_query_caps (h->srcpad, caps);

  if (caps)
    gst_caps_unref (caps);
  return res;
}

/* What upstream is offered: each spelling of one vector, and room for chunks and streams. */
GST_START_TEST (test_offer)
{
  const gchar *fitting[] = { "(string)20", "(string)20:1", "(string)20:1:1",
    "(string)20:1:1:1", "20", "(string)20:7", "(string)20:7:2"
  };
  GstHarness *h = encoder_new (CLASSIFIER, "");
  GstCaps *caps = query_sink_caps (h, NULL), *fixed;

  fixed = gst_caps_fixate (gst_caps_copy (caps));
  fail_unless_equals_string (gst_structure_get_string (gst_caps_get_structure
          (fixed, 0), "dimensions"), "20:1:1:1");
  gst_caps_unref (fixed);
  for (gsize i = 0; i < G_N_ELEMENTS (fitting); i++) {
    g_autofree gchar *text = g_strdup_printf (TENSORS ",dimensions=%s",
        fitting[i]);
    g_autoptr (GstCaps) one = gst_caps_from_string (text);

    fail_unless (gst_caps_can_intersect (one, caps), "%s", fitting[i]);
  }
  gst_caps_unref (caps);

  /* Of several that upstream can make, the one that fits. */
  caps = query_sink_caps (h, TENSORS ",dimensions=(string)63;" TENSORS
      ",dimensions=(string)20:7");
  fail_unless_equals_int (gst_caps_get_size (caps), 1);
  fail_unless_equals_string (gst_structure_get_string (gst_caps_get_structure
          (caps, 0), "dimensions"), "20:7");
  gst_caps_unref (caps);
  caps = query_sink_caps (h, "video/x-h264");
  fail_unless (gst_caps_is_empty (caps));
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* What downstream is offered before upstream has decided. */
GST_START_TEST (test_offer_downstream)
{
  GstHarness *h = encoder_new (RETROACTIVE, "");
  g_autoptr (GstCaps) fits = gst_caps_from_string (TENSORS
      ",dimensions=(string)32:8");
  g_autoptr (GstCaps) streams = gst_caps_from_string (TENSORS
      ",dimensions=(string)32:8:5");
  GstCaps *caps = gst_pad_peer_query_caps (h->sinkpad, NULL);

  fail_unless (gst_caps_can_intersect (caps, fits));
  fail_unless (gst_caps_can_intersect (caps, streams));
  fail_unless_equals_string (gst_structure_get_string (gst_caps_get_structure
          (caps, 0), "dimensions"), "32:8:1:1");
  gst_caps_unref (caps);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Before a model is loaded anything that is or may carry a tensor may be linked. */
GST_START_TEST (test_unloaded)
{
  GstElement *e = gst_element_factory_make ("continualencoder", NULL);
  const gchar *pads[] = { "sink", "src" };

  for (gsize i = 0; i < G_N_ELEMENTS (pads); i++) {
    GstPad *pad = gst_element_get_static_pad (e, pads[i]);
    GstCaps *caps = gst_pad_query_caps (pad, NULL);
    g_autoptr (GstCaps) expected = gst_caps_from_string (TENSORS MEDIA_CAPS_TOO);

    fail_unless (gst_caps_is_equal (caps, expected), "%s",
        gst_caps_to_string (caps));
    gst_caps_unref (caps);
    gst_object_unref (pad);
  }
  gst_object_unref (e);
}

GST_END_TEST;

static void
check_error (const gchar * in, GQuark domain, gint code, const gchar * expected,
    const gchar * found)
{
  GstHarness *h = encoder_new (CLASSIFIER, "");
  GstBus *bus = bus_new (h->element);
  g_autofree gchar *text = g_strconcat (TENSORS, ",", in, NULL);
  const float x[20] = { 0 };
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  GstSegment segment;

  gst_pad_push_event (h->srcpad, gst_event_new_caps (caps));
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR), domain, code,
      expected, found, NULL);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  /* The buffer brings them again: the reason is told once. */
  fail_unless_equals_int (gst_harness_push (h, vectors_new (x, 20, 0, 1)),
      GST_FLOW_NOT_NEGOTIATED);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL, "%s",
      in);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

static void
check_refused (const gchar * in, const gchar * expected, const gchar * found)
{
  check_error (in, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, expected, found);
}

GST_START_TEST (test_refused)
{
  check_refused ("dimensions=(string)63", "20:T", "found 63:");
  check_refused ("dimensions=63", "20:T", "found 63:");
  check_refused ("dimensions=(string)16:20", "20:T", "found 16:20:");
  check_refused ("dimensions=(string)20:1:1:2", "20:T:S", "found 20:1:1:2:");
  check_error ("dimensions=(string)20:1:4294967295", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NO_SPACE_LEFT, "4294967295 streams", "half of");
  check_refused ("dimensions=(string)twenty", "sizes", "twenty");
  check_refused ("dimensions=(string)20,framerate=(fraction)-1/1",
      "framerate", "-1/1");
}

GST_END_TEST;

/* An untyped 20:4 is a flag set. It can't be in fixed caps, so a capsfilter comes to ask. */
GST_START_TEST (test_flag_set)
{
  GstHarness *h = encoder_new (CLASSIFIER, "");
  GstBus *bus = bus_new (h->element);
  GstCaps *caps = query_sink_caps (h, TENSORS ",dimensions=20:4");

  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "flag set",
      "dimensions=(string)64:16", NULL);
  gst_caps_unref (caps);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Another framerate or chunk goes on with the same streams; another width is an error. */
GST_START_TEST (test_change)
{
  g_autoptr (Golden) g = golden_load (CLASSIFIER, NULL);
  GstHarness *h = encoder_new (CLASSIFIER, "");
  GstBus *bus = bus_new (h->element);
  g_autoptr (GstCaps) wide = gst_caps_from_string (TENSORS
      ",dimensions=(string)21,framerate=50/1");

  encoder_set_caps (h, "20", 100);
  push_vectors (h, g, 0, 10);
  encoder_set_caps (h, "20", 50);
  push_vectors (h, g, 10, 5);
  encoder_set_caps (h, "20:5", 10);
  fail_unless_equals_int (gst_harness_push (h, vectors_new (g->x + 15 * 20,
              5 * 20, 0, GST_SECOND)), GST_FLOW_OK);
  pull_outputs (h, g, 0, 20 - g->first);
  gst_pad_push_event (h->srcpad, gst_event_new_caps (wide));
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "20:T", "found 21:", NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-negotiation");
  TCase *tc = tcase_create ("caps");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_spellings);
  tcase_add_test (tc, test_output);
  tcase_add_test (tc, test_downstream_spelling);
  tcase_add_test (tc, test_offer);
  tcase_add_test (tc, test_offer_downstream);
  tcase_add_test (tc, test_unloaded);
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_flag_set);
  tcase_add_test (tc, test_change);
  return s;
}

GST_CHECK_MAIN (encoder);
