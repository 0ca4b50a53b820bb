/* gst-continual: which vectors of several inputs match
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/match.h"

#define SOMETHING (1u << FRONT_VECTOR | 1u << FRONT_GAP)

/* The earliest time at which the next vector of the input can begin. */
static GstClockTimeDiff
get_earliest (const PadFront * front)
{
  return front->type == FRONT_GAP ? front->end : front->begin;
}

/* Of the fronts of @types (bits), the one whose vector can begin first; @n: none. */
static guint
find_first (const PadFront * fronts, guint n, guint types)
{
  guint first = n;

  for (guint i = 0; i < n; i++)
    if ((types & (1u << fronts[i].type)) && (first == n
            || get_earliest (&fronts[i]) < get_earliest (&fronts[first])))
      first = i;
  return first;
}

static guint
count (const PadFront * fronts, guint n, PadFrontType type)
{
  guint res = 0;

  for (guint i = 0; i < n; i++)
    res += fronts[i].type == type;
  return res;
}

static GstClockTimeDiff
get_tolerance (const PadFront * fronts, guint n)
{
  GstClockTimeDiff least = 0;

  for (guint i = 0; i < n; i++)
    if (fronts[i].type != FRONT_GAP && fronts[i].spacing > 0
        && (least == 0 || fronts[i].spacing < least))
      least = fronts[i].spacing;
  return least / 2;
}

/* A gap into which no vector can fall any more, neither a present nor an expected one; @n: none. It would only block the
 * queue. */
static guint
find_idle_gap (const PadFront * fronts, guint n)
{
  const GstClockTimeDiff tolerance = get_tolerance (fronts, n);

  for (guint i = 0; i < n; i++) {
    gboolean idle = fronts[i].type == FRONT_GAP;

    for (guint j = 0; j < n; j++)
      idle &= fronts[j].type == FRONT_GAP
          || (GST_CLOCK_STIME_IS_VALID (fronts[j].begin)
          && fronts[j].begin + tolerance >= fronts[i].end);
    if (idle)
      return i;
  }
  return n;
}

/* TRUE: @which, the front that can begin first, is over before another one can begin. */
static gboolean
is_hopeless (const PadFront * fronts, guint n, guint which)
{
  GstClockTimeDiff latest = G_MININT64;

  for (guint i = 0; i < n; i++)
    if (fronts[i].type != FRONT_NONE)
      latest = MAX (latest, get_earliest (&fronts[i]));
  /* A front without a time sorts before all others, but is not over. */
  return GST_CLOCK_STIME_IS_VALID (get_earliest (&fronts[which]))
      && get_earliest (&fronts[which]) + get_tolerance (fronts, n) < latest;
}

Match
attention_match (const PadFront * fronts, guint n, GstClockTimeDiff late,
    guint * which)
{
  guint gap;

  if (count (fronts, n, FRONT_END))
    return MATCH_END;
  *which = find_first (fronts, n, SOMETHING);
  if (*which == n)
    return MATCH_WAIT;
  if (GST_CLOCK_STIME_IS_VALID (late) && count (fronts, n, FRONT_NONE)
      && get_earliest (&fronts[*which]) <= late)
    return MATCH_DROP;
  if (is_hopeless (fronts, n, *which))
    return MATCH_DROP;
  gap = count (fronts, n, FRONT_NONE) ? find_idle_gap (fronts, n) :
      find_first (fronts, n, 1u << FRONT_GAP);
  if (gap < n) {
    *which = gap;
    return MATCH_DROP;
  }
  return count (fronts, n, FRONT_NONE) ? MATCH_WAIT : MATCH_TAKE;
}

GstClockTimeDiff
attention_get_late (const PadFront * fronts, guint n)
{
  const guint oldest = find_first (fronts, n, SOMETHING);

  if (oldest == n || !GST_CLOCK_STIME_IS_VALID (get_earliest (&fronts[oldest])))
    return GST_CLOCK_STIME_NONE;
  return get_earliest (&fronts[oldest]) + get_tolerance (fronts, n);
}

gboolean
attention_rates_differ (const PadFront * a, const PadFront * b)
{
  GstClockTimeDiff x = a->end - a->begin, y = b->end - b->begin;

  if (!GST_CLOCK_STIME_IS_VALID (a->end) || !GST_CLOCK_STIME_IS_VALID (b->end))
    return FALSE;
  /* Tolerant, since durations may be rounded or measured. */
  return x > 0 && y > 0 && ABS (x - y) > MIN (x, y) / 4;
}
