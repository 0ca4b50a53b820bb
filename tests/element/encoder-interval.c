/* gst-continual: answer-interval: every K-th vector is answered
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define MODEL "part-answer-interval"    /* 16 features, window 8, 40 vectors */
#define K 4
#define EACH (10 * GST_MSECOND)

/* Gaps until the first answer, then none: a quarter of the buffers, each with the time of its vector. */
GST_START_TEST (test_gaps)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = encoder_new (MODEL, g->properties);

  encoder_set_caps (h, "16", 100);
  push_vectors (h, g, 0, 7);
  fail_unless (gst_harness_try_pull (h) == NULL);
  fail_unless_equals_int (count_gaps (h), 7);
  push_vectors (h, g, 7, 33);
  pull_outputs (h, g, 0, 9);
  fail_unless (gst_harness_try_pull (h) == NULL);
  fail_unless_equals_int (count_gaps (h), 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A reset starts the count again, also in the middle of an interval. */
GST_START_TEST (test_reset)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = encoder_new (MODEL, g->properties);

  encoder_set_caps (h, "16", 100);
  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 1);
  gst_harness_push_event (h, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty ("continual-reset")));
  count_gaps (h);
  push_vectors (h, g, 0, 40);
  pull_outputs (h, g, 0, 9);
  fail_unless (gst_harness_try_pull (h) == NULL);
  /* A sink that was flushed must preroll again. */
  fail_unless_equals_int (count_gaps (h), 7);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* The vectors @from to @from + @n - 1 of stream 0, and of stream 1 from its vector 0 at @join on; before, it is absent. */
static void
push_two (GstHarness * h, const Golden * g, gsize n, gsize join)
{
  for (gsize t = 0; t < n; t++) {
    float x[32];

    memcpy (x, g->x + t * 16, 16 * sizeof (float));
    for (gsize i = 0; i < 16; i++)
      x[16 + i] = t < join ? NAN : g->x[(t - join) * 16 + i];
    fail_unless_equals_int (gst_harness_push (h, vectors_new (x, 32, t * EACH,
                EACH)), GST_FLOW_OK);
  }
}

/* Each stream counts by itself: stream 1 joins two vectors later, so that its answers come between those of stream 0. */
GST_START_TEST (test_streams)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = encoder_new (MODEL, g->properties);

  encoder_set_caps (h, "16:1:2", 100);
  push_two (h, g, 30, 2);
  for (gsize t = 7, i = 0; t < 30; t += 2, i++) {
    const gsize stream = i % 2;
    GstBuffer *buffer = gst_harness_try_pull (h);
    float y[32];

    fail_unless (buffer != NULL, "%d", (gint) i);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), t * EACH);
    for (gsize k = 0; k < 32; k++)
      y[k] = k / 16 == stream ? g->y[i / 2 * 16 + k % 16] : NAN;
    fail_unless (difference (buffer, y, 32) <= g->atol);
    gst_buffer_unref (buffer);
  }
  fail_unless (gst_harness_try_pull (h) == NULL);
  fail_unless_equals_int (count_gaps (h), 7);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_query (GstElement * e, const gchar * pad_name, const gchar * filter,
    const gchar * expected)
{
  GstPad *pad = gst_element_get_static_pad (e, pad_name);
  GstCaps *asked = gst_caps_from_string (filter), *caps, *right;
  g_autofree gchar *found = NULL;

  caps = gst_pad_query_caps (pad, asked);
  right = gst_caps_from_string (expected);
  found = gst_caps_to_string (caps);
  fail_unless (!gst_caps_is_empty (caps)
      && gst_caps_is_subset (right, caps), "%s of %s: %s", pad_name, filter,
      found);
  gst_caps_unref (right);
  gst_caps_unref (caps);
  gst_caps_unref (asked);
  gst_object_unref (pad);
}

/* What leaves at @in, dimensions and framerate */
static void
check_caps (const gchar * in, const gchar * dims, gint fps_n, gint fps_d)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = encoder_new (MODEL, g->properties);
  g_autofree gchar *text = g_strdup_printf (TENSORS ",%s", in);
  GstCaps *out;
  const GstStructure *s;
  gint n, d;

  gst_harness_set_src_caps_str (h, text);
  out = gst_pad_get_current_caps (h->sinkpad);
  fail_unless (out != NULL, "%s", in);
  s = gst_caps_get_structure (out, 0);
  fail_unless (gst_structure_get_fraction (s, "framerate", &n, &d));
  fail_unless (n == fps_n && d == fps_d, "%s: %d/%d", in, n, d);
  fail_unless_equals_string (gst_structure_get_string (s, "dimensions"), dims);
  gst_caps_unref (out);
  gst_harness_teardown (h);
}

GST_START_TEST (test_framerate)
{
  check_caps ("dimensions=(string)16,framerate=100/1", "16:1:1:1", 25, 1);
  check_caps ("dimensions=(string)16:1:1:1,framerate=100/1", "16:1:1:1", 25, 1);
  check_caps ("dimensions=16,framerate=30000/1001", "16:1:1:1", 7500, 1001);
  check_caps ("dimensions=(string)16:8,framerate=10/1", "16:1:1:1", 20, 1);
  check_caps ("dimensions=(string)16:4,framerate=10/1", "16:1:1:1", 10, 1);
  check_caps ("dimensions=(string)16:1:2,framerate=1/3", "16:1:2:1", 1, 12);
  check_caps ("dimensions=(string)16,framerate=0/1", "16:1:1:1", 0, 1);
  check_caps ("dimensions=(string)16", "16:1:1:1", 0, 1);
}

GST_END_TEST;

/* Both ways, of values, ranges and lists. A product that overflows leaves the rate open. */
GST_START_TEST (test_queries)
{
  static const gchar *const rates[][2] = {      /* of the vectors, of the outputs */
    {"100/1", "25/1"},
    {"[4/1, 100/1]", "[1/1, 25/1]"},
    {"{40/1, 100/1}", "{10/1, 25/1}"},
    {"{[4/1, 8/1], 100/1}", "{[1/1, 2/1], 25/1}"},
  };
  g_autoptr (Golden) g = golden_load (MODEL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++) {
    g_autofree gchar *in = g_strdup_printf (TENSORS
        ",dimensions=(string)16,framerate=(fraction)%s", rates[i][0]);
    g_autofree gchar *out = g_strdup_printf (TENSORS
        ",dimensions=(string)16:1,framerate=(fraction)%s", rates[i][1]);
    g_autofree gchar *other = g_strdup_printf (TENSORS
        ",dimensions=(string)16,framerate=(fraction)1000/3");
    GstHarness *h = encoder_new (MODEL, g->properties);
    GstElement *e = encoder_get (h);
    GstCaps *caps, *never = gst_caps_from_string (other);
    GstPad *pad = gst_element_get_static_pad (e, "sink");

    gst_harness_set_sink_caps_str (h, out);
    check_query (e, "sink", TENSORS ",dimensions=(string)16", in);
    caps = gst_pad_query_caps (pad, never);
    fail_unless (gst_caps_is_empty (caps), "%s", rates[i][1]);
    gst_caps_unref (caps);
    gst_caps_unref (never);
    gst_object_unref (pad);
    gst_object_unref (e);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* An answer comes with its vector: no delay is added. */
GST_START_TEST (test_latency)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = encoder_new (MODEL, g->properties);

  encoder_set_caps (h, "16", 100);
  gst_harness_set_upstream_latency (h, 7 * GST_MSECOND);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 7 * GST_MSECOND);
  gst_harness_teardown (h);

  h = encoder_new (MODEL, "answer-interval=3 query-index=-3");
  encoder_set_caps (h, "16", 100);
  gst_harness_set_upstream_latency (h, 7 * GST_MSECOND);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 27 * GST_MSECOND);
  /* The vectors between the first answer, of vector 5, and the newest are no gaps either. */
  push_vectors (h, g, 0, 20);
  for (gsize t = 5; t < 18; t += 3) {
    GstBuffer *buffer = gst_harness_try_pull (h);

    fail_unless (buffer != NULL);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), t * EACH);
    gst_buffer_unref (buffer);
  }
  fail_unless (gst_harness_try_pull (h) == NULL);
  fail_unless_equals_int (count_gaps (h), 5);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-interval");
  TCase *tc = tcase_create ("interval");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_gaps);
  tcase_add_test (tc, test_reset);
  tcase_add_test (tc, test_streams);
  tcase_add_test (tc, test_framerate);
  tcase_add_test (tc, test_queries);
  tcase_add_test (tc, test_latency);
  return s;
}

GST_CHECK_MAIN (encoder);
