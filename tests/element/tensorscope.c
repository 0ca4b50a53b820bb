/* gst-continual: tensorscope: caps, times and errors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scopetest.h"

#include <glib/gstdio.h>

#include "tensor/events.h"

#define STATIC "other/tensors,format=(string)static,"
#define ONE STATIC "num_tensors=(int)1,types=(string)float32,"
#define TWO STATIC "num_tensors=(int)2,types=(string)\"float32,float32\","

static void
expect_caps (GstHarness * h, gint width, gint height, gint fps_n, gint fps_d)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  const GstStructure *s;
  gint w, x, n, d;

  fail_unless (caps != NULL);
  s = gst_caps_get_structure (caps, 0);
  fail_unless (gst_structure_get_int (s, "width", &w)
      && gst_structure_get_int (s, "height", &x)
      && gst_structure_get_fraction (s, "framerate", &n, &d));
  fail_unless (w == width && x == height && n == fps_n && d == fps_d,
      "%d x %d at %d/%d", w, x, n, d);
  gst_caps_unref (caps);
}

static void
check_caps (const gchar * properties, const gchar * video, const gchar * dims,
    gint width, gint height, gint fps_n, gint fps_d)
{
  GstHarness *h = scope_new (properties, video);

  encoder_set_caps (h, dims, 100);
  expect_caps (h, width, height, fps_n, fps_d);
  scope_free (h);
}

GST_START_TEST (test_caps)
{
  check_caps ("", "", "40", 640, 240, 25, 1);
  check_caps ("", "", "40:16:1:1", 640, 240, 25, 1);
  /* Streams are above each other. */
  check_caps ("", "", "40:1:5", 640, 600, 25, 1);
  check_caps ("style=attention", "", "8:1:4:5", 640, 600, 25, 1);
  /* Downstream chooses. */
  check_caps ("", "width=100,height=50,framerate=30000/1001", "40", 100, 50,
      30000, 1001);
  check_caps ("", "width=[700,900],height=[1,100],framerate=[50/1,60/1]", "40",
      700, 100, 50, 1);
  check_caps ("", "framerate=1/2", "40", 640, 240, 1, 2);
}

GST_END_TEST;

/* 100 vectors a second, 25 frames */
GST_START_TEST (test_grid)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);

  encoder_set_caps (h, "1", 100);
  for (gint t = 0; t < 100; t++) {
    scope_push_value (h, t, t * 10, t % 2 ? 10 : -1);
    fail_unless_equals_int (gst_harness_buffers_received (h), (t + 1) / 4);
  }
  /* Each shows the newest vector that begins before it ends. */
  for (guint k = 0; k < 25; k++)
    fail_unless_equals_int (scope_pull_value (h, 40 * k), 4 * k + 3);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  scope_free (h);
}

GST_END_TEST;

/* Two vectors a second: frames repeat, at once, for their end is known. */
GST_START_TEST (test_slow_vectors)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);

  encoder_set_caps (h, "1", 2);
  scope_push_value (h, 10, 0, -1);
  fail_unless_equals_int (gst_harness_buffers_received (h), 12);
  scope_push_value (h, 20, 500, -1);
  fail_unless_equals_int (gst_harness_buffers_received (h), 25);
  /* The frame from 480 to 520 ms shows the vector of 500. */
  for (guint k = 0; k < 25; k++)
    fail_unless_equals_int (scope_pull_value (h, 40 * k), k < 12 ? 10 : 20);
  scope_free (h);
}

GST_END_TEST;

/* Without a duration, a vector lasts until the next one. */
GST_START_TEST (test_unknown_duration)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);

  encoder_set_caps (h, "1", 0);
  scope_push_value (h, 1, 0, -1);
  scope_push_value (h, 2, 100, -1);
  fail_unless_equals_int (gst_harness_buffers_received (h), 2);
  scope_push_value (h, 3, 160, -1);
  /* A frame ends where the vector begins: it does not show it. */
  fail_unless_equals_int (gst_harness_buffers_received (h), 4);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_int (scope_pull_value (h, 0), 1);
  fail_unless_equals_int (scope_pull_value (h, 40), 1);
  fail_unless_equals_int (scope_pull_value (h, 80), 2);
  fail_unless_equals_int (scope_pull_value (h, 120), 2);
  fail_unless_equals_int (scope_pull_value (h, 160), 3);
  fail_unless (gst_harness_try_pull (h) == NULL);
  scope_free (h);
}

GST_END_TEST;

/* The vectors of a buffer share its time. */
GST_START_TEST (test_chunks)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);
  gfloat x[10];

  for (guint i = 0; i < 10; i++)
    x[i] = i;
  encoder_set_caps (h, "1:10", 10);
  scope_push (h, x, 10, 0, 100);
  /* Shorter, and without times: they follow. */
  fail_unless_equals_int (gst_harness_push (h, vectors_new (x, 2,
              GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE)), GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_int (scope_pull_value (h, 0), 3);
  fail_unless_equals_int (scope_pull_value (h, 40), 7);
  fail_unless_equals_int (scope_pull_value (h, 80), 1);
  fail_unless (gst_harness_try_pull (h) == NULL);
  scope_free (h);
}

GST_END_TEST;

/* A frame that has begun is shown at the end, whole. */
GST_START_TEST (test_end)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);
  GstEvent *event;

  encoder_set_caps (h, "1", 100);
  for (gint t = 0; t < 9; t++)
    scope_push_value (h, t, t * 10, 10);
  fail_unless_equals_int (gst_harness_buffers_received (h), 2);
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless_equals_int (scope_pull_value (h, 0), 3);
  fail_unless_equals_int (scope_pull_value (h, 40), 7);
  fail_unless_equals_int (scope_pull_value (h, 80), 8);
  fail_unless (gst_harness_try_pull (h) == NULL);
  event = pull_event (h, GST_EVENT_EOS);
  fail_unless (event != NULL);
  gst_event_unref (event);
  scope_free (h);
}

GST_END_TEST;

/* Times of 30000/1001 do not add up their rounding. The first frame is that of the first vector. */
GST_START_TEST (test_grid_of_any_rate)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL ",framerate=30000/1001");
  const guint from = 3600 * 1000, first = (guint64) from * 30 / 1001;

  encoder_set_caps (h, "1", 10);
  for (gint t = 0; t < 100; t++)
    scope_push_value (h, t, from + t * 100, 100);
  fail_unless (gst_harness_buffers_received (h) >= 299);
  for (guint64 k = first; k < first + 299; k++)
    gst_buffer_unref (scope_pull (h, k * 1001 * GST_SECOND / 30000,
            (k + 1) * 1001 * GST_SECOND / 30000));
  scope_free (h);
}

GST_END_TEST;

static void
push_segment (GstHarness * h, guint start, guint stop, gdouble rate)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = start * GST_MSECOND;
  segment.stop = stop ? stop * GST_MSECOND : GST_CLOCK_TIME_NONE;
  segment.rate = rate;
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
}

static void
flush (GstHarness * h)
{
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
}

/* At twice the rate a frame lasts 80 ms of the segment. What came before the segment is shown, but not in frames of its
 * own; frames end with the segment. */
GST_START_TEST (test_seek)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);
  GstBuffer *frame;

  encoder_set_caps (h, "1", 100);
  for (gint t = 0; t < 6; t++)
    scope_push_value (h, t, t * 10, 10);
  fail_unless_equals_int (scope_pull_value (h, 0), 3);
  flush (h);
  push_segment (h, 1005, 1245, 2);
  for (gint t = 0; t < 40; t++)
    scope_push_value (h, 100 + t, 900 + t * 10, 10);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint k = 0; k < 3; k++) {
    const GstClockTime pts = (1005 + 80 * k) * GST_MSECOND;

    frame = scope_pull (h, pts, pts + 80 * GST_MSECOND);
    fail_unless_equals_int (scope_get_pixel (frame, 8, 3, 2) & 0xff,
        118 + 8 * k);
    gst_buffer_unref (frame);
  }
  fail_unless (gst_harness_try_pull (h) == NULL);
  scope_free (h);
}

GST_END_TEST;

/* Nothing of before the flush is shown after it. */
GST_START_TEST (test_flush)
{
  GstHarness *h = scope_new ("history=2 colormap=gray min=0 max=255", SMALL);
  GstBuffer *frame;

  encoder_set_caps (h, "1", 25);
  scope_push_value (h, 50, 0, 40);
  gst_buffer_unref (scope_pull (h, 0, 40 * GST_MSECOND));
  flush (h);
  push_segment (h, 0, 0, 1);
  scope_push_value (h, 70, 0, 40);
  frame = scope_pull (h, 0, 40 * GST_MSECOND);
  fail_unless_equals_int (scope_get_pixel (frame, 8, 2, 2), SCOPE_EMPTY);
  fail_unless_equals_int (scope_get_pixel (frame, 8, 6, 2), 70 * 0x010101);
  fail_unless (GST_BUFFER_IS_DISCONT (frame));
  gst_buffer_unref (frame);
  scope_push_value (h, 80, 40, 40);
  frame = scope_pull (h, 40 * GST_MSECOND, 80 * GST_MSECOND);
  fail_unless_equals_int (scope_get_pixel (frame, 8, 2, 2), 70 * 0x010101);
  fail_unless (!GST_BUFFER_IS_DISCONT (frame));
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* A segment that continues the last one changes nothing; another one begins the frames anew. */
GST_START_TEST (test_segments)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);

  encoder_set_caps (h, "1", 100);
  scope_push_value (h, 1, 0, 10);
  push_segment (h, 0, 5000, 1);
  scope_push_value (h, 2, 10, 10);
  fail_unless_equals_int (gst_harness_buffers_received (h), 0);
  push_segment (h, 2003, 0, 1);
  fail_unless_equals_int (scope_pull_value (h, 0), 2);
  scope_push_value (h, 3, 2003, 50);
  fail_unless_equals_int (scope_pull_value (h, 2003), 3);
  fail_unless (gst_harness_try_pull (h) == NULL);
  scope_free (h);
}

GST_END_TEST;

/* During a gap the frames go on and show the last picture. */
GST_START_TEST (test_gap)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);

  encoder_set_caps (h, "1", 100);
  /* Also before the first vector: live pipelines preroll. */
  gst_harness_push_event (h, gst_event_new_gap (0, 50 * GST_MSECOND));
  fail_unless_equals_int (scope_pull_value (h, 0), 1000);
  scope_push_value (h, 7, 50, 10);
  gst_harness_push_event (h, gst_event_new_gap (60 * GST_MSECOND,
          140 * GST_MSECOND));
  for (guint ms = 40; ms < 200; ms += 40)
    fail_unless_equals_int (scope_pull_value (h, ms), 7);
  fail_unless (gst_harness_try_pull (h) == NULL);
  /* Frames are there in their place. */
  fail_unless_equals_int (count_gaps (h), 0);
  scope_free (h);
}

GST_END_TEST;

/* A stream that is absent for a moment is no reason to stop. */
GST_START_TEST (test_no_numbers)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);

  encoder_set_caps (h, "1", 25);
  scope_push_value (h, 9, 0, 40);
  scope_push_value (h, NAN, 40, 40);
  scope_push_value (h, INFINITY, 80, 40);
  scope_push_value (h, -INFINITY, 120, 40);
  scope_push_value (h, 9, 160, 40);
  for (guint ms = 0; ms < 200; ms += 40)
    fail_unless_equals_int (scope_pull_value (h, ms), ms == 0
        || ms == 160 ? 9 : 1000);
  scope_free (h);
}

GST_END_TEST;

GST_START_TEST (test_latency)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);

  gst_harness_set_upstream_latency (h, 30 * GST_MSECOND);
  encoder_set_caps (h, "1", 100);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 70 * GST_MSECOND);
  scope_free (h);
}

GST_END_TEST;

/* Downstream may change size and rate: the frames go on. */
GST_START_TEST (test_renegotiation)
{
  GstHarness *h = scope_new ("history=2 colormap=gray min=0 max=255", SMALL);
  GstBuffer *frame;

  encoder_set_caps (h, "1", 25);
  scope_push_value (h, 10, 0, 40);
  gst_buffer_unref (scope_pull (h, 0, 40 * GST_MSECOND));
  gst_harness_set_sink_caps_str (h, "video/x-raw,width=16,height=4,framerate=50/1");
  gst_pad_push_event (h->sinkpad, gst_event_new_reconfigure ());
  scope_push_value (h, 20, 40, 40);
  expect_caps (h, 16, 4, 50, 1);
  for (guint k = 0; k < 2; k++) {
    frame = scope_pull (h, (40 + 20 * k) * GST_MSECOND, (60 + 20 * k) * GST_MSECOND);
    fail_unless_equals_int (gst_buffer_get_size (frame), 16 * 4 * 4);
    fail_unless_equals_int (scope_get_pixel (frame, 16, 4, 1), 10 * 0x010101);
    fail_unless_equals_int (scope_get_pixel (frame, 16, 12, 1), 20 * 0x010101);
    gst_buffer_unref (frame);
  }
  scope_free (h);
}

GST_END_TEST;

/* At any rate, frames last 40 ms of running time. Each shows the newest vector that begins before its end. */
static void
seek_in_file (GstHarness * h, gdouble rate)
{
  const guint spacing = 40 * rate;
  GstBuffer *frame;

  fail_unless (gst_pad_push_event (h->sinkpad, gst_event_new_seek (rate,
              GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
              500 * GST_MSECOND, GST_SEEK_TYPE_NONE, -1)));
  for (guint at = 500; at < 1000; at += spacing) {
    frame = gst_harness_pull (h);
    fail_unless (frame != NULL);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (frame), at * GST_MSECOND);
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (frame),
        spacing * GST_MSECOND);
    fail_unless_equals_int (scope_get_pixel (frame, 8, 3, 2),
        MIN ((at + spacing) / 10 - 1, 99) * 0x010101);
    gst_buffer_unref (frame);
  }
  fail_unless (gst_harness_try_pull (h) == NULL);
}

/* A file of vectors counts bytes; a seek in it is one in time. */
GST_START_TEST (test_file)
{
  static const gdouble rates[] = { 1, 2, 0.5 };
  g_autofree gchar *path = NULL, *line = NULL;
  gfloat x[100];
  gint fd = g_file_open_tmp ("continual-XXXXXX", &path, NULL);
  GstHarness *h;

  fail_unless (fd >= 0);
  close (fd);
  for (guint i = 0; i < 100; i++)
    x[i] = i;
  fail_unless (g_file_set_contents (path, (gchar *) x, sizeof x, NULL));
  line = g_strdup_printf ("filesrc location=%s blocksize=13 ! " ONE
      "dimensions=(string)1,framerate=100/1 ! tensorscope " ONE_VALUE
      " ! capsfilter caps=video/x-raw," SMALL ",framerate=25/1", path);
  h = gst_harness_new_parse (line);
  gst_harness_play (h);
  for (guint k = 0; k < 25; k++) {
    GstBuffer *frame = gst_harness_pull (h);

    fail_unless (frame != NULL);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (frame), 40 * k * GST_MSECOND);
    fail_unless_equals_int (scope_get_pixel (frame, 8, 3, 2),
        (4 * k + 3) * 0x010101);
    gst_buffer_unref (frame);
  }
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    seek_in_file (h, rates[i]);
  gst_harness_teardown (h);
  g_unlink (path);
}

GST_END_TEST;

/* Refused caps, with a reason that has @word */
static void
expect_refused (const gchar * properties, const gchar * video,
    const gchar * caps, const gchar * word)
{
  GstHarness *h = scope_new (properties, video);

  gst_harness_set_src_caps_str (h, caps);
  check_message (scope_pop_error (h), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "xpected", "found", word, NULL);
  scope_free (h);
}

GST_START_TEST (test_refused_caps)
{
  expect_refused ("", "", ONE "dimensions=(string)4:1:1:3", "FEATURES");
  expect_refused ("style=scores", "", ONE "dimensions=(string)4:1:1:3", "CLASSES");
  expect_refused ("", "", ONE "dimensions=(string)20000", "16384 values");
  expect_refused ("style=attention", "", ONE "dimensions=(string)20000:2", "16384 values");
  expect_refused ("style=lines", "", ONE "dimensions=(string)1000000000", "16384 values");
  expect_refused ("", "", ONE "dimensions=(string)16384:1:100", "lower history");
  expect_refused ("", "", ONE "dimensions=(string)4:0", "sizes");
  expect_refused ("", "", STATIC "num_tensors=(int)1,types=(string)int8,dimensions=(string)4", "float32");
  expect_refused ("", "", TWO "dimensions=(string)\"4,x\"", "sizes");
  expect_refused ("", "", STATIC "num_tensors=(int)2,types=(string)\"float32,int8\",dimensions=(string)\"4,4\"", "float32");
  expect_refused ("", "", STATIC "num_tensors=(int)3,types=(string)\"float32,float32,float32\",dimensions=(string)\"4,4,4\"", "num_tensors");
  /* There has to be a pixel for each class, head and stream. */
  expect_refused ("style=scores", "width=100,height=9", ONE "dimensions=(string)10", "100 x 9");
  expect_refused ("", "width=100,height=9", ONE "dimensions=(string)4:1:10", "100 x 9");
  expect_refused ("style=attention", "width=9,height=9", ONE "dimensions=(string)4:1:10", "9 x 9");
  /* What comes after takes other video. */
  expect_refused ("", "format=I420", ONE "dimensions=(string)4", "videoconvert");
  expect_refused ("", "framerate=0/1", ONE "dimensions=(string)4", "framerate");
}

GST_END_TEST;

GST_START_TEST (test_refused_buffers)
{
  const gfloat x[12] = { 0 };
  GstHarness *h = scope_new ("", "");
  GstSegment segment;

  encoder_set_caps (h, "4:2", 100);
  fail_unless_equals_int (scope_push (h, x, 12, 0, 10), GST_FLOW_ERROR);
  check_message (scope_pop_error (h), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "32 bytes", "48 bytes", NULL);
  scope_free (h);

  h = scope_new ("style=attention", "");
  gst_harness_set_src_caps_str (h, TWO "dimensions=(string)\"4,4:1:2\"");
  fail_unless_equals_int (scope_push (h, x, 8, 0, 10), GST_FLOW_ERROR);
  check_message (scope_pop_error (h), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "48 bytes", "32 bytes", "another tensor", NULL);
  scope_free (h);

  h = scope_new ("", "");
  encoder_set_caps (h, "4", 0);
  fail_unless_equals_int (gst_harness_push (h, vectors_new (x, 4,
              GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE)), GST_FLOW_ERROR);
  check_message (scope_pop_error (h), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "framerate=100/1", NULL);
  scope_free (h);

  h = scope_new ("", "");
  encoder_set_caps (h, "4", 100);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = -1;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  check_message (scope_pop_error (h), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "positive rate", NULL);
  scope_free (h);
}

GST_END_TEST;

GST_START_TEST (test_refused_labels)
{
  const gchar *const labels[] = { "a", "b", NULL };
  const gfloat x[3] = { 0 };
  GstHarness *h = scope_new ("style=scores", "");

  encoder_set_caps (h, "3", 100);
  fail_unless_equals_int (scope_push (h, x, 3, 0, 10), GST_FLOW_OK);
  gst_harness_push_event (h, labels_event_new (labels));
  fail_unless_equals_int (scope_push (h, x, 3, 10, 10), GST_FLOW_ERROR);
  check_message (scope_pop_error (h), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "2, found 3", NULL);
  scope_free (h);
}

GST_END_TEST;

GST_START_TEST (test_refused_settings)
{
  GstElement *e = gst_element_factory_make ("tensorscope", NULL);
  GstBus *bus = bus_new (e);
  guint history;

  g_object_set (e, "min", 2.0, "max", 2.0, NULL);
  fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "min", "max", NULL);
  g_object_set (e, "max", 3.0, NULL);
  fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  /* What sizes depend on stays while it runs. */
  g_object_set (e, "history", 7, NULL);
  g_object_get (e, "history", &history, NULL);
  fail_unless_equals_int (history, 320);
  gst_element_set_state (e, GST_STATE_NULL);
  bus_free (e, bus);
  gst_object_unref (e);
}

GST_END_TEST;

static Suite *
scope_suite (void)
{
  Suite *s = suite_create ("tensorscope");
  TCase *tc = tcase_create ("scope");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_caps);
  tcase_add_test (tc, test_grid);
  tcase_add_test (tc, test_slow_vectors);
  tcase_add_test (tc, test_unknown_duration);
  tcase_add_test (tc, test_chunks);
  tcase_add_test (tc, test_end);
  tcase_add_test (tc, test_grid_of_any_rate);
  tcase_add_test (tc, test_seek);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_segments);
  tcase_add_test (tc, test_gap);
  tcase_add_test (tc, test_no_numbers);
  tcase_add_test (tc, test_latency);
  tcase_add_test (tc, test_renegotiation);
  tcase_add_test (tc, test_file);
  tcase_add_test (tc, test_refused_caps);
  tcase_add_test (tc, test_refused_buffers);
  tcase_add_test (tc, test_refused_labels);
  tcase_add_test (tc, test_refused_settings);
  return s;
}

GST_CHECK_MAIN (scope);
