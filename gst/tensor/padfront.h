/* gst-continual: the next vector, gap or end of an input
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  FRONT_NONE,                   /* the queue is empty; a vector is expected at begin */
  FRONT_VECTOR,
  FRONT_GAP,                    /* no vector begins before its end */
  FRONT_END                     /* no more vectors will come */
} PadFrontType;

/* The first entry in the queue of a pad, in running time; GST_CLOCK_STIME_NONE: not known. */
typedef struct
{
  PadFrontType type;
  GstClockTimeDiff begin, end;
  GstClockTimeDiff spacing;     /* from one vector to the next; 0: not known */
} PadFront;

G_END_DECLS
