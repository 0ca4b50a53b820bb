/* gst-continual: what leaves a model: buffers, labels, and messages about refused vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/output.h"

#include "tensor/about.h"
#include "tensor/events.h"
#include "tensor/pool.h"
#include "tensor/tally.h"

#define GST_CAT_DEFAULT element_debug (element)

gboolean
model_host_next_event (ModelHost * self, ModelEvent * event)
{
  return model_stream_next_event (self->stream, event);
}

void
model_host_discard_events (ModelHost * self)
{
  if (self->stream)
    model_stream_discard_events (self->stream);
}

gsize
model_host_get_output_size (ModelHost * self)
{
  return model_stream_get_output_size (self->stream);
}

/* NULL: an error was posted. */
static gfloat *
try_malloc (GstElement * element, gsize size)
{
  gfloat *memory = g_try_malloc (size);

  if (!memory)
    GST_ELEMENT_ERROR (element, RESOURCE, NO_SPACE_LEFT,
        ("Expected room for an output of %" G_GSIZE_FORMAT " bytes, found less: use "
            "fewer streams, or attention-weights=none.", size), (NULL));
  return memory;
}

gfloat *
model_host_copy_output (ModelHost * self, const ModelEvent * event)
{
  gfloat *y = try_malloc (self->element, model_stream_get_output_size (self->stream));

  if (y)
    model_stream_read (self->stream, event, y);
  return y;
}

gfloat *
model_host_copy_weights (ModelHost * self, const ModelEvent * event)
{
  const gsize size = model_stream_get_weights_size (self->stream);
  gfloat *weights;

  if (size == 0)
    return NULL;
  weights = try_malloc (self->element, size);
  if (weights)
    model_stream_read_weights (self->stream, event, weights);
  return weights;
}

/* As a GstMemory beside that of the pool, so that the pool takes the buffer back. FALSE: an error was posted. */
static gboolean
append_weights (ModelHost * self, const ModelEvent * event, GstBuffer * buffer)
{
  const gsize size = model_stream_get_weights_size (self->stream);
  gfloat *weights = model_host_copy_weights (self, event);

  if (weights)
    gst_buffer_append_memory (buffer, gst_memory_new_wrapped (0, weights, size,
            0, size, weights, g_free));
  return weights || size == 0;
}

GstFlowReturn
model_host_make_output (ModelHost * self, GstBufferPool * pool,
    const ModelEvent * event, GstBuffer ** out)
{
  GstBuffer *buffer = NULL;
  GstFlowReturn ret;
  GstMapInfo map;

  if (!pool)
    return GST_FLOW_FLUSHING;
  ret = tensor_pool_acquire (pool, self->element,
      model_stream_get_output_size (self->stream), &buffer, &map);
  if (ret != GST_FLOW_OK)
    return ret;
  model_stream_read (self->stream, event, (gfloat *) map.data);
  gst_buffer_unmap (buffer, &map);
  if (!append_weights (self, event, buffer)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  GST_BUFFER_PTS (buffer) = event->time.pts;
  GST_BUFFER_DURATION (buffer) = event->time.duration;
  *out = buffer;
  return GST_FLOW_OK;
}

/* Of a model whose weights are too large, or damaged */
static GstFlowReturn
report_not_finite (ModelHost * self, const ModelEvent * event)
{
  GstElement *element = self->element;
  const guint64 n = ++self->n_not_finite;

  if (self->on_invalid == MODEL_ON_INVALID_ERROR)
    GST_ELEMENT_ERROR (element, STREAM, DECODE,
        ("Expected finite outputs, found one with a NaN or an infinity for the "
            "vector at %" GST_TIME_FORMAT " (stream %u): weights of the model "
            "are too large or damaged; repair the model, or set "
            "on-invalid=drop.", GST_TIME_ARGS (event->time.pts),
            event->stream), (NULL));
  else if (tally_is_told (n))
    GST_ELEMENT_WARNING (element, STREAM, DECODE,
        ("Expected finite outputs, found one with a NaN or an infinity for the "
            "vector at %" GST_TIME_FORMAT " (stream %u): weights of the model "
            "are too large or damaged. It is no output. That makes %"
            G_GUINT64_FORMAT ".", GST_TIME_ARGS (event->time.pts),
            event->stream, n), (NULL));
  return self->on_invalid == MODEL_ON_INVALID_ERROR ? GST_FLOW_ERROR :
      GST_FLOW_OK;
}

GstFlowReturn
model_host_report_refused (ModelHost * self, const ModelEvent * event)
{
  GstElement *element = self->element;
  guint64 n;

  if (event->type == MODEL_NOT_FINITE)
    return report_not_finite (self, event);
  if (event->type == MODEL_FULL) {
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
        ("Expected at most max-len vectors, found one more (stream %u): raise "
            "max-len, set at-max=drop-oldest, or send a " RESET_EVENT_NAME
            " event between sequences.", event->stream), (NULL));
    return GST_FLOW_ERROR;
  }
  if (self->on_invalid == MODEL_ON_INVALID_ERROR) {
    GST_ELEMENT_ERROR (element, STREAM, DECODE,
        ("Expected finite numbers up to 1e15, found a vector with a NaN, an infinity or "
            "a larger one at %" GST_TIME_FORMAT " (stream %u): repair the source of the vectors, "
            "or set on-invalid=drop.", GST_TIME_ARGS (event->time.pts),
            event->stream), (NULL));
    return GST_FLOW_ERROR;
  }

  GST_OBJECT_LOCK (element);
  n = ++self->stats.sum.refused;
  GST_OBJECT_UNLOCK (element);
  if (tally_is_told (n))
    GST_ELEMENT_WARNING (element, STREAM, DECODE,
        ("Expected finite numbers up to 1e15, found a vector with a NaN, an infinity or "
            "a larger one at %" GST_TIME_FORMAT " (stream %u): it is left out. That makes %"
            G_GUINT64_FORMAT "; see the property stats.",
            GST_TIME_ARGS (event->time.pts), event->stream, n), (NULL));
  return GST_FLOW_OK;
}

void
model_host_report_end (ModelHost * self)
{
  GstElement *element = self->element;
  const gsize needed = model_host_get_info (self)->warm_up;
  const guint n_streams = model_host_get_n_streams (self);
  ModelCounts sum;

  GST_OBJECT_LOCK (element);
  sum = self->stats.sum;
  GST_OBJECT_UNLOCK (element);
  if (sum.vectors && !sum.outputs && sum.vectors < needed * n_streams)
    GST_ELEMENT_WARNING (element, STREAM, FAILED,
        ("Expected %" G_GSIZE_FORMAT " vectors for the first output, found the "
            "end of the stream after %" G_GUINT64_FORMAT " of %u streams: "
            "nothing came out. Send more, or set warm-up=partial.", needed,
            sum.vectors, n_streams), (NULL));
}

GstEvent *
model_host_take_labels (ModelHost * self)
{
  const CoModelInfo *info = model_host_get_info (self);
  const gchar *none[] = { NULL };
  gboolean due = self->labels_due && (info->n_labels || self->labels_sent);

  self->labels_due = FALSE;
  if (!due)
    return NULL;
  self->labels_sent = info->n_labels > 0;
  return labels_event_new (self->labels_sent ? info->labels : none);
}
