/* gst-continual: tests of what classlabeler remembers: smoothing, detection, resets, states
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include "labelertest.h"
#include "tensor/events.h"

/* Rows for softmax=false that let label 0, 1 or 2 win with 0.9, or none with more than 0.4. */
static const gfloat a[] = { 0.9f, 0.1f, 0 }, b[] = { 0.1f, 0.9f, 0 };
static const gfloat c[] = { 0, 0.1f, 0.9f }, weak[] = { 0.4f, 0.3f, 0.3f };

static void
send_words (GstHarness * h)
{
  const gchar *words[] = { "a", "b", "c", NULL };

  gst_harness_push_event (h, labels_event_new ((const gchar * const *) words));
}

static GstHarness *
detector_new (const gchar * dims, gint format)
{
  GstHarness *h = labeler_new (dims, "softmax", FALSE, "changes-only", TRUE,
      "threshold", 0.5, "ignore", "c", "format", format, NULL);

  send_words (h);
  return h;
}

static guint
count_messages (GstHarness * h)
{
  GstMessage *message;
  guint n = 0;

  while ((message = pop_message (h, GST_MESSAGE_ELEMENT))) {
    gst_message_unref (message);
    n++;
  }
  return n;
}

GST_START_TEST (test_detection)
{
  GstHarness *h = detector_new ("3", 0);

  check_row (h, 0, 3, weak, NULL);
  check_row (h, 1, 3, a, "0.010\ta\t0.900\n");
  check_row (h, 2, 3, a, NULL);
  /* the same word again after it fell below */
  check_row (h, 3, 3, weak, NULL);
  check_row (h, 4, 3, a, "0.040\ta\t0.900\n");
  /* and after another one won, reported or ignored */
  check_row (h, 5, 3, b, "0.050\tb\t0.900\n");
  check_row (h, 6, 3, a, "0.060\ta\t0.900\n");
  check_row (h, 7, 3, c, NULL);
  check_row (h, 8, 3, c, NULL);
  check_row (h, 9, 3, a, "0.090\ta\t0.900\n");
  fail_unless_equals_int (count_messages (h), 5);
  /* switched off and on: what is shown is not news */
  g_object_set (h->element, "changes-only", FALSE, NULL);
  check_row (h, 10, 3, a, "0.100\ta\t0.900\n");
  check_row (h, 11, 3, a, "0.110\ta\t0.900\n");
  g_object_set (h->element, "changes-only", TRUE, NULL);
  check_row (h, 12, 3, a, NULL);
  labeler_free (h);

  /* the threshold is reached by a score equal to it */
  h = labeler_new ("2", "softmax", FALSE, "threshold", 0.5, NULL);
  check_row (h, 0, 2, (const gfloat[]) { 0.5f, 0 }, "0.000\t0\t0.500\n");
  check_row (h, 1, 2, (const gfloat[]) { 0.4999f, 0 }, NULL);
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_ignored_labels)
{
  const gfloat both[] = { 0.45f, 0.1f, 0.45f };
  GstHarness *h = labeler_new ("3", "softmax", FALSE, "top-k", 3, "ignore",
      "c,nosuch", NULL);

  send_words (h);
  /* left out of the list, and silent when it wins */
  check_row (h, 0, 3, b, "0.000\tb\t0.900\ta\t0.100\n");
  check_row (h, 1, 3, c, NULL);
  /* of equals the first one wins, ignored or not */
  check_row (h, 2, 3, both, "0.020\ta\t0.450\tb\t0.100\n");
  labeler_free (h);
  h = labeler_new ("3", "softmax", FALSE, "ignore", "[\"a\"]", NULL);
  send_words (h);
  check_row (h, 2, 3, both, NULL);
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_detection_as_text)
{
  GstHarness *h = detector_new ("3", 1);

  check_row (h, 0, 3, weak, NULL);
  check_row (h, 1, 3, a, "a");
  check_row (h, 2, 3, a, NULL);
  check_row (h, 3, 3, weak, "");
  check_row (h, 4, 3, weak, NULL);
  check_row (h, 5, 3, b, "b");
  check_row (h, 6, 3, c, "");
  check_row (h, 7, 3, c, NULL);
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_detection_of_streams)
{
  GstHarness *h = detector_new ("3:1:2", 0);
  gfloat x[6];
  const gfloat nan[] = { NAN, NAN, NAN };

#define ROWS(p, q) (memcpy (x, p, 12), memcpy (x + 3, q, 12), x)
  check_row (h, 0, 6, ROWS (a, weak), "0.000\t0\ta\t0.900\n");
  check_row (h, 1, 6, ROWS (a, a), "0.010\t1\ta\t0.900\n");
  /* an absent one stays what it is */
  check_row (h, 2, 6, ROWS (a, nan), NULL);
  check_row (h, 3, 6, ROWS (a, a), NULL);

  /* each is reset on its own */
  gst_harness_push_event (h,
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new ("continual-reset", "stream", G_TYPE_INT, 1,
              NULL)));
  check_row (h, 4, 6, ROWS (a, a), "0.040\t1\ta\t0.900\n");
  gst_harness_push_event (h,
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new ("continual-reset", "stream", G_TYPE_INT, 2,
              NULL)));
  check_row (h, 5, 6, ROWS (a, a), NULL);
  gst_harness_push_event (h,
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty ("continual-reset")));
  check_row (h, 6, 6, ROWS (a, a), "0.060\t0\ta\t0.900\n0.060\t1\ta\t0.900\n");

  /* a text shows all streams, when one of them changes */
  g_object_set (h->element, "format", 1, NULL);
  check_row (h, 7, 6, ROWS (a, a), NULL);
  check_row (h, 8, 6, ROWS (a, b), "0: a\n1: b");
  labeler_free (h);
}

GST_END_TEST;

/* y[t] as the sum over all rows so far, never as a recursion. */
static gdouble
naive (gdouble (*x)[5], guint t, guint label, gdouble smoothing)
{
  gdouble y = pow (smoothing, t) * x[0][label];

  for (guint u = 1; u <= t; u++)
    y += (1 - smoothing) * pow (smoothing, t - u) * x[u][label];
  return y;
}

GST_START_TEST (test_smoothing_is_the_weighted_sum)
{
  guint32 seed = g_random_int ();
  GRand *rand = g_rand_new_with_seed (seed);
  gdouble x[60][5];

  for (guint round = 0; round < 12; round++) {
    gdouble smoothing = round ? g_rand_double (rand) * 0.999 : 0;
    gboolean softmax = g_rand_boolean (rand);
    GstHarness *h = labeler_new ("5", "smoothing", smoothing, "softmax",
        softmax, NULL);

    for (guint t = 0; t < G_N_ELEMENTS (x); t++) {
      gfloat row[5];
      gdouble sum = 0, score = 0, best = -G_MAXDOUBLE;
      gint index = -1;
      GstMessage *message;

      for (guint i = 0; i < 5; i++) {
        row[i] = (gfloat) g_rand_double_range (rand, -30, 30);
        x[t][i] = softmax ? exp ((gdouble) row[i]) : (gdouble) row[i];
        sum += x[t][i];
      }
      for (guint i = 0; i < 5 && softmax; i++)
        x[t][i] /= sum;
      for (guint i = 0; i < 5; i++)
        best = MAX (best, naive (x, t, i, smoothing));

      g_free (push_row (h, t, 5, row));
      message = pop_message (h, GST_MESSAGE_ELEMENT);
      fail_unless (message != NULL);
      gst_structure_get (gst_message_get_structure (message), "score",
          G_TYPE_DOUBLE, &score, "index", G_TYPE_INT, &index, NULL);
      gst_message_unref (message);
      fail_unless (fabs (score - best) < 1e-12 * MAX (1, fabs (best)),
          "seed %u: %.15g, naive %.15g", seed, score, best);
      fail_unless (fabs (naive (x, t, index, smoothing) - best) < 1e-12
          * MAX (1, fabs (best)), "seed %u", seed);
    }
    labeler_free (h);
  }
  g_rand_free (rand);
}

GST_END_TEST;

/* Large logits neither overflow nor leave NaN. */
GST_START_TEST (test_softmax_of_large_logits)
{
  GstHarness *h = labeler_new ("3", NULL);

  check_row (h, 0, 3, (const gfloat[]) { 3e38f, -3e38f, 3e38f },
      "0.000\t0\t0.500\n");
  check_row (h, 1, 3, (const gfloat[]) { -3e38f, -3e38f, 1e4f },
      "0.010\t2\t1.000\n");
  labeler_free (h);
  h = labeler_new ("2", "softmax", FALSE, NULL);
  check_row (h, 0, 2, (const gfloat[]) { -0x1p127f, -3.4e38f },
      "0.000\t0\t-170141183460469231731687303715884105728.000\n");
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_what_resets)
{
  GstHarness *h = detector_new ("3", 0);
  GstSegment segment;
  GstEvent *event;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  check_row (h, 0, 3, a, "0.000\ta\t0.900\n");
  /* not a new segment */
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  check_row (h, 1, 3, a, NULL);
  /* a flush */
  flush (h);
  check_row (h, 2, 3, a, "0.020\ta\t0.900\n");
  /* a new stream */
  gst_harness_push_event (h, gst_event_new_stream_start ("another"));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  check_row (h, 3, 3, a, "0.030\ta\t0.900\n");
  /* the same labels again are no change, others are */
  send_words (h);
  check_row (h, 4, 3, a, NULL);
  gst_harness_push_event (h,
      labels_event_new ((const gchar * const[]) { "x", "y", "c", NULL }));
  check_row (h, 5, 3, a, "0.050\tx\t0.900\n");
  /* only another framerate, then another spelling: no change */
  gst_harness_set_src_caps_str (h, TENSORS "3,framerate=50/1");
  check_row (h, 6, 3, a, NULL);
  gst_harness_set_src_caps_str (h, TENSORS "3:1");
  check_row (h, 7, 3, a, NULL);

  /* EOS comes through, and nothing with it */
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  do {
    event = gst_harness_try_pull_event (h);
    fail_unless (event != NULL);
    gst_event_unref (event);
  } while (GST_EVENT_TYPE (event) != GST_EVENT_EOS);
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_other_sizes)
{
  GstHarness *h = labeler_new ("3", "softmax", FALSE, "smoothing", 0.5, NULL);

  check_row (h, 0, 3, a, "0.000\t0\t0.900\n");
  gst_harness_set_src_caps_str (h, TENSORS "2");
  check_row (h, 1, 2, b, "0.010\t1\t0.900\n");
  gst_harness_set_src_caps_str (h, TENSORS "2:1:3");
  check_row (h, 2, 6, (const gfloat[]) { 1, 0, 0, 1, 1, 0 },
      "0.020\t0\t0\t1.000\n0.020\t1\t1\t1.000\n0.020\t2\t0\t1.000\n");
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_properties_that_need_ready)
{
  const gchar *names[] = { "labels-path", "ignore", "softmax", "smoothing" };
  GstHarness *h = labeler_new ("3", "ignore", "c", NULL);
  GstBus *bus = gst_element_get_bus (h->element);
  gchar *path, *ignore;
  gboolean softmax;
  gdouble smoothing;

  g_object_set (h->element, "labels-path", "x", "ignore", "y", "softmax",
      FALSE, "smoothing", 0.5, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    check_message (bus, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS, names[i], "READY", NULL);
  g_object_get (h->element, "labels-path", &path, "ignore", &ignore,
      "softmax", &softmax, "smoothing", &smoothing, NULL);
  fail_unless (path == NULL);
  fail_unless_equals_string (ignore, "c");
  fail_unless (softmax);
  fail_unless (smoothing == 0);
  g_free (ignore);

  g_object_set (h->element, "top-k", 2, "threshold", 0.1, "format", 2,
      "changes-only", TRUE, NULL);
  fail_unless (pop_message (h, GST_MESSAGE_WARNING) == NULL);

  gst_element_set_state (h->element, GST_STATE_READY);
  g_object_set (h->element, "softmax", FALSE, NULL);
  fail_unless (pop_message (h, GST_MESSAGE_WARNING) == NULL);
  g_object_get (h->element, "softmax", &softmax, NULL);
  fail_if (softmax);
  gst_object_unref (bus);
  labeler_free (h);
}

GST_END_TEST;

static GstBusSyncReply
use_element (GstBus * bus, GstMessage * message, gpointer element)
{
  gdouble threshold;

  /* stands still if a lock is held */
  g_object_get (element, "threshold", &threshold, NULL);
  g_object_set (element, "threshold", threshold, "softmax", FALSE, NULL);
  fail_unless_equals_int (GST_STATE (element), GST_STATE_PLAYING);
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static GstBusSyncReply
use_element_once (GstBus * bus, GstMessage * message, gpointer element)
{
  /* the refused "softmax" above posts a warning from within the handler */
  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT) {
    gst_message_unref (message);
    return GST_BUS_DROP;
  }
  return use_element (bus, message, element);
}

static gpointer
turn_switches (gpointer harness)
{
  GstHarness *h = harness;

  for (gint i = 0; i < 2000; i++)
    g_object_set (h->element, "threshold", i % 2 ? 0.5 : 0.0, "top-k",
        1 + i % 3, "format", i % 3, "changes-only", i % 5 == 0, "smoothing",
        0.5, NULL);
  return NULL;
}

GST_START_TEST (test_switches_from_other_threads)
{
  GstHarness *h = labeler_new ("3", NULL);
  GstBus *bus = gst_element_get_bus (h->element);
  GThread *thread;

  gst_bus_set_sync_handler (bus, use_element_once, h->element, NULL);
  thread = g_thread_new ("switches", turn_switches, h);
  for (guint i = 0; i < 2000; i++)
    gst_harness_push (h, row_new (i, 3, i % 2 ? a : b));
  g_thread_join (thread);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  gst_object_unref (bus);
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_100_state_cycles)
{
  gchar *path = write_file ("x\ny\nz\n", -1);
  GstElement *pipeline = gst_parse_launch ("appsrc name=in format=time ! "
      "classlabeler name=labeler smoothing=0.9 changes-only=true ignore=z ! "
      "fakesink name=out sync=false", NULL);
  GstElement *in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  GstElement *labeler = gst_bin_get_by_name (GST_BIN (pipeline), "labeler");
  GstCaps *caps = gst_caps_from_string (TENSORS "3,framerate=100/1");
  GstBus *bus = gst_element_get_bus (pipeline);

  g_object_set (in, "caps", caps, NULL);
  gst_caps_unref (caps);
  g_object_set (labeler, "labels-path", path, NULL);
  for (guint i = 0; i < 100; i++) {
    GstFlowReturn flow;
    GstMessage *message;
    GstBuffer *buf;

    fail_if (gst_element_set_state (pipeline, GST_STATE_PLAYING)
        == GST_STATE_CHANGE_FAILURE);
    for (guint t = 0; t < 3; t++) {
      buf = row_new (t, 3, a);
      g_signal_emit_by_name (in, "push-buffer", buf, &flow);
      gst_buffer_unref (buf);
    }
    g_signal_emit_by_name (in, "end-of-stream", &flow);
    message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
        GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    /* each run starts afresh: the word is news again */
    fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_ELEMENT);
    fail_unless_equals_string (gst_structure_get_string
        (gst_message_get_structure (message), "label"), "x");
    gst_message_unref (message);
    message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
        GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
    gst_message_unref (message);
    gst_element_set_state (pipeline, i % 2 ? GST_STATE_NULL : GST_STATE_READY);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (labeler);
  gst_object_unref (in);
  gst_object_unref (pipeline);
  g_unlink (path);
  g_free (path);
}

GST_END_TEST;

/* A sink prerolls on silence, too. */
GST_START_TEST (test_silence_prerolls)
{
  GstElement *pipeline = gst_parse_launch ("appsrc name=in format=time ! "
      "classlabeler threshold=2 ! fakesink", NULL);
  GstElement *in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  GstCaps *caps = gst_caps_from_string (TENSORS "3,framerate=100/1");
  GstBuffer *buf = row_new (0, 3, a);
  GstFlowReturn flow;

  g_object_set (in, "caps", caps, NULL);
  gst_caps_unref (caps);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  g_signal_emit_by_name (in, "push-buffer", buf, &flow);
  gst_buffer_unref (buf);
  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
          30 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (in);
  gst_object_unref (pipeline);
}

GST_END_TEST;

static Suite *
classlabelerstate_suite (void)
{
  Suite *s = suite_create ("classlabelerstate");
  TCase *tc = tcase_create ("state");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_detection);
  tcase_add_test (tc, test_ignored_labels);
  tcase_add_test (tc, test_detection_as_text);
  tcase_add_test (tc, test_detection_of_streams);
  tcase_add_test (tc, test_smoothing_is_the_weighted_sum);
  tcase_add_test (tc, test_softmax_of_large_logits);
  tcase_add_test (tc, test_what_resets);
  tcase_add_test (tc, test_other_sizes);
  tcase_add_test (tc, test_properties_that_need_ready);
  tcase_add_test (tc, test_switches_from_other_threads);
  tcase_add_test (tc, test_100_state_cycles);
  tcase_add_test (tc, test_silence_prerolls);
  return s;
}

GST_CHECK_MAIN (classlabelerstate);
