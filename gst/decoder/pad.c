/* gst-continual: the memory pad of a continualdecoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decoder/continualdecoder.h"

#include <math.h>

#include "tensor/vectorcaps.h"

static gsize
get_width (GstContinualDecoder * self)
{
  CoModel *model = model_host_ref_model (&GST_CONTINUAL_FILTER (self)->host);
  gsize width = model ? co_model_get_info (model)->n_memory : 0;

  g_clear_pointer (&model, co_model_unref);
  return width;
}

static gboolean
read_caps (gsize width, const GstCaps * caps, TensorInfo * tensor,
    gchar ** why)
{
  g_autofree gchar *found = NULL;

  if (!tensor_caps_parse (caps, tensor, why))
    return FALSE;
  if (tensor->dims[0] == width && tensor->dims[2] == 1 && tensor->dims[3] == 1)
    return TRUE;
  found = tensor_dims_to_string (tensor->dims);
  *why = g_strdup_printf ("expected dimensions %" G_GSIZE_FORMAT " or %"
      G_GSIZE_FORMAT ":L on the pad memory, since the model attends to memories "
      "of L vectors of %" G_GSIZE_FORMAT " values (one memory for all streams), "
      "found %s: give it what the decoder was trained on, or another model",
      width, width, width, found);
  return FALSE;
}

static GstFlowReturn
fail (GstContinualDecoder * self, const gchar * why)
{
  vector_caps_post_error (GST_ELEMENT (self), why, NULL);
  memory_queue_set_failed (&self->memories);
  return GST_FLOW_ERROR;
}

static gchar *
check_size (GstContinualDecoder * self, gsize size)
{
  const gsize vector = self->input.dims[0] * sizeof (gfloat);

  if (!vector)
    return g_strdup ("expected caps before the first memory, found none: put a "
        "capsfilter with the dimensions before the pad memory");
  if (size > 0 && size % vector == 0)
    return NULL;
  return g_strdup_printf ("expected a memory of whole vectors of %"
      G_GSIZE_FORMAT " bytes, found one of %" G_GSIZE_FORMAT " bytes: give each "
      "memory as one buffer", vector, size);
}

/* Keys and values of larger values could overflow. */
#define LARGEST 1e15f

static gboolean
is_in_range (GstBuffer * buffer)
{
  GstMapInfo map;
  gboolean ok = TRUE;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return FALSE;
  for (gsize i = 0; ok && i < map.size; i += sizeof (gfloat)) {
    gfloat x;

    memcpy (&x, map.data + i, sizeof x);
    ok = fabsf (x) <= LARGEST;  /* not NaN */
  }
  gst_buffer_unmap (buffer, &map);
  return ok;
}

/* Leaves out a memory, or posts an error, as the property on-invalid says. */
static GstFlowReturn
refuse (GstContinualDecoder * self, GstClockTime pts)
{
  if (GST_CONTINUAL_FILTER (self)->host.on_invalid == MODEL_ON_INVALID_DROP) {
    GST_ELEMENT_WARNING (self, STREAM, DECODE,
        ("Expected finite numbers up to 1e15, found a memory with a NaN, an infinity or "
            "a larger one at %" GST_TIME_FORMAT ": it is left out.", GST_TIME_ARGS (pts)),
        (NULL));
    return GST_FLOW_OK;
  }
  GST_ELEMENT_ERROR (self, STREAM, DECODE,
      ("Expected finite numbers up to 1e15, found a memory with a NaN, an infinity or a "
          "larger one at %" GST_TIME_FORMAT ": repair the source of the memories, or set "
          "on-invalid=drop.", GST_TIME_ARGS (pts)), (NULL));
  memory_queue_set_failed (&self->memories);
  return GST_FLOW_ERROR;
}

/* Takes @memory, whole or not. */
static GstFlowReturn
put (GstContinualDecoder * self, GstBuffer * buffer, GstClockTime pts)
{
  g_autofree gchar *why = check_size (self, gst_buffer_get_size (buffer));

  GST_LOG_OBJECT (self, "memory: %" GST_PTR_FORMAT, buffer);
  if (why) {
    gst_buffer_unref (buffer);
    return fail (self, why);
  }
  if (!is_in_range (buffer)) {
    gst_buffer_unref (buffer);
    return refuse (self, pts);
  }
  return memory_queue_put (&self->memories, buffer,
      vector_time_to_running (&self->segment, pts));
}

static GstFlowReturn
chain (GstPad * pad, GstObject * parent, GstBuffer * buffer)
{
  GstContinualDecoder *self = GST_CONTINUAL_DECODER (parent);
  GstFlowReturn ret = GST_FLOW_OK;
  VectorTime time;

  if (!self->in_bytes || !self->bytes.scale.size)
    return put (self, buffer, GST_BUFFER_PTS (buffer));
  byte_segment_push (&self->bytes, buffer);
  while (ret == GST_FLOW_OK
      && (buffer = byte_segment_take (&self->bytes, 1, &time)))
    ret = put (self, buffer, time.pts);
  return ret;
}

/* At the end of a file: a shorter memory */
static void
finish_bytes (GstContinualDecoder * self)
{
  VectorTime time;
  GstBuffer *buffer = self->in_bytes && self->bytes.scale.size ?
      byte_segment_take_rest (&self->bytes, &time) : NULL;

  if (buffer)
    put (self, buffer, time.pts);
}

/* Caps or segment say something new about bytes. A file without a framerate has no times: each buffer is a memory. */
static void
update_byte_scale (GstContinualDecoder * self)
{
  const TensorInfo *in = &self->input;
  ByteScale scale = {.rate_d = 1 };

  if (in->dims[0] && in->fps_n)
    scale = (ByteScale) {.size = sizeof (gfloat) * in->dims[0] * in->dims[1],
      .rate_n = in->fps_n,.rate_d = in->fps_d};
  byte_segment_set_scale (&self->bytes, &scale);
  byte_scale_publish (&self->byte_scale, self, &scale, self->in_bytes);
}

/* A seek in a file leads to the memory in force at its start, which begins before. */
static void
set_segment (GstContinualDecoder * self, GstEvent * event)
{
  GstClockTime start = GST_CLOCK_TIME_NONE;
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  self->in_bytes = segment->format == GST_FORMAT_BYTES;
  self->segment = *segment;
  update_byte_scale (self);
  if (!self->in_bytes)
    return;
  byte_segment_begin (&self->bytes, segment, &self->segment);
  GST_OBJECT_LOCK (self);
  if (self->seek_seqnum == gst_event_get_seqnum (event))
    start = self->seek_start;
  GST_OBJECT_UNLOCK (self);
  if (GST_CLOCK_TIME_IS_VALID (start) && start > self->segment.start)
    self->segment.start = self->segment.time = self->segment.position = start;
}

void
decoder_pad_seek (GstContinualDecoder * self, GstEvent * event)
{
  GstSeekType type;
  GstFormat format;
  ByteScale scale;
  GstEvent *bytes;
  gint64 start;

  gst_event_parse_seek (event, NULL, &format, NULL, &type, &start, NULL, NULL);
  GST_OBJECT_LOCK (self);
  scale = self->byte_scale;
  self->seek_seqnum = gst_event_get_seqnum (event);
  self->seek_start = format == GST_FORMAT_TIME && type == GST_SEEK_TYPE_SET ?
      (GstClockTime) start : GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);
  bytes = byte_scale_convert_seek (&scale, event);
  if (bytes) {
    gst_event_unref (event);
    event = bytes;
  }
  gst_pad_push_event (self->memory_pad, event);
}

static gboolean
set_caps (GstContinualDecoder * self, const GstCaps * caps)
{
  const gsize width = get_width (self);
  g_autofree gchar *why = NULL;
  TensorInfo tensor;

  /* The element is stopping. */
  if (!width)
    return FALSE;
  if (!read_caps (width, caps, &tensor, &why)) {
    fail (self, why);
    return FALSE;
  }
  self->input = tensor;
  update_byte_scale (self);
  GST_INFO_OBJECT (self, "memories of %" GST_PTR_FORMAT, caps);
  return TRUE;
}

/* No event of the memory pad goes downstream. */
static gboolean
event (GstPad * pad, GstObject * parent, GstEvent * event)
{
  GstContinualDecoder *self = GST_CONTINUAL_DECODER (parent);
  gboolean ok = TRUE;
  GstCaps *caps;

  GST_DEBUG_OBJECT (self, "memory: %" GST_PTR_FORMAT, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      ok = set_caps (self, caps);
      break;
    case GST_EVENT_SEGMENT:
      set_segment (self, event);
      break;
    case GST_EVENT_SEGMENT_DONE:
      finish_bytes (self);
      break;
    case GST_EVENT_STREAM_START:
      memory_queue_set_ended (&self->memories, FALSE);
      break;
    case GST_EVENT_EOS:
      finish_bytes (self);
      memory_queue_set_ended (&self->memories, TRUE);
      break;
    case GST_EVENT_FLUSH_START:
      memory_queue_flush_put (&self->memories, TRUE);
      break;
    case GST_EVENT_FLUSH_STOP:
      memory_queue_flush_put (&self->memories, FALSE);
      gst_adapter_clear (self->bytes.adapter);
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
      break;
    default:
      /* GAP events need no handling: no vector waits for a later memory. */
      break;
  }
  gst_event_unref (event);
  return ok;
}

static GstCaps *
get_caps (GstContinualDecoder * self, GstPad * pad, GstCaps * filter)
{
  const gsize width = get_width (self);
  GstCaps *res = width ? vector_caps_new (width) :
      gst_pad_get_pad_template_caps (pad), *both;

  if (!filter)
    return res;
  tensor_caps_refuse_untyped (GST_ELEMENT (self), filter);
  both = gst_caps_intersect_full (res, filter, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (res);
  return both;
}

static gboolean
query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  GstCaps *filter, *caps;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      gst_query_parse_caps (query, &filter);
      caps = get_caps (GST_CONTINUAL_DECODER (parent), pad, filter);
      gst_query_set_caps_result (query, caps);
      gst_caps_unref (caps);
      return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
      return vector_caps_accept (query);
    default:
      /* The src pad has no answers about memories. */
      return FALSE;
  }
}

static GstPadLinkReturn
link_pad (GstPad * pad, GstObject * parent, GstPad * peer)
{
  memory_queue_set_linked (&GST_CONTINUAL_DECODER (parent)->memories, TRUE);
  return GST_PAD_LINK_OK;
}

static void
unlink_pad (GstPad * pad, GstObject * parent)
{
  memory_queue_set_linked (&GST_CONTINUAL_DECODER (parent)->memories, FALSE);
}

void
decoder_pad_clear (GstContinualDecoder * self)
{
  byte_segment_clear (&self->bytes);
}

void
decoder_pad_start (GstContinualDecoder * self)
{
  byte_segment_clear (&self->bytes);
  byte_segment_init (&self->bytes);
  self->in_bytes = FALSE;
  self->byte_scale = (ByteScale) {.rate_d = 1};
  self->seek_seqnum = GST_SEQNUM_INVALID;
  self->seek_start = GST_CLOCK_TIME_NONE;
  self->input.dims[0] = 0;
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
}

void
decoder_pad_init (GstContinualDecoder * self)
{
  GstPad *pad = self->memory_pad;

  gst_pad_set_chain_function (pad, chain);
  gst_pad_set_event_function (pad, event);
  gst_pad_set_query_function (pad, query);
  gst_pad_set_link_function (pad, link_pad);
  gst_pad_set_unlink_function (pad, unlink_pad);
  decoder_pad_start (self);
}
