/* gst-continual: which vectors of several inputs belong together
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/match.h"

#define NONE GST_CLOCK_STIME_NONE

static PadFront
vector (GstClockTimeDiff begin, GstClockTimeDiff spacing)
{
  return (PadFront) {
  FRONT_VECTOR, begin, begin + spacing, spacing};
}

static PadFront
gap (GstClockTimeDiff begin, GstClockTimeDiff end)
{
  return (PadFront) {
  FRONT_GAP, begin, end, 0};
}

/* Nothing came yet; a vector is expected at @begin. */
static PadFront
nothing (GstClockTimeDiff begin, GstClockTimeDiff spacing)
{
  return (PadFront) {
  FRONT_NONE, begin, NONE, spacing};
}

#define check_match(expected, expected_which, late, ...) G_STMT_START { \
  const PadFront fronts[] = { __VA_ARGS__ }; \
  guint which = 99; \
  g_assert_cmpint (attention_match (fronts, G_N_ELEMENTS (fronts), late, &which), ==, expected); \
  if (expected == MATCH_DROP) \
    g_assert_cmpuint (which, ==, expected_which); \
} G_STMT_END

static void
test_half_a_vector (void)
{
  check_match (MATCH_TAKE, 0, NONE, vector (100, 10), vector (100, 10));
  check_match (MATCH_TAKE, 0, NONE, vector (100, 10), vector (105, 10));
  check_match (MATCH_DROP, 0, NONE, vector (100, 10), vector (106, 10));
  check_match (MATCH_DROP, 1, NONE, vector (106, 10), vector (100, 10));
  /* The shortest vector counts. */
  check_match (MATCH_DROP, 0, NONE, vector (100, 10), vector (103, 4));
  check_match (MATCH_DROP, 2, NONE, vector (110, 10), vector (110, 10), vector (100, 10));
}

static void
test_without_times (void)
{
  const PadFront untimed = { FRONT_VECTOR, NONE, NONE, 0 };

  check_match (MATCH_TAKE, 0, NONE, untimed, untimed);
  check_match (MATCH_TAKE, 0, NONE, untimed, vector (1000, 10));
}

static void
test_waiting (void)
{
  check_match (MATCH_WAIT, 0, NONE, vector (100, 10), nothing (NONE, 0));
  check_match (MATCH_WAIT, 0, NONE, nothing (NONE, 0), nothing (NONE, 0));
  check_match (MATCH_WAIT, 0, 99, vector (100, 10), nothing (NONE, 0));
  check_match (MATCH_DROP, 0, 100, vector (100, 10), nothing (NONE, 0));
  /* Being late matters only for what waits. */
  check_match (MATCH_TAKE, 0, 500, vector (100, 10), vector (100, 10));
}

static void
test_gaps (void)
{
  /* No vector of the other input begins before the end of its gap. */
  check_match (MATCH_DROP, 0, NONE, vector (100, 10), gap (90, 200));
  /* The gap is over when the vector begins. */
  check_match (MATCH_DROP, 1, NONE, vector (100, 10), gap (90, 100));
  /* With an input that has nothing: a gap stays as long as a vector could fall into it. */
  check_match (MATCH_WAIT, 0, NONE, gap (0, 100), nothing (50, 10));
  check_match (MATCH_DROP, 0, NONE, gap (0, 100), nothing (95, 10));
  check_match (MATCH_WAIT, 0, NONE, gap (0, 100), nothing (NONE, 0));
}

static void
test_end (void)
{
  const PadFront end = { FRONT_END, NONE, NONE, 0 };

  check_match (MATCH_END, 0, NONE, vector (100, 10), end);
  check_match (MATCH_END, 0, NONE, end, nothing (NONE, 0));
}

static void
test_late (void)
{
  const PadFront some[] = { nothing (0, 10), vector (120, 10), gap (80, 100) };
  const PadFront none[] = { nothing (50, 10) };

  /* The gap can be followed by a vector at 100; half of the shortest vector is 5. */
  g_assert_cmpint (attention_get_late (some, 3), ==, 105);
  g_assert_cmpint (attention_get_late (none, 1), ==, NONE);
}

static void
test_rates (void)
{
  const PadFront base = vector (0, 100), near = vector (0, 125), far = vector (0, 126);
  const PadFront unknown = { FRONT_VECTOR, 0, NONE, 0 };

  g_assert_false (attention_rates_differ (&base, &near));
  g_assert_true (attention_rates_differ (&base, &far));
  g_assert_true (attention_rates_differ (&far, &base));
  g_assert_false (attention_rates_differ (&base, &unknown));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/match/half-a-vector", test_half_a_vector);
  g_test_add_func ("/match/without-times", test_without_times);
  g_test_add_func ("/match/waiting", test_waiting);
  g_test_add_func ("/match/gaps", test_gaps);
  g_test_add_func ("/match/end", test_end);
  g_test_add_func ("/match/late", test_late);
  g_test_add_func ("/match/rates", test_rates);
  return g_test_run ();
}
