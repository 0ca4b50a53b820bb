/* gst-continual: times of continualencoder's outputs and gaps, and its latency
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define NONE GST_CLOCK_TIME_NONE
#define MS GST_MSECOND

/* Windows of 8 vectors; the output of the third of them, 5 vectors late. */
#define PLAIN "encoder-1-relu"
#define LOOKS_BACK "encoder-1-query-index-2"
/* Answers 4 vectors together. */
#define CHUNKED "kernel-relu-chunk-4-window-2-decay"

static void
expect_time (GstHarness * h, GstClockTime pts, GstClockTime duration)
{
  GstBuffer *buffer = gst_harness_try_pull (h);

  fail_unless (buffer != NULL);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), duration);
  gst_buffer_unref (buffer);
}

static void
expect_gap (GstHarness * h, GstClockTime pts, GstClockTime duration)
{
  GstEvent *event = pull_event (h, GST_EVENT_GAP);
  GstClockTime t, d;

  fail_unless (event != NULL, "no gap at %" GST_TIME_FORMAT,
      GST_TIME_ARGS (pts));
  gst_event_parse_gap (event, &t, &d);
  fail_unless_equals_uint64 (t, pts);
  fail_unless_equals_uint64 (d, duration);
  gst_event_unref (event);
}

static void
push (GstHarness * h, const Golden * g, gsize from, gsize n,
    GstClockTime pts, GstClockTime duration)
{
  const gsize C = co_model_get_info (g->model)->n_inputs;

  fail_unless_equals_int (gst_harness_push (h, vectors_new (g->x + from * C,
              n * C, pts, duration)), GST_FLOW_OK);
}

/* Times are taken as they are, whether they are even or not. */
GST_START_TEST (test_single)
{
  g_autoptr (Golden) g = golden_load (PLAIN, NULL);
  GstHarness *h = encoder_new (PLAIN, "");

  encoder_set_caps (h, "32", 100);
  for (gsize t = 0; t < 20; t++)
    push (h, g, t, 1, t * t * MS, (t + 1) * MS);
  for (gsize t = 0; t < 7; t++)
    expect_gap (h, t * t * MS, (t + 1) * MS);
  fail_unless (pull_event (h, GST_EVENT_GAP) == NULL);
  for (gsize t = 7; t < 20; t++)
    expect_time (h, t * t * MS, (t + 1) * MS);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A chunk's vectors share its time to the nanonext. */
GST_START_TEST (test_chunk)
{
  g_autoptr (Golden) g = golden_load (PLAIN, NULL);
  GstHarness *h = encoder_new (PLAIN, "");
  const GstClockTime begin = 12345, next = begin + 1000000001;

  encoder_set_caps (h, "32:7", 1);
  push (h, g, 0, 7, begin, 1000000001);
  for (gsize i = 0; i < 7; i++)
    expect_gap (h, begin + 1000000001 * i / 7,
        1000000001 * (i + 1) / 7 - 1000000001 * i / 7);
  push (h, g, 7, 7, next, 1000000001);
  /* A shorter one has a shorter time if it says none. */
  push (h, g, 14, 2, next + 5 * GST_SECOND, NONE);
  for (gsize i = 0; i < 7; i++)
    expect_time (h, next + 1000000001 * i / 7,
        1000000001 * (i + 1) / 7 - 1000000001 * i / 7);
  expect_time (h, next + 5 * GST_SECOND, 142857142);
  expect_time (h, next + 5 * GST_SECOND + 142857142, 142857143);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* What isn't known is not made up, and gaps come all the same: a sink must preroll. */
GST_START_TEST (test_unknown)
{
  g_autoptr (Golden) g = golden_load (PLAIN, NULL);
  GstHarness *h = encoder_new (PLAIN, "");

  encoder_set_caps (h, "32", 0);
  for (gsize t = 0; t < 8; t++)
    push (h, g, t, 1, NONE, NONE);
  expect_gap (h, 0, NONE);
  expect_time (h, NONE, NONE);
  push (h, g, 8, 1, 5 * MS, NONE);
  expect_time (h, 5 * MS, NONE);
  /* Backwards, too */
  push (h, g, 9, 1, 3 * MS, MS);
  expect_time (h, 3 * MS, MS);
  encoder_set_caps (h, "32:2", 50);
  push (h, g, 10, 2, NONE, NONE);
  expect_time (h, NONE, 10 * MS);
  expect_time (h, NONE, 10 * MS);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_looking_back)
{
  g_autoptr (Golden) g = golden_load (LOOKS_BACK, NULL);
  GstHarness *h = encoder_new (LOOKS_BACK, "");

  encoder_set_caps (h, "32:3", 100);
  for (gsize t = 0; t < 12; t += 3)
    push (h, g, t, 3, t * 10 * MS, 30 * MS);
  /* Vectors 0 and 1 are never answered. */
  for (gsize t = 0; t < 2; t++)
    expect_gap (h, t * 10 * MS, 10 * MS);
  fail_unless (pull_event (h, GST_EVENT_GAP) == NULL);
  for (gsize t = 2; t < 7; t++)
    expect_time (h, t * 10 * MS, 10 * MS);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_chunked_kernel)
{
  g_autoptr (Golden) g = golden_load (CHUNKED, NULL);
  GstHarness *h = encoder_new (CHUNKED, "");
  g_autofree gchar *dims = g_strdup_printf ("%d",
      (gint) co_model_get_info (g->model)->n_inputs);

  encoder_set_caps (h, dims, 100);
  for (gsize t = 0; t < 4; t++) {
    fail_unless (gst_harness_try_pull (h) == NULL);
    push (h, g, t, 1, t * 10 * MS, 10 * MS);
  }
  for (gsize t = 0; t < 4; t++)
    expect_time (h, t * 10 * MS, 10 * MS);
  push (h, g, 4, 1, 40 * MS, 10 * MS);
  push (h, g, 5, 1, 50 * MS, 10 * MS);
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_push_event (h, gst_event_new_eos ());
  expect_time (h, 40 * MS, 10 * MS);
  expect_time (h, 50 * MS, 10 * MS);
  fail_unless (gst_harness_try_pull (h) == NULL);
  fail_unless (pull_event (h, GST_EVENT_GAP) == NULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_latency (const gchar * model, const gchar * dims, gint fps,
    GstClockTime expected)
{
  GstHarness *h = encoder_new (model, "");
  GstBus *bus = bus_new (h->element);
  GstMessage *message;

  gst_harness_set_upstream_latency (h, 5 * MS);
  encoder_set_caps (h, dims, fps);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 5 * MS + expected);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY);
  fail_unless (expected == 0 || message != NULL);
  if (message)
    gst_message_unref (message);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_START_TEST (test_latency)
{
  g_autoptr (Golden) g = golden_load (CHUNKED, NULL);
  g_autofree gchar *dims = g_strdup_printf ("%d",
      (gint) co_model_get_info (g->model)->n_inputs);

  check_latency (PLAIN, "32", 100, 0);
  check_latency (LOOKS_BACK, "32", 100, 50 * MS);
  check_latency (LOOKS_BACK, "32:4", 25, 50 * MS);
  check_latency (LOOKS_BACK, "32", 0, 0);
  check_latency (CHUNKED, dims, 100, 30 * MS);
}

GST_END_TEST;

/* Without a framerate the first buffer's duration tells. */
GST_START_TEST (test_latency_by_duration)
{
  g_autoptr (Golden) g = golden_load (LOOKS_BACK, NULL);
  GstHarness *h = encoder_new (LOOKS_BACK, "");

  encoder_set_caps (h, "32:2", 0);
  push (h, g, 0, 2, 0, 20 * MS);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 50 * MS);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-timing");
  TCase *tc = tcase_create ("time");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_single);
  tcase_add_test (tc, test_chunk);
  tcase_add_test (tc, test_unknown);
  tcase_add_test (tc, test_looking_back);
  tcase_add_test (tc, test_chunked_kernel);
  tcase_add_test (tc, test_latency);
  tcase_add_test (tc, test_latency_by_duration);
  return s;
}

GST_CHECK_MAIN (encoder);
