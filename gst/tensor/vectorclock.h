/* gst-continual: times of vectors and of their answers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* PTS and duration of a vector; both may be GST_CLOCK_TIME_NONE. */
typedef struct
{
  GstClockTime pts, duration;
} VectorTime;

/* Time of vector @i of @n that share @all evenly. The durations add up to that of @all. */
VectorTime vector_time_at (const VectorTime * all, gsize i, gsize n);

/* Running time of @pts in a segment in time, also before its start (negative) or after its stop. GST_CLOCK_STIME_NONE:
 * @pts is none, or the segment is not in time. */
GstClockTimeDiff vector_time_to_running (const GstSegment * segment,
    GstClockTime pts);

/* TRUE: times mean the same in both segments. */
gboolean vector_segment_is_continued (const GstSegment * a,
    const GstSegment * b);

/**
 * VectorClock: times of the last vectors, for answers that come later
 *
 * At every step each of S streams may take a vector. An output answers a vector that its stream took up to `reach`
 * vectors before. After its first answer a stream has one for every vector, or for every K-th.
 */
typedef struct _VectorClock VectorClock;

/* NULL: there is no room for it. */
VectorClock *vector_clock_new (guint n_streams, gsize reach);
void vector_clock_free (VectorClock * self);

/* Resets @stream; -1: all streams and steps. */
void vector_clock_reset (VectorClock * self, gint stream);

/* Starts a step, whose vectors have @time. */
void vector_clock_step (VectorClock * self, const VectorTime * time);

/* @stream takes a vector at this step. */
void vector_clock_take (VectorClock * self, guint stream);

/* Time of the vector that @stream took @age vectors before its newest one; its step is now answered. If the vector is
 * unknown (before the reset), its time is counted back from the newest step. */
VectorTime vector_clock_answer (VectorClock * self, guint stream, gsize age);

/* TRUE: at the step that leaves the ring, `reach` steps back, no stream took a vector that was answered, or that came
 * after an answer: send a GAP for *time. */
gboolean vector_clock_get_unanswered (const VectorClock * self,
    VectorTime * time);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VectorClock, vector_clock_free)

G_END_DECLS
