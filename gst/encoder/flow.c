/* gst-continual: input of a continualfilter: buffers, events and steps
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder/filter.h"

#include "host/output.h"
#include "tensor/events.h"
#include "tensor/vectorcaps.h"

static GstBaseTransformClass *parent_class;

static gsize
vector_size (const GstContinualFilter * self)
{
  return self->input.dims[0] * sizeof (gfloat);
}

static void
drop_buffer (GstContinualFilter * self)
{
  if (!self->buffer)
    return;
  gst_buffer_unmap (self->buffer, &self->map);
  g_clear_pointer (&self->buffer, gst_buffer_unref);
}

void
filter_discard (GstContinualFilter * self)
{
  drop_buffer (self);
  model_host_discard_events (&self->host);
  gst_adapter_clear (self->bytes.adapter);
  filter_media_discard (&self->media);
}

/* Before a buffer or caps: the model that was set while the element runs takes over, if it fits. */
static void
adopt_next_model (GstContinualFilter * self)
{
  const CoModelInfo *next = model_host_take_next (&self->host);
  g_autofree gchar *why = NULL;
  GstCaps *caps;

  if (!next)
    return;
  why = GST_CONTINUAL_FILTER_GET_CLASS (self)->check_next (self, next);
  if (why) {
    model_host_refuse_next (&self->host, why);
    return;
  }
  filter_drain (self);
  if (!model_host_adopt_next (&self->host))
    return;
  filter_push_media (self);
  caps = gst_pad_get_current_caps (GST_BASE_TRANSFORM_SINK_PAD (self));
  if (caps && media_caps_check (caps))
    filter_choose_media_tensor (self, model_host_get_info (&self->host), caps);
  gst_clear_caps (&caps);
  gst_pad_mark_reconfigure (GST_BASE_TRANSFORM_SRC_PAD (self));
}

static void
post_stats (GstContinualFilter * self)
{
  GstStructure *stats = model_host_take_due_stats (&self->host);

  if (!stats)
    return;
  GST_CONTINUAL_FILTER_GET_CLASS (self)->add_stats (self, stats);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), stats));
}

/* Takes @buffer, which holds whole vectors: it is processed next. */
static GstFlowReturn
begin_buffer (GstContinualFilter * self, GstBuffer * buffer,
    const VectorTime * time)
{
  drop_buffer (self);
  if (!gst_buffer_map (buffer, &self->map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("Expected a buffer in readable memory, found one that can't be "
            "mapped."), ("%" GST_PTR_FORMAT, buffer));
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  self->buffer = buffer;
  self->n_steps = self->map.size / vector_size (self) / self->input.dims[2];
  self->next_step = 0;
  self->time = *time;
  return GST_FLOW_OK;
}

static gboolean
check_size (GstContinualFilter * self, gsize size)
{
  g_autofree gchar *why = NULL;

  if (vector_caps_check_size (&self->input, size, &why))
    return TRUE;
  vector_caps_post_error (GST_ELEMENT (self), why, NULL);
  return FALSE;
}

/* For the statistics: the newest time, and vectors that are missing before this buffer of @n. */
static void
observe (GstContinualFilter * self, const VectorTime * time, gsize n)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  const GstClockTime end = time->pts + time->duration;
  GstClockTime each, late = 0;

  if (!GST_CLOCK_TIME_IS_VALID (time->pts)
      || !GST_CLOCK_TIME_IS_VALID (time->duration)) {
    self->expected = GST_CLOCK_TIME_NONE;
    return;
  }
  each = time->duration / n;
  if (GST_CLOCK_TIME_IS_VALID (self->expected) && time->pts > self->expected)
    late = time->pts - self->expected;
  self->expected = end;
  GST_OBJECT_LOCK (self);
  if (each)
    self->missed += (late + each / 2) / each;
  self->newest = gst_segment_to_running_time (segment, GST_FORMAT_TIME, end);
  GST_OBJECT_UNLOCK (self);
}

static GstFlowReturn
take_buffer (GstContinualFilter * self, GstBuffer * buffer)
{
  const TensorInfo *in = &self->input;
  VectorTime time = { GST_BUFFER_PTS (buffer), GST_BUFFER_DURATION (buffer) };
  gsize n = gst_buffer_get_size (buffer) / vector_size (self) / in->dims[2];

  if (!check_size (self, gst_buffer_get_size (buffer))) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  if (in->fps_n == 0 && GST_CLOCK_TIME_IS_VALID (time.duration))
    filter_set_vector_duration (self, time.duration / n);
  if (!GST_CLOCK_TIME_IS_VALID (time.duration) && in->fps_n)
    time.duration = gst_util_uint64_scale (n, GST_SECOND * in->fps_d,
        (guint64) in->fps_n * in->dims[1]);
  observe (self, &time, n);
  return begin_buffer (self, buffer, &time);
}

/* The vector of a buffer of media is one of its tensors. */
static GstFlowReturn
take_media (GstContinualFilter * self, GstBuffer * buffer)
{
  VectorTime time = { GST_BUFFER_PTS (buffer), GST_BUFFER_DURATION (buffer) };
  GstBuffer *vector = NULL;
  const CoModelInfo *info = model_host_get_info (&self->host);
  GstFlowReturn ret = filter_media_take (&self->media, GST_ELEMENT (self),
      info, buffer, &vector);

  if (!vector)
    return ret;
  self->input.dims[0] = (guint) info->n_inputs;
  if (!GST_CLOCK_TIME_IS_VALID (time.duration))
    time.duration = vector_caps_get_duration (&self->input);
  else if (self->input.fps_n == 0)
    filter_set_vector_duration (self, time.duration);
  observe (self, &time, 1);
  return begin_buffer (self, vector, &time);
}

static GstFlowReturn
submit_input_buffer (GstBaseTransform * trans, gboolean is_discont,
    GstBuffer * input)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);
  GstFlowReturn ret;
  GstBuffer *buffer;

  if (!vector_caps_require (GST_ELEMENT (self), trans->sinkpad)) {
    gst_buffer_unref (input);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT, input);
  adopt_next_model (self);
  ret = parent_class->submit_input_buffer (trans, is_discont, input);
  if (ret != GST_FLOW_OK)
    return ret;
  buffer = trans->queued_buf;
  trans->queued_buf = NULL;
  if (!buffer)
    return GST_FLOW_OK;

  filter_push_labels (self);
  /* Not is_discont: that stays set until a buffer leaves. */
  if (self->host.reset_on_discont && GST_BUFFER_IS_DISCONT (buffer)) {
    ret = filter_drain (self);
    model_host_reset (&self->host, -1);
  }
  if (ret != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return ret;
  }
  if (self->media.active)
    return take_media (self, buffer);
  if (!self->in_bytes)
    return take_buffer (self, buffer);
  byte_segment_push (&self->bytes, buffer);
  return GST_FLOW_OK;
}

/* Processes more steps of the current buffer, or of the next one. FALSE: there is none, or *ret says why. */
static gboolean
do_steps (GstContinualFilter * self, GstFlowReturn * ret)
{
  GstContinualFilterClass *klass = GST_CONTINUAL_FILTER_GET_CLASS (self);
  ModelInput input = { {0} };
  gsize n;

  if (!self->buffer && self->in_bytes) {
    VectorTime time;
    /* With several streams, a unit is a block of all of them. */
    GstBuffer *buffer = byte_segment_take (&self->bytes,
        self->input.dims[2] == 1 ?
        model_host_get_max_steps (&self->host) : 1, &time);

    if (buffer)
      *ret = begin_buffer (self, buffer, &time);
  }
  if (!self->buffer)
    return FALSE;

  n = MIN (self->n_steps - self->next_step,
      model_host_get_max_steps (&self->host));
  if (klass->prepare)
    *ret = klass->prepare (self, &n);
  if (*ret != GST_FLOW_OK)
    return FALSE;
  input.x = (VectorRows) {
  self->map.data, self->n_steps, self->next_step};
  *ret = model_host_forward (&self->host, &input, n, &self->time);
  if (*ret != GST_FLOW_OK)
    return FALSE;
  post_stats (self);
  self->next_step += n;
  if (self->next_step == self->n_steps)
    drop_buffer (self);
  return TRUE;
}

/* Called until *out is NULL. */
static GstFlowReturn
generate_output (GstBaseTransform * trans, GstBuffer ** out)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);
  GstFlowReturn ret;

  do {
    ret = filter_next_output (self, out);
  } while (ret == GST_FLOW_OK && !*out && do_steps (self, &ret));
  return ret;
}

/* Never called, since generate_output() makes every buffer. Without it, the base class would not negotiate memory. */
static GstFlowReturn
transform (GstBaseTransform * trans, GstBuffer * in, GstBuffer * out)
{
  return GST_FLOW_NOT_SUPPORTED;
}

/* Bytes at the end of a file that are no whole unit. With several streams they may be a shorter block. */
static void
finish_bytes (GstContinualFilter * self)
{
  const guint T = self->input.dims[1];
  VectorTime time;
  GstBuffer *buffer = byte_segment_take_rest (&self->bytes, &time), *out;
  GstFlowReturn ret;

  if (!buffer)
    return;
  if (!check_size (self, gst_buffer_get_size (buffer))) {
    gst_buffer_unref (buffer);
    return;
  }
  ret = begin_buffer (self, buffer, &time);
  if (ret == GST_FLOW_OK && GST_CLOCK_TIME_IS_VALID (time.duration))
    self->time.duration =
        gst_util_uint64_scale (time.duration, self->n_steps, T);
  while (ret == GST_FLOW_OK) {
    ret = generate_output (GST_BASE_TRANSFORM (self), &out);
    if (!out)
      break;
    ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), out);
  }
}

static void
end_of_stream (GstContinualFilter * self)
{
  if (self->in_bytes && self->input.dims[0])
    finish_bytes (self);
  filter_drain (self);
}

static void
stream_start (GstContinualFilter * self, GstEvent * event)
{
  guint32 seqnum = gst_event_get_seqnum (event);

  /* Not for the first stream, whose state is fresh or restored; a new link repeats the event of the same stream. */
  if (self->stream_start != GST_SEQNUM_INVALID && self->stream_start != seqnum) {
    end_of_stream (self);
    model_host_reset (&self->host, -1);
  }
  self->stream_start = seqnum;
  model_host_set_labels_due (&self->host);
}

/* TRUE: what comes in the segment of @event follows what came. Bytes never do: they are cut anew. */
static gboolean
is_continued (const GstContinualFilter * self, GstEvent * event)
{
  const GstSegment *next;

  gst_event_parse_segment (event, &next);
  return next->format == GST_FORMAT_TIME && (next->start == self->expected
      || !segment_event_jumps (event, &self->segment));
}

/* The event to forward; NULL: an error was posted. */
static GstEvent *
begin_segment (GstContinualFilter * self, GstEvent * event)
{
  const GstSegment *segment;
  GstSegment time;

  gst_event_parse_segment (event, &segment);
  if (segment->rate < 0) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected a segment that plays forwards, found one of rate %g: "
            "attention over past vectors can't run backwards; seek with a "
            "positive rate.", segment->rate), ("%" GST_SEGMENT_FORMAT,
            segment));
    gst_event_unref (event);
    return NULL;
  }
  /* Another position in the file is another stream. Not for the first segment: the state may be restored. */
  if (self->begun && (self->done || !is_continued (self, event))) {
    if (!self->done)
      end_of_stream (self);
    model_host_reset (&self->host, -1);
  }
  self->begun = TRUE;
  self->done = FALSE;
  self->segment = *segment;
  self->in_bytes = segment->format != GST_FORMAT_TIME;
  self->expected = GST_CLOCK_TIME_NONE;
  filter_update_byte_scale (self);
  if (!self->in_bytes)
    return event;

  byte_segment_begin (&self->bytes, segment, &time);
  return segment_event_replace (event, &time);
}

/* Does nothing if @event is not a continual-reset event. */
static void
reset (GstContinualFilter * self, GstEvent * event)
{
  gboolean drain;
  gint stream;

  if (!model_host_read_reset (&self->host, event, &stream, &drain))
    return;
  if (drain)
    filter_drain (self);
  model_host_reset (&self->host, stream);
}

static gboolean
sink_event (GstBaseTransform * trans, GstEvent * event)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);
  GstCaps *caps;

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      stream_start (self, event);
      break;
    case GST_EVENT_CAPS:
      adopt_next_model (self);
      gst_event_parse_caps (event, &caps);
      if (!filter_check_caps (self, caps)) {
        gst_event_unref (event);
        return FALSE;
      }
      filter_push_media (self);
      break;
    case GST_EVENT_SEGMENT:
      event = begin_segment (self, event);
      if (!event)
        return FALSE;
      break;
    case GST_EVENT_GAP:
      filter_push_labels (self);
      break;
    case GST_EVENT_FLUSH_STOP:
      filter_discard (self);
      model_host_reset (&self->host, -1);
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
      break;
    case GST_EVENT_SEGMENT_DONE:
      end_of_stream (self);
      self->done = TRUE;
      event = byte_scale_convert_done (&self->bytes.scale, event);
      break;
    case GST_EVENT_EOS:
      end_of_stream (self);
      if (self->input.dims[0])
        model_host_report_end (&self->host);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      reset (self, event);
      break;
    default:
      break;
  }
  return parent_class->sink_event (trans, event);
}

void
filter_flow_class_init (GstContinualFilterClass * klass)
{
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  parent_class = g_type_class_peek_parent (klass);
  trans_class->submit_input_buffer = submit_input_buffer;
  trans_class->generate_output = generate_output;
  trans_class->transform = transform;
  trans_class->sink_event = sink_event;
}
