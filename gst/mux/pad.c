/* gst-continual: sink pad of continualmux
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mux/pad.h"

#include "tensor/vectorcaps.h"
#include "tensor/vectorclock.h"

G_DEFINE_TYPE (GstContinualMuxPad, gst_continual_mux_pad,
    GST_TYPE_AGGREGATOR_PAD);

static gsize
vector_size (const MuxPad * self)
{
  return self->input.dims[0] * sizeof (gfloat);
}

void
mux_pad_start (MuxPad * self)
{
  self->input.dims[0] = 0;
  self->stream_start = GST_SEQNUM_INVALID;
  gst_clear_buffer (&self->buffer);
  self->reset_due = FALSE;
  self->late_until = GST_CLOCK_TIME_NONE;
  self->n_late = 0;
}

static GstClockTime
to_running_time (MuxPad * self, GstClockTime pts)
{
  const GstSegment *segment = &GST_AGGREGATOR_PAD (self)->segment;

  return segment->format == GST_FORMAT_TIME ?
      gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts) :
      GST_CLOCK_TIME_NONE;
}

static MuxFront
peek_gap (MuxPad * self, GstBuffer * buffer)
{
  MuxFront front =
      { MUX_FRONT_GAP, to_running_time (self, GST_BUFFER_PTS (buffer)),
    GST_BUFFER_DURATION (buffer)
  };

  return front;
}

static MuxFront
peek_vector (MuxPad * self, GstBuffer * buffer)
{
  MuxFront front = { MUX_FRONT_INVALID, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE };
  VectorTime time = { GST_BUFFER_PTS (buffer), GST_BUFFER_DURATION (buffer) };
  gsize size = gst_buffer_get_size (buffer), n;
  g_autofree gchar *why = NULL;

  if (!self->input.dims[0]
      || !vector_caps_check_size (&self->input, size, &why))
    return front;
  n = size / vector_size (self);
  if (!GST_CLOCK_TIME_IS_VALID (time.duration)) {
    time.duration = vector_caps_get_duration (&self->input);
    if (GST_CLOCK_TIME_IS_VALID (time.duration))
      time.duration *= n;
  }
  time = vector_time_at (&time, self->next, n);
  front.type = MUX_FRONT_VECTOR;
  front.duration = time.duration;
  if (GST_CLOCK_TIME_IS_VALID (time.pts)) {
    front.begin = to_running_time (self, time.pts);
    if (!GST_CLOCK_TIME_IS_VALID (front.begin)
        && GST_AGGREGATOR_PAD (self)->segment.format == GST_FORMAT_TIME)
      front.type = MUX_FRONT_OUTSIDE;
  }
  return front;
}

MuxFront
mux_pad_peek (MuxPad * self)
{
  GstAggregatorPad *pad = GST_AGGREGATOR_PAD (self);
  GstBuffer *buffer = gst_aggregator_pad_peek_buffer (pad);
  MuxFront front = { MUX_FRONT_NONE, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE };

  if (!buffer) {
    if (gst_aggregator_pad_is_eos (pad))
      front.type = MUX_FRONT_END;
    return front;
  }
  /* Another buffer: the last one was taken or flushed. The reference prevents that its address is used again. */
  if (buffer != self->buffer) {
    gst_buffer_replace (&self->buffer, buffer);
    self->next = 0;
  }
  front = gst_buffer_get_size (buffer) == 0
      && GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP) ?
      peek_gap (self, buffer) : peek_vector (self, buffer);
  gst_buffer_unref (buffer);
  return front;
}

gboolean
mux_pad_read (MuxPad * self, gfloat * row)
{
  return gst_buffer_extract (self->buffer, self->next * vector_size (self),
      row, vector_size (self)) == vector_size (self);
}

gchar *
mux_pad_explain (MuxPad * self)
{
  gchar *why;

  if (!self->input.dims[0])
    return g_strdup ("expected caps before the first buffer, found none: put a "
        "capsfilter before");
  vector_caps_check_size (&self->input, gst_buffer_get_size (self->buffer),
      &why);
  return why;
}

void
mux_pad_skip (MuxPad * self)
{
  GstAggregatorPad *pad = GST_AGGREGATOR_PAD (self);
  GstBuffer *buffer;

  self->next++;
  if (gst_buffer_get_size (self->buffer) > self->next * vector_size (self))
    return;
  buffer = gst_aggregator_pad_peek_buffer (pad);
  /* Not a buffer that came after a flush. */
  if (buffer == self->buffer)
    gst_aggregator_pad_drop_buffer (pad);
  gst_clear_buffer (&buffer);
  gst_clear_buffer (&self->buffer);
}

static GstFlowReturn
flush (GstAggregatorPad * pad, GstAggregator * aggregator)
{
  g_atomic_int_set (&GST_CONTINUAL_MUX_PAD (pad)->flushed, TRUE);
  return GST_FLOW_OK;
}

static void
gst_continual_mux_pad_finalize (GObject * object)
{
  gst_clear_buffer (&GST_CONTINUAL_MUX_PAD (object)->buffer);
  G_OBJECT_CLASS (gst_continual_mux_pad_parent_class)->finalize (object);
}

static void
gst_continual_mux_pad_class_init (GstContinualMuxPadClass * klass)
{
  G_OBJECT_CLASS (klass)->finalize = gst_continual_mux_pad_finalize;
  GST_AGGREGATOR_PAD_CLASS (klass)->flush = flush;
}

static void
gst_continual_mux_pad_init (GstContinualMuxPad * self)
{
  mux_pad_start (self);
}
