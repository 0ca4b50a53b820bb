/* gst-continual: tensorscope: from buffers and events to frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/private.h"

#include "tensor/events.h"
#include "tensor/vectorcaps.h"

static GstBaseTransformClass *parent_class;

void
scope_flow_discard (GstTensorScope * self)
{
  gst_clear_buffer (&self->buffer);
  gst_adapter_clear (self->bytes.adapter);
}

void
scope_flow_clear (GstTensorScope * self)
{
  scope_flow_discard (self);
  if (self->history)
    scope_history_clear (self->history, -1);
  self->range.known = FALSE;
  self->dirty = TRUE;
}

void
scope_flow_update_byte_scale (GstTensorScope * self)
{
  ByteScale scale = {.rate_d = 1 };

  if (self->input.tensor.dims[0]) {
    scale = scope_input_get_scale (&self->input);
    byte_segment_set_scale (&self->bytes, &scale);
  }
  byte_scale_publish (&self->byte_scale, self, &scale, self->in_bytes);
}

/* Which labels the picture shows. FALSE: an error was posted. */
static gboolean
check_labels (GstTensorScope * self)
{
  const guint n = self->labels ? g_strv_length (self->labels) : 0;

  if (self->labels_checked || !self->style->labeled)
    return TRUE;
  if (n && n != self->input.dims[0]) {
    g_autofree gchar *dims = tensor_dims_to_string (self->input.tensor.dims);

    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected as many scores as there are labels in the model, %u, found %u "
            "(dimensions %s): show the scores of this model.", n,
            self->input.dims[0], dims), (NULL));
    return FALSE;
  }
  scope_picture_set_labels (self->picture,
      (const gchar * const *) self->labels);
  self->labels_checked = self->dirty = TRUE;
  return TRUE;
}

/* Duration of a buffer of @n vectors that does not say it */
static GstClockTime
get_duration (const GstTensorScope * self, gsize n)
{
  const TensorInfo *in = &self->input.tensor;

  return in->fps_n ? gst_util_uint64_scale (n, GST_SECOND * in->fps_d,
      (guint64) in->fps_n * (self->input.timed ? in->dims[1] : 1)) :
      GST_CLOCK_TIME_NONE;
}

/* Takes @buffer, of @time: it is shown next. */
static GstFlowReturn
begin_buffer (GstTensorScope * self, GstBuffer * buffer, VectorTime time)
{
  g_autofree gchar *why = NULL;

  gst_clear_buffer (&self->buffer);
  self->buffer = buffer;
  self->next = 0;
  self->reached = FALSE;
  if (!scope_input_check_size (&self->input, gst_buffer_get_size (buffer), &why)) {
    vector_caps_post_error (GST_ELEMENT (self), why, NULL);
    goto fail;
  }
  self->n = scope_input_count (&self->input, gst_buffer_get_size (buffer));
  if (!GST_CLOCK_TIME_IS_VALID (time.duration))
    time.duration = get_duration (self, self->n);
  if (!GST_CLOCK_TIME_IS_VALID (time.pts))
    time.pts = self->expected;
  if (!GST_CLOCK_TIME_IS_VALID (time.pts)
      && GST_CLOCK_TIME_IS_VALID (time.duration))
    time.pts = self->segment.start;
  if (!GST_CLOCK_TIME_IS_VALID (time.pts)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected buffers that say their time, or caps that say their rate, "
            "found neither: write for example framerate=100/1 into the caps "
            "before this element."), (NULL));
    goto fail;
  }
  self->time = time;
  self->expected = GST_CLOCK_TIME_IS_VALID (time.duration) ?
      time.pts + time.duration : GST_CLOCK_TIME_NONE;
  return GST_FLOW_OK;
fail:
  gst_clear_buffer (&self->buffer);
  return GST_FLOW_ERROR;
}

static gboolean
is_block (const GstTensorScope * self)
{
  return !self->input.timed || self->input.n_streams > 1 || !self->input.shorter;
}

static GstFlowReturn
submit_input_buffer (GstBaseTransform * trans, gboolean is_discont,
    GstBuffer * input)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (trans);
  GstBuffer *buffer;
  GstFlowReturn ret;

  if (!vector_caps_require (GST_ELEMENT (self), trans->sinkpad)) {
    gst_buffer_unref (input);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  ret = parent_class->submit_input_buffer (trans, is_discont, input);
  if (ret != GST_FLOW_OK)
    return ret;
  buffer = g_steal_pointer (&trans->queued_buf);
  if (!buffer)
    return GST_FLOW_OK;
  GST_LOG_OBJECT (self, "tensors: %" GST_PTR_FORMAT, buffer);
  if (!check_labels (self)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  if (self->in_bytes) {
    byte_segment_push (&self->bytes, buffer);
    return GST_FLOW_OK;
  }
  return begin_buffer (self, buffer, (VectorTime) {
      GST_BUFFER_PTS (buffer), GST_BUFFER_DURATION (buffer)});
}

/* The outputs of a model look like weights when nothing says that they are none. */
static void
check_weights (GstTensorScope * self, const gfloat * weights, gsize n)
{
  for (gsize i = 0; i < n && !self->warned; i++) {
    if (!(weights[i] < 0) && !(weights[i] > 1.001f))
      continue;
    self->warned = TRUE;
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
        ("Expected attention weights, which are from 0 to 1, found %g: set "
            "attention-weights=heads or mean at the encoder before, or another "
            "style here.", weights[i]), (NULL));
  }
}

/* The next vector of the buffer goes into the picture. */
static GstFlowReturn
show_vector (GstTensorScope * self, const VectorTime * time)
{
  const gsize width = scope_history_get_width (self->history);
  gfloat *rows = scope_history_push (self->history);

  if (!scope_input_read (&self->input, self->buffer, self->next, rows)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("Expected a buffer in readable memory, found one that can't be "
            "mapped."), ("%" GST_PTR_FORMAT, self->buffer));
    return GST_FLOW_ERROR;
  }
  if (self->style->weights)
    check_weights (self, rows, self->input.n_streams * width);
  for (guint s = 0; s < self->input.n_streams; s++, rows += width) {
    if (self->settings.softmax && !self->style->weights)
      scope_softmax (rows, width);
    scope_range_push (&self->range, rows, width, self->style->memory);
  }
  self->dirty = TRUE;
  frame_clock_add_vector (&self->clock);
  if (GST_CLOCK_TIME_IS_VALID (time->duration))
    frame_clock_advance (&self->clock, time->pts + time->duration);
  return GST_FLOW_OK;
}

/* First the frames before the next vector become due, then the vector is shown. */
static GstFlowReturn
step (GstTensorScope * self)
{
  const VectorTime time = vector_time_at (&self->time, self->next, self->n);
  GstFlowReturn ret;

  if (!self->reached) {
    frame_clock_advance (&self->clock, time.pts);
    self->reached = TRUE;
    return GST_FLOW_OK;
  }
  ret = show_vector (self, &time);
  self->reached = FALSE;
  if (++self->next == self->n || ret != GST_FLOW_OK)
    gst_clear_buffer (&self->buffer);
  return ret;
}

/* More of a stream that counts bytes. FALSE: there are too few, or *ret says why. */
static gboolean
take_bytes (GstTensorScope * self, GstFlowReturn * ret)
{
  VectorTime time;
  GstBuffer *buffer = NULL;

  if (self->in_bytes && self->picture)
    buffer = byte_segment_take (&self->bytes, is_block (self) ? 1 :
        self->input.tensor.dims[1], &time);
  if (!buffer)
    return FALSE;
  *ret = begin_buffer (self, buffer, time);
  return *ret == GST_FLOW_OK;
}

/* Called until *out is NULL. */
static GstFlowReturn
generate_output (GstBaseTransform * trans, GstBuffer ** out)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (trans);
  GstFlowReturn ret = GST_FLOW_OK;
  VectorTime time;

  *out = NULL;
  while (ret == GST_FLOW_OK) {
    if (frame_clock_take (&self->clock, &time))
      return scope_make_frame (self, &time, out);
    if (!self->buffer && !take_bytes (self, &ret))
      return ret;
    ret = step (self);
  }
  return ret;
}

/* Never called, since generate_output() makes every buffer. Without it, the base class would not negotiate memory. */
static GstFlowReturn
transform (GstBaseTransform * trans, GstBuffer * in, GstBuffer * out)
{
  return GST_FLOW_NOT_SUPPORTED;
}

static GstFlowReturn
push_due (GstTensorScope * self)
{
  GstFlowReturn ret;
  GstBuffer *out;

  do {
    ret = generate_output (GST_BASE_TRANSFORM (self), &out);
    if (out)
      ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), out);
  } while (out && ret == GST_FLOW_OK);
  return ret;
}

/* The stream ends: also the frame that has begun. */
static void
drain (GstTensorScope * self)
{
  VectorTime time;
  GstBuffer *rest = NULL, *out;

  if (!self->picture)
    return;
  if (self->in_bytes)
    rest = byte_segment_take_rest (&self->bytes, &time);
  time.duration = GST_CLOCK_TIME_NONE;  /* it may be a shorter block */
  if (rest && begin_buffer (self, rest, time) != GST_FLOW_OK)
    return;
  if (push_due (self) == GST_FLOW_OK
      && frame_clock_take_rest (&self->clock, &time)
      && scope_make_frame (self, &time, &out) == GST_FLOW_OK)
    gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), out);
}

/* TRUE: frames stand for the gap. */
static gboolean
show_gap (GstTensorScope * self, GstEvent * event)
{
  VectorTime time;

  gst_event_parse_gap (event, &time.pts, &time.duration);
  if (!self->picture || self->in_bytes || !GST_CLOCK_TIME_IS_VALID (time.pts)
      || !gst_pad_has_current_caps (GST_BASE_TRANSFORM_SRC_PAD (self)))
    return FALSE;
  frame_clock_advance (&self->clock, time.pts);
  if (GST_CLOCK_TIME_IS_VALID (time.duration))
    frame_clock_advance (&self->clock, time.pts + time.duration);
  self->expected = self->clock.until;
  push_due (self);
  return TRUE;
}

/* The event to forward; NULL: an error was posted. */
static GstEvent *
take_segment (GstTensorScope * self, GstEvent * event)
{
  GstSegment segment, time;

  gst_event_copy_segment (event, &segment);
  if (segment.rate < 0) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected a segment that plays forwards, found one of rate %g: what "
            "scrolls by can't run backwards; seek with a positive rate.",
            segment.rate), (NULL));
    gst_event_unref (event);
    return NULL;
  }
  if (segment.format == GST_FORMAT_TIME
      && vector_segment_is_continued (&segment, &self->segment)) {
    self->segment = segment;
    self->clock.stop = segment.stop;
    return event;
  }
  drain (self);
  self->in_bytes = segment.format != GST_FORMAT_TIME;
  self->expected = GST_CLOCK_TIME_NONE;
  self->discont = TRUE;
  scope_flow_update_byte_scale (self);
  if (!self->in_bytes) {
    self->segment = segment;
    frame_clock_begin (&self->clock, &segment);
    return event;
  }
  byte_segment_begin (&self->bytes, &segment, &time);
  self->segment = time;
  frame_clock_begin (&self->clock, &time);
  return segment_event_replace (event, &time);
}

/* Before the base class negotiates: it gives no reasons. */
static gboolean
check_caps (GstTensorScope * self, GstEvent * event)
{
  g_autoptr (GstCaps) downstream = NULL;
  g_autofree gchar *why = NULL;
  ScopeInput input;
  GstCaps *caps, *video;

  gst_event_parse_caps (event, &caps);
  if (scope_input_parse (&input, self->style, caps,
          tensor_scope_get_length (self), &why)) {
    video = gst_pad_get_pad_template_caps (GST_BASE_TRANSFORM_SRC_PAD (self));
    downstream = gst_pad_peer_query_caps (GST_BASE_TRANSFORM_SRC_PAD (self),
        video);
    gst_caps_unref (video);
    if (!gst_caps_is_empty (downstream))
      return TRUE;
    why = g_strdup ("expected what comes after to take raw video in "
        SCOPE_FORMAT " with a constant framerate, found that it does not: put "
        "videoconvert after, and behind it what asks for a size or a rate");
  }
  vector_caps_post_error (GST_ELEMENT (self), why, caps);
  return FALSE;
}

static void
take_labels (GstTensorScope * self, GstEvent * event)
{
  g_auto (GStrv) labels = labels_event_parse (event);

  if (!labels) {
    GST_WARNING_OBJECT (self, "expected labels in UTF-8 in %" GST_PTR_FORMAT
        ", ignoring the event", event);
    return;
  }
  if (self->picture)
    scope_picture_set_labels (self->picture, NULL);
  g_clear_pointer (&self->labels, g_strfreev);
  if (labels[0])
    self->labels = g_steal_pointer (&labels);
  self->labels_checked = FALSE;
}

static void
take_custom (GstTensorScope * self, GstEvent * event)
{
  gint stream = -1;

  if (gst_event_has_name (event, LABELS_EVENT_NAME)) {
    take_labels (self, event);
  } else if (self->history && gst_event_has_name (event, RESET_EVENT_NAME)) {
    gst_structure_get_int (gst_event_get_structure (event), "stream", &stream);
    scope_history_clear (self->history, stream);
    self->dirty = TRUE;
  }
}

static gboolean
sink_event (GstBaseTransform * trans, GstEvent * event)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (trans);
  gboolean ok = TRUE;

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      drain (self);
      scope_flow_clear (self);
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
      break;
    case GST_EVENT_SEGMENT_DONE:
      drain (self);
      event = byte_scale_convert_done (&self->bytes.scale, event);
      break;
    case GST_EVENT_EOS:
      drain (self);
      break;
    case GST_EVENT_CAPS:
      ok = check_caps (self, event);
      break;
    case GST_EVENT_SEGMENT:
      event = take_segment (self, event);
      if (!event)
        return FALSE;
      break;
    case GST_EVENT_GAP:
      if (show_gap (self, event)) {
        gst_event_unref (event);
        return TRUE;
      }
      break;
    case GST_EVENT_FLUSH_STOP:
      scope_flow_clear (self);
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
      self->clock.begun = FALSE;
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      take_custom (self, event);
      break;
    default:
      break;
  }
  if (ok)
    return parent_class->sink_event (trans, event);
  gst_event_unref (event);
  return FALSE;
}

void
scope_flow_class_init (GstTensorScopeClass * klass)
{
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  parent_class = g_type_class_peek_parent (klass);
  trans_class->submit_input_buffer = submit_input_buffer;
  trans_class->generate_output = generate_output;
  trans_class->transform = transform;
  trans_class->sink_event = sink_event;
}
