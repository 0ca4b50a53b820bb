/* gst-continual: how long a label is shown
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/cue.h"

void
label_cue_clear (LabelCue * self)
{
  self->label = LABEL_CUE_NONE;
  self->renewed = FALSE;
  self->begin = self->end = 0;
  self->time = self->newest = GST_CLOCK_TIME_NONE;
}

void
label_cue_renew (LabelCue * self)
{
  self->renewed = TRUE;
}

/* GST_CLOCK_TIME_NONE is no sum. */
static GstClockTime
add (GstClockTime time, GstClockTime duration)
{
  if (!GST_CLOCK_TIME_IS_VALID (duration))
    return time;
  return duration < GST_CLOCK_TIME_NONE - time ? time + duration :
      GST_CLOCK_TIME_NONE - 1;
}

static gboolean
end_at (LabelCue * self, GstClockTime end, LabelSpan * span)
{
  if (self->label == LABEL_CUE_NONE)
    return FALSE;
  self->label = LABEL_CUE_NONE;
  span->begin = self->begin;
  span->end = end;
  return TRUE;
}

gboolean
label_cue_take (LabelCue * self, gint label, GstClockTime time,
    GstClockTime duration, GstClockTime hold, gboolean * began,
    LabelSpan * span)
{
  const GstClockTime newest = add (time, duration);
  const gboolean repeats = label == self->label && !self->renewed
      && time <= self->end;
  gboolean over = FALSE;

  self->time = time;
  self->newest = newest;
  *began = label != LABEL_CUE_NONE && !repeats;
  if (label == LABEL_CUE_NONE) {
    if (newest >= self->end)
      over = end_at (self, self->end, span);
  } else if (repeats) {
    self->end = MAX (self->end, newest);
  } else {
    over = end_at (self, MIN (self->end, time), span);
    self->label = label;
    self->renewed = FALSE;
    self->begin = time;
    self->end = MAX (add (time, hold), newest);
  }
  return over;
}

gboolean
label_cue_close (LabelCue * self, GstClockTime limit, LabelSpan * span)
{
  const GstClockTime least = MAX (self->newest, self->begin + 1);

  /* NONE is the largest number. */
  return end_at (self, MIN (self->end, MAX (limit, least)), span);
}
