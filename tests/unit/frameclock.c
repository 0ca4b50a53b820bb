/* gst-continual: when frames are due
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/frameclock.h"

static FrameClock
begin (GstClockTime start, GstClockTime stop, gdouble rate, gint fps_n,
    gint fps_d)
{
  FrameClock clock = { 0 };
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = start;
  segment.stop = stop;
  segment.rate = rate;
  frame_clock_set_framerate (&clock, fps_n, fps_d);
  frame_clock_begin (&clock, &segment);
  return clock;
}

/* Any rate, at any moment: each frame begins where the one before ends, less than a nanosecond from its place. */
static void
test_grid (void)
{
  static const gint rates[][2] = { {25, 1}, {30000, 1001}, {1000, 1}, {1, 86400}, {24000, 1001} };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    const gint n = rates[i][0], d = rates[i][1];

    for (guint k = 0; k < 200; k++) {
      const GstClockTime first = (GstClockTime) g_test_rand_int_range (0, G_MAXINT) * 1000003;
      FrameClock clock = begin (12345, GST_CLOCK_TIME_NONE, 1, n, d);
      GstClockTime end = 0;
      VectorTime time;

      frame_clock_advance (&clock, first);
      g_assert_false (frame_clock_take (&clock, &time));
      frame_clock_advance (&clock, first + 5 * (GstClockTime) d * GST_SECOND / n);
      for (guint j = 0; frame_clock_take (&clock, &time); j++) {
        const guint64 frame = clock.next - 1;

        g_assert_cmpuint (time.pts, ==, 12345 + gst_util_uint64_scale (frame, GST_SECOND * d, n));
        if (j == 0)
          g_assert_true (time.pts <= MAX (first, 12345) && time.pts + time.duration > first);
        else
          g_assert_cmpuint (time.pts, ==, end);
        end = time.pts + time.duration;
        g_assert_cmpuint (end, <=, clock.until);
      }
      g_assert_cmpuint (end, >, first);
    }
  }
}

/* Frames last as long in running time, whatever the rate of the segment. */
static void
test_rate (void)
{
  FrameClock clock = begin (GST_SECOND, GST_CLOCK_TIME_NONE, 0.5, 50, 1);
  VectorTime time;

  frame_clock_advance (&clock, GST_SECOND);
  frame_clock_advance (&clock, GST_SECOND + 20 * GST_MSECOND);
  for (guint k = 0; k < 2; k++) {
    g_assert_true (frame_clock_take (&clock, &time));
    g_assert_cmpuint (time.pts, ==, GST_SECOND + k * 10 * GST_MSECOND);
    g_assert_cmpuint (time.duration, ==, 10 * GST_MSECOND);
  }
  g_assert_false (frame_clock_take (&clock, &time));
  g_assert_cmpuint (frame_clock_get_spacing (&clock), ==, 20 * GST_MSECOND);
}

/* The frame that has begun, once; none that shows nothing new */
static void
test_rest (void)
{
  FrameClock clock = begin (0, GST_CLOCK_TIME_NONE, 1, 25, 1);
  VectorTime time;

  g_assert_false (frame_clock_take_rest (&clock, &time));
  frame_clock_advance (&clock, 0);
  frame_clock_add_vector (&clock);
  frame_clock_advance (&clock, 40 * GST_MSECOND);
  g_assert_true (frame_clock_take (&clock, &time));
  g_assert_false (frame_clock_take_rest (&clock, &time));
  /* A vector without a duration */
  frame_clock_add_vector (&clock);
  g_assert_false (frame_clock_take (&clock, &time));
  g_assert_true (frame_clock_take_rest (&clock, &time));
  g_assert_cmpuint (time.pts, ==, 40 * GST_MSECOND);
  g_assert_false (frame_clock_take_rest (&clock, &time));
}

static void
test_stop (void)
{
  FrameClock clock = begin (0, 80 * GST_MSECOND, 1, 25, 1);
  VectorTime time;

  frame_clock_advance (&clock, 0);
  frame_clock_advance (&clock, GST_SECOND);
  g_assert_true (frame_clock_take (&clock, &time));
  g_assert_true (frame_clock_take (&clock, &time));
  g_assert_false (frame_clock_take (&clock, &time));
  g_assert_false (frame_clock_take_rest (&clock, &time));
}

/* Another framerate goes on where the last frame ended. */
static void
test_new_framerate (void)
{
  FrameClock clock = begin (0, GST_CLOCK_TIME_NONE, 1, 25, 1);
  VectorTime time;

  frame_clock_advance (&clock, 0);
  frame_clock_advance (&clock, 50 * GST_MSECOND);
  g_assert_true (frame_clock_take (&clock, &time));
  frame_clock_set_framerate (&clock, 100, 1);
  g_assert_true (frame_clock_take (&clock, &time));
  g_assert_cmpuint (time.pts, ==, 40 * GST_MSECOND);
  g_assert_cmpuint (time.duration, ==, 10 * GST_MSECOND);
  g_assert_false (frame_clock_take (&clock, &time));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frameclock/grid", test_grid);
  g_test_add_func ("/frameclock/rate", test_rate);
  g_test_add_func ("/frameclock/rest", test_rest);
  g_test_add_func ("/frameclock/stop", test_stop);
  g_test_add_func ("/frameclock/new-framerate", test_new_framerate);
  return g_test_run ();
}
