/* gst-continual: when frames of a constant rate are due, by the times of vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/frameclock.h"

void
frame_clock_begin (FrameClock * self, const GstSegment * segment)
{
  self->start = segment->start;
  self->stop = segment->stop;
  self->rate = segment->rate;
  self->next = 0;
  self->until = 0;
  self->begun = self->unseen = FALSE;
}

/* Start of frame @i. Each is computed from the start of the grid, so that rounding errors do not add up. */
static GstClockTime
time_at (const FrameClock * self, guint64 i)
{
  const guint64 running =
      gst_util_uint64_scale (i, GST_SECOND * self->fps_d, self->fps_n);

  return self->start + (self->rate == 1 ? running :
      (guint64) ((gdouble) running * self->rate));
}

static guint64
frame_at (const FrameClock * self, GstClockTime time)
{
  const guint64 since = time > self->start ? time - self->start : 0;
  guint64 i = gst_util_uint64_scale ((guint64) ((gdouble) since / self->rate),
      self->fps_n, GST_SECOND * self->fps_d);

  /* Times are rounded. */
  while (time_at (self, i + 1) <= time)
    i++;
  while (i > 0 && time_at (self, i) > time)
    i--;
  return i;
}

void
frame_clock_set_framerate (FrameClock * self, gint fps_n, gint fps_d)
{
  if (fps_n == self->fps_n && fps_d == self->fps_d)
    return;
  if (self->fps_n && self->begun) {
    self->start = time_at (self, self->next);
    self->next = 0;
  }
  self->fps_n = fps_n;
  self->fps_d = fps_d;
}

void
frame_clock_advance (FrameClock * self, GstClockTime time)
{
  if (!self->begun)
    self->next = frame_at (self, time);
  self->begun = TRUE;
  self->until = MAX (self->until, time);
}

void
frame_clock_add_vector (FrameClock * self)
{
  self->unseen = TRUE;
}

static gboolean
take (FrameClock * self, gboolean due, VectorTime * time)
{
  if (!due || time->pts >= self->stop)
    return FALSE;
  self->next++;
  self->unseen = FALSE;
  return TRUE;
}

static VectorTime
get_next (const FrameClock * self)
{
  const GstClockTime begin = time_at (self, self->next);

  return (VectorTime) {
  begin, time_at (self, self->next + 1) - begin};
}

gboolean
frame_clock_take (FrameClock * self, VectorTime * time)
{
  if (!self->begun)
    return FALSE;
  *time = get_next (self);
  return take (self, time->pts + time->duration <= self->until, time);
}

gboolean
frame_clock_take_rest (FrameClock * self, VectorTime * time)
{
  if (!self->begun)
    return FALSE;
  *time = get_next (self);
  return take (self, time->pts < self->until || (self->unseen
          && time->pts <= self->until), time);
}

GstClockTime
frame_clock_get_spacing (const FrameClock * self)
{
  return self->fps_n ? gst_util_uint64_scale_ceil (GST_SECOND, self->fps_d,
      self->fps_n) : 0;
}
