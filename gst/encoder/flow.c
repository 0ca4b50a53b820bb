/* gst-continual: buffers and events through a continualfilter
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder/continualfilter.h"

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
filter_flow_clear (GstContinualFilter * self)
{
  drop_buffer (self);
  if (self->host.stream)
    model_stream_forget (self->host.stream);
  gst_adapter_clear (self->bytes.adapter);
  filter_media_clear (&self->media);
}

static void
send_labels (GstContinualFilter * self)
{
  GstEvent *labels = model_host_take_labels (&self->host);

  if (labels)
    gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self), labels);
}

static void
push_gap (GstContinualFilter * self, const VectorTime * time)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  /* Even a stream without times must preroll. */
  GstClockTime pts = GST_CLOCK_TIME_IS_VALID (time->pts) ? time->pts :
      trans->segment.start;

  if (GST_CLOCK_TIME_IS_VALID (pts))
    gst_pad_push_event (trans->srcpad, gst_event_new_gap (pts,
            time->duration));
}

/* What comes next of the steps that were done: a buffer, or NULL if that was all. */
static GstFlowReturn
next_output (GstContinualFilter * self, GstBuffer ** out)
{
  ModelEvent event;
  GstFlowReturn ret = GST_FLOW_OK;

  *out = NULL;
  while (ret == GST_FLOW_OK && !*out
      && model_stream_next (self->host.stream, &event))
    switch (event.type) {
      case MODEL_OUTPUT:
        if (self->media.active)
          filter_media_answer (self, &event);
        else
          ret = model_host_make_output (&self->host,
            gst_base_transform_get_buffer_pool (GST_BASE_TRANSFORM (self)),
            &event, out);
        break;
      case MODEL_GAP:
        if (!self->media.active)
          push_gap (self, &event.time);
        break;
      default:
        filter_media_refuse (&self->media);
        ret = model_host_refuse (&self->host, &event);
        break;
    }
  /* Not before the newest vector's step. */
  if (ret == GST_FLOW_OK && self->media.active && !self->buffer)
    *out = filter_media_pop (&self->media, model_host_get_delay (&self->host));
  return ret;
}

/* Buffers of media that wait for an answer which won't come. */
static GstFlowReturn
push_media (GstContinualFilter * self)
{
  GstFlowReturn ret = GST_FLOW_OK;
  GstBuffer *out;

  while (ret == GST_FLOW_OK && (out = filter_media_pop (&self->media, 0)))
    ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), out);
  return ret;
}

GstFlowReturn
filter_drain (GstContinualFilter * self)
{
  GstFlowReturn ret;
  GstBuffer *out;

  model_host_drain (&self->host);
  do {
    ret = next_output (self, &out);
    if (out)
      ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), out);
  } while (ret == GST_FLOW_OK && out);
  return ret == GST_FLOW_OK ? push_media (self) : ret;
}

void
filter_adopt_next_model (GstContinualFilter * self)
{
  if (!model_host_adopt_next (&self->host))
    return;
  push_media (self);
  gst_pad_mark_reconfigure (GST_BASE_TRANSFORM_SRC_PAD (self));
}

/* Takes @buffer of whole vectors, @n_steps for each stream. */
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

/* How far behind the clock we are, and what didn't come at all. */
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

/* The vector of a buffer of media is a tensor that it carries. */
static GstFlowReturn
take_media (GstContinualFilter * self, GstBuffer * buffer)
{
  VectorTime time = { GST_BUFFER_PTS (buffer), GST_BUFFER_DURATION (buffer) };
  GstBuffer *vector = NULL;
  GstFlowReturn ret = filter_media_take (self, buffer, &vector);

  if (!vector)
    return ret;
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

  if (!gst_pad_has_current_caps (trans->sinkpad)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected caps that say what the buffers hold, found none: put them "
            "before this element, for example " TENSOR_CAPS_NAME
            ",format=static,num_tensors=1,types=float32,"
            "dimensions=(string)64,framerate=100/1."), (NULL));
    gst_buffer_unref (input);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  filter_adopt_next_model (self);
  ret = parent_class->submit_input_buffer (trans, is_discont, input);
  if (ret != GST_FLOW_OK)
    return ret;
  buffer = trans->queued_buf;
  trans->queued_buf = NULL;
  if (!buffer)
    return GST_FLOW_OK;

  send_labels (self);
  /* Not is_discont: that stays set until something comes out. */
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

/* Goes on with the buffer in work, or the next one. FALSE: there is none. */
static gboolean
do_steps (GstContinualFilter * self, GstFlowReturn * ret)
{
  GstContinualFilterClass *klass = GST_CONTINUAL_FILTER_GET_CLASS (self);
  ModelInput input = { {0} };
  gsize n;

  if (!self->buffer && self->in_bytes) {
    VectorTime time;
    /* Several streams come in blocks of all of them. */
    GstBuffer *buffer = byte_segment_take (&self->bytes,
        self->input.dims[2] == 1 ?
        model_stream_get_max_steps (self->host.stream) : 1, &time);

    if (buffer)
      *ret = begin_buffer (self, buffer, &time);
  }
  if (!self->buffer)
    return FALSE;

  n = MIN (self->n_steps - self->next_step,
      model_stream_get_max_steps (self->host.stream));
  if (klass->prepare)
    *ret = klass->prepare (self, &n);
  if (*ret != GST_FLOW_OK)
    return FALSE;
  input.x = (ModelRows) {
  self->map.data, self->n_steps, self->next_step};
  model_host_forward (&self->host, &input, n, &self->time);
  self->next_step += n;
  if (self->next_step == self->n_steps)
    drop_buffer (self);
  return TRUE;
}

/* Called until it has nothing more to give. */
static GstFlowReturn
generate_output (GstBaseTransform * trans, GstBuffer ** out)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);
  GstFlowReturn ret;

  do {
    ret = next_output (self, out);
  } while (ret == GST_FLOW_OK && !*out && do_steps (self, &ret));
  return ret;
}

/* Never called: generate_output makes every buffer. Without it, the base class would negotiate no memory. */
static GstFlowReturn
transform (GstBaseTransform * trans, GstBuffer * in, GstBuffer * out)
{
  return GST_FLOW_NOT_SUPPORTED;
}

/* Bytes at the end of a file that make no whole unit: of several streams they may be a shorter one. */
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
  if (!self->input.dims[0])
    return;
  if (self->in_bytes)
    finish_bytes (self);
  filter_drain (self);
}

static void
stream_start (GstContinualFilter * self, GstEvent * event)
{
  guint32 seqnum = gst_event_get_seqnum (event);

  /* The first one finds a fresh or a restored state; one that a new link repeats is no new stream. */
  if (self->stream_start != GST_SEQNUM_INVALID && self->stream_start != seqnum) {
    end_of_stream (self);
    model_host_reset (&self->host, -1);
  }
  self->stream_start = seqnum;
  self->host.labels_due = TRUE;
}

/* What is forwarded, or NULL: an error was posted. */
static GstEvent *
begin_segment (GstContinualFilter * self, GstEvent * event)
{
  const GstSegment *segment;
  GstSegment time;
  GstEvent *res;

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
  self->in_bytes = segment->format != GST_FORMAT_TIME;
  self->expected = GST_CLOCK_TIME_NONE;
  filter_update_byte_scale (self);
  if (!self->in_bytes)
    return event;

  /* Another place in the file is another stream; the first one may find a restored state. */
  if (self->begun)
    model_host_reset (&self->host, -1);
  self->begun = TRUE;
  byte_segment_begin (&self->bytes, segment, &time);
  res = gst_event_new_segment (&time);
  gst_event_set_seqnum (res, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return res;
}

static gboolean
sink_event (GstBaseTransform * trans, GstEvent * event)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      stream_start (self, event);
      break;
    case GST_EVENT_CAPS:
      filter_adopt_next_model (self);
      gst_event_parse_caps (event, &caps);
      if (!filter_check_caps (self, caps)) {
        gst_event_unref (event);
        return FALSE;
      }
      push_media (self);
      break;
    case GST_EVENT_SEGMENT:
      event = begin_segment (self, event);
      if (!event)
        return FALSE;
      break;
    case GST_EVENT_GAP:
      send_labels (self);
      break;
    case GST_EVENT_FLUSH_STOP:
      filter_flow_clear (self);
      model_host_reset (&self->host, -1);
      break;
    case GST_EVENT_EOS:
      end_of_stream (self);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      model_host_handle_reset (&self->host, event);
      break;
    default:
      break;
  }
  return parent_class->sink_event (trans, event);
}

void
filter_flow_class_init (GstBaseTransformClass * klass)
{
  parent_class = g_type_class_peek_parent (klass);
  klass->submit_input_buffer = submit_input_buffer;
  klass->generate_output = generate_output;
  klass->transform = transform;
  klass->sink_event = sink_event;
}
