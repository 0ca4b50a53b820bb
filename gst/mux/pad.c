/* gst-continual: sink pad of continualmux
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mux/pad.h"

#include <string.h>

G_DEFINE_TYPE (GstContinualMuxPad, gst_continual_mux_pad, VECTOR_TYPE_PAD);

void
mux_pad_start (MuxPad * self)
{
  vector_pad_start (&self->parent);
  self->known.dims[0] = 0;
  self->reset_due = self->sought = FALSE;
  self->late_until = GST_CLOCK_TIME_NONE;
  self->n_late = 0;
}

/* What lasts @duration in the segment, in running time */
static GstClockTime
to_running_duration (const GstSegment * segment, GstClockTime duration)
{
  return GST_CLOCK_TIME_IS_VALID (duration) ?
      (GstClockTime) (duration / ABS (segment->rate)) : GST_CLOCK_TIME_NONE;
}

static MuxFrontType
convert_type (VectorPad * pad, PadFrontType type)
{
  switch (type) {
    case FRONT_VECTOR:
      return vector_pad_is_outside (pad) ? MUX_FRONT_OUTSIDE : MUX_FRONT_VECTOR;
    case FRONT_GAP:
      return MUX_FRONT_GAP;
    case FRONT_END:
      return MUX_FRONT_END;
    default:
      return MUX_FRONT_NONE;
  }
}

MuxFront
mux_pad_peek (MuxPad * self, gchar ** why)
{
  VectorPad *pad = &self->parent;
  MuxFront res = { MUX_FRONT_INVALID, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE,
    {GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE}
  };
  PadFront front;

  if (!vector_pad_load (pad, why))
    return res;
  front = vector_pad_get_front (pad);
  res.type = convert_type (pad, front.type);
  if (front.type != FRONT_VECTOR && front.type != FRONT_GAP)
    return res;
  res.time = vector_pad_get_time (pad);
  res.duration = to_running_duration (&pad->segment, res.time.duration);
  if (GST_CLOCK_STIME_IS_VALID (front.begin))
    res.begin = MAX (front.begin, 0);
  return res;
}

void
mux_pad_read (MuxPad * self, gfloat * row)
{
  const gsize size = self->parent.input.dims[0] * sizeof (gfloat);
  VectorTime unused;
  VectorRows rows = vector_pad_get_rows (&self->parent, &unused);

  memcpy (row, (const guint8 *) rows.data + rows.from * size, size);
}

void
mux_pad_skip (MuxPad * self)
{
  vector_pad_skip (&self->parent, 1);
}

static void
gst_continual_mux_pad_class_init (GstContinualMuxPadClass * klass)
{
}

static void
gst_continual_mux_pad_init (GstContinualMuxPad * self)
{
  mux_pad_start (self);
}
