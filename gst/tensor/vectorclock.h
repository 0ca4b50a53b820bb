/* gst-continual: when the vectors of a stream were
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A vector's time; either may be GST_CLOCK_TIME_NONE. */
typedef struct
{
  GstClockTime pts, duration;
} VectorTime;

/* Vector @i of @n that share the time @all evenly. Durations add up to the whole. */
VectorTime vector_time_at (const VectorTime * all, gsize i, gsize n);

/**
 * VectorClock: remembers when vectors came, for answers that look back
 *
 * At every step each of S streams may take a vector. An output answers for one that its stream took up to
 * `reach` vectors before.
 */
typedef struct _VectorClock VectorClock;

VectorClock *vector_clock_new (guint n_streams, gsize reach);
void vector_clock_free (VectorClock * self);

/* Forgets the vectors of @stream; -1: all that was. */
void vector_clock_reset (VectorClock * self, gint stream);

/* A step begins: its vectors are of @time. */
void vector_clock_step (VectorClock * self, const VectorTime * time);

/* @stream has a vector at this step. */
void vector_clock_take (VectorClock * self, guint stream);

/* The time of the vector that @stream took @age vectors before its newest one. If that is not known any more, it
 * is counted back from the newest step. */
VectorTime vector_clock_answer (VectorClock * self, guint stream, gsize age);

/* Whether the step that lies `reach` steps back passed without any answer to its vectors, and when it was: what a
 * gap is sent for when nothing else comes out. */
gboolean vector_clock_get_unanswered (const VectorClock * self,
    VectorTime * time);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VectorClock, vector_clock_free)

G_END_DECLS
