/* gst-continual: which vectors of several inputs belong together
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attentionmatch.h"

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
    if (heads[i].type == HEAD_VECTOR && heads[i].spacing > 0
        && (least == 0 || heads[i].spacing < least))
      least = heads[i].spacing;
  return least / 2;
}

Match
attention_match (const AttentionHead * heads, guint n, gboolean late,
    guint * which)
{
  const guint something = 1u << HEAD_VECTOR | 1u << HEAD_GAP;
  GstClockTimeDiff latest = G_MININT64;
  gboolean timed = TRUE;

  if (count (heads, n, HEAD_END))
    return MATCH_END;
  *which = find_first (heads, n, something);
  if (count (heads, n, HEAD_NONE))
    return late && *which < n ? MATCH_DROP : MATCH_WAIT;

  for (guint i = 0; i < n; i++) {
    timed &= GST_CLOCK_STIME_IS_VALID (get_earliest (&heads[i]));
    latest = MAX (latest, get_earliest (&heads[i]));
  }
  if (timed
      && get_earliest (&heads[*which]) + get_tolerance (heads, n) < latest)
    return MATCH_DROP;
  if (count (heads, n, HEAD_GAP)) {
    *which = find_first (heads, n, 1u << HEAD_GAP);
    return MATCH_DROP;
  }
  return MATCH_TAKE;
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
