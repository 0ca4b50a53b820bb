/* gst-continual: which vectors of several inputs belong together
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/match.h"

#define SOMETHING (1u << HEAD_VECTOR | 1u << HEAD_GAP)

/* The earliest that the input's next vector can begin. */
static GstClockTimeDiff
get_earliest (const AttentionHead * head)
{
  return head->type == HEAD_GAP ? head->end : head->begin;
}

/* The one that can begin first of those of @types; @n: none. */
static guint
find_first (const AttentionHead * heads, guint n, guint types)
{
  guint first = n;

  for (guint i = 0; i < n; i++)
    if ((types & (1u << heads[i].type)) && (first == n
            || get_earliest (&heads[i]) < get_earliest (&heads[first])))
      first = i;
  return first;
}

static guint
count (const AttentionHead * heads, guint n, HeadType type)
{
  guint res = 0;

  for (guint i = 0; i < n; i++)
    res += heads[i].type == type;
  return res;
}

static GstClockTimeDiff
get_tolerance (const AttentionHead * heads, guint n)
{
  GstClockTimeDiff least = 0;

  for (guint i = 0; i < n; i++)
    if (heads[i].type != HEAD_GAP && heads[i].spacing > 0
        && (least == 0 || heads[i].spacing < least))
      least = heads[i].spacing;
  return least / 2;
}

/* A gap that no vector falls into any more, of those that are there and those that are expected; @n: none. It would
 * only take the place of what comes after it. */
static guint
find_idle_gap (const AttentionHead * heads, guint n)
{
  const GstClockTimeDiff tolerance = get_tolerance (heads, n);

  for (guint i = 0; i < n; i++) {
    gboolean idle = heads[i].type == HEAD_GAP;

    for (guint j = 0; j < n; j++)
      idle &= heads[j].type == HEAD_GAP
          || (GST_CLOCK_STIME_IS_VALID (heads[j].begin)
          && heads[j].begin + tolerance >= heads[i].end);
    if (idle)
      return i;
  }
  return n;
}

/* Whether the one that can begin first, @which, is over before one of the others can begin. */
static gboolean
is_hopeless (const AttentionHead * heads, guint n, guint which)
{
  GstClockTimeDiff latest = G_MININT64;

  for (guint i = 0; i < n; i++)
    if (heads[i].type != HEAD_NONE)
      latest = MAX (latest, get_earliest (&heads[i]));
  /* One without a time is the first of all. */
  return GST_CLOCK_STIME_IS_VALID (get_earliest (&heads[which]))
      && get_earliest (&heads[which]) + get_tolerance (heads, n) < latest;
}

Match
attention_match (const AttentionHead * heads, guint n, GstClockTimeDiff late,
    guint * which)
{
  guint gap;

  if (count (heads, n, HEAD_END))
    return MATCH_END;
  *which = find_first (heads, n, SOMETHING);
  if (*which == n)
    return MATCH_WAIT;
  if (GST_CLOCK_STIME_IS_VALID (late) && count (heads, n, HEAD_NONE)
      && get_earliest (&heads[*which]) <= late)
    return MATCH_DROP;
  if (is_hopeless (heads, n, *which))
    return MATCH_DROP;
  gap = count (heads, n, HEAD_NONE) ? find_idle_gap (heads, n) :
      find_first (heads, n, 1u << HEAD_GAP);
  if (gap < n) {
    *which = gap;
    return MATCH_DROP;
  }
  return count (heads, n, HEAD_NONE) ? MATCH_WAIT : MATCH_TAKE;
}

GstClockTimeDiff
attention_get_late (const AttentionHead * heads, guint n)
{
  const guint oldest = find_first (heads, n, SOMETHING);

  if (oldest == n || !GST_CLOCK_STIME_IS_VALID (get_earliest (&heads[oldest])))
    return GST_CLOCK_STIME_NONE;
  return get_earliest (&heads[oldest]) + get_tolerance (heads, n);
}

gboolean
attention_rates_differ (const AttentionHead * a, const AttentionHead * b)
{
  GstClockTimeDiff x = a->end - a->begin, y = b->end - b->begin;

  if (!GST_CLOCK_STIME_IS_VALID (a->end) || !GST_CLOCK_STIME_IS_VALID (b->end))
    return FALSE;
  /* Durations may be rounded, or measured. */
  return x > 0 && y > 0 && ABS (x - y) > MIN (x, y) / 4;
}
