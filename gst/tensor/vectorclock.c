/* gst-continual: times of vectors and of their answers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/vectorclock.h"

typedef struct
{
  VectorTime time;
  gboolean answered;            /* or between two answers */
} Step;

typedef struct
{
  VectorTime time;
  guint64 step;
} Taken;

struct _VectorClock
{
  guint n_streams;
  gsize length;                 /* of the rings: reach + 1 */
  guint64 n_steps;
  Step *steps;                  /* (length) ring */
  guint64 *n_taken;             /* (n_streams) */
  Taken *taken;                 /* (n_streams, length) rings */
  gboolean *started;            /* (n_streams) the stream had an answer since its reset */
};

VectorTime
vector_time_at (const VectorTime * all, gsize i, gsize n)
{
  VectorTime res = *all;
  GstClockTime from, to;

  if (!GST_CLOCK_TIME_IS_VALID (all->duration))
    return res;
  from = gst_util_uint64_scale (all->duration, i, n);
  to = gst_util_uint64_scale (all->duration, i + 1, n);
  if (GST_CLOCK_TIME_IS_VALID (all->pts))
    res.pts = all->pts + from;
  res.duration = to - from;
  return res;
}

gboolean
vector_segment_is_continued (const GstSegment * a, const GstSegment * b)
{
  return a->format == b->format && a->rate == b->rate
      && a->start == b->start && a->base == b->base && a->offset == b->offset;
}

GstClockTimeDiff
vector_time_to_running (const GstSegment * segment, GstClockTime pts)
{
  guint64 running;
  gint sign;

  if (!GST_CLOCK_TIME_IS_VALID (pts) || segment->format != GST_FORMAT_TIME)
    return GST_CLOCK_STIME_NONE;
  sign = gst_segment_to_running_time_full (segment, GST_FORMAT_TIME, pts,
      &running);
  return sign ? sign * (GstClockTimeDiff) running : GST_CLOCK_STIME_NONE;
}

VectorClock *
vector_clock_new (guint n_streams, gsize reach)
{
  VectorClock *self = g_new0 (VectorClock, 1);
  gsize n_taken;

  self->n_streams = n_streams;
  self->length = reach + 1;
  self->steps = g_try_new0 (Step, self->length);
  self->n_taken = g_try_new0 (guint64, n_streams);
  self->taken = g_size_checked_mul (&n_taken, n_streams, self->length) ?
      g_try_new0 (Taken, n_taken) : NULL;
  self->started = g_try_new0 (gboolean, n_streams);
  if (!self->steps || !self->n_taken || !self->taken || !self->started)
    g_clear_pointer (&self, vector_clock_free);
  return self;
}

void
vector_clock_free (VectorClock * self)
{
  g_free (self->steps);
  g_free (self->n_taken);
  g_free (self->taken);
  g_free (self->started);
  g_free (self);
}

void
vector_clock_reset (VectorClock * self, gint stream)
{
  if (stream >= 0) {
    self->n_taken[stream] = 0;
    self->started[stream] = FALSE;
    return;
  }
  self->n_steps = 0;
  for (guint s = 0; s < self->n_streams; s++)
    vector_clock_reset (self, s);
}

void
vector_clock_step (VectorClock * self, const VectorTime * time)
{
  self->steps[self->n_steps++ % self->length] = (Step) {
  *time, FALSE};
}

void
vector_clock_take (VectorClock * self, guint stream)
{
  guint64 newest = self->n_steps - 1;
  Taken *ring = self->taken + stream * self->length;

  ring[self->n_taken[stream]++ % self->length] = (Taken) {
  self->steps[newest % self->length].time, newest};
  if (self->started[stream])
    self->steps[newest % self->length].answered = TRUE;
}

static VectorTime
count_back (VectorTime time, guint64 n)
{
  if (n == 0)
    return time;
  if (GST_CLOCK_TIME_IS_VALID (time.pts)
      && GST_CLOCK_TIME_IS_VALID (time.duration)
      && (time.duration == 0 || n <= time.pts / time.duration))
    time.pts -= n * time.duration;
  else
    time.pts = GST_CLOCK_TIME_NONE;
  return time;
}

/* @stream took the vector of @taken. */
static void
mark_answered (VectorClock * self, const Taken * taken)
{
  if (self->n_steps - taken->step <= self->length)
    self->steps[taken->step % self->length].answered = TRUE;
}

/* The vectors that @stream took after the one that has its first answer, @age vectors before the newest. */
static void
start (VectorClock * self, guint stream, gsize age)
{
  const guint64 n = self->n_taken[stream];

  self->started[stream] = TRUE;
  for (guint64 i = n - MIN (age, n); i < n; i++)
    mark_answered (self, &self->taken[stream * self->length + i % self->length]);
}

VectorTime
vector_clock_answer (VectorClock * self, guint stream, gsize age)
{
  const VectorTime none = { GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE };
  guint64 n = self->n_taken[stream];
  Taken taken;

  g_return_val_if_fail (age < self->length, none);

  if (!self->started[stream])
    start (self, stream, age);
  if (age >= n)
    return self->n_steps == 0 ? none :
        count_back (self->steps[(self->n_steps - 1) % self->length].time, age);
  taken = self->taken[stream * self->length + (n - 1 - age) % self->length];
  mark_answered (self, &taken);
  return taken.time;
}

gboolean
vector_clock_get_unanswered (const VectorClock * self, VectorTime * time)
{
  const Step *oldest = &self->steps[self->n_steps % self->length];

  if (self->n_steps < self->length || oldest->answered)
    return FALSE;
  *time = oldest->time;
  return TRUE;
}
