/* gst-continual: which vectors of several inputs belong together
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  FRONT_NONE,                    /* nothing came yet; the next vector is expected at its begin */
  FRONT_VECTOR,
  FRONT_GAP,                     /* no vector begins before its end */
  FRONT_END                      /* nothing more will come */
} PadFrontType;

/* What an input gives next, in running time; GST_CLOCK_STIME_NONE: not known. */
typedef struct
{
  PadFrontType type;
  GstClockTimeDiff begin, end;
  GstClockTimeDiff spacing;     /* from one vector to the next, as far as known: 0 if not */
} PadFront;

typedef enum
{
  MATCH_WAIT,                   /* for an input that has nothing yet */
  MATCH_TAKE,                   /* the next vectors of all inputs belong together */
  MATCH_DROP,                   /* what *which gives next has no counterpart, or is a gap that is over */
  MATCH_END                     /* no vectors will ever belong together again */
} Match;

/* Vectors belong together when they begin within half a vector of each other or, where one has no time, in the order
 * in which they come. What begins by @late, or GST_CLOCK_STIME_NONE, waits no longer for inputs that have nothing. */
Match attention_match (const PadFront * fronts /* (n) */ , guint n,
    GstClockTimeDiff late, guint * which);

/* What is late with the oldest vector. */
GstClockTimeDiff attention_get_late (const PadFront * fronts /* (n) */ ,
    guint n);

/* Whether the durations of two vectors that belong together say that their streams have different rates. */
gboolean attention_rates_differ (const PadFront * a,
    const PadFront * b);

G_END_DECLS
