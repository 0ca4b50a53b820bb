/* gst-continual: tests of continualmux
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "muxtest.h"

GST_START_TEST (test_matched_by_time)
{
  Rig rig = rig_new ("max-streams=4", 3, FALSE);
  GstCaps *caps;
  const GstStructure *s;
  gint n, d;

  /* In any order, into fixed rows. */
  rig_push (&rig, 2, 3, 0);
  rig_push (&rig, 0, 1, 0);
  rig_push (&rig, 1, 2, 0);
  EXPECT (&rig, 0, 1, 2, 3, NAN);
  caps = gst_pad_get_current_caps (rig.out->sinkpad);
  s = gst_caps_get_structure (caps, 0);
  fail_unless_equals_string (gst_structure_get_string (s, "dimensions"),
      "2:1:4:1");
  fail_unless (gst_structure_get_fraction (s, "framerate", &n, &d));
  fail_unless_equals_int (n, 50);
  fail_unless_equals_int (d, 1);
  gst_caps_unref (caps);

  /* Within half a vector, and just not. */
  rig_push (&rig, 0, 4, TICK + TICK / 2);
  rig_push (&rig, 1, 5, TICK);
  rig_push (&rig, 2, 6, TICK + TICK / 2 + 1);
  EXPECT (&rig, TICK, 4, 5, NAN, NAN);
  rig_push (&rig, 0, 7, 2 * TICK);
  rig_push (&rig, 1, 8, 2 * TICK);
  EXPECT (&rig, TICK + TICK / 2 + 1, 7, 8, 6, NAN);
  rig_free (&rig);
}

GST_END_TEST;

GST_START_TEST (test_running_time)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);
  GstSegment segment;

  /* Another beginning, the same running time. */
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 100 * GST_SECOND;
  segment.base = TICK;
  fail_unless (gst_harness_push_event (rig.at[1],
          gst_event_new_segment (&segment)));
  rig_push (&rig, 0, 1, TICK);
  /* Not in its segment: no part of the stream. */
  rig_push (&rig, 1, 9, 99 * GST_SECOND);
  rig_push (&rig, 1, 2, 100 * GST_SECOND);
  EXPECT (&rig, TICK, 1, 2);
  rig_free (&rig);
}

GST_END_TEST;

/* What has no time is matched in the order in which it comes. */
GST_START_TEST (test_without_times)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);

  for (guint i = 0; i < 3; i++) {
    rig_push (&rig, 0, i, GST_CLOCK_TIME_NONE);
    rig_push (&rig, 1, 10 + i, GST_CLOCK_TIME_NONE);
  }
  for (guint i = 0; i < 3; i++)
    EXPECT (&rig, GST_CLOCK_TIME_NONE, i, 10 + i);
  rig_free (&rig);
}

GST_END_TEST;

GST_START_TEST (test_several_vectors_in_a_buffer)
{
  Rig rig = rig_new ("max-streams=2", 1, FALSE);
  const gfloat x[] = { 1, -1, 2, -2, 3, -3 };
  GstBuffer *buffer = gst_buffer_new_memdup (x, sizeof x);

  rig_join (&rig, 1, "2:3");
  GST_BUFFER_PTS (buffer) = 0;
  GST_BUFFER_DURATION (buffer) = 3 * TICK;
  fail_unless_equals_int (gst_harness_push (rig.at[1], buffer), GST_FLOW_OK);
  for (guint i = 0; i < 3; i++)
    rig_push (&rig, 0, 10 + i, i * TICK);
  for (guint i = 0; i < 3; i++)
    EXPECT (&rig, i * TICK, 10 + i, 1 + i);
  rig_free (&rig);
}

GST_END_TEST;

/* Lets the mux's wait for the others end. */
static void
time_out (Rig * rig)
{
  fail_unless (gst_harness_wait_for_clock_id_waits (rig->out, 1, 10));
  fail_unless (gst_harness_crank_single_clock_wait (rig->out));
}

GST_START_TEST (test_late_in_live)
{
  Rig rig = rig_new ("max-streams=2 latency=50000000", 2, TRUE);
  GstTestClock *clock = gst_harness_get_testclock (rig.out);

  rig_push (&rig, 0, 1, 0);
  rig_push (&rig, 1, 2, 0);
  EXPECT (&rig, 0, 1, 2);

  /* The other one is waited for until it is 50 ms late, and no longer. */
  rig_push (&rig, 0, 3, TICK);
  fail_unless (gst_harness_wait_for_clock_id_waits (rig.out, 1, 10));
  fail_unless_equals_uint64 (gst_test_clock_get_next_entry_time (clock),
      TICK + 50 * GST_MSECOND);
  fail_unless (gst_harness_try_pull (rig.out) == NULL);
  time_out (&rig);
  EXPECT (&rig, TICK, 3, NAN);

  /* What comes then is left out, and the next one is in time again. */
  rig_push (&rig, 1, 4, TICK + TICK / 2);
  rig_push (&rig, 1, 5, 2 * TICK);
  rig_push (&rig, 0, 6, 2 * TICK);
  EXPECT (&rig, 2 * TICK, 6, 5);
  expect_message (rig.bus, GST_MESSAGE_WARNING, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FAILED, "stream 1", "left out", "latency", NULL);
  gst_object_unref (clock);
  rig_free (&rig);
}

GST_END_TEST;

GST_START_TEST (test_gaps)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);
  GstClockTime pts, duration;
  GstEvent *event;
  guint n_gaps = 0;

  /* Nobody waits for who says that nothing comes. */
  rig_push (&rig, 0, 1, 0);
  fail_unless (gst_harness_push_event (rig.at[1], gst_event_new_gap (0,
              2 * TICK)));
  EXPECT (&rig, 0, 1, NAN);
  rig_push (&rig, 0, 2, TICK);
  EXPECT (&rig, TICK, 2, NAN);
  rig_push (&rig, 0, 3, 2 * TICK);
  rig_push (&rig, 1, 4, 2 * TICK);
  EXPECT (&rig, 2 * TICK, 3, 4);

  /* Nobody has anything. */
  for (guint s = 0; s < 2; s++)
    fail_unless (gst_harness_push_event (rig.at[s],
            gst_event_new_gap (3 * TICK, TICK)));
  for (guint s = 0; s < 2; s++)
    rig_push (&rig, s, 5, 4 * TICK);
  EXPECT (&rig, 4 * TICK, 5, 5);
  while ((event = gst_harness_try_pull_event (rig.out))) {
    if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
      gst_event_parse_gap (event, &pts, &duration);
      fail_unless_equals_uint64 (pts, 3 * TICK);
      fail_unless_equals_uint64 (duration, TICK);
      n_gaps++;
    }
    gst_event_unref (event);
  }
  fail_unless (n_gaps > 0);
  rig_free (&rig);
}

GST_END_TEST;

GST_START_TEST (test_joining_and_leaving)
{
  Rig rig = rig_new ("max-streams=3", 2, FALSE);
  GstPad *pad;

  rig_push (&rig, 0, 1, 0);
  rig_push (&rig, 1, 2, 0);
  EXPECT (&rig, 0, 1, 2, NAN);
  rig_push (&rig, 0, 3, TICK);
  rig_leave (&rig, 1);
  EXPECT (&rig, TICK, 3, NAN, NAN);

  rig_join (&rig, 2, "2");
  rig_push (&rig, 0, 4, 2 * TICK);
  rig_push (&rig, 2, 5, 2 * TICK);
  EXPECT (&rig, 2 * TICK, 4, NAN, 5);
  expect_resets (rig.out, "");

  /* Another stream in a slot that was used: it begins anew, and only it. */
  rig_join (&rig, 1, "2");
  rig_push (&rig, 0, 6, 3 * TICK);
  rig_push (&rig, 1, 7, 3 * TICK);
  rig_push (&rig, 2, 8, 3 * TICK);
  EXPECT (&rig, 3 * TICK, 6, 7, 8);
  expect_resets (rig.out, "1 ");

  /* Slots are fixed. */
  fail_unless (gst_element_request_pad_simple (rig.mux, "sink_3") == NULL);
  expect_message (rig.bus, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "0 to 2", "sink_3", "max-streams", NULL);
  rig_leave (&rig, 1);
  pad = gst_element_request_pad_simple (rig.mux, "sink_%u");
  fail_unless_equals_string (GST_OBJECT_NAME (pad), "sink_1");
  gst_element_release_request_pad (rig.mux, pad);
  gst_object_unref (pad);
  rig_free (&rig);
}

GST_END_TEST;

GST_START_TEST (test_resets)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);
  GstSegment segment;

  rig_push (&rig, 0, 1, 0);
  rig_push (&rig, 1, 2, 0);
  EXPECT (&rig, 0, 1, 2);
  expect_resets (rig.out, "");

  /* In its place in the stream. */
  rig_push (&rig, 1, 3, TICK);
  fail_unless (gst_harness_push_event (rig.at[1], reset_new ()));
  rig_push (&rig, 0, 5, TICK);
  EXPECT (&rig, TICK, 5, 3);
  expect_resets (rig.out, "");
  rig_push (&rig, 1, 4, 2 * TICK);
  rig_push (&rig, 0, 6, 2 * TICK);
  EXPECT (&rig, 2 * TICK, 6, 4);
  expect_resets (rig.out, "1 ");

  /* A new stream through the same pad. */
  fail_unless (gst_harness_push_event (rig.at[0],
          gst_event_new_stream_start ("another")));
  rig_push (&rig, 0, 7, 3 * TICK);
  rig_push (&rig, 1, 8, 3 * TICK);
  EXPECT (&rig, 3 * TICK, 7, 8);
  expect_resets (rig.out, "0 ");

  /* A flush of one pad drops what it has, and touches nobody else. */
  rig_push (&rig, 1, 9, 4 * TICK);
  fail_unless (gst_harness_push_event (rig.at[1],
          gst_event_new_flush_start ()));
  fail_unless (gst_harness_push_event (rig.at[1],
          gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_harness_push_event (rig.at[1],
          gst_event_new_segment (&segment)));
  rig_push (&rig, 1, 10, 4 * TICK);
  rig_push (&rig, 0, 11, 4 * TICK);
  EXPECT (&rig, 4 * TICK, 11, 10);
  expect_resets (rig.out, "1 ");
  rig_free (&rig);
}

GST_END_TEST;

GST_START_TEST (test_eos)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);
  GstEvent *event;
  gboolean eos = FALSE;

  rig_push (&rig, 1, 1, 0);
  fail_unless (gst_harness_push_event (rig.at[1], gst_event_new_eos ()));
  for (guint i = 0; i < 3; i++)
    rig_push (&rig, 0, 2 + i, i * TICK);
  EXPECT (&rig, 0, 2, 1);
  EXPECT (&rig, TICK, 3, NAN);
  EXPECT (&rig, 2 * TICK, 4, NAN);
  fail_unless (gst_harness_push_event (rig.at[0], gst_event_new_eos ()));
  while (!eos) {
    event = gst_harness_pull_event (rig.out);
    fail_unless (event != NULL);
    eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    gst_event_unref (event);
  }
  rig_free (&rig);
}

GST_END_TEST;

/* Streams that are released don't end the output, unlike those that end: others may come. */
GST_START_TEST (test_nobody_left)
{
  Rig rig = rig_new ("max-streams=2", 1, FALSE);

  rig_push (&rig, 0, 1, 0);
  EXPECT (&rig, 0, 1, NAN);
  rig_leave (&rig, 0);
  rig_join (&rig, 1, "2");
  rig_push (&rig, 1, 2, 5 * TICK);
  EXPECT (&rig, 5 * TICK, NAN, 2);
  rig_free (&rig);
}

GST_END_TEST;

/* A live stream that never has anything is waited for once; while it is there the output doesn't end. */
GST_START_TEST (test_spare_stream)
{
  Rig rig = rig_new ("max-streams=3 latency=50000000", 2, TRUE);
  GstEvent *event;
  clock_t began;

  rig_push (&rig, 0, 1, 0);
  time_out (&rig);
  EXPECT (&rig, 0, 1, NAN, NAN);
  rig_push (&rig, 0, 2, TICK);
  EXPECT (&rig, TICK, 2, NAN, NAN);
  began = clock ();
  fail_unless (gst_harness_push_event (rig.at[0], gst_event_new_eos ()));
  g_usleep (100 * G_TIME_SPAN_MILLISECOND);
  rig_leave (&rig, 0);
  g_usleep (100 * G_TIME_SPAN_MILLISECOND);
  /* Waiting takes no time of the processor. */
  fail_unless ((clock () - began) / (CLOCKS_PER_SEC / 1000) < 50);

  rig_join (&rig, 2, "2");
  rig_push (&rig, 2, 3, 5 * TICK);
  EXPECT (&rig, 5 * TICK, NAN, NAN, 3);
  while ((event = gst_harness_try_pull_event (rig.out))) {
    fail_unless (GST_EVENT_TYPE (event) != GST_EVENT_EOS);
    gst_event_unref (event);
  }
  rig_free (&rig);
}

GST_END_TEST;

GST_START_TEST (test_errors)
{
  Rig rig = rig_new ("max-streams=4", 2, FALSE);
  guint max;

  rig_push (&rig, 0, 1, 0);
  rig_push (&rig, 1, 2, 0);
  EXPECT (&rig, 0, 1, 2, NAN, NAN);
  g_object_set (rig.mux, "max-streams", 9, NULL);
  expect_message (rig.bus, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "max-streams", "READY", NULL);
  g_object_get (rig.mux, "max-streams", &max, NULL);
  fail_unless_equals_int (max, 4);

  rig_free (&rig);

  rig = rig_new ("max-streams=2", 0, FALSE);
  gst_harness_set_sink_caps_str (rig.out, TENSORS
      ",dimensions=(string)2:1:3");
  rig_join (&rig, 0, "2");
  gst_harness_push (rig.at[0], pair_new (1, 0));
  expect_message (rig.bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT, "2:1:2", "2:1:3", "max-streams", NULL);
  rig_free (&rig);
}

GST_END_TEST;

/* What does not fit fails where it comes from. Nothing else notices. */
static void
expect_refused (Rig * rig, const gchar * slot, const gchar * expected,
    const gchar * found)
{
  expect_message (rig->bus, GST_MESSAGE_WARNING, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT, slot, "the others go on", expected, found, NULL);
}

static void
check_others (Rig * rig, guint t)
{
  GstMessage *message;

  rig_push (rig, 0, t, t * TICK);
  rig_push (rig, 1, t + 0.5f, t * TICK);
  EXPECT (rig, t * TICK, t, t + 0.5f, NAN, NAN);
  message = gst_bus_pop_filtered (rig->bus, GST_MESSAGE_ERROR);
  fail_unless (message == NULL, "%" GST_PTR_FORMAT, message);
}

GST_START_TEST (test_refused_alone)
{
  Rig rig = rig_new ("max-streams=4 latency=50000000", 2, TRUE);
  GstSegment backwards;

  check_others (&rig, 0);
  rig_join (&rig, 2, "3");
  expect_refused (&rig, "Stream 2", "dimensions 2 or 2:T as the other streams have",
      "found 3");
  fail_unless_equals_int (gst_harness_push (rig.at[2], pair_new (1, TICK)),
      GST_FLOW_NOT_NEGOTIATED);
  rig_join (&rig, 3, "2:1:2");
  expect_refused (&rig, "Stream 3", "dimensions 2", "found 2:1:2");
  rig_leave (&rig, 2);
  rig_leave (&rig, 3);
  check_others (&rig, 1);

  rig_join (&rig, 2, "2");
  fail_unless_equals_int (gst_harness_push (rig.at[2],
          gst_buffer_new_allocate (NULL, 9, NULL)), GST_FLOW_ERROR);
  expect_refused (&rig, "Stream 2", "8 bytes", "9 bytes");
  rig_join (&rig, 3, "2");
  gst_segment_init (&backwards, GST_FORMAT_TIME);
  backwards.rate = -1;
  gst_harness_push_event (rig.at[3], gst_event_new_segment (&backwards));
  expect_refused (&rig, "Stream 3", "plays forwards", "rate -1");
  rig_leave (&rig, 2);
  rig_leave (&rig, 3);
  check_others (&rig, 2);
  rig_free (&rig);
}

GST_END_TEST;

/* The width of the model downstream counts from the first stream on. */
GST_START_TEST (test_width_of_the_model)
{
  Rig rig = rig_new ("max-streams=2 latency=50000000", 0, TRUE);

  gst_harness_set_sink_caps_str (rig.out, TENSORS ",dimensions=(string)2:1:2");
  rig_join (&rig, 1, "3");
  expect_refused (&rig, "Stream 1", "dimensions 2 or 2:T as what comes after takes",
      "found 3");
  fail_unless_equals_int (gst_harness_push (rig.at[1], pair_new (1, 0)),
      GST_FLOW_NOT_NEGOTIATED);
  rig_leave (&rig, 1);
  rig_join (&rig, 0, "2");
  rig_push (&rig, 0, 1, 0);
  EXPECT (&rig, 0, 1, NAN);
  rig_free (&rig);
}

GST_END_TEST;

/* Slot 0 has one pad, however its name is spelt. */
GST_START_TEST (test_one_pad_per_slot)
{
  static const gchar *const names[] = { "sink_00", "sink_000000" };
  Rig rig = rig_new ("max-streams=2", 1, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    fail_unless (!gst_element_request_pad_simple (rig.mux, names[i]));
    expect_message (rig.bus, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
        GST_RESOURCE_ERROR_SETTINGS, "slot 0", names[i], NULL);
  }
  rig_push (&rig, 0, 1, 0);
  EXPECT (&rig, 0, 1, NAN);
  rig_free (&rig);
}

GST_END_TEST;

/* Sizes of pools are 32 bits wide. */
GST_START_TEST (test_rows_larger_than_a_buffer)
{
  const gsize size = 16385 * sizeof (gfloat);
  Rig rig = rig_new ("max-streams=65536", 0, FALSE);
  GstBuffer *vector = gst_buffer_new_allocate (NULL, size, NULL);

  rig_join (&rig, 0, "16385");
  gst_buffer_memset (vector, 0, 0, size);
  gst_harness_push (rig.at[0], vector);
  expect_message (rig.bus, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NO_SPACE_LEFT, "4295229440 bytes", "fewer streams",
      NULL);
  rig_free (&rig);
}

GST_END_TEST;

/* A vector that is NaN throughout does not look absent: a model refuses it, and says so. */
GST_START_TEST (test_not_a_number)
{
  Rig rig = rig_new ("max-streams=2", 1, FALSE);
  GstBuffer *buffer = pair_new (NAN, 0);
  gfloat rows[4];

  fail_unless_equals_int (gst_harness_push (rig.at[0], buffer), GST_FLOW_OK);
  buffer = gst_harness_pull (rig.out);
  fail_unless_equals_int (gst_buffer_extract (buffer, 0, rows, sizeof rows),
      sizeof rows);
  fail_if (isfinite (rows[0]));
  fail_if (isnan (rows[0]) && isnan (rows[1]));
  fail_unless (isnan (rows[2]) && isnan (rows[3]));
  gst_buffer_unref (buffer);
  rig_free (&rig);
}

GST_END_TEST;

static void
send_segment (Rig * rig, guint slot, gdouble rate, GstClockTime start,
    GstClockTime base)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  segment.start = segment.time = segment.position = start;
  segment.base = base;
  gst_harness_push_event (rig->at[slot], gst_event_new_segment (&segment));
}

static void
check_segment (Rig * rig, gdouble rate, GstClockTime start, GstClockTime base)
{
  GstEvent *event = gst_pad_get_sticky_event (rig->out->sinkpad,
      GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;

  fail_unless (event != NULL);
  gst_event_parse_segment (event, &segment);
  fail_unless (segment->rate == rate);
  fail_unless_equals_uint64 (segment->start, start);
  fail_unless_equals_uint64 (segment->base, base);
  gst_event_unref (event);
}

/* Times stay as they are in the segment of the first slot, at any rate; those of another one go through running time. */
GST_START_TEST (test_segments)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);

  send_segment (&rig, 0, 2, GST_SECOND, 0);
  send_segment (&rig, 1, 2, 4 * GST_SECOND, 0);
  rig_push (&rig, 0, 1, GST_SECOND);
  rig_push (&rig, 1, 2, 4 * GST_SECOND);
  EXPECT (&rig, GST_SECOND, 1, 2);
  check_segment (&rig, 2, GST_SECOND, 0);
  /* A vector lasts half as long at twice the rate: these don't match. */
  rig_push (&rig, 0, 3, GST_SECOND + 2 * TICK);
  rig_push (&rig, 1, 4, 4 * GST_SECOND + TICK);
  rig_push (&rig, 1, 5, 4 * GST_SECOND + 2 * TICK);
  EXPECT (&rig, GST_SECOND + TICK, NAN, 4);
  EXPECT (&rig, GST_SECOND + 2 * TICK, 3, 5);
  rig_free (&rig);
}

GST_END_TEST;

/* Without a flush, running time goes on, in the segment that all slots have then. */
GST_START_TEST (test_next_segment)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);

  rig_push (&rig, 0, 1, 0);
  rig_push (&rig, 1, 2, 0);
  EXPECT (&rig, 0, 1, 2);
  for (guint s = 0; s < 2; s++)
    send_segment (&rig, s, 1, 3 * GST_SECOND, TICK);
  rig_push (&rig, 0, 3, 3 * GST_SECOND);
  rig_push (&rig, 1, 4, 3 * GST_SECOND);
  EXPECT (&rig, 3 * GST_SECOND, 3, 4);
  check_segment (&rig, 1, 3 * GST_SECOND, TICK);
  rig_free (&rig);
}

GST_END_TEST;

/* Where one slot has another one, it stays, and times go on. */
GST_START_TEST (test_next_segment_of_one)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);

  rig_push (&rig, 0, 1, 0);
  rig_push (&rig, 1, 2, 0);
  EXPECT (&rig, 0, 1, 2);
  send_segment (&rig, 0, 1, 3 * GST_SECOND, TICK);
  rig_push (&rig, 0, 3, 3 * GST_SECOND);
  rig_push (&rig, 1, 4, TICK);
  EXPECT (&rig, TICK, 3, 4);
  check_segment (&rig, 1, 0, 0);
  rig_free (&rig);
}

GST_END_TEST;

/* Another pad offset brings the segment again, and is no seek: nothing is reset. */
GST_START_TEST (test_pad_offset)
{
  Rig rig = rig_new ("max-streams=1", 1, FALSE);
  GstEvent *event;

  rig_push (&rig, 0, 1, 0);
  EXPECT (&rig, 0, 1);
  gst_pad_set_offset (rig.at[0]->srcpad, 5 * TICK);
  rig_push (&rig, 0, 2, TICK);
  EXPECT (&rig, 6 * TICK, 2);
  while ((event = gst_harness_try_pull_event (rig.out))) {
    fail_unless (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM);
    gst_event_unref (event);
  }
  check_segment (&rig, 1, 0, 0);
  rig_free (&rig);
}

GST_END_TEST;

/* A segment is done when it is on every pad: once, behind all vectors. */
GST_START_TEST (test_segment_done)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);
  GstEvent *event;
  guint n = 0;

  for (guint round = 0; round < 2; round++) {
    const GstClockTime begin = round * 2 * TICK;

    rig_push (&rig, 0, 1, begin);
    gst_harness_push_event (rig.at[0], gst_event_new_segment_done (GST_FORMAT_TIME,
            begin + TICK));
    rig_push (&rig, 1, 2, begin);
    EXPECT (&rig, begin, 1, 2);
    rig_push (&rig, 1, 3, begin + TICK);
    EXPECT (&rig, begin + TICK, NAN, 3);
    while ((event = gst_harness_try_pull_event (rig.out))) {
      fail_unless (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT_DONE);
      gst_event_unref (event);
    }
    gst_harness_push_event (rig.at[1], gst_event_new_segment_done (GST_FORMAT_TIME,
            begin + 2 * TICK));
    while ((event = gst_harness_pull_event (rig.out))
        && GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT_DONE)
      gst_event_unref (event);
    fail_unless (event != NULL);
    gst_event_unref (event);
    n++;
  }
  fail_unless_equals_int (n, 2);
  rig_free (&rig);
}

GST_END_TEST;

/* Slots that begin at different running times: times are running times. */
GST_START_TEST (test_different_bases)
{
  Rig rig = rig_new ("max-streams=2", 2, FALSE);

  send_segment (&rig, 0, 1, 0, GST_SECOND);
  send_segment (&rig, 1, 1, 0, 0);
  rig_push (&rig, 0, 1, 0);
  rig_push (&rig, 1, 2, GST_SECOND - TICK);
  rig_push (&rig, 1, 3, GST_SECOND);
  EXPECT (&rig, GST_SECOND - TICK, NAN, 2);
  EXPECT (&rig, GST_SECOND, 1, 3);
  check_segment (&rig, 1, 0, 0);
  rig_free (&rig);
}

GST_END_TEST;

static Suite *
mux_suite (void)
{
  Suite *s = suite_create ("mux");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_matched_by_time);
  tcase_add_test (tc, test_running_time);
  tcase_add_test (tc, test_without_times);
  tcase_add_test (tc, test_several_vectors_in_a_buffer);
  tcase_add_test (tc, test_late_in_live);
  tcase_add_test (tc, test_gaps);
  tcase_add_test (tc, test_joining_and_leaving);
  tcase_add_test (tc, test_resets);
  tcase_add_test (tc, test_eos);
  tcase_add_test (tc, test_nobody_left);
  tcase_add_test (tc, test_spare_stream);
  tcase_add_test (tc, test_errors);
  tcase_add_test (tc, test_refused_alone);
  tcase_add_test (tc, test_width_of_the_model);
  tcase_add_test (tc, test_one_pad_per_slot);
  tcase_add_test (tc, test_rows_larger_than_a_buffer);
  tcase_add_test (tc, test_not_a_number);
  tcase_add_test (tc, test_segments);
  tcase_add_test (tc, test_next_segment);
  tcase_add_test (tc, test_next_segment_of_one);
  tcase_add_test (tc, test_segment_done);
  tcase_add_test (tc, test_pad_offset);
  tcase_add_test (tc, test_different_bases);
  return s;
}

GST_CHECK_MAIN (mux);
