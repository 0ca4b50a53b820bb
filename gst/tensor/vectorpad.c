/* gst-continual: an input of an aggregator, as vectors in running time
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/vectorpad.h"

#include "tensor/events.h"

#include "tensor/vectorcaps.h"

/* Most vectors of a file in one buffer */
#define MAX_STEPS 64

G_DEFINE_TYPE (GstContinualVectorPad, vector_pad, GST_TYPE_AGGREGATOR_PAD);

static gsize
get_stride (const VectorPad * self)
{
  return self->input.dims[0] * self->input.dims[2] * sizeof (gfloat);
}

static gboolean
is_gap (GstBuffer * buffer)
{
  return buffer && GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP)
      && gst_buffer_get_size (buffer) == 0;
}

static void
drop_buffer (VectorPad * self)
{
  if (!self->buffer)
    return;
  gst_buffer_unmap (self->buffer, &self->map);
  g_clear_pointer (&self->buffer, gst_buffer_unref);
}

/* Makes room in the queue of the pad. */
static void
drop_queued (VectorPad * self)
{
  if (!self->queued)
    return;
  g_clear_pointer (&self->queued, gst_buffer_unref);
  gst_aggregator_pad_drop_buffer (GST_AGGREGATOR_PAD (self));
}

void
vector_pad_discard (VectorPad * self)
{
  drop_buffer (self);
  g_clear_pointer (&self->queued, gst_buffer_unref);
  gst_adapter_clear (self->bytes.adapter);
  self->last = self->expected = GST_CLOCK_STIME_NONE;
  self->spacing = 0;
}

void
vector_pad_start (VectorPad * self)
{
  vector_pad_discard (self);
  self->input.dims[0] = 0;
  self->begun = self->in_bytes = self->over = FALSE;
  self->bytes.scale.size = 0;
  self->stream_start = GST_SEQNUM_INVALID;
  self->n_done = self->n_finished = 0;
  self->gap_due = self->gap_again = FALSE;
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  g_atomic_int_set (&self->flushed, FALSE);
  g_atomic_int_set (&self->ended, FALSE);
}

void
vector_pad_end (VectorPad * self)
{
  g_atomic_int_set (&self->ended, TRUE);
  vector_pad_discard (self);
  /* A thread that waits for room in the queue continues, and gets EOS the next time. */
  gst_aggregator_pad_drop_buffer (GST_AGGREGATOR_PAD (self));
}

static GstPadProbeReturn
refuse_after_end (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  if (!g_atomic_int_get (&VECTOR_PAD (pad)->ended))
    return GST_PAD_PROBE_OK;
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_DATA (info) = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_EOS;
  return GST_PAD_PROBE_HANDLED;
}

/* Caps or segment say something new about bytes. */
static void
update_byte_scale (VectorPad * self)
{
  byte_scale_publish (&self->byte_scale, self, &self->bytes.scale,
      self->in_bytes);
}

/* A seek in time that comes to the other end of the link: the stream counts bytes. GstAggregator sends it there, past
 * this pad. */
static GstPadProbeReturn
convert_seek (GstPad * peer, GstPadProbeInfo * info, gpointer self)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info), *seek;
  ByteScale scale;

  if (GST_EVENT_TYPE (event) != GST_EVENT_SEEK)
    return GST_PAD_PROBE_OK;
  scale = byte_scale_read (&((VectorPad *) self)->byte_scale, self);
  seek = byte_scale_convert_seek (&scale, event);
  if (seek) {
    gst_event_unref (event);
    GST_PAD_PROBE_INFO_DATA (info) = seek;
  }
  return GST_PAD_PROBE_OK;
}

static void
linked (GstPad * pad, GstPad * peer, gpointer data)
{
  VectorPad *self = VECTOR_PAD (pad);

  self->probe = gst_pad_add_probe (peer, GST_PAD_PROBE_TYPE_EVENT_UPSTREAM,
      convert_seek, gst_object_ref (self), gst_object_unref);
}

static void
unlinked (GstPad * pad, GstPad * peer, gpointer data)
{
  gst_pad_remove_probe (peer, VECTOR_PAD (pad)->probe);
}

gboolean
vector_pad_answer (VectorPad * self, GstQuery * query)
{
  ByteScale scale = byte_scale_read (&self->byte_scale, self);

  return byte_scale_answer (&scale, query, GST_PAD (self));
}

void
vector_pad_set_caps (VectorPad * self, const TensorInfo * tensor)
{
  ByteScale scale = byte_scale_new (tensor);

  self->input = *tensor;
  byte_segment_set_scale (&self->bytes, &scale);
  update_byte_scale (self);
  self->spacing = 0;
}

gboolean
vector_pad_jumps (const VectorPad * self, GstEvent * event)
{
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  return self->begun && (segment->format != GST_FORMAT_TIME
      || self->over || segment_event_jumps (event, &self->upstream));
}

void
vector_pad_set_segment (VectorPad * self, GstEvent * event)
{
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  self->upstream = *segment;
  self->over = FALSE;
  self->begun = TRUE;
  self->in_bytes = segment->format != GST_FORMAT_TIME;
  self->last = self->expected = GST_CLOCK_STIME_NONE;
  if (self->in_bytes)
    byte_segment_begin (&self->bytes, segment, &self->segment);
  else
    self->segment = *segment;
  update_byte_scale (self);
}

/* Takes @buffer of whole vectors: it is processed next. */
static gboolean
begin (VectorPad * self, GstBuffer * buffer, const VectorTime * time,
    gchar ** why)
{
  const GstClockTime each = vector_caps_get_duration (&self->input);

  if (!gst_buffer_map (buffer, &self->map, GST_MAP_READ)) {
    *why = g_strdup ("expected a buffer in readable memory, found one that "
        "can't be mapped");
    gst_buffer_unref (buffer);
    return FALSE;
  }
  self->buffer = buffer;
  self->n_steps = self->map.size / get_stride (self);
  self->next_step = 0;
  self->time = *time;
  if (!GST_CLOCK_TIME_IS_VALID (time->duration)
      && GST_CLOCK_TIME_IS_VALID (each))
    self->time.duration = gst_util_uint64_scale (self->n_steps,
        GST_SECOND * self->input.fps_d,
        (guint64) self->input.fps_n * self->input.dims[1]);
  return TRUE;
}

/* The same of a buffer that may have any size */
static gboolean
check_and_begin (VectorPad * self, GstBuffer * buffer, const VectorTime * time,
    gchar ** why)
{
  if (vector_caps_check_size (&self->input, gst_buffer_get_size (buffer), why))
    return begin (self, buffer, time, why);
  gst_buffer_unref (buffer);
  return FALSE;
}

/* Bytes at the end of a file that are no whole unit */
static gboolean
load_rest (VectorPad * self, gchar ** why)
{
  VectorTime time;
  GstBuffer *buffer = byte_segment_take_rest (&self->bytes, &time);

  time.duration = GST_CLOCK_TIME_NONE;
  return !buffer || check_and_begin (self, buffer, &time, why);
}

/* No buffer is being processed: takes the next units of a file, or the first buffer of the queue. */
static gboolean
load_next (VectorPad * self, gchar ** why)
{
  GstAggregatorPad *pad = GST_AGGREGATOR_PAD (self);
  GstBuffer *buffer = NULL;
  VectorTime time;

  if (self->in_bytes && self->bytes.scale.size)
    buffer = byte_segment_take (&self->bytes,
        self->input.dims[2] == 1 ? MAX_STEPS : 1, &time);
  if (buffer)
    return begin (self, buffer, &time, why);

  drop_queued (self);
  self->queued = gst_aggregator_pad_peek_buffer (pad);
  if (!self->queued)
    return !self->in_bytes || !gst_aggregator_pad_is_eos (pad)
        || load_rest (self, why);
  if (is_gap (self->queued))
    return !self->in_bytes || !vector_pad_is_done (self) || load_rest (self, why);
  if (!self->input.dims[0]) {
    *why = g_strdup ("expected caps before the first buffer, found none: put a "
        "capsfilter with the dimensions before this element");
    return FALSE;
  }
  if (self->in_bytes) {
    byte_segment_push (&self->bytes, gst_buffer_ref (self->queued));
    return TRUE;
  }
  time.pts = GST_BUFFER_PTS (self->queued);
  time.duration = GST_BUFFER_DURATION (self->queued);
  return check_and_begin (self, gst_buffer_ref (self->queued), &time, why);
}

/* Discards the buffer if a flush emptied the queue, which can happen at any time. */
static void
drop_flushed (VectorPad * self)
{
  GstBuffer *first;

  if (!self->queued)
    return;
  first = gst_aggregator_pad_peek_buffer (GST_AGGREGATOR_PAD (self));
  if (first != self->queued)
    vector_pad_discard (self);
  gst_clear_buffer (&first);
}

gboolean
vector_pad_check_flushed (VectorPad * self)
{
  if (!g_atomic_int_compare_and_exchange (&self->flushed, TRUE, FALSE))
    return FALSE;
  vector_pad_discard (self);
  self->n_done = self->n_finished = 0;
  self->gap_due = self->gap_again = FALSE;
  return TRUE;
}

GstFlowReturn
vector_pad_pre_queue (GstAggregatorClass * parent, VectorPad * self,
    GstEvent * event)
{
  GstAggregatorPad *pad = GST_AGGREGATOR_PAD (self);
  GstObject *agg = gst_object_get_parent (GST_OBJECT (self));
  const gboolean done = GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT_DONE;
  GstFlowReturn ret;

  if (!agg) {
    gst_event_unref (event);
    return GST_FLOW_FLUSHING;
  }
  ret = parent->sink_event_pre_queue (GST_AGGREGATOR (agg), pad, event);
  if (ret == GST_FLOW_OK && done)
    ret = parent->sink_event_pre_queue (GST_AGGREGATOR (agg), pad,
        gst_event_new_gap (0, GST_CLOCK_TIME_NONE));
  gst_object_unref (agg);
  return ret;
}

void
vector_pad_set_done (VectorPad * self)
{
  self->n_done++;
  self->gap_due = self->over = TRUE;
}

GstEvent *
vector_pad_take_gap (VectorPad * self, GstEvent * event)
{
  const gboolean due = self->gap_due, again = self->gap_again;

  self->gap_due = self->gap_again = FALSE;
  if (!due && !again)
    return event;
  gst_event_unref (event);
  self->gap_again = due && vector_pad_is_done (self);
  /* Outside the segment, the base class would drop it. */
  return self->gap_again ? gst_event_new_gap (self->segment.start,
      GST_CLOCK_TIME_NONE) : NULL;
}

GstEvent *
vector_pad_take_segment (VectorPad * self, GstEvent * event)
{
  return self->in_bytes ? segment_event_replace (event, &self->segment) : event;
}

gboolean
vector_pad_is_done (const VectorPad * self)
{
  return self->n_done > self->n_finished;
}

void
vector_pad_finish_segment (VectorPad * self)
{
  const gboolean done = vector_pad_is_done (self);

  if (done || !gst_aggregator_pad_is_eos (GST_AGGREGATOR_PAD (self)))
    self->n_finished++;
  if (done && !self->buffer)
    drop_queued (self);
}

gboolean
vector_pad_load (VectorPad * self, gchar ** why)
{
  drop_flushed (self);
  while (!self->buffer && !is_gap (self->queued)) {
    if (!load_next (self, why))
      return FALSE;
    if (!self->buffer && !self->queued)
      break;
  }
  return TRUE;
}

static PadFront
get_timed (const VectorPad * self, PadFrontType type, VectorTime time)
{
  PadFront front = { type, vector_time_to_running (&self->segment, time.pts),
    GST_CLOCK_STIME_NONE, self->spacing
  };

  if (GST_CLOCK_STIME_IS_VALID (front.begin)
      && GST_CLOCK_TIME_IS_VALID (time.duration)) {
    front.end = vector_time_to_running (&self->segment, time.pts + time.duration);
    if (time.duration > 0)
      front.spacing = front.end - front.begin;
  }
  return front;
}

gboolean
vector_pad_get_ahead (VectorPad * self, gsize i, PadFront * front)
{
  if (!self->buffer || self->next_step + i >= self->n_steps)
    return FALSE;
  *front = get_timed (self, FRONT_VECTOR, vector_time_at (&self->time,
          self->next_step + i, self->n_steps));
  return TRUE;
}

VectorTime
vector_pad_get_time (VectorPad * self)
{
  if (self->buffer)
    return vector_time_at (&self->time, self->next_step, self->n_steps);
  return (VectorTime) {
  GST_BUFFER_PTS (self->queued), GST_BUFFER_DURATION (self->queued)};
}

PadFront
vector_pad_get_front (VectorPad * self)
{
  PadFront front = { FRONT_NONE, self->expected, GST_CLOCK_STIME_NONE,
    self->spacing
  };

  if (vector_pad_get_ahead (self, 0, &front))
    return front;
  if (self->queued && vector_pad_is_done (self)) {
    front.type = FRONT_END;
  } else if (self->queued) {
    front = get_timed (self, FRONT_GAP, vector_pad_get_time (self));
    if (!GST_CLOCK_STIME_IS_VALID (front.end))
      front.end = front.begin;
  } else if (gst_aggregator_pad_is_eos (GST_AGGREGATOR_PAD (self))) {
    front.type = FRONT_END;
  }
  return front;
}

GstClockTime
vector_pad_get_begin (VectorPad * self)
{
  GstClockTimeDiff begin = GST_CLOCK_STIME_NONE;
  GstBuffer *first =
      gst_aggregator_pad_peek_buffer (GST_AGGREGATOR_PAD (self));

  if (first && first == self->queued)
    begin = vector_pad_get_front (self).begin;
  else if (first && !self->in_bytes)
    begin = vector_time_to_running (&self->segment, GST_BUFFER_PTS (first));
  gst_clear_buffer (&first);
  return GST_CLOCK_STIME_IS_VALID (begin) ? (GstClockTime) MAX (begin, 0) :
      GST_CLOCK_TIME_NONE;
}

gboolean
vector_pad_is_outside (VectorPad * self)
{
  const GstSegment *segment = &self->segment;
  const GstClockTime pts = vector_pad_get_time (self).pts;

  return segment->format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID (pts)
      && (pts < segment->start
      || (GST_CLOCK_TIME_IS_VALID (segment->stop) && pts > segment->stop));
}

VectorRows
vector_pad_get_rows (VectorPad * self, VectorTime * time)
{
  *time = self->time;
  return (VectorRows) {
  self->map.data, self->n_steps, self->next_step};
}

gboolean
vector_pad_is_discont (VectorPad * self)
{
  return self->buffer && self->queued && self->next_step == 0
      && !self->in_bytes && GST_BUFFER_IS_DISCONT (self->queued);
}

/* Predicts the time of the next vector from @front. Without a duration, from the distance to the vector before. */
static void
learn (VectorPad * self, const PadFront * front)
{
  if (!GST_CLOCK_STIME_IS_VALID (front->begin))
    return;
  if (front->type == FRONT_GAP) {
    self->expected = front->end;
    return;
  }
  if (GST_CLOCK_STIME_IS_VALID (front->end))
    self->spacing = front->end - front->begin;
  else if (GST_CLOCK_STIME_IS_VALID (self->last) && front->begin > self->last)
    self->spacing = front->begin - self->last;
  self->last = front->begin;
  self->expected = front->begin + self->spacing;
}

void
vector_pad_skip (VectorPad * self, gsize n)
{
  PadFront front;

  if (!self->buffer) {
    front = vector_pad_get_front (self);
    learn (self, &front);
    drop_queued (self);
    return;
  }
  for (gsize i = 0; i < n; i++)
    if (vector_pad_get_ahead (self, i, &front))
      learn (self, &front);
  self->next_step += n;
  if (self->next_step < self->n_steps)
    return;
  drop_buffer (self);
  if (!self->in_bytes)
    drop_queued (self);
}

static void
vector_pad_finalize (GObject * object)
{
  VectorPad *self = VECTOR_PAD (object);

  vector_pad_discard (self);
  byte_segment_clear (&self->bytes);
  G_OBJECT_CLASS (vector_pad_parent_class)->finalize (object);
}

static GstFlowReturn
vector_pad_flush (GstAggregatorPad * pad, GstAggregator * aggregator)
{
  g_atomic_int_set (&VECTOR_PAD (pad)->flushed, TRUE);
  g_atomic_int_set (&VECTOR_PAD (pad)->ended, FALSE);
  return GST_FLOW_OK;
}

static void
vector_pad_class_init (GstContinualVectorPadClass * klass)
{
  GST_AGGREGATOR_PAD_CLASS (klass)->flush = vector_pad_flush;
  G_OBJECT_CLASS (klass)->finalize = vector_pad_finalize;
}

static void
vector_pad_init (VectorPad * self)
{
  byte_segment_init (&self->bytes);
  vector_pad_start (self);
  gst_pad_add_probe (GST_PAD (self), GST_PAD_PROBE_TYPE_BUFFER,
      refuse_after_end, NULL, NULL);
  g_signal_connect (self, "linked", G_CALLBACK (linked), NULL);
  g_signal_connect (self, "unlinked", G_CALLBACK (unlinked), NULL);
}
