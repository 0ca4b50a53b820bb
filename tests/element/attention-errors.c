/* gst-continual: inputs of continualattention that don't fit each other or the model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attentiontest.h"

/* One error, of @code, that says each of the words, ended by NULL; and the stream ends. */
static void
expect_error (Separate * s, const gchar * a, const gchar * b)
{
  GstMessage *message = gst_bus_timed_pop_filtered (s->rig.bus,
      GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);

  check_message (message, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "xpected", a, b, NULL);
  fail_unless (gst_bus_pop_filtered (s->rig.bus, GST_MESSAGE_ERROR) == NULL);
  fail_unless (gst_harness_try_pull (s->rig.pads[QUERY]) == NULL);
}

static void
push_all (Separate * s)
{
  for (guint p = 0; p < N_PADS; p++)
    if (s->rig.pads[p])
      separate_push_at (s, p, 0, 0);
}

GST_START_TEST (test_width)
{
  static const gchar *const words[] = { "keys of 10 values", "values of 14" };
  const guint wrong = KEY + __i__;
  Separate s = separate_new_bare (N_PADS, FALSE);

  for (guint p = 0; p < N_PADS; p++)
    if (p != wrong)
      separate_set_caps (&s, p, 1);
  rig_set_caps (&s.rig, wrong, 12, 1, 100, 1);
  push_all (&s);
  expect_error (&s, words[__i__], "found 12");
  while (separate_push_at (&s, wrong, 1, EACH) == GST_FLOW_OK)
    g_thread_yield ();
  separate_free (&s);
}

GST_END_TEST;

/* Keys and values of another width need pads of their own. */
GST_START_TEST (test_missing_pad)
{
  static const gchar *const words[] = { "pad key", "pad value" };
  Separate s = separate_new_bare (1 + __i__, FALSE);

  for (gint p = 0; p <= __i__; p++)
    separate_set_caps (&s, p, 1);
  push_all (&s);
  expect_error (&s, words[__i__], "link");
  separate_free (&s);
}

GST_END_TEST;

GST_START_TEST (test_framerate)
{
  Separate s = separate_new_bare (N_PADS, FALSE);

  separate_set_caps (&s, QUERY, 1);
  separate_set_caps (&s, VALUE, 1);
  rig_set_caps (&s.rig, KEY, s.width[KEY], 1, 50, 1);
  push_all (&s);
  expect_error (&s, "100/1", "50/1");
  separate_free (&s);
}

GST_END_TEST;

/* Where caps don't tell the rate, durations do. */
GST_START_TEST (test_duration)
{
  Separate s = separate_new_bare (N_PADS, FALSE);

  for (guint p = 0; p < N_PADS; p++)
    rig_set_caps (&s.rig, p, s.width[p], 1, 0, 1);
  gst_harness_push (s.rig.pads[VALUE], vectors_new (s.x[VALUE],
          s.width[VALUE], 0, 2 * EACH));
  separate_push (&s, QUERY, 0);
  separate_push (&s, KEY, 0);
  expect_error (&s, "values at the rate of the queries", "0:00:00.020000000");
  separate_free (&s);
}

GST_END_TEST;

GST_START_TEST (test_streams)
{
  Separate s = separate_new (FALSE);
  g_autofree gchar *text = g_strdup_printf (TENSORS
      ",dimensions=(string)%d:1:2,framerate=(fraction)100/1",
      (gint) s.width[KEY]);

  gst_harness_set_src_caps_str (s.rig.pads[KEY], text);
  separate_push (&s, QUERY, 0);
  separate_push (&s, VALUE, 0);
  gst_harness_push (s.rig.pads[KEY], vectors_new (s.x[KEY], 2 * s.width[KEY],
          0, EACH));
  expect_error (&s, "as many streams as the queries, 1", "found 2");
  separate_free (&s);
}

GST_END_TEST;

GST_START_TEST (test_size)
{
  Separate s = separate_new (FALSE);

  gst_harness_push (s.rig.pads[KEY], vectors_new (s.x[KEY], 9, 0, EACH));
  separate_push (&s, QUERY, 0);
  separate_push (&s, VALUE, 0);
  expect_error (&s, "40 bytes", "36 bytes");
  separate_free (&s);
}

GST_END_TEST;

/* A key that is not finite is refused, and the window is as it was. */
GST_START_TEST (test_not_finite)
{
  Separate s = separate_new (FALSE);
  GstBuffer *buffer;
  const float nan = NAN;

  push_all (&s);
  separate_expect (&s, 0);
  separate_push (&s, QUERY, 1);
  separate_push (&s, VALUE, 1);
  buffer = vectors_new (s.x[KEY] + s.width[KEY], s.width[KEY], EACH, EACH);
  gst_buffer_fill (buffer, 4, &nan, sizeof nan);
  fail_unless_equals_int (gst_harness_push (s.rig.pads[KEY], buffer),
      GST_FLOW_OK);
  rig_expect_gap (&s.rig, EACH);
  check_message (gst_bus_timed_pop_filtered (s.rig.bus, GST_CLOCK_TIME_NONE,
          GST_MESSAGE_WARNING), GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
      "finite", NULL);
  for (guint p = 0; p < N_PADS; p++)
    separate_push (&s, p, 2);
  separate_expect (&s, 2);
  fail_unless_equals_uint64 (rig_get_stat (&s.rig, "refused"), 1);
  separate_free (&s);
}

GST_END_TEST;

GST_START_TEST (test_other_models)
{
  static const gchar *const words[][2] = {
    {"encoder-1-relu", "continualencoder"}, {"decoder-linear-full",
        "continualdecoder"}
  };
  g_autofree gchar *path = model_path (words[__i__][0]);
  GstElement *element = gst_element_factory_make ("continualattention", NULL);
  GstBus *bus = bus_new (element);

  g_object_set (element, "model-path", path, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "Expected",
      words[__i__][1], NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  bus_free (element, bus);
  gst_object_unref (element);
}

GST_END_TEST;

/* There is one pad of each name. */
GST_START_TEST (test_requests)
{
  GstElement *element = gst_element_factory_make ("continualattention", NULL);
  GstPad *key = gst_element_request_pad_simple (element, "key"), *second;

  fail_unless (key != NULL);
  ASSERT_CRITICAL (second = gst_element_request_pad_simple (element, "key"));
  fail_unless (second == NULL);
  gst_element_release_request_pad (element, key);
  gst_object_unref (key);
  key = gst_element_request_pad_simple (element, "key");
  fail_unless (key != NULL);
  gst_element_release_request_pad (element, key);
  gst_object_unref (key);
  gst_object_unref (element);
}

GST_END_TEST;

static Suite *
attention_suite (void)
{
  Suite *s = suite_create ("attention-errors");
  TCase *tc = tcase_create ("errors");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_width, 0, 2);
  tcase_add_loop_test (tc, test_missing_pad, 0, 2);
  tcase_add_test (tc, test_framerate);
  tcase_add_test (tc, test_duration);
  tcase_add_test (tc, test_streams);
  tcase_add_test (tc, test_size);
  tcase_add_test (tc, test_not_finite);
  tcase_add_loop_test (tc, test_other_models, 0, 2);
  tcase_add_test (tc, test_requests);
  return s;
}

GST_CHECK_MAIN (attention);
