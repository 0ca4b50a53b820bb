/* gst-continual: a continual Transformer decoder with a memory
 * SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-continualdecoder
 * @title: continualdecoder
 * @short_description: a Transformer decoder over a live stream and a memory
 *
 * For each vector on the pad sink the element pushes the output of the decoder: its self-attention attends to all vectors
 * so far, its cross-attention to the memory in force at the running time of the vector. Vectors, chunks, several streams,
 * files, time and resets are as in continualencoder.
 *
 * A buffer on the pad memory is a whole memory: (string)E:L, L vectors of E values. L may differ from buffer to buffer.
 * Keys and values are projected once for each memory. A memory is in force from its running time on, until that of the
 * next memory. It applies to every vector whose running time is not before it, also from the middle of a chunk on.
 * A memory without a time is in force from its arrival on.
 *
 * Memories are sparse, like the text of textoverlay. Vectors wait for the first memory, but never for a later one, which
 * counts from its arrival on. The first memory also serves the vectors before its time, since they waited for it. If
 * a vector comes before any memory, and the pad memory is not linked or is at EOS, this is an error. A later EOS on it is
 * ignored, and so are GAP events. After a flush on the pad memory, vectors wait again. A flush on the pad sink,
 * clean-state and all other resets keep the memory. set-state restores the memory of the snapshot.
 *
 * |[
 * gst-launch-1.0 continualdecoder name=d model-path=decoder.safetensors ! fakesink \
 *     filesrc location=scene.f32 blocksize=20480 ! "other/tensors,format=static,num_tensors=1,types=float32,dimensions=(string)512:10" ! d.memory \
 *     features. ! queue ! d.sink
 * ]|
 */
#include "decoder/continualdecoder.h"

#include "host/properties.h"

static GstStaticPadTemplate memory_template = GST_STATIC_PAD_TEMPLATE ("memory",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));

G_DEFINE_TYPE (GstContinualDecoder, gst_continual_decoder,
    GST_TYPE_CONTINUAL_FILTER);
GST_ELEMENT_REGISTER_DEFINE (continualdecoder, "continualdecoder",
    GST_RANK_NONE, GST_TYPE_CONTINUAL_DECODER);

static gchar *
check_next (GstContinualFilter * filter, const CoModelInfo * next)
{
  const gsize width = model_host_get_info (&filter->host)->n_memory;

  if (next->n_memory != width)
    return g_strdup_printf ("expected a decoder with memories of %"
        G_GSIZE_FORMAT " values, as they come, found one for %" G_GSIZE_FORMAT,
        width, next->n_memory);
  return GST_CONTINUAL_FILTER_CLASS (gst_continual_decoder_parent_class)
      ->check_next (filter, next);
}

static void
add_stats (GstContinualFilter * filter, GstStructure * stats)
{
  GstContinualDecoder *self = GST_CONTINUAL_DECODER (filter);

  GST_CONTINUAL_FILTER_CLASS (gst_continual_decoder_parent_class)->add_stats
      (filter, stats);
  GST_OBJECT_LOCK (self);
  gst_structure_set (stats, "memories", G_TYPE_UINT64, self->n_memories, NULL);
  GST_OBJECT_UNLOCK (self);
}

/* The running time of the vector @i after the next one. */
static GstClockTimeDiff
get_running_time (GstContinualFilter * filter, gsize i)
{
  VectorTime time = vector_time_at (&filter->time, filter->next_step + i,
      filter->n_steps);

  return vector_time_to_running (&GST_BASE_TRANSFORM (filter)->segment,
      time.pts);
}

/* Leaves out a memory, or posts an error, as the property on-invalid says. */
static GstFlowReturn
refuse (GstContinualDecoder * self, GstBuffer * memory, const GError * error)
{
  if (GST_CONTINUAL_FILTER (self)->host.on_invalid == MODEL_ON_INVALID_DROP) {
    GST_ELEMENT_WARNING (self, RESOURCE, NO_SPACE_LEFT,
        ("A memory is left out: %s.", error->message), ("%" GST_PTR_FORMAT,
            memory));
    return GST_FLOW_OK;
  }
  GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT, ("%c%s.",
          g_ascii_toupper (error->message[0]), error->message + 1),
      ("%" GST_PTR_FORMAT, memory));
  return GST_FLOW_ERROR;
}

/* The model attends to @memory from now on, unless it is refused. */
static GstFlowReturn
attend (GstContinualDecoder * self, GstBuffer * memory)
{
  ModelHost *host = &GST_CONTINUAL_FILTER (self)->host;
  const CoModelInfo *info = model_host_get_info (host);
  g_autoptr (GError) error = NULL;
  GstMapInfo map;
  gboolean ok;

  if (!gst_buffer_map (memory, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("Expected a memory in readable memory, found one that can't be "
            "mapped."), ("%" GST_PTR_FORMAT, memory));
    return GST_FLOW_ERROR;
  }
  ok = model_host_set_memory (host, (const float *) map.data,
      map.size / (info->n_memory * sizeof (float)), &error);
  gst_buffer_unmap (memory, &map);
  if (!ok)
    return refuse (self, memory, error);
  GST_OBJECT_LOCK (self);
  self->n_memories++;
  GST_OBJECT_UNLOCK (self);
  return GST_FLOW_OK;
}

static GstFlowReturn
explain (GstContinualDecoder * self, MemoryResult result)
{
  if (result == MEMORY_FLUSHING)
    return GST_FLOW_FLUSHING;
  if (result == MEMORY_ENDED)
    GST_ELEMENT_ERROR (self, STREAM, FAILED,
        ("Expected a memory for the first vector, found that the pad memory has "
            "ended without any: give it one before its EOS."), (NULL));
  else if (result == MEMORY_UNLINKED)
    GST_ELEMENT_ERROR (self, STREAM, FAILED,
        ("Expected a memory for the first vector, found the pad memory not "
            "linked: link it to the source of the memories."), (NULL));
  return GST_FLOW_ERROR;
}

/* Gives the model the memory in force, and limits *n to the vectors for which it is. */
static GstFlowReturn
prepare (GstContinualFilter * filter, gsize * n)
{
  GstContinualDecoder *self = GST_CONTINUAL_DECODER (filter);
  GstClockTimeDiff until;
  GstFlowReturn ret = GST_FLOW_OK;

  /* Again if the first memory was refused. */
  do {
    GstBuffer *memory;
    MemoryResult result = memory_queue_take (&self->memories,
        get_running_time (filter, 0), !model_host_has_memory (&filter->host),
        &memory, &until);

    if (result != MEMORY_TAKEN)
      return explain (self, result);
    if (memory)
      ret = attend (self, memory);
    gst_clear_buffer (&memory);
  } while (ret == GST_FLOW_OK && !model_host_has_memory (&filter->host));
  for (gsize i = 1; GST_CLOCK_STIME_IS_VALID (until) && i < *n; i++)
    if (get_running_time (filter, i) >= until)
      *n = i;
  return ret;
}

static gboolean
sink_event (GstBaseTransform * trans, GstEvent * event)
{
  GstContinualDecoder *self = GST_CONTINUAL_DECODER (trans);
  const GstEventType type = GST_EVENT_TYPE (event);
  gboolean ok;

  if (type == GST_EVENT_FLUSH_START)
    memory_queue_flush_take (&self->memories, TRUE);
  else if (type == GST_EVENT_FLUSH_STOP)
    memory_queue_flush_take (&self->memories, FALSE);
  if (type == GST_EVENT_FLUSH_STOP || type == GST_EVENT_STREAM_START)
    memory_queue_set_take_ended (&self->memories, FALSE);
  ok = GST_BASE_TRANSFORM_CLASS (gst_continual_decoder_parent_class)->sink_event
      (trans, event);
  if (type == GST_EVENT_EOS)
    memory_queue_set_take_ended (&self->memories, TRUE);
  return ok;
}

/* Seeks the memories before the vectors that need them. */
static gboolean
src_event (GstBaseTransform * trans, GstEvent * event)
{
  GstContinualDecoder *self = GST_CONTINUAL_DECODER (trans);
  gdouble rate;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK) {
    gst_event_parse_seek (event, &rate, NULL, NULL, NULL, NULL, NULL, NULL);
    if (rate > 0)
      decoder_pad_seek (self, gst_event_ref (event));
  }
  return GST_BASE_TRANSFORM_CLASS (gst_continual_decoder_parent_class)->src_event
      (trans, event);
}

static GstStateChangeReturn
gst_continual_decoder_change_state (GstElement * element,
    GstStateChange transition)
{
  GstContinualDecoder *self = GST_CONTINUAL_DECODER (element);

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    decoder_pad_start (self);
    memory_queue_start (&self->memories);
    GST_OBJECT_LOCK (self);
    self->n_memories = 0;
    GST_OBJECT_UNLOCK (self);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    memory_queue_stop (&self->memories);
  }
  return GST_ELEMENT_CLASS (gst_continual_decoder_parent_class)->change_state
      (element, transition);
}

static void
gst_continual_decoder_finalize (GObject * object)
{
  memory_queue_clear (&GST_CONTINUAL_DECODER (object)->memories);
  decoder_pad_clear (GST_CONTINUAL_DECODER (object));
  G_OBJECT_CLASS (gst_continual_decoder_parent_class)->finalize (object);
}

static const ElementAbout about = {
  .name = "continualdecoder",
  .title = "Continual Transformer decoder",
  .classes = "Filter/Analyzer/Tensor",
  .description = "Runs a Transformer decoder on every vector of a live stream, with a memory from a second pad",
  .example = "continualdecoder name=d model-path=decoder.safetensors ! fakesink  SCENES ! d.memory  SOURCE"
      " ! d.sink",
  .page = "docs/attention-and-decoder.md",
};

static void
gst_continual_decoder_class_init (GstContinualDecoderClass * klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);
  GstContinualFilterClass *filter_class = GST_CONTINUAL_FILTER_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_continual_decoder_finalize;
  filter_install_properties (G_OBJECT_CLASS (klass), MODEL_FOR_DECODER);
  element_about (element_class, &about);
  gst_element_class_add_static_pad_template (element_class, &memory_template);
  element_class->change_state = gst_continual_decoder_change_state;
  trans_class->sink_event = sink_event;
  trans_class->src_event = src_event;
  filter_class->prepare = prepare;
  filter_class->check_next = check_next;
  filter_class->add_stats = add_stats;
}

static void
gst_continual_decoder_init (GstContinualDecoder * self)
{
  model_host_init (&GST_CONTINUAL_FILTER (self)->host, GST_ELEMENT (self),
      MODEL_FOR_DECODER);
  memory_queue_init (&self->memories);
  self->memory_pad = gst_pad_new_from_static_template (&memory_template,
      "memory");
  decoder_pad_init (self);
  gst_element_add_pad (GST_ELEMENT (self), self->memory_pad);
}
