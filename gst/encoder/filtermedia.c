/* gst-continual: buffers of video and audio that carry the vectors of a continualfilter
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder/filtermedia.h"

#include "host/output.h"
#include "tensor/vectorcaps.h"

typedef struct
{
  GstBuffer *buffer;
  gboolean pending;             /* its vector may still be answered */
} MediaEntry;

/* *INDENT-OFF* */
static const PropertyRow rows[] = {
  ROW_TEXT (FilterMedia, input, READY, "input-tensor", "Input tensor",
      "With video or audio: the name (id) of the tensor on each buffer that is the vector (none: the first tensor of "
      "the right size)", NULL),
  ROW_TEXT_NOT_NULL (FilterMedia, output, READY, "output-tensor", "Output tensor",
      "With video or audio: the name of the tensor that is added", MEDIA_OUTPUT_TENSOR),
};
/* *INDENT-ON* */
PROPERTY_TABLE (filter_media_properties, rows);

void
filter_media_init (FilterMedia * self)
{
  property_table_init (&filter_media_properties, self);
  g_queue_init (&self->waiting);
}

static void
free_entry (gpointer data)
{
  MediaEntry *entry = data;

  gst_buffer_unref (entry->buffer);
  g_free (entry);
}

void
filter_media_discard (FilterMedia * self)
{
  g_queue_clear_full (&self->waiting, free_entry);
  self->n_pending = 0;
}

void
filter_media_clear (FilterMedia * self)
{
  filter_media_discard (self);
  property_table_clear (&filter_media_properties, self);
}

static void
append (FilterMedia * self, GstBuffer * buffer, gboolean pending)
{
  MediaEntry *entry = g_new (MediaEntry, 1);

  *entry = (MediaEntry) {
  buffer, pending};
  g_queue_push_tail (&self->waiting, entry);
  self->n_pending += pending;
}

static void
warn_once (FilterMedia * self, GstElement * element)
{
  if (self->warned)
    return;
  self->warned = TRUE;
  GST_ELEMENT_WARNING (element, STREAM, FORMAT,
      ("Expected tensors on the buffers, found a buffer that has none%s%s: put "
          "an element before this one that adds them, such as onnxinference. "
          "Such buffers pass unchanged.", self->input ? " named " : "",
          self->input ? self->input : ""), (NULL));
}

GstFlowReturn
filter_media_take (FilterMedia * self, GstElement * element, gsize width,
    GstBuffer * buffer, GstBuffer ** vector)
{
  g_autofree gchar *why = NULL;
  MediaTensor tensor;

  *vector = NULL;
  switch (media_tensor_find (buffer, self->input, width, &tensor, &why)) {
    case MEDIA_TENSOR_FOUND:
      *vector = gst_buffer_copy_region (tensor.data, GST_BUFFER_COPY_MEMORY, 0,
          tensor.n * sizeof (gfloat));
      break;
    case MEDIA_TENSOR_NONE:
      warn_once (self, element);
      break;
    default:
      vector_caps_post_error (element, why, NULL);
      gst_buffer_unref (buffer);
      return GST_FLOW_ERROR;
  }
  append (self, buffer, *vector != NULL);
  return GST_FLOW_OK;
}

/* The entry whose vector came @age vectors before the newest one; NULL: it has left. */
static MediaEntry *
find_pending (FilterMedia * self, gsize age)
{
  for (GList * l = self->waiting.tail; l; l = l->prev) {
    MediaEntry *entry = l->data;

    if (entry->pending && age-- == 0)
      return entry;
  }
  return NULL;
}

void
filter_media_refuse (FilterMedia * self)
{
  MediaEntry *entry = find_pending (self, 0);

  if (!entry)
    return;
  entry->pending = FALSE;
  self->n_pending--;
}

static void
add_weights (FilterMedia * self, ModelHost * host, const ModelEvent * event,
    GstBuffer * buffer)
{
  const CoModelInfo *info = model_host_get_info (host);
  const gsize dims[] = { info->n_heads, info->n_positions, info->n_weights };
  const gboolean heads = host->weights == ATTENTION_WEIGHTS_HEADS;
  g_autofree gchar *id = g_strconcat (self->output, "-weights", NULL);
  gfloat *weights = model_host_copy_weights (host, event);

  if (weights)
    media_tensor_add (buffer, id, weights, heads ? 3 : 2, dims + !heads);
}

void
filter_media_answer (FilterMedia * self, ModelHost * host,
    const ModelEvent * event)
{
  const CoModelInfo *info = model_host_get_info (host);
  const gsize dims[] = { info->n_positions, info->n_outputs };
  MediaEntry *entry = find_pending (self, event->age);
  gfloat *output = entry ? model_host_copy_output (host, event) : NULL;

  if (!output)
    return;
  entry->buffer = gst_buffer_make_writable (entry->buffer);
  media_tensor_add (entry->buffer, self->output, output, info->n_positions > 1 ? 2 : 1,
      dims + (info->n_positions == 1));
  add_weights (self, host, event, entry->buffer);
}

GstBuffer *
filter_media_pop (FilterMedia * self, gsize n_later)
{
  MediaEntry *entry = g_queue_peek_head (&self->waiting);
  GstBuffer *buffer;

  if (!entry || (entry->pending && self->n_pending <= n_later))
    return NULL;
  g_queue_pop_head (&self->waiting);
  self->n_pending -= entry->pending;
  buffer = entry->buffer;
  g_free (entry);
  return buffer;
}
