/* gst-continual: tests of what classlabeler writes and posts
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <jansson.h>
#include "labelertest.h"
#include "tensor/events.h"

static const gchar *words[] = { "yes", "no", "neither", NULL };

static const gfloat yes[] = { 2, 0, 0 }, no[] = { 0, 2, 0 };

/* softmax of (2, 0, 0): 0.787, 0.107, 0.107 */

static void
send_labels (GstHarness * h, const gchar ** labels)
{
  fail_unless (gst_harness_push_event (h,
          labels_event_new ((const gchar * const *) labels)));
}

GST_START_TEST (test_lines)
{
  const gfloat three[] = { 1, 3, 2 };
  GstHarness *h = labeler_new ("3", NULL);
  GstCaps *caps;

  send_labels (h, words);
  check_row (h, 0, 3, yes, "0.000\tyes\t0.787\n");
  check_row (h, 7, 3, no, "0.070\tno\t0.787\n");
  check_row (h, 123456, 3, no, "1234.560\tno\t0.787\n");

  caps = gst_pad_get_current_caps (h->sinkpad);
  fail_unless_equals_int (gst_structure_n_fields (gst_caps_get_structure (caps,
              0)), 1);
  fail_unless (gst_structure_has_name (gst_caps_get_structure (caps, 0),
          "text/x-raw"));
  fail_unless_equals_string (gst_structure_get_string (gst_caps_get_structure
          (caps, 0), "format"), "utf8");
  gst_caps_unref (caps);

  /* top-k is a switch of output: columns from now on */
  g_object_set (h->element, "top-k", 2, NULL);
  check_row (h, 1, 3, three, "0.010\tno\t0.665\tneither\t0.245\n");
  g_object_set (h->element, "top-k", 9, NULL);
  check_row (h, 1, 3, three,
      "0.010\tno\t0.665\tneither\t0.245\tyes\t0.090\n");
  g_object_set (h->element, "threshold", 0.2, NULL);
  check_row (h, 1, 3, three, "0.010\tno\t0.665\tneither\t0.245\n");
  labeler_free (h);

  h = labeler_new ("3:1:1:1", "softmax", FALSE, "top-k", 3, NULL);
  check_row (h, 1, 3, three, "0.010\t1\t3.000\t2\t2.000\t0\t1.000\n");
  /* equals: the lowest index; and scores may be negative */
  check_row (h, 2, 3, (const gfloat[]) { -4, -2.5f, -2.5f },
      "0.020\t1\t-2.500\t2\t-2.500\t0\t-4.000\n");
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_text)
{
  GstHarness *h = labeler_new ("3", "format", 1, "threshold", 0.5, NULL);

  send_labels (h, words);
  check_row (h, 0, 3, yes, "yes");
  /* below the threshold: an overlay is cleared */
  check_row (h, 1, 3, (const gfloat[]) { 0, 0, 0 }, "");
  g_object_set (h->element, "top-k", 2, "threshold", 0.1, NULL);
  check_row (h, 2, 3, yes, "yes 0.787\nno 0.107");
  g_object_set (h->element, "top-k", 2, "threshold", 0.5, NULL);
  check_row (h, 3, 3, yes, "yes 0.787");
  labeler_free (h);

  h = labeler_new ("3:1:2", "format", 1, NULL);
  send_labels (h, words);
  check_row (h, 0, 6, (const gfloat[]) { 2, 0, 0, 0, 2, 0 },
      "0: yes\n1: no");
  check_row (h, 0, 6, (const gfloat[]) { NAN, NAN, NAN, 0, 2, 0 }, "1: no");
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_json_of_odd_labels)
{
  const gchar *odd[] = { "a \"quoted\" \\ label", "tab\tnew\nline\r\x01",
    "gr\xc3\xbcn \xe2\x80\xa8 \xf0\x9f\x98\x80", NULL
  };
  GstHarness *h = labeler_new ("3", "format", 2, "top-k", 3, NULL);

  send_labels (h, odd);
  for (guint i = 0; i < 3; i++) {
    gfloat x[3] = { 0, 0, 0 };
    gchar *text;
    json_t *object, *top;
    json_error_t error;

    x[i] = 2;
    text = push_row (h, i, 3, x);
    fail_unless (strchr (text, '\n') == text + strlen (text) - 1);
    object = json_loads (text, JSON_REJECT_DUPLICATES, &error);
    fail_unless (object != NULL, "%s: %s", text, error.text);
    fail_unless_equals_string (json_string_value (json_object_get (object,
                "label")), odd[i]);
    fail_unless_equals_int (json_integer_value (json_object_get (object,
                "index")), i);
    fail_unless (fabs (json_real_value (json_object_get (object,
                    "score")) - 0.78698604) < 1e-7);
    fail_unless_equals_uint64 (json_integer_value (json_object_get (object,
                "timestamp")), i * TICK);
    fail_unless_equals_uint64 (json_integer_value (json_object_get (object,
                "stream-time")), i * TICK);
    fail_unless_equals_uint64 (json_integer_value (json_object_get (object,
                "running-time")), i * TICK);
    fail_unless_equals_uint64 (json_integer_value (json_object_get (object,
                "duration")), TICK);
    fail_unless (json_object_get (object, "stream") == NULL);
    top = json_object_get (object, "top");
    fail_unless_equals_int (json_array_size (top), 3);
    fail_unless_equals_string (json_string_value (json_object_get
            (json_array_get (top, 1), "label")), odd[i ? 0 : 1]);
    json_decref (object);
    g_free (text);
  }

  /* one label stays in its column and line */
  g_object_set (h->element, "format", 0, "top-k", 1, NULL);
  check_row (h, 0, 3, no, "0.000\ttab new line  \t0.787\n");
  g_object_set (h->element, "format", 1, NULL);
  check_row (h, 0, 3, no, "tab new line  ");
  labeler_free (h);
}

GST_END_TEST;

/* Neither a terminal nor what stands beside a label can be turned by it. */
GST_START_TEST (test_marks_in_labels)
{
  const gchar *marked[] = { "yes", "no\xe2\x80\xae" "right to left\xc2\x9b" "2J\xe2\x81\xa6", "go", NULL };
  GstHarness *h = labeler_new ("3", NULL);
  const gfloat x[] = { 0, 2, 0 };
  gchar *text;
  json_t *object;

  send_labels (h, marked);
  check_row (h, 0, 3, no, "0.000\tno right to left 2J \t0.787\n");
  g_object_set (h->element, "format", 1, NULL);
  check_row (h, 0, 3, no, "no right to left 2J ");
  g_object_set (h->element, "format", 2, NULL);
  text = push_row (h, 1, 3, x);
  fail_unless (strstr (text, "no\\u202eright to left\\u009b2J\\u2066"), "%s", text);
  object = json_loads (text, 0, NULL);
  fail_unless_equals_string (json_string_value (json_object_get (object, "label")), marked[1]);
  json_decref (object);
  g_free (text);
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_where_labels_come_from)
{
  const gchar *others[] = { "ja", "nein", "nichts", NULL };
  const gchar *none[] = { NULL };
  gchar *path = write_file ("one\ntwo\nthree\n", -1);
  GstHarness *h = labeler_new ("3", NULL);

  check_row (h, 0, 3, no, "0.000\t1\t0.787\n");
  send_labels (h, words);
  check_row (h, 0, 3, no, "0.000\tno\t0.787\n");
  send_labels (h, others);
  check_row (h, 0, 3, no, "0.000\tnein\t0.787\n");
  /* they are sticky: a flush doesn't take them */
  flush (h);
  check_row (h, 0, 3, no, "0.000\tnein\t0.787\n");
  /* a model without labels came */
  send_labels (h, none);
  check_row (h, 0, 3, no, "0.000\t1\t0.787\n");
  labeler_free (h);

  /* the file wins, whichever comes first */
  h = labeler_new ("3", "labels-path", path, NULL);
  check_row (h, 0, 3, no, "0.000\ttwo\t0.787\n");
  send_labels (h, words);
  check_row (h, 0, 3, no, "0.000\ttwo\t0.787\n");
  labeler_free (h);

  /* numbers may be ignored, too */
  h = labeler_new ("3", "ignore", "1", NULL);
  check_row (h, 0, 3, no, NULL);
  check_row (h, 0, 3, yes, "0.000\t0\t0.787\n");
  labeler_free (h);
  g_unlink (path);
  g_free (path);
}

GST_END_TEST;

static void
check_class_label (GstHarness * h, const gchar * label, gint index,
    gdouble score, GstClockTime timestamp, GstClockTime stream_time,
    GstClockTime running_time, gint stream)
{
  GstMessage *message = pop_message (h, GST_MESSAGE_ELEMENT);
  const GstStructure *s;
  gint i = -1, got_stream = -1;
  gdouble d = 0;
  guint64 t;

  fail_unless (message != NULL);
  fail_unless (GST_MESSAGE_SRC (message) == GST_OBJECT (h->element));
  s = gst_message_get_structure (message);
  fail_unless (gst_structure_has_name (s, "class-label"));
  fail_unless_equals_string (gst_structure_get_string (s, "label"), label);
  fail_unless (gst_structure_get_int (s, "index", &i));
  fail_unless_equals_int (i, index);
  fail_unless (gst_structure_get_double (s, "score", &d));
  fail_unless (fabs (d - score) < 1e-6, "%.9g", d);
  fail_unless (gst_structure_get_uint64 (s, "timestamp", &t));
  fail_unless_equals_uint64 (t, timestamp);
  fail_unless (gst_structure_get_uint64 (s, "stream-time", &t));
  fail_unless_equals_uint64 (t, stream_time);
  fail_unless (gst_structure_get_uint64 (s, "running-time", &t));
  fail_unless_equals_uint64 (t, running_time);
  fail_unless (gst_structure_get_uint64 (s, "duration", &t));
  fail_unless_equals_uint64 (t, TICK);
  fail_unless_equals_int (gst_structure_get_int (s, "stream", &got_stream),
      stream >= 0);
  fail_unless_equals_int (got_stream, stream);
  gst_message_unref (message);
}

GST_START_TEST (test_messages_and_segments)
{
  GstHarness *h = labeler_new ("3", "threshold", 0.5, NULL);
  GstSegment segment;

  send_labels (h, words);
  check_row (h, 3, 3, no, "0.030\tno\t0.787\n");
  check_class_label (h, "no", 1, 0.78698604, 3 * TICK, 3 * TICK, 3 * TICK, -1);
  check_row (h, 4, 3, (const gfloat[]) { 0, 0, 0 }, NULL);
  fail_unless (pop_message (h, GST_MESSAGE_ELEMENT) == NULL);

  /* lines say stream time; a message tells all of them apart */
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.position = GST_SECOND;
  segment.time = 5 * GST_SECOND;
  segment.base = 20 * GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  check_row (h, 107, 3, yes, "5.070\tyes\t0.787\n");
  check_class_label (h, "yes", 0, 0.78698604, 107 * TICK, 507 * TICK,
      2007 * TICK, -1);
  /* before the segment */
  check_row (h, 99, 3, yes, "-\tyes\t0.787\n");
  check_class_label (h, "yes", 0, 0.78698604, 99 * TICK, GST_CLOCK_TIME_NONE,
      GST_CLOCK_TIME_NONE, -1);
  labeler_free (h);
}

GST_END_TEST;

GST_START_TEST (test_streams)
{
  /* (S = 2, N = 2, D = 3): the second position of each stream is the newest */
  const gfloat retro[] = { 9, 0, 0, 0, 2, 0, 9, 0, 0, 0, 0, 2 };
  const gfloat absent[] = { NAN, NAN, NAN, 2, 0, 0 };
  GstHarness *h = labeler_new ("3:2", NULL);

  check_row (h, 1, 6, retro, "0.010\t1\t0.787\n");
  /* a shorter one of whole vectors */
  check_row (h, 2, 3, yes, "0.020\t0\t0.787\n");
  labeler_free (h);

  h = labeler_new ("3:2:2", NULL);
  check_row (h, 1, 12, retro, "0.010\t0\t1\t0.787\n" "0.010\t1\t2\t0.787\n");
  check_class_label (h, "1", 1, 0.78698604, TICK, TICK, TICK, 0);
  check_class_label (h, "2", 2, 0.78698604, TICK, TICK, TICK, 1);
  labeler_free (h);

  h = labeler_new ("3:1:2", NULL);
  check_row (h, 1, 6, absent, "0.010\t1\t0\t0.787\n");
  check_class_label (h, "0", 0, 0.78698604, TICK, TICK, TICK, 1);
  fail_unless (pop_message (h, GST_MESSAGE_ELEMENT) == NULL);
  g_object_set (h->element, "format", 2, NULL);
  check_row (h, 1, 6, absent, "{\"label\":\"0\",\"index\":0,"
      "\"score\":0.786986042,\"timestamp\":10000000,\"stream-time\":10000000,"
      "\"running-time\":10000000,\"duration\":10000000,\"stream\":1}\n");
  labeler_free (h);
}

GST_END_TEST;

/* Nothing can be said of such scores, in no format. */
GST_START_TEST (test_rows_that_are_no_scores)
{
  const gfloat rows[][3] = { {NAN, NAN, NAN}, {1, NAN, 1},
  {1, INFINITY, 1}, {-INFINITY, -INFINITY, -INFINITY}
  };
  const gfloat masked[] = { 2, -INFINITY, 2 };

  for (gint format = 0; format < 3; format++) {
    GstHarness *h = labeler_new ("3", "format", format, NULL);

    for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
      check_row (h, i, 3, rows[i], NULL);
    for (guint i = 0; i < 6; i++)
      check_row (h, 4 + i, 3, rows[0], NULL);
    /* The 1st and the 10th are told. */
    for (guint i = 0; i < 2; i++) {
      GstMessage *warning = pop_message (h, GST_MESSAGE_WARNING);

      fail_unless (warning != NULL);
      gst_message_unref (warning);
    }
    fail_unless (pop_message (h, GST_MESSAGE_WARNING) == NULL);
    fail_unless (pop_message (h, GST_MESSAGE_ELEMENT) == NULL);
    labeler_free (h);
  }
  {
    GstHarness *h = labeler_new ("3", NULL);
    check_row (h, 0, 3, masked, "0.000\t0\t0.500\n");
    labeler_free (h);
    h = labeler_new ("3", "softmax", FALSE, NULL);
    check_row (h, 0, 3, masked, NULL);
    labeler_free (h);
  }
}

GST_END_TEST;

static void
check_error (const gchar * dims, const gchar * labels, gsize n_bytes,
    const gchar * a, const gchar * b)
{
  gchar *path = labels ? write_file (labels, -1) : NULL;
  GstHarness *h = labeler_new (dims, "labels-path", path, NULL);
  GstBus *bus = gst_element_get_bus (h->element);
  GstFlowReturn flow = gst_harness_push (h, gst_buffer_new_allocate (NULL,
          n_bytes, NULL));

  fail_unless (flow == GST_FLOW_ERROR || flow == GST_FLOW_NOT_NEGOTIATED);
  check_message (bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT, "Expected", a, b, NULL);
  gst_object_unref (bus);
  labeler_free (h);
  if (path)
    g_unlink (path);
  g_free (path);
}

GST_START_TEST (test_errors)
{
  GstElement *element = gst_element_factory_make ("classlabeler", NULL);
  GstBus *bus = gst_bus_new ();

  check_error ("3", NULL, 16, "12 bytes", "found 16 bytes");
  check_error ("3", NULL, 0, "12 bytes", "found 0 bytes");
  check_error ("3:4:2", NULL, 95, "96 bytes", "found 95 bytes");
  check_error ("3", "a\nb\n", 12, "2, found 3", "dimensions 3");
  check_error ("3:1:1:2", NULL, 24, "LABELS:POSITIONS:STREAMS", "3:1:1:2");
  check_error ("3:x", NULL, 24, "3:x", "(string)64:16");

  gst_element_set_bus (element, bus);
  g_object_set (element, "labels-path", "/nowhere/labels.txt", NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  check_message (bus, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, "/nowhere/labels.txt", "labels-path", NULL);
  /* it can be put right and started again */
  gst_element_set_state (element, GST_STATE_NULL);
  g_object_set (element, "labels-path", NULL, "ignore", "[\"a\"", NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  check_message (bus, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "commas", NULL);
  g_object_set (element, "ignore", NULL, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (element);
  gst_object_unref (bus);
}

GST_END_TEST;

/* The capsfilter fails before the labeler sees a CAPS event. */
GST_START_TEST (test_untyped_dimensions)
{
  GstElement *pipeline = gst_parse_launch ("fakesrc num-buffers=1 sizetype=2 "
      "sizemax=24 ! other/tensors,format=static,num_tensors=1,types=float32,"
      "dimensions=3:2 ! classlabeler ! fakesink", NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  GError *error;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND,
      GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "(string)64:16") != NULL, "%s",
      error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST;

GST_START_TEST (test_unknown_times)
{
  GstHarness *h = labeler_new ("3", "threshold", 0.5, NULL);
  GstBuffer *buf = gst_buffer_new_memdup (yes, sizeof yes);
  GstMapInfo map;

  fail_unless_equals_int (gst_harness_push (h, buf), GST_FLOW_OK);
  buf = gst_harness_pull (h);
  fail_if (GST_BUFFER_PTS_IS_VALID (buf));
  gst_buffer_map (buf, &map, GST_MAP_READ);
  fail_unless (memcmp (map.data, "-\t0\t0.787\n", map.size) == 0);
  gst_buffer_unmap (buf, &map);
  gst_buffer_unref (buf);
  labeler_free (h);
}

GST_END_TEST;

static Suite *
classlabeler_suite (void)
{
  Suite *s = suite_create ("classlabeler");
  TCase *tc = tcase_create ("output");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_lines);
  tcase_add_test (tc, test_text);
  tcase_add_test (tc, test_json_of_odd_labels);
  tcase_add_test (tc, test_marks_in_labels);
  tcase_add_test (tc, test_where_labels_come_from);
  tcase_add_test (tc, test_messages_and_segments);
  tcase_add_test (tc, test_streams);
  tcase_add_test (tc, test_rows_that_are_no_scores);
  tcase_add_test (tc, test_errors);
  tcase_add_test (tc, test_untyped_dimensions);
  tcase_add_test (tc, test_unknown_times);
  return s;
}

GST_CHECK_MAIN (classlabeler);
