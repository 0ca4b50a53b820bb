/* gst-continual: which vectors of several inputs match
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tensor/padfront.h"

G_BEGIN_DECLS

typedef enum
{
  MATCH_WAIT,                   /* for an input whose queue is empty */
  MATCH_TAKE,                   /* the next vectors of all inputs match */
  MATCH_DROP,                   /* the front of *which: a vector without a match, or a gap that is over */
  MATCH_END                     /* no vectors will match any more */
} Match;

/* Vectors match if they begin within half a vector of each other. Vectors without a time match in order of arrival. A
 * front that begins at @late or before (GST_CLOCK_STIME_NONE: none) does not wait for inputs with an empty queue. */
Match attention_match (const PadFront * fronts /* (n) */ , guint n,
    GstClockTimeDiff late, guint * which);

/* For a timeout: the time @late with which the oldest front stops waiting; GST_CLOCK_STIME_NONE: none. */
GstClockTimeDiff attention_get_late (const PadFront * fronts /* (n) */ ,
    guint n);

/* TRUE: two vectors that match have durations of streams with different rates. */
gboolean attention_rates_differ (const PadFront * a,
    const PadFront * b);

G_END_DECLS
