/* gst-continual: continualattention in live pipelines: pads that lag, end or never come
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attentiontest.h"

#define LATENCY (20 * GST_MSECOND)

typedef struct
{
  Separate s;
  GstTestClock *clock;
  guint64 unmatched;
} Live;

static Live
live_new (void)
{
  Live l = {.s = separate_new (TRUE) };

  g_object_set (l.s.rig.element, "latency", LATENCY, NULL);
  for (guint p = 0; p < N_PADS; p++)
    gst_harness_use_testclock (l.s.rig.pads[p]);
  l.clock = gst_harness_get_testclock (l.s.rig.pads[VALUE]);
  return l;
}

static void
live_free (Live * l)
{
  gst_object_unref (l->clock);
  separate_free (&l->s);
}

static guint64
count_unmatched (Live * l)
{
  return rig_get_stat (&l->s.rig, "unmatched")
      + rig_get_stat (&l->s.rig, "unmatched-keys")
      + rig_get_stat (&l->s.rig, "unmatched-values");
}

/* @n more vectors are left out when it is @time, and not before. A wait that a buffer interrupts begins again: it
 * counts once. */
static void
pass (Live * l, GstClockTime time, guint64 n)
{
  GstClockID id;

  n += l->unmatched;
  while (count_unmatched (l) < n)
    if (gst_test_clock_peek_next_pending_id (l->clock, &id)) {
      fail_unless (gst_clock_id_get_time (id) <= time);
      gst_clock_id_unref (id);
      gst_test_clock_crank (l->clock);
    } else {
      g_thread_yield ();
    }
  fail_unless_equals_uint64 (gst_clock_get_time (GST_CLOCK (l->clock)), time);
  l->unmatched = n;
}

static void
push_all (Live * l, gsize i)
{
  for (guint p = 0; p < N_PADS; p++)
    separate_push (&l->s, p, i);
}

/* What has all of its parts is answered at once; what has not, is left out when the latency is over, and what comes
 * too late is nobody's. */
GST_START_TEST (test_lag)
{
  Live l = live_new ();
  Separate *s = &l.s;

  push_all (&l, 0);
  separate_expect (s, 0);

  separate_push (s, QUERY, 1);
  separate_push (s, VALUE, 1);
  pass (&l, EACH + LATENCY, 2);
  rig_expect_gap (&s->rig, EACH);
  separate_push (s, QUERY, 2);
  separate_push (s, KEY, 1);
  separate_push (s, KEY, 2);
  separate_push (s, VALUE, 2);
  separate_expect (s, 2);
  separate_check_unmatched (s, 1, 1, 1);
  live_free (&l);
}

GST_END_TEST;

/* A pad that gives nothing stalls nobody: everybody's vectors leave in their time. */
GST_START_TEST (test_silent)
{
  Live l = live_new ();
  Separate *s = &l.s;
  const guint silent = __i__;

  push_all (&l, 0);
  separate_expect (s, 0);
  for (gsize i = 1; i < 8; i++) {
    for (guint p = 0; p < N_PADS; p++)
      if (p != silent)
        separate_push (s, p, i);
    pass (&l, i * EACH + LATENCY, 2);
    if (silent != QUERY)
      rig_expect_gap (&s->rig, i * EACH);
  }
  /* And when it comes again, all is as before. */
  push_all (&l, 8);
  separate_expect (s, 8);
  separate_check_unmatched (s, silent == QUERY ? 0 : 7,
      silent == KEY ? 0 : 7, silent == VALUE ? 0 : 7);
  live_free (&l);
}

GST_END_TEST;

/* Vectors that come late, but in time, are waited for. */
GST_START_TEST (test_in_time)
{
  Live l = live_new ();
  Separate *s = &l.s;
  GstClockID id;

  separate_push (s, QUERY, 0);
  separate_push (s, VALUE, 0);
  gst_test_clock_wait_for_next_pending_id (l.clock, &id);
  gst_clock_id_unref (id);
  gst_test_clock_set_time (l.clock, LATENCY - 1);
  separate_push (s, KEY, 0);
  separate_expect (s, 0);
  separate_check_unmatched (s, 0, 0, 0);
  live_free (&l);
}

GST_END_TEST;

GST_START_TEST (test_end)
{
  Live l = live_new ();
  Separate *s = &l.s;

  push_all (&l, 0);
  separate_expect (s, 0);
  separate_push (s, QUERY, 1);
  separate_push (s, VALUE, 1);
  rig_push_event (&s->rig, KEY, gst_event_new_eos ());
  separate_expect_end (s);
  live_free (&l);
}

GST_END_TEST;

/* A query-index that looks back delays the answers, by a latency that is told. */
GST_START_TEST (test_latency)
{
  Rig rig = rig_new ("mha-single-output-query-index--3", 1, TRUE);
  const float x[24] = { 0 };
  GstMessage *message;

  gst_harness_set_upstream_latency (rig.pads[QUERY], 5 * GST_MSECOND);
  rig_set_caps (&rig, QUERY, 24, 1, 100, 1);
  for (gsize i = 0; i < 2; i++)
    fail_unless_equals_int (gst_harness_push (rig.pads[QUERY], vectors_new (x,
                24, i * EACH, EACH)), GST_FLOW_OK);
  gst_event_unref (rig_pull_event (&rig, GST_EVENT_CAPS));
  message = gst_bus_timed_pop_filtered (rig.bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_LATENCY);
  gst_message_unref (message);
  fail_unless_equals_uint64 (gst_harness_query_latency (rig.pads[QUERY]),
      2 * EACH + 5 * GST_MSECOND);
  rig_free (&rig);
}

GST_END_TEST;

static Suite *
attention_suite (void)
{
  Suite *s = suite_create ("attention-live");
  TCase *tc = tcase_create ("live");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_lag);
  tcase_add_loop_test (tc, test_silent, 0, N_PADS);
  tcase_add_test (tc, test_in_time);
  tcase_add_test (tc, test_end);
  tcase_add_test (tc, test_latency);
  return s;
}

GST_CHECK_MAIN (attention);
