/* gst-continual: which queries, keys and values belong together
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attentiontest.h"

static void
push_all (Separate * s, gsize i)
{
  for (guint p = 0; p < N_PADS; p++)
    separate_push (s, p, i);
}

static void
end_all (Separate * s)
{
  for (guint p = 0; p < N_PADS; p++)
    gst_harness_push_event (s->rig.pads[p], gst_event_new_eos ());
  separate_expect_end (s);
}

/* Less than half a vector apart. */
GST_START_TEST (test_offset)
{
  Separate s = separate_new (FALSE);

  for (gsize i = 0; i < 10; i++) {
    fail_unless_equals_int (separate_push_at (&s, QUERY, i, i * EACH + 3),
        GST_FLOW_OK);
    fail_unless_equals_int (separate_push_at (&s, KEY, i,
            i * EACH + EACH / 2 - EACH / 10), GST_FLOW_OK);
    fail_unless_equals_int (separate_push_at (&s, VALUE, i, i * EACH),
        GST_FLOW_OK);
    separate_expect_at (&s, i, i, i, i * EACH + 3);
  }
  separate_check_unmatched (&s, 0, 0, 0);
  end_all (&s);
  separate_free (&s);
}

GST_END_TEST;

/* More than half of one: keys belong to the queries after them. */
GST_START_TEST (test_shifted)
{
  Separate s = separate_new (FALSE);

  for (gsize i = 0; i < 10; i++) {
    separate_push (&s, QUERY, i);
    separate_push (&s, VALUE, i);
    fail_unless_equals_int (separate_push_at (&s, KEY, i,
            i * EACH + EACH * 6 / 10), GST_FLOW_OK);
    if (i > 0)
      separate_expect_at (&s, i, i - 1, i, i * EACH);
    else
      rig_expect_gap (&s.rig, 0);
  }
  end_all (&s);
  separate_check_unmatched (&s, 1, 0, 1);
  separate_free (&s);
}

GST_END_TEST;

/* A stream that begins later, and has a hole. A pad has room for one buffer: the key is there before the queries. */
GST_START_TEST (test_missing)
{
  Separate s = separate_new (FALSE);

  separate_push (&s, KEY, 3);
  for (gsize i = 0; i < 3; i++) {
    separate_push (&s, QUERY, i);
    separate_push (&s, VALUE, i);
    rig_expect_gap (&s.rig, i * EACH);
  }
  separate_push (&s, QUERY, 3);
  separate_push (&s, VALUE, 3);
  separate_expect (&s, 3);
  separate_push (&s, KEY, 5);
  for (gsize i = 4; i < 6; i++) {
    separate_push (&s, QUERY, i);
    separate_push (&s, VALUE, i);
  }
  rig_expect_gap (&s.rig, 4 * EACH);
  separate_expect (&s, 5);
  separate_check_unmatched (&s, 4, 0, 4);
  end_all (&s);
  separate_free (&s);
}

GST_END_TEST;

static void
push_gap (Separate * s, guint pad, gsize from, gsize n)
{
  rig_push_event (&s->rig, pad, gst_event_new_gap (from * EACH, n * EACH));
}

/* Queries in a gap of keys have a gap each, and nothing else is lost. */
GST_START_TEST (test_gap_of_keys)
{
  Separate s = separate_new (FALSE);

  push_all (&s, 0);
  separate_expect (&s, 0);
  push_gap (&s, KEY, 1, 2);
  for (gsize i = 1; i < 3; i++) {
    separate_push (&s, QUERY, i);
    separate_push (&s, VALUE, i);
    rig_expect_gap (&s.rig, i * EACH);
  }
  push_all (&s, 3);
  separate_expect (&s, 3);
  separate_check_unmatched (&s, 2, 0, 2);
  end_all (&s);
  separate_free (&s);
}

GST_END_TEST;

GST_START_TEST (test_gap_of_queries)
{
  Separate s = separate_new (FALSE);

  push_all (&s, 0);
  separate_expect (&s, 0);
  push_gap (&s, QUERY, 1, 1);
  separate_push (&s, KEY, 1);
  separate_push (&s, VALUE, 1);
  rig_expect_gap (&s.rig, EACH);
  push_all (&s, 2);
  separate_expect (&s, 2);
  separate_check_unmatched (&s, 0, 1, 1);
  /* All of them have one. */
  for (guint p = 0; p < N_PADS; p++)
    push_gap (&s, p, 3, 1);
  rig_expect_gap (&s.rig, 3 * EACH);
  push_all (&s, 4);
  separate_expect (&s, 4);
  separate_check_unmatched (&s, 0, 1, 1);
  separate_free (&s);
}

GST_END_TEST;

/* The end of any pad is the end of all, after its last vector is answered. */
GST_START_TEST (test_end)
{
  Separate s = separate_new (FALSE);
  const guint ended = __i__;

  for (gsize i = 0; i < 3; i++)
    push_all (&s, i);
  rig_push_event (&s.rig, ended, gst_event_new_eos ());
  for (gsize i = 0; i < 3; i++)
    separate_expect (&s, i);
  for (guint p = 0; p < N_PADS; p++)
    if (p != ended)
      separate_push_at (&s, p, 3, 3 * EACH);
  separate_expect_end (&s);
  for (guint p = 0; p < N_PADS; p++)
    if (p != ended)
      fail_unless_equals_int (separate_push_at (&s, p, 4, 4 * EACH),
          GST_FLOW_EOS);
  separate_free (&s);
}

GST_END_TEST;

/* In the middle of another pad's chunk. */
GST_START_TEST (test_end_in_chunk)
{
  Separate s = separate_new_bare (N_PADS, FALSE);

  separate_set_caps (&s, QUERY, 10);
  separate_set_caps (&s, KEY, 1);
  separate_set_caps (&s, VALUE, 10);
  rig_push (&s.rig, QUERY, s.x[QUERY], s.width[QUERY], 0, 10);
  rig_push (&s.rig, VALUE, s.x[VALUE], s.width[VALUE], 0, 10);
  for (gsize i = 0; i < 4; i++)
    separate_push (&s, KEY, i);
  rig_push_event (&s.rig, KEY, gst_event_new_eos ());
  for (gsize i = 0; i < 4; i++)
    separate_expect (&s, i);
  separate_expect_end (&s);
  separate_free (&s);
}

GST_END_TEST;

static void
push_segment (Separate * s, guint pad, GstClockTime start, GstClockTime base)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = start;
  segment.base = base;
  rig_push_event (&s->rig, pad, gst_event_new_segment (&segment));
}

/* Running times belong together, and outputs have their queries' times in their segment. */
GST_START_TEST (test_segments)
{
  Separate s = separate_new (FALSE);
  const GstSegment *segment;
  GstEvent *event;

  push_segment (&s, QUERY, GST_SECOND, 0);
  push_segment (&s, KEY, 5 * GST_SECOND, EACH);
  separate_push_at (&s, QUERY, 0, GST_SECOND);
  separate_push (&s, VALUE, 0);
  for (gsize i = 1; i < 4; i++) {
    separate_push_at (&s, KEY, i - 1, 5 * GST_SECOND + (i - 1) * EACH);
    separate_push_at (&s, QUERY, i, GST_SECOND + i * EACH);
    separate_push (&s, VALUE, i);
    separate_expect_at (&s, i, i - 1, i, GST_SECOND + i * EACH);
  }
  do {
    event = rig_pull_event (&s.rig, GST_EVENT_SEGMENT);
    gst_event_parse_segment (event, &segment);
    if (segment->start == GST_SECOND)
      break;
    gst_event_unref (event);
  } while (TRUE);
  gst_event_unref (event);
  separate_free (&s);
}

GST_END_TEST;

static void
flush (Separate * s, guint pad, guint32 seqnum)
{
  GstEvent *start = gst_event_new_flush_start ();
  GstEvent *stop = gst_event_new_flush_stop (TRUE);

  gst_event_set_seqnum (start, seqnum);
  gst_event_set_seqnum (stop, seqnum);
  rig_push_event (&s->rig, pad, start);
  rig_push_event (&s->rig, pad, stop);
  push_segment (s, pad, 0, 0);
}

/* A seek flushes all pads: what was in work and what came is forgotten. */
GST_START_TEST (test_flush)
{
  Separate s = separate_new (FALSE);
  const guint32 seqnum = gst_util_seqnum_next ();

  for (gsize i = 0; i < 3; i++) {
    push_all (&s, i);
    separate_expect (&s, i);
  }
  separate_push (&s, QUERY, 3);
  for (guint p = 0; p < N_PADS; p++)
    flush (&s, p, seqnum);
  co_stream_clean_state (s.truth, CO_ALL_STREAMS);
  for (gsize i = 0; i < 3; i++) {
    push_all (&s, i);
    separate_expect (&s, i);
  }
  separate_check_unmatched (&s, 0, 0, 0);
  gst_event_unref (rig_pull_event (&s.rig, GST_EVENT_FLUSH_STOP));
  gst_event_unref (rig_pull_event (&s.rig, GST_EVENT_SEGMENT));
  separate_free (&s);
}

GST_END_TEST;

/* One that is flushed alone forgets as well, but what waits on the others is kept. */
GST_START_TEST (test_flush_of_one)
{
  Separate s = separate_new (FALSE);

  push_all (&s, 0);
  separate_expect (&s, 0);
  separate_push (&s, QUERY, 1);
  separate_push (&s, KEY, 1);
  flush (&s, KEY, gst_util_seqnum_next ());
  separate_push_at (&s, KEY, 5, EACH);
  separate_push (&s, VALUE, 1);
  co_stream_clean_state (s.truth, CO_ALL_STREAMS);
  separate_expect_at (&s, 1, 5, 1, EACH);
  separate_free (&s);
}

GST_END_TEST;

/* A gap that comes first after a flush finds its segment downstream. */
GST_START_TEST (test_gap_after_flush)
{
  Separate s = separate_new (FALSE);
  const guint32 seqnum = gst_util_seqnum_next ();
  GstEvent *event;

  push_all (&s, 0);
  separate_expect (&s, 0);
  for (guint p = 0; p < N_PADS; p++)
    flush (&s, p, seqnum);
  for (guint p = 0; p < N_PADS; p++)
    push_gap (&s, p, 0, 1);
  gst_event_unref (rig_pull_event (&s.rig, GST_EVENT_FLUSH_STOP));
  while ((event = gst_harness_pull_event (s.rig.pads[QUERY]))) {
    GstEventType type = GST_EVENT_TYPE (event);

    gst_event_unref (event);
    if (type == GST_EVENT_SEGMENT)
      break;
    fail_unless (type != GST_EVENT_GAP, "a gap before its segment");
  }
  rig_expect_gap (&s.rig, 0);
  separate_free (&s);
}

GST_END_TEST;

GST_START_TEST (test_reset)
{
  Separate s = separate_new (FALSE);

  push_all (&s, 0);
  separate_expect (&s, 0);
  rig_push_event (&s.rig, QUERY,
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty ("continual-reset")));
  co_stream_clean_state (s.truth, CO_ALL_STREAMS);
  push_all (&s, 1);
  separate_expect (&s, 1);
  g_signal_emit_by_name (s.rig.element, "clean-state");
  co_stream_clean_state (s.truth, CO_ALL_STREAMS);
  push_all (&s, 2);
  separate_expect (&s, 2);
  /* A new stream */
  rig_push_event (&s.rig, QUERY, gst_event_new_stream_start ("another"));
  separate_set_caps (&s, QUERY, 1);
  push_segment (&s, QUERY, 0, 0);
  co_stream_clean_state (s.truth, CO_ALL_STREAMS);
  push_all (&s, 3);
  separate_expect (&s, 3);
  separate_free (&s);
}

GST_END_TEST;

GST_START_TEST (test_state)
{
  Separate s = separate_new (FALSE);
  gboolean ok = FALSE;
  GBytes *state;

  for (gsize i = 0; i < 4; i++) {
    push_all (&s, i);
    separate_expect (&s, i);
  }
  g_signal_emit_by_name (s.rig.element, "get-state", &state);
  rig_free (&s.rig);
  s.rig = rig_new_full (SEPARATE, N_PADS, FALSE, "partial");
  g_signal_emit_by_name (s.rig.element, "set-state", state, &ok);
  fail_unless (ok);
  g_bytes_unref (state);
  for (guint p = 0; p < N_PADS; p++)
    separate_set_caps (&s, p, 1);
  for (gsize i = 4; i < 8; i++) {
    push_all (&s, i);
    separate_expect (&s, i);
  }
  separate_free (&s);
}

GST_END_TEST;

/* A pad that is released takes its vectors along; another one goes on. */
GST_START_TEST (test_release)
{
  Separate s = separate_new (FALSE);
  GstPad *pad = gst_element_get_static_pad (s.rig.element, "value");

  push_all (&s, 0);
  separate_expect (&s, 0);
  separate_push (&s, QUERY, 1);
  separate_push (&s, VALUE, 1);
  gst_element_release_request_pad (s.rig.element, pad);
  gst_object_unref (pad);
  gst_harness_teardown (s.rig.pads[VALUE]);
  s.rig.pads[VALUE] = gst_harness_new_with_element (s.rig.element, "value",
      NULL);
  gst_harness_set_live (s.rig.pads[VALUE], FALSE);
  separate_set_caps (&s, VALUE, 1);
  separate_push_at (&s, VALUE, 7, EACH);
  separate_push (&s, KEY, 1);
  separate_expect_at (&s, 1, 1, 7, EACH);
  separate_free (&s);
}

GST_END_TEST;

static Suite *
attention_suite (void)
{
  Suite *s = suite_create ("attention-matching");
  TCase *tc = tcase_create ("matching");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_offset);
  tcase_add_test (tc, test_shifted);
  tcase_add_test (tc, test_missing);
  tcase_add_test (tc, test_gap_of_keys);
  tcase_add_test (tc, test_gap_of_queries);
  tcase_add_loop_test (tc, test_end, 0, N_PADS);
  tcase_add_test (tc, test_end_in_chunk);
  tcase_add_test (tc, test_segments);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_flush_of_one);
  tcase_add_test (tc, test_gap_after_flush);
  tcase_add_test (tc, test_reset);
  tcase_add_test (tc, test_state);
  tcase_add_test (tc, test_release);
  return s;
}

GST_CHECK_MAIN (attention);
