/* gst-continual: tests of classlabeler with hold: labels as subtitles
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labelertest.h"
#include "tensor/events.h"

#define HOLD (5 * TICK)

/* Rows for softmax=false that let label a, b or c win with 0.9, or none with more than 0.4. */
static const gfloat a[] = { 0.9f, 0.1f, 0 }, b[] = { 0.1f, 0.9f, 0 };
static const gfloat c[] = { 0, 0.1f, 0.9f }, weak[] = { 0.4f, 0.3f, 0.3f };
static const gchar *const words[] = { "a", "b", "c", NULL };

/* Everything that leaves the labeler, in order: texts as BEGIN-END:TEXT and gaps as (BEGIN-END), in ticks, EOS as $. */
static GString *seen;

static void
see_span (GstClockTime begin, GstClockTime duration)
{
  g_string_append_printf (seen, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, begin / TICK, (begin + duration) / TICK);
}

static GstPadProbeReturn
see (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    GstBuffer *buf = GST_PAD_PROBE_INFO_BUFFER (info);
    GstMapInfo map;

    gst_buffer_map (buf, &map, GST_MAP_READ);
    see_span (GST_BUFFER_PTS (buf), GST_BUFFER_DURATION (buf));
    g_string_append_printf (seen, ":%.*s ", (int) map.size, (const gchar *) map.data);
    gst_buffer_unmap (buf, &map);
  } else if (GST_EVENT_TYPE (info->data) == GST_EVENT_GAP) {
    GstClockTime time, duration;

    gst_event_parse_gap (GST_PAD_PROBE_INFO_EVENT (info), &time, &duration);
    g_string_append_c (seen, '(');
    see_span (time, duration);
    g_string_append (seen, ") ");
  } else if (GST_EVENT_TYPE (info->data) == GST_EVENT_EOS) {
    g_string_append (seen, "$ ");
  }
  return GST_PAD_PROBE_OK;
}

static GstHarness *
holder_new (const gchar * first_property, ...)
{
  GstHarness *h = labeler_new ("3", "softmax", FALSE, "threshold", 0.5, "ignore", "c", "format", 1, "hold",
      (guint64) HOLD, NULL);
  GstPad *pad = gst_element_get_static_pad (h->element, "src");
  va_list args;

  va_start (args, first_property);
  g_object_set_valist (G_OBJECT (h->element), first_property, args);
  va_end (args);
  gst_harness_push_event (h, labels_event_new (words));
  seen = g_string_new (NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, see, NULL, NULL);
  gst_object_unref (pad);
  return h;
}

static void
holder_free (GstHarness * h)
{
  g_string_free (seen, TRUE);
  labeler_free (h);
}

static GstBuffer *
vector (gchar letter, guint tick)
{
  return row_new (tick, 3, letter == 'a' ? a : letter == 'b' ? b : letter == 'c' ? c : weak);
}

/* A vector a letter from @tick on: a, b, c (ignored), . (below the threshold), _ (none comes) */
static void
push (GstHarness * h, guint tick, const gchar * letters)
{
  for (; *letters; letters++, tick++)
    if (*letters != '_')
      fail_unless_equals_int (gst_harness_push (h, vector (*letters, tick)), GST_FLOW_OK);
}

/* What was seen since the last call */
static void
check_seen (const gchar * expected)
{
  g_strchomp (seen->str);
  fail_unless (g_str_equal (seen->str, expected), "expected %s, saw %s", expected, seen->str);
  g_string_truncate (seen, 0);
}

static void
push_segment (GstHarness * h, guint base, guint start, guint stop)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = base * TICK;
  segment.start = segment.time = start * TICK;
  if (stop)
    segment.stop = stop * TICK;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

GST_START_TEST (test_text_lasts)
{
  GstHarness *h = holder_new (NULL, NULL);

  /* as long as hold, and is pushed as soon as that is certain */
  push (h, 0, ".a...");
  check_seen ("(0-1)");
  push (h, 5, ".");
  check_seen ("1-6:a");
  push (h, 6, "c.");
  check_seen ("(6-7) (7-8)");
  /* until its last repetition, also of a label that was away for a moment */
  push (h, 8, "a...aaac");
  check_seen ("8-15:a (15-16)");
  /* until the next label; an ignored one is none */
  push (h, 16, "ac.babbbbbb.");
  check_seen ("16-19:a 19-20:b 20-21:a 21-27:b (27-28)");
  /* vectors that are missing */
  push (h, 28, "a__a________b");
  check_seen ("28-33:a");
  gst_harness_push_event (h, gst_event_new_eos ());
  check_seen ("40-45:b $");
  holder_free (h);
}

GST_END_TEST;

GST_START_TEST (test_no_switch_of_reports_changes_it)
{
  GstHarness *h = holder_new ("changes-only", TRUE, NULL);
  GstMessage *message;
  guint n = 0;

  push (h, 0, "aa.a");
  /* A message comes when the label appears, not when its text ends. */
  while ((message = pop_message (h, GST_MESSAGE_ELEMENT))) {
    const guint64 at = n++ ? 3 * TICK : 0;
    guint64 time;

    gst_structure_get (gst_message_get_structure (message), "timestamp", G_TYPE_UINT64, &time, NULL);
    fail_unless_equals_uint64 (time, at);
    gst_message_unref (message);
  }
  fail_unless_equals_int (n, 2);
  push (h, 4, ".");
  check_seen ("(0-0) 0-5:a");
  holder_free (h);
}

GST_END_TEST;

GST_START_TEST (test_formats)
{
  GstHarness *h = holder_new ("top-k", 2, "threshold", 0.05, NULL);

  push (h, 0, "a");
  gst_harness_push_event (h, gst_event_new_eos ());
  check_seen ("(0-0) 0-5:a 0.900\nb 0.100 $");
  holder_free (h);

  h = holder_new ("format", 0, NULL);
  push (h, 2, "aaaaaaab");
  /* a format that is set now is that of the labels that appear */
  g_object_set (h->element, "format", 2, NULL);
  push (h, 10, "a...........");
  check_seen ("(2-2) 2-9:0.020\ta\t0.900\n 9-10:0.090\tb\t0.900\n "
      "10-15:{\"label\":\"a\",\"index\":0,\"score\":0.899999976,\"timestamp\":100000000,\"stream-time\":100000000,"
      "\"running-time\":100000000,\"duration\":50000000}\n (15-16) (16-17) (17-18) (18-19) (19-20) (20-21) (21-22)");
  holder_free (h);
}

GST_END_TEST;

GST_START_TEST (test_what_ends_it)
{
  GstHarness *h = holder_new (NULL, NULL);

  /* a flush forgets it */
  push (h, 0, "a");
  flush (h);
  push (h, 0, ".");
  check_seen ("(0-0) (0-1)");
  /* after a reset the same label is another one */
  push (h, 1, "aa");
  gst_harness_push_event (h, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty (RESET_EVENT_NAME)));
  push (h, 3, ".a");
  check_seen ("1-4:a");
  /* other labels, too */
  gst_harness_push_event (h, labels_event_new ((const gchar * const[]) { "x", "b", "c", NULL }));
  push (h, 5, "a....");
  check_seen ("4-5:a 5-10:x");
  /* a new stream may begin at once */
  push (h, 10, "ab");
  gst_harness_push_event (h, gst_event_new_stream_start ("other"));
  check_seen ("10-11:x 11-12:b");
  holder_free (h);
}

GST_END_TEST;

GST_START_TEST (test_segments)
{
  GstHarness *h = holder_new (NULL, NULL);

  /* the same times, with another stop */
  push (h, 0, "a");
  push_segment (h, 0, 0, 100);
  push (h, 1, "a....");
  check_seen ("(0-0) 0-5:a (5-6)");
  /* the end of the segment at EOS */
  push (h, 97, "a");
  gst_harness_push_event (h, gst_event_new_eos ());
  check_seen ("97-100:a $");
  gst_harness_push_event (h, gst_event_new_stream_start ("next"));
  /* the begin of the next one */
  push_segment (h, 100, 50, 0);
  push (h, 50, "..a");
  push_segment (h, 105, 0, 0);
  push (h, 0, "b");
  check_seen ("(50-51) (51-52) 52-55:a (0-0)");
  push_segment (h, 300, 0, 0);
  push (h, 0, ".");
  check_seen ("0-5:b (0-1)");
  holder_free (h);
}

GST_END_TEST;

GST_START_TEST (test_gaps)
{
  GstHarness *h = holder_new (NULL, NULL);

  gst_harness_push_event (h, gst_event_new_gap (0, TICK));
  push (h, 1, "a");
  gst_harness_push_event (h, gst_event_new_gap (2 * TICK, TICK));
  check_seen ("(0-1)");
  push (h, 3, "a");
  gst_harness_push_event (h, gst_event_new_gap (4 * TICK, 6 * TICK));
  check_seen ("1-6:a (6-10)");
  /* NaN: no row, hence no label */
  push (h, 10, "a");
  fail_unless_equals_int (gst_harness_push (h, row_new (11, 3, (const gfloat[]) { NAN, NAN, NAN })), GST_FLOW_OK);
  push (h, 12, "...");
  check_seen ("10-15:a");
  /* A gap that is a point, and scores of its time */
  push (h, 20, "a");
  gst_harness_push_event (h, gst_event_new_gap (21 * TICK, 0));
  push (h, 21, "b");
  push (h, 27, ".");
  check_seen ("20-21:a 21-26:b (27-28)");
  holder_free (h);
}

GST_END_TEST;

GST_START_TEST (test_times_that_go_back)
{
  GstHarness *h = holder_new (NULL, NULL);
  GstBus *bus = gst_element_get_bus (h->element);
  GstBuffer *buf = row_new (0, 3, a);

  push (h, 5, "ab");
  push (h, 2, "a");
  push (h, 6, "a");
  check_message (bus, GST_MESSAGE_WARNING, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "found scores at 0:00:00.02",
      "hold=0", NULL);
  push (h, 7, ".....");
  check_seen ("(5-5) 5-6:a 6-11:b (11-12)");
  GST_BUFFER_PTS (buf) = GST_CLOCK_TIME_NONE;
  fail_unless_equals_int (gst_harness_push (h, buf), GST_FLOW_ERROR);
  check_message (bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "Expected scores with times",
      "framerate", "hold=0", NULL);
  gst_object_unref (bus);
  holder_free (h);
}

GST_END_TEST;

GST_START_TEST (test_several_streams_are_refused)
{
  GstHarness *h = labeler_new ("3:1:2", "hold", (guint64) HOLD, NULL);
  GstBus *bus = gst_element_get_bus (h->element);

  check_message (bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "found 2 streams", "continualdemux",
      "hold=0", NULL);
  gst_object_unref (bus);
  labeler_free (h);
}

GST_END_TEST;

#ifdef HAVE_ANALYTICS
GST_START_TEST (test_media_is_refused)
{
  GstElement *element = gst_element_factory_make ("classlabeler", NULL);
  GstBus *bus = gst_bus_new ();
  GstHarness *h;

  g_object_set (element, "hold", (guint64) HOLD, NULL);
  gst_element_set_bus (element, bus);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, "video/x-raw,format=GRAY8,width=4,height=4,framerate=30/1");
  check_message (bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "Expected tensors, since hold is set",
      "hold=0", NULL);
  gst_object_unref (bus);
  labeler_free (h);
}

GST_END_TEST;
#endif

GST_START_TEST (test_stream_is_sparse)
{
  GstHarness *h = holder_new (NULL, NULL);
  GstEvent *event = gst_event_new_stream_start ("text");
  GstStreamFlags flags;
  GstPad *pad = gst_element_get_static_pad (h->element, "src");

  gst_event_set_stream_flags (event, GST_STREAM_FLAG_SELECT);
  gst_harness_push_event (h, event);
  event = gst_pad_get_sticky_event (pad, GST_EVENT_STREAM_START, 0);
  gst_event_parse_stream_flags (event, &flags);
  fail_unless_equals_int (flags, GST_STREAM_FLAG_SELECT | GST_STREAM_FLAG_SPARSE);
  gst_event_unref (event);
  gst_object_unref (pad);
  holder_free (h);
}

GST_END_TEST;

GST_START_TEST (test_latency)
{
  GstHarness *h = holder_new (NULL, NULL);

  gst_harness_set_upstream_latency (h, 3 * TICK);
  fail_unless_equals_uint64 (gst_harness_query_latency (h), 3 * TICK + HOLD);
  holder_free (h);
}

GST_END_TEST;

/* A pipeline whose appsrc `in` gets the rows of @letters, and then EOS */
static GstElement *
feed (const gchar * after, const gchar * letters)
{
  gchar *line = g_strconcat ("appsrc name=in format=time ! classlabeler softmax=false threshold=0.5 ignore=c "
      "format=text hold=50000000 ! ", after, NULL);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstCaps *caps = gst_caps_from_string (TENSORS "3,framerate=100/1");
  GstElement *in;
  GstFlowReturn flow;

  fail_unless (pipeline != NULL, "%s", line);
  in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  g_object_set (in, "caps", caps, NULL);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  for (guint i = 0; letters[i]; i++) {
    GstBuffer *buf = vector (letters[i], i);

    g_signal_emit_by_name (in, "push-buffer", buf, &flow);
    gst_buffer_unref (buf);
  }
  gst_object_unref (in);
  gst_caps_unref (caps);
  g_free (line);
  return pipeline;
}

static void
end_and_free (GstElement * pipeline)
{
  GstElement *in = gst_bin_get_by_name (GST_BIN (pipeline), "in");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  GstFlowReturn flow;

  g_signal_emit_by_name (in, "end-of-stream", &flow);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%" GST_PTR_FORMAT, message);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (in);
  gst_object_unref (pipeline);
}

static gboolean
have (const gchar * name)
{
  GstElementFactory *factory = gst_element_factory_find (name);

  if (!factory) {
    g_printerr ("skipped: there is no element %s\n", name);
    return FALSE;
  }
  gst_object_unref (factory);
  return TRUE;
}

GST_START_TEST (test_a_sink_prerolls_before_the_text_ends)
{
  GstElement *pipeline = feed ("fakesink", "a");

  fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL, 30 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
  end_and_free (pipeline);
}

GST_END_TEST;

/* What @encoder makes of words that are 0 to 5, 10 to 12 and 12 to 20 ticks long */
static void
check_file (const gchar * encoder, const gchar * expected)
{
  gchar *folder = g_dir_make_tmp ("hold-XXXXXX", NULL);
  gchar *path = g_build_filename (folder, "out", NULL), *after, *text;

  if (have (encoder)) {
    after = g_strdup_printf ("%s ! filesink location=%s", encoder, path);
    end_and_free (feed (after, "aa........a.bbbbbbbb......"));
    fail_unless (g_file_get_contents (path, &text, NULL, NULL));
    fail_unless_equals_string (text, expected);
    g_unlink (path);
    g_free (text);
    g_free (after);
  }
  g_rmdir (folder);
  g_free (path);
  g_free (folder);
}

GST_START_TEST (test_srt)
{
  check_file ("srtenc", "1\n00:00:00,000 --> 00:00:00,050\n0\n\n2\n00:00:00,100 --> 00:00:00,120\n0\n\n"
      "3\n00:00:00,120 --> 00:00:00,200\n1\n\n");
}

GST_END_TEST;

GST_START_TEST (test_webvtt)
{
  check_file ("webvttenc", "WEBVTT\n\n00:00:00.000 --> 00:00:00.050\n0\n\n00:00:00.100 --> 00:00:00.120\n0\n\n"
      "00:00:00.120 --> 00:00:00.200\n1\n\n");
}

GST_END_TEST;

static GString *shown;

static void
show (GstElement * sink, GstBuffer * buf, GstPad * pad, gpointer data)
{
  GstMapInfo map;

  gst_buffer_map (buf, &map, GST_MAP_READ);
  /* matroskamux of GStreamer 1.28 writes an empty text for each GAP event. */
  if (map.size)
    g_string_append_printf (shown, "%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT ":%.*s ", GST_BUFFER_PTS (buf) / TICK,
      (GST_BUFFER_PTS (buf) + GST_BUFFER_DURATION (buf)) / TICK, (int) map.size, (const gchar *) map.data);
  gst_buffer_unmap (buf, &map);
}

/* The picture comes all at once, through a queue that is too short to wait for the texts. */
GST_START_TEST (test_matroska)
{
  gchar *folder, *path, *line;
  GstElement *pipeline, *sink;
  GstBus *bus;
  GstMessage *message;

  if (!have ("matroskamux") || !have ("matroskademux"))
    return;
  folder = g_dir_make_tmp ("hold-XXXXXX", NULL);
  path = g_build_filename (folder, "out.mkv", NULL);
  line = g_strdup_printf ("mux.subtitle_0 matroskamux name=mux ! filesink location=%s videotestsrc num-buffers=30 ! "
      "video/x-raw,format=I420,width=16,height=16,framerate=100/1 ! queue max-size-buffers=1 ! mux.video_0", path);
  end_and_free (feed (line, "aa........a.bbbbbbbb.........."));
  g_free (line);

  line = g_strdup_printf ("filesrc location=%s ! matroskademux name=demux demux.subtitle_0 ! queue ! "
      "fakesink name=texts signal-handoffs=true demux.video_0 ! queue ! fakesink", path);
  pipeline = gst_parse_launch (line, NULL);
  fail_unless (pipeline != NULL);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "texts");
  shown = g_string_new (NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (show), NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  bus = gst_element_get_bus (pipeline);
  message = gst_bus_timed_pop_filtered (bus, 60 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%" GST_PTR_FORMAT, message);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless_equals_string (shown->str, "0-5:0 10-12:0 12-20:1 ");
  g_string_free (shown, TRUE);
  gst_object_unref (sink);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  g_unlink (path);
  g_rmdir (folder);
  g_free (line);
  g_free (path);
  g_free (folder);
}

GST_END_TEST;

static Suite *
classlabelerhold_suite (void)
{
  Suite *s = suite_create ("classlabelerhold");
  TCase *tc = tcase_create ("hold");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_text_lasts);
  tcase_add_test (tc, test_no_switch_of_reports_changes_it);
  tcase_add_test (tc, test_formats);
  tcase_add_test (tc, test_what_ends_it);
  tcase_add_test (tc, test_segments);
  tcase_add_test (tc, test_gaps);
  tcase_add_test (tc, test_times_that_go_back);
  tcase_add_test (tc, test_several_streams_are_refused);
#ifdef HAVE_ANALYTICS
  tcase_add_test (tc, test_media_is_refused);
#endif
  tcase_add_test (tc, test_stream_is_sparse);
  tcase_add_test (tc, test_latency);
  tcase_add_test (tc, test_a_sink_prerolls_before_the_text_ends);
  tcase_add_test (tc, test_srt);
  tcase_add_test (tc, test_webvtt);
  tcase_add_test (tc, test_matroska);
  return s;
}

GST_CHECK_MAIN (classlabelerhold);
