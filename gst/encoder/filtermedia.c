/* gst-continual: buffers of video and audio that carry the vectors of a continualfilter
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder/filtermedia.h"

#include "host/output.h"
#include "tensor/about.h"
#include "tensor/mediacaps.h"
#include "tensor/vectorcaps.h"

#define GST_CAT_DEFAULT element_debug (element)

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
  ROW_TEXT (FilterMedia, output, READY, "output-tensor", "Output tensor",
      "With video or audio: the name (id) of the tensor that is added (none: " MEDIA_LOGITS_ID " or "
      MEDIA_PROBABILITIES_ID " if the model has labels, " MEDIA_VECTOR_ID " if not)", NULL),
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
  g_clear_pointer (&self->listed, g_free);
  property_table_clear (&filter_media_properties, self);
}

/* ---- caps ---- */

/* The name of the output */
static const gchar *
get_output_id (const FilterMedia * self, const CoModelInfo * info)
{
  if (self->output && *self->output)
    return self->output;
  if (!info->n_labels || info->n_positions > 1
      || info->scores == CO_SCORES_OTHER)
    return MEDIA_VECTOR_ID;
  return info->scores == CO_SCORES_LOGITS ? MEDIA_LOGITS_ID :
      MEDIA_PROBABILITIES_ID;
}

/* The names that the input may have; NULL: any. @ids: room for two */
static const gchar *const *
get_input_ids (const FilterMedia * self, const gchar ** ids)
{
  ids[0] = self->input && *self->input ? self->input : self->listed;
  ids[1] = NULL;
  return ids[0] ? ids : NULL;
}

/* What a buffer gets: the output, and the attention weights if they are wanted */
typedef struct
{
  const gchar *id;
  gchar *weights_id;
  gsize dims[2], weights_dims[3];
  gsize n_dims, n_weights_dims;
} OutputTensors;

static void
describe_outputs (const FilterMedia * self, const CoModelInfo * info,
    AttentionWeights weights, OutputTensors * out)
{
  const gboolean heads = weights == ATTENTION_WEIGHTS_HEADS;
  gsize n = 0;

  out->id = get_output_id (self, info);
  if (info->n_positions > 1)
    out->dims[n++] = info->n_positions;
  out->dims[n++] = info->n_outputs;
  out->n_dims = n;

  n = 0;
  if (heads)
    out->weights_dims[n++] = info->n_heads;
  out->weights_dims[n++] = info->n_positions;
  out->weights_dims[n++] = info->n_weights;
  out->n_weights_dims = n;
  out->weights_id = weights == ATTENTION_WEIGHTS_NONE ? NULL :
      g_strconcat (out->id, "-weights", NULL);
}

GstCaps *
filter_media_transform_caps (FilterMedia * self, ModelHost * host,
    const CoModelInfo * info, GstPadDirection direction, const GstCaps * caps)
{
  GstCaps *res = media_caps_select (caps);
  OutputTensors out;

  if (!info)
    return res;
  describe_outputs (self, info, model_host_get_weights (host), &out);
  if (direction == GST_PAD_SINK) {
    res = media_caps_add_tensor (res, out.id, out.n_dims, out.dims);
    if (out.weights_id)
      res = media_caps_add_tensor (res, out.weights_id, out.n_weights_dims,
          out.weights_dims);
  } else {
    res = media_caps_drop_tensor (res, out.id);
    if (out.weights_id)
      res = media_caps_drop_tensor (res, out.weights_id);
  }
  g_free (out.weights_id);
  return res;
}

gboolean
filter_media_check_caps (FilterMedia * self, const CoModelInfo * info,
    const GstCaps * caps, gchar ** id, gchar ** why)
{
  const gchar *ids[] = { self->input, NULL };

  *id = NULL;
  return media_caps_find_tensor (caps, self->input && *self->input ? ids : NULL,
      info->n_inputs, id, why) == MEDIA_TENSOR_FOUND;
}

/* ---- buffers ---- */

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
  const gchar *ids[2], *const *named = get_input_ids (self, ids);

  if (self->warned)
    return;
  self->warned = TRUE;
  GST_ELEMENT_WARNING (element, STREAM, FORMAT,
      ("Expected tensors on the buffers, found a buffer that has none%s%s: put "
          "an element before this one that adds them, such as onnxinference. "
          "Such buffers pass unchanged.", named ? " named " : "",
          named ? *named : ""), (NULL));
}

/* A second tensor of the same name would hide behind the first. */
static gboolean
is_output_free (FilterMedia * self, GstElement * element,
    const CoModelInfo * info, GstBuffer * buffer)
{
  const gchar *id = get_output_id (self, info);

  if (!media_tensor_exists (buffer, id))
    return TRUE;
  GST_ELEMENT_ERROR (element, STREAM, FORMAT,
      ("Expected buffers without a tensor named %s, which is the name of the "
          "output, found one that has such a tensor: set output-tensor to "
          "another name.", id), (NULL));
  return FALSE;
}

GstFlowReturn
filter_media_take (FilterMedia * self, GstElement * element,
    const CoModelInfo * info, GstBuffer * buffer, GstBuffer ** vector)
{
  g_autofree gchar *why = NULL;
  const gchar *ids[2];
  MediaTensor tensor;

  *vector = NULL;
  switch (media_tensor_find (buffer, get_input_ids (self, ids), info->n_inputs,
          &tensor, &why)) {
    case MEDIA_TENSOR_FOUND:
      if (!is_output_free (self, element, info, buffer)) {
        gst_buffer_unref (buffer);
        return GST_FLOW_ERROR;
      }
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

GstFlowReturn
filter_media_answer (FilterMedia * self, ModelHost * host,
    const ModelEvent * event)
{
  MediaEntry *entry = find_pending (self, event->age);
  gfloat *output, *weights;
  GstFlowReturn ret;
  GstTensor *tensors[2];
  OutputTensors out;
  guint n = 0;

  if (!entry)
    return GST_FLOW_OK;
  output = model_host_copy_output (host, event);
  if (!output)
    return GST_FLOW_ERROR;
  describe_outputs (self, model_host_get_info (host), host->weights, &out);
  tensors[n++] = media_tensor_new (out.id, output, out.n_dims, out.dims);
  weights = model_host_copy_weights (host, event);
  if (weights)
    tensors[n++] = media_tensor_new (out.weights_id, weights,
        out.n_weights_dims, out.weights_dims);
  ret = weights || !out.weights_id ? GST_FLOW_OK : GST_FLOW_ERROR;
  g_free (out.weights_id);
  entry->buffer = gst_buffer_make_writable (entry->buffer);
  media_tensors_add (entry->buffer, tensors, n);
  return ret;
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
