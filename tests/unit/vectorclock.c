/* gst-continual: the times of vectors and of their answers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/vectorclock.h"

#define NONE GST_CLOCK_TIME_NONE

static void
check_time (VectorTime time, GstClockTime pts, GstClockTime duration)
{
  g_assert_cmpuint (time.pts, ==, pts);
  g_assert_cmpuint (time.duration, ==, duration);
}

static void
test_shares (void)
{
  const VectorTime all = { 1000, 100 }, no_duration = { 1000, NONE };
  const VectorTime no_pts = { NONE, 100 };

  check_time (vector_time_at (&all, 0, 3), 1000, 33);
  check_time (vector_time_at (&all, 1, 3), 1033, 33);
  check_time (vector_time_at (&all, 2, 3), 1066, 34);
  check_time (vector_time_at (&no_duration, 2, 3), 1000, NONE);
  check_time (vector_time_at (&no_pts, 1, 2), NONE, 50);
}

/* A step at each multiple of 10 ns, of 10 ns; all streams take a vector. */
static void
step (VectorClock * clock, guint n_streams, GstClockTime pts)
{
  const VectorTime time = { pts, 10 };

  vector_clock_step (clock, &time);
  for (guint s = 0; s < n_streams; s++)
    vector_clock_take (clock, s);
}

static void
test_answers (void)
{
  g_autoptr (VectorClock) clock = vector_clock_new (2, 3);
  const VectorTime absent = { 40, 10 };

  for (guint t = 0; t < 4; t++)
    step (clock, 2, 10 * t);
  /* Stream 1 is absent at 40. */
  vector_clock_step (clock, &absent);
  vector_clock_take (clock, 0);
  check_time (vector_clock_answer (clock, 0, 0), 40, 10);
  check_time (vector_clock_answer (clock, 0, 3), 10, 10);
  check_time (vector_clock_answer (clock, 1, 0), 30, 10);
  check_time (vector_clock_answer (clock, 1, 3), 0, 10);
}

/* After a restored state the stream answers for vectors that this clock never saw. */
static void
test_counted_back (void)
{
  g_autoptr (VectorClock) clock = vector_clock_new (1, 3);

  check_time (vector_clock_answer (clock, 0, 2), NONE, NONE);
  step (clock, 1, 100);
  check_time (vector_clock_answer (clock, 0, 2), 80, 10);
  vector_clock_reset (clock, -1);
  step (clock, 1, 10);
  check_time (vector_clock_answer (clock, 0, 2), NONE, 10);
}

static void
test_unanswered (void)
{
  g_autoptr (VectorClock) clock = vector_clock_new (1, 2);
  VectorTime time;

  step (clock, 1, 0);
  step (clock, 1, 10);
  g_assert_false (vector_clock_get_unanswered (clock, &time));
  step (clock, 1, 20);
  g_assert_true (vector_clock_get_unanswered (clock, &time));
  check_time (time, 0, 10);
  step (clock, 1, 30);
  check_time (vector_clock_answer (clock, 0, 2), 10, 10);
  g_assert_false (vector_clock_get_unanswered (clock, &time));
}

/* Every second vector is answered: those between are no gaps, also those that came before the first answer. */
static void
test_interval (void)
{
  g_autoptr (VectorClock) clock = vector_clock_new (1, 2);
  VectorTime time;

  for (guint t = 0; t < 3; t++)
    step (clock, 1, 10 * t);
  g_assert_true (vector_clock_get_unanswered (clock, &time));
  step (clock, 1, 30);
  check_time (vector_clock_answer (clock, 0, 2), 10, 10);
  for (guint t = 4; t < 9; t++) {
    g_assert_false (vector_clock_get_unanswered (clock, &time));
    step (clock, 1, 10 * t);
    if (t % 2)
      check_time (vector_clock_answer (clock, 0, 2), 10 * (t - 2), 10);
  }
  vector_clock_reset (clock, 0);
  for (guint t = 0; t < 3; t++)
    step (clock, 1, 10 * t);
  g_assert_true (vector_clock_get_unanswered (clock, &time));
}

static void
test_reset (void)
{
  g_autoptr (VectorClock) clock = vector_clock_new (2, 2);
  VectorTime time;

  for (guint t = 0; t < 4; t++)
    step (clock, 2, 100 * t);
  /* Of one stream, whose times are then counted back: the other one keeps its times. */
  vector_clock_reset (clock, 0);
  check_time (vector_clock_answer (clock, 0, 1), 290, 10);
  check_time (vector_clock_answer (clock, 1, 1), 200, 10);
  vector_clock_reset (clock, -1);
  check_time (vector_clock_answer (clock, 1, 0), NONE, NONE);
  g_assert_false (vector_clock_get_unanswered (clock, &time));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vectorclock/shares", test_shares);
  g_test_add_func ("/vectorclock/answers", test_answers);
  g_test_add_func ("/vectorclock/counted-back", test_counted_back);
  g_test_add_func ("/vectorclock/unanswered", test_unanswered);
  g_test_add_func ("/vectorclock/interval", test_interval);
  g_test_add_func ("/vectorclock/reset", test_reset);
  return g_test_run ();
}
