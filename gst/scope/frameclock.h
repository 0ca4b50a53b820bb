/* gst-continual: when frames of a constant rate are due, by the times of vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tensor/vectorclock.h"

G_BEGIN_DECLS

/* Frames last 1 / framerate of running time each, from the start of the segment on. The first one is that in which the first
 * vector begins. A frame shows the vectors that begin before it ends: it is due when all of these are known. */
typedef struct
{
  gint fps_n, fps_d;            /* fps_n 0: not known yet */
  GstClockTime start, stop;     /* of the grid, and of the segment; times are those of the segment */
  gdouble rate;
  guint64 next;                 /* frame */
  gboolean begun;               /* next is known */
  GstClockTime until;           /* vectors that begin before it are known */
  gboolean unseen;              /* a vector came since the last frame */
} FrameClock;

/* At a new segment in time. */
void frame_clock_begin (FrameClock * self, const GstSegment * segment);

/* The frames from now on have another rate, from the end of the last one on. */
void frame_clock_set_framerate (FrameClock * self, gint fps_n, gint fps_d);

/* All vectors that begin before @time are known. The first call since the segment's start begins the frames. */
void frame_clock_advance (FrameClock * self, GstClockTime time);

/* A vector came that begins where the clock is. */
void frame_clock_add_vector (FrameClock * self);

/* TRUE: a frame of *time is due, and taken. */
gboolean frame_clock_take (FrameClock * self, VectorTime * time);

/* The same at the end of the stream: also the frame that has only begun. */
gboolean frame_clock_take_rest (FrameClock * self, VectorTime * time);

/* Running time from one frame to the next; 0: not known yet. */
GstClockTime frame_clock_get_spacing (const FrameClock * self);

G_END_DECLS
