/* gst-continual: a continualfilter in a pipeline of media, whose buffers carry the tensors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder/continualfilter.h"

#include "tensor/vectorcaps.h"

typedef struct
{
  GstBuffer *buffer;
  gboolean asked;               /* its vector may yet be answered */
} MediaEntry;

void
filter_media_install_properties (GObjectClass * klass, guint first_id)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
      | GST_PARAM_MUTABLE_READY;

  g_object_class_install_property (klass, first_id,
      g_param_spec_string ("input-tensor", "Input tensor",
          "With video or audio: the name (id) of the tensor on each buffer that "
          "is the vector; none: the first of the right size", NULL, flags));
  g_object_class_install_property (klass, first_id + 1,
      g_param_spec_string ("output-tensor", "Output tensor",
          "With video or audio: the name of the tensor that is added",
          MEDIA_OUTPUT_TENSOR, flags));
}

static gchar **
find_name (FilterMedia * self, GParamSpec * pspec)
{
  if (g_str_equal (pspec->name, "input-tensor"))
    return &self->input;
  return g_str_equal (pspec->name, "output-tensor") ? &self->output : NULL;
}

gboolean
filter_media_set_property (GstContinualFilter * self, const GValue * value,
    GParamSpec * pspec)
{
  gchar **name = find_name (&self->media, pspec);
  gboolean refused;

  if (!name)
    return FALSE;
  GST_OBJECT_LOCK (self);
  refused = GST_STATE (self) > GST_STATE_READY;
  if (!refused) {
    g_free (*name);
    *name = g_value_dup_string (value);
    if (!self->media.output)
      self->media.output = g_strdup (MEDIA_OUTPUT_TENSOR);
  }
  GST_OBJECT_UNLOCK (self);
  if (refused)
    model_host_refuse_property (&self->host, pspec);
  return TRUE;
}

gboolean
filter_media_get_property (GstContinualFilter * self, GValue * value,
    GParamSpec * pspec)
{
  gchar **name = find_name (&self->media, pspec);

  if (!name)
    return FALSE;
  GST_OBJECT_LOCK (self);
  g_value_set_string (value, *name);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

void
filter_media_init (FilterMedia * self)
{
  self->output = g_strdup (MEDIA_OUTPUT_TENSOR);
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
filter_media_clear (FilterMedia * self)
{
  g_queue_clear_full (&self->waiting, free_entry);
  self->n_asked = 0;
}

void
filter_media_finalize (FilterMedia * self)
{
  filter_media_clear (self);
  g_free (self->input);
  g_free (self->output);
}

static void
append (FilterMedia * self, GstBuffer * buffer, gboolean asked)
{
  MediaEntry *entry = g_new (MediaEntry, 1);

  *entry = (MediaEntry) {
  buffer, asked};
  g_queue_push_tail (&self->waiting, entry);
  self->n_asked += asked;
}

static void
warn_once (GstContinualFilter * self)
{
  if (self->media.warned)
    return;
  self->media.warned = TRUE;
  GST_ELEMENT_WARNING (self, STREAM, FORMAT,
      ("Expected tensors on the buffers, found a buffer that has none%s%s: put "
          "an element before this one that adds them, such as onnxinference. "
          "Such buffers pass as they are.", self->media.input ? " named " : "",
          self->media.input ? self->media.input : ""), (NULL));
}

GstFlowReturn
filter_media_take (GstContinualFilter * self, GstBuffer * buffer,
    GstBuffer ** vector)
{
  const CoModelInfo *info =
      co_model_get_info (model_stream_get_model (self->host.stream));
  g_autofree gchar *why = NULL;
  MediaTensor tensor;

  *vector = NULL;
  switch (media_tensor_find (buffer, self->media.input, info->n_inputs,
          &tensor, &why)) {
    case MEDIA_TENSOR_FOUND:
      self->input.dims[0] = (guint) info->n_inputs;
      *vector = gst_buffer_copy_region (tensor.data, GST_BUFFER_COPY_MEMORY, 0,
          tensor.n * sizeof (gfloat));
      break;
    case MEDIA_TENSOR_NONE:
      warn_once (self);
      break;
    default:
      vector_caps_post_error (GST_ELEMENT (self), why, NULL);
      gst_buffer_unref (buffer);
      return GST_FLOW_ERROR;
  }
  append (&self->media, buffer, *vector != NULL);
  return GST_FLOW_OK;
}

/* That whose vector is @age vectors older than the newest; NULL: it isn't here any more. */
static MediaEntry *
find_asked (FilterMedia * self, gsize age)
{
  for (GList * l = self->waiting.tail; l; l = l->prev) {
    MediaEntry *entry = l->data;

    if (entry->asked && age-- == 0)
      return entry;
  }
  return NULL;
}

void
filter_media_refuse (FilterMedia * self)
{
  MediaEntry *entry = find_asked (self, 0);

  if (!entry)
    return;
  entry->asked = FALSE;
  self->n_asked--;
}

static void
add_weights (GstContinualFilter * self, const ModelEvent * event,
    GstBuffer * buffer)
{
  const CoModelInfo *info =
      co_model_get_info (model_stream_get_model (self->host.stream));
  const gsize size = model_stream_get_weights_size (self->host.stream);
  const gsize dims[] = { info->n_heads, info->n_positions, info->n_weights };
  const gboolean heads = self->host.weights == ATTENTION_WEIGHTS_HEADS;
  g_autofree gchar *id = g_strconcat (self->media.output, "-weights", NULL);
  gfloat *weights;

  if (!size)
    return;
  weights = g_malloc (size);
  model_stream_read_weights (self->host.stream, event, weights);
  media_tensor_add (buffer, id, weights, heads ? 3 : 2, dims + !heads);
}

void
filter_media_answer (GstContinualFilter * self, const ModelEvent * event)
{
  const CoModelInfo *info =
      co_model_get_info (model_stream_get_model (self->host.stream));
  const gsize dims[] = { info->n_positions, info->n_outputs };
  MediaEntry *entry = find_asked (&self->media, event->age);
  gfloat *y;

  if (!entry)
    return;
  entry->buffer = gst_buffer_make_writable (entry->buffer);
  y = g_malloc (model_stream_get_output_size (self->host.stream));
  model_stream_read (self->host.stream, event, y);
  media_tensor_add (entry->buffer, self->media.output, y,
      info->n_positions > 1 ? 2 : 1, dims + (info->n_positions == 1));
  add_weights (self, event, entry->buffer);
}

GstBuffer *
filter_media_pop (FilterMedia * self, gsize n_later)
{
  MediaEntry *entry = g_queue_peek_head (&self->waiting);
  GstBuffer *buffer;

  if (!entry || (entry->asked && self->n_asked <= n_later))
    return NULL;
  g_queue_pop_head (&self->waiting);
  self->n_asked -= entry->asked;
  buffer = entry->buffer;
  g_free (entry);
  return buffer;
}
