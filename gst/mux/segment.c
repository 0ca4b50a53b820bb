/* gst-continual: the segment that continualmux sends, and times in it
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Vectors match by running time. Downstream, times are written in one segment from the start, or from a flush, on: that of
 * the first slot in use if all slots begin at running time 0, so that times of files stay as they are, after a seek, too.
 * It has no stop: what comes was not left out by the segment of its pad, and times go on if pads get other segments. */
#include "mux/private.h"

#include "tensor/vectorclock.h"

/* The segment of the first slot; NULL: there is none, or the slots do not all begin at running time @base and at one rate. */
static const GstSegment *
find_common (GstContinualMux * self, guint64 base)
{
  const GstSegment *first = NULL;

  for (guint s = 0; s < self->max_streams; s++) {
    const GstSegment *segment;

    if (!self->pads[s] || self->fronts[s].type == MUX_FRONT_END
        || self->pads[s]->parent.segment.format != GST_FORMAT_TIME)
      continue;
    segment = &self->pads[s]->parent.segment;
    if (!first)
      first = segment;
    if (segment->base != base || segment->offset != 0
        || segment->rate != first->rate)
      return NULL;
  }
  return first;
}

/* From the start of @segment on, without its stop. */
static void
adopt (GstContinualMux * self, const GstSegment * segment)
{
  self->segment = *segment;
  self->segment.stop = GST_CLOCK_TIME_NONE;
  self->segment.position = self->segment.start;
  self->segment_due = TRUE;
}

/* A seek without a flush leads every slot to the same segment, from the running time of the seek on. Until the last slot is there,
 * and where they differ, times go on in the segment that there is. */
static void
follow_seek (GstContinualMux * self)
{
  const GstSegment *first = NULL, *common;

  for (guint s = 0; s < self->max_streams && !first; s++)
    if (self->pads[s] && self->fronts[s].type != MUX_FRONT_END)
      first = &self->pads[s]->parent.segment;
  common = first ? find_common (self, first->base) : NULL;
  for (guint s = 0; common && s < self->max_streams; s++)
    if (self->pads[s] && self->fronts[s].type != MUX_FRONT_END
        && !vector_segment_is_continued (&self->pads[s]->parent.segment,
            common))
      common = NULL;
  if (!common)
    return;
  self->sought = FALSE;
  if (!vector_segment_is_continued (common, &self->segment))
    adopt (self, common);
}

static void
choose (GstContinualMux * self)
{
  const GstSegment *common = find_common (self, 0);
  GstSegment zero;

  gst_segment_init (&zero, GST_FORMAT_TIME);
  adopt (self, common ? common : &zero);
  self->sought = FALSE;
}

void
mux_segment_update (GstContinualMux * self)
{
  GstAggregator *aggregator = GST_AGGREGATOR (self);
  gboolean changed;

  if (self->segment.format != GST_FORMAT_TIME)
    choose (self);
  else if (self->sought)
    follow_seek (self);
  GST_OBJECT_LOCK (self);
  /* A seek changes the segment of the base class, which only sends it after a flush. */
  changed =
      !vector_segment_is_continued (&GST_AGGREGATOR_PAD (aggregator->srcpad)->
      segment, &self->segment);
  GST_OBJECT_UNLOCK (self);
  if (self->segment_due || changed)
    gst_aggregator_update_segment (aggregator, &self->segment);
}

void
mux_segment_push (GstContinualMux * self)
{
  GstAggregator *aggregator = GST_AGGREGATOR (self);
  GstEvent *event;

  if (!self->segment_due)
    return;
  event = gst_event_new_segment (&self->segment);
  if (self->segment_seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (event, self->segment_seqnum);
  gst_pad_push_event (aggregator->srcpad, event);
  self->segment_due = FALSE;
}

void
mux_segment_reset (GstContinualMux * self)
{
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->segment_due = TRUE;
  self->sought = FALSE;
}

VectorTime
mux_segment_get_time (GstContinualMux * self, guint slot)
{
  const MuxFront *front = &self->fronts[slot];
  VectorTime res = front->time;

  if (vector_segment_is_continued (&self->pads[slot]->parent.segment,
          &self->segment)
      || !GST_CLOCK_TIME_IS_VALID (front->begin))
    return res;
  res.pts = gst_segment_position_from_running_time (&self->segment,
      GST_FORMAT_TIME, front->begin);
  if (GST_CLOCK_TIME_IS_VALID (front->duration))
    res.duration = front->duration * ABS (self->segment.rate);
  return res;
}
