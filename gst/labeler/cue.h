/* gst-continual: how long a label is shown
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define LABEL_CUE_NONE (-1)

/* The label that is shown, from the begin of its first vector to the later of that begin + hold and the end of the last
 * vector with the label, or until the next label. Times are in nanoseconds, positions in one segment. */
typedef struct
{
  gint label;                   /* LABEL_CUE_NONE: nothing is shown */
  gboolean renewed;             /* the next vector begins a new cue, whatever its label */
  GstClockTime begin, end;      /* of what is shown; the end grows with repetitions */
  GstClockTime time;            /* of the newest vector; NONE: none came yet */
  GstClockTime newest;          /* its end */
} LabelCue;

/* What was shown, and will be shown no longer. */
typedef struct
{
  GstClockTime begin, end;      /* begin < end */
} LabelSpan;

/* Nothing is shown, and vectors may have any time. */
void label_cue_clear (LabelCue * self);

/* The label that comes next begins a cue, even if it is the one that is shown. */
void label_cue_renew (LabelCue * self);

/* The next vector has @label or LABEL_CUE_NONE, @time (after that of the one before) and @duration (NONE: unknown).
 * *began: a cue begins with it. TRUE: the cue before is over, and *span says when it was shown. */
gboolean label_cue_take (LabelCue * self, gint label, GstClockTime time,
    GstClockTime duration, GstClockTime hold, gboolean * began,
    LabelSpan * span);

/* Ends what is shown, where it would end by itself, or at @limit if that is earlier, but not before the end of the newest
 * vector (GST_CLOCK_TIME_NONE: no limit). FALSE: nothing was shown. */
gboolean label_cue_close (LabelCue * self, GstClockTime limit,
    LabelSpan * span);

G_END_DECLS
