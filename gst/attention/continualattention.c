/* gst-continual: attention with separate queries, keys and values
 * SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-continualattention
 * @title: continualattention
 * @short_description: a multi-head attention over live streams of queries, keys and values
 *
 * Runs a bare attention, such as nn.MultiheadAttention or KernelAttention, whose queries, keys and values are separate
 * streams. When a vector has come on all pads, it pushes the output over the window of the last sequence-len vectors, as
 * continualencoder does for one stream. The pads key and value are request pads: without value the keys serve as values,
 * without key the queries serve as keys.
 *
 * Dimensions are innermost first: (string)C, C:T (T vectors in time) or C:T:S (S streams, the same number on each pad),
 * where C is the model's width of a query (its embed_dim), a key (kdim) or a value (vdim). Each output is one buffer of
 * (string)D, or D:N with attention=retroactive.
 *
 * ## Which vectors match
 *
 * Vectors match if their running times are less than half a vector apart. The vectors of a chunk share its time evenly;
 * pads may have chunks of different lengths. All streams must have the same rate; different rates are an error. Vectors
 * without a time match in order of arrival. The output has the time of the query.
 *
 * A vector without a match, since another pad has a gap there or begins later, is left out and counted in stats:
 * unmatched for queries, unmatched-keys, unmatched-values. A GAP event replaces a query that is left out. In a live
 * pipeline, a vector waits for other pads as long as the latency of the pipeline allows (the property latency adds to
 * it), and is then left out, too. When a pad is at EOS and its last vector is answered, the stream ends.
 *
 * If the branches come from one thread (a tee), each needs a queue, as for every element with several inputs.
 *
 * |[
 * gst-launch-1.0 continualattention name=a model-path=attention.safetensors ! fakesink \
 *     video. ! queue ! a.query  audio. ! queue ! tee name=t  t. ! queue ! a.key  t. ! queue ! a.value
 * ]|
 */
#include "attention/private.h"

#include "host/properties.h"

static const gchar *const pad_names[N_INPUTS] = { "query", "key", "value" };

static GstStaticPadTemplate query_template = GST_STATIC_PAD_TEMPLATE ("query",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));
static GstStaticPadTemplate key_template = GST_STATIC_PAD_TEMPLATE ("key",
    GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));
static GstStaticPadTemplate value_template = GST_STATIC_PAD_TEMPLATE ("value",
    GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE_WITH_WEIGHTS));

G_DEFINE_TYPE (GstContinualAttention, gst_continual_attention,
    GST_TYPE_AGGREGATOR);
GST_ELEMENT_REGISTER_DEFINE (continualattention, "continualattention",
    GST_RANK_NONE, GST_TYPE_CONTINUAL_ATTENTION);

static void
gst_continual_attention_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  if (!model_host_set_property (&GST_CONTINUAL_ATTENTION (object)->host, value,
          pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_continual_attention_get_property (GObject * object, guint id,
    GValue * value, GParamSpec * pspec)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (object);

  if (!model_host_get_property (&self->host, value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  if (g_str_equal (pspec->name, "stats"))
    attention_add_stats (self, g_value_get_boxed (value));
}

static VectorPad *
pad_new (AttentionInput input, GstPadTemplate * templ)
{
  return g_object_new (VECTOR_TYPE_PAD, "name", pad_names[input],
      "direction", GST_PAD_SINK, "template", templ, NULL);
}

/* The base class calls it for the two request templates only. */
static GstAggregatorPad *
gst_continual_attention_create_new_pad (GstAggregator * agg,
    GstPadTemplate * templ, const gchar * name, const GstCaps * caps)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  const AttentionInput input =
      strcmp (templ->name_template, pad_names[INPUT_KEY]) == 0 ?
      INPUT_KEY : INPUT_VALUE;
  VectorPad *pad = pad_new (input, templ), *old;

  GST_OBJECT_LOCK (self);
  old = self->pads[input];
  if (!old)
    self->pads[input] = pad;
  GST_OBJECT_UNLOCK (self);
  if (!old)
    return GST_AGGREGATOR_PAD (pad);
  GST_WARNING_OBJECT (self, "expected one pad %s, found it requested again: "
      "release the first one before", pad_names[input]);
  gst_object_ref_sink (pad);
  gst_object_unref (pad);
  return NULL;
}

static void
gst_continual_attention_release_pad (GstElement * element, GstPad * pad)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (element);

  GST_OBJECT_LOCK (self);
  for (AttentionInput i = INPUT_KEY; i < N_INPUTS; i++)
    if ((gpointer) self->pads[i] == (gpointer) pad)
      self->pads[i] = NULL;
  GST_OBJECT_UNLOCK (self);
  GST_ELEMENT_CLASS (gst_continual_attention_parent_class)->release_pad
      (element, pad);
}

static gboolean
gst_continual_attention_start (GstAggregator * agg)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  VectorPad *pads[N_INPUTS];

  if (!model_host_start (&self->host))
    return FALSE;
  attention_ref_pads (self, pads);
  for (AttentionInput i = 0; i < N_INPUTS; i++)
    if (pads[i])
      vector_pad_start (pads[i]);
  attention_unref_pads (pads);
  GST_OBJECT_LOCK (self);
  memset (self->unmatched, 0, sizeof self->unmatched);
  GST_OBJECT_UNLOCK (self);
  self->failed = self->negotiated = FALSE;
  self->segment_due = TRUE;
  self->segment_seqnum = GST_SEQNUM_INVALID;
  self->vector_duration = GST_CLOCK_TIME_NONE;
  return TRUE;
}

static gboolean
gst_continual_attention_stop (GstAggregator * agg)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  VectorPad *pads[N_INPUTS];

  attention_ref_pads (self, pads);
  for (AttentionInput i = 0; i < N_INPUTS; i++)
    if (pads[i])
      vector_pad_discard (pads[i]);
  attention_unref_pads (pads);
  model_host_stop (&self->host);
  return TRUE;
}

static void
gst_continual_attention_finalize (GObject * object)
{
  model_host_clear (&GST_CONTINUAL_ATTENTION (object)->host);
  G_OBJECT_CLASS (gst_continual_attention_parent_class)->finalize (object);
}

static const ElementAbout about = {
  .name = "continualattention",
  .title = "Continual attention",
  .classes = "Filter/Analyzer/Tensor",
  .description = "Runs one multi-head attention over live streams of queries, keys and values, which it "
      "matches by time",
  .example = "continualattention name=a model-path=attention.safetensors ! fakesink  QUERIES ! a.query  "
      "KEYS ! a.key",
  .page = "docs/attention-and-decoder.md",
};

static void
gst_continual_attention_class_init (GstContinualAttentionClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstAggregatorClass *agg_class = GST_AGGREGATOR_CLASS (klass);

  object_class->set_property = gst_continual_attention_set_property;
  object_class->get_property = gst_continual_attention_get_property;
  object_class->finalize = gst_continual_attention_finalize;
  model_host_class_init (object_class, MODEL_FOR_ATTENTION);

  element_about (element_class, &about);
  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &query_template, VECTOR_TYPE_PAD);
  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &key_template, VECTOR_TYPE_PAD);
  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &value_template, VECTOR_TYPE_PAD);
  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &src_template, GST_TYPE_AGGREGATOR_PAD);
  element_class->release_pad = gst_continual_attention_release_pad;

  agg_class->create_new_pad = gst_continual_attention_create_new_pad;
  agg_class->start = gst_continual_attention_start;
  agg_class->stop = gst_continual_attention_stop;
  attention_negotiation_class_init (agg_class);
  attention_flow_class_init (agg_class);
  gst_type_mark_as_plugin_api (VECTOR_TYPE_PAD, 0);
}

static void
gst_continual_attention_init (GstContinualAttention * self)
{
  GstPadTemplate *templ =
      gst_element_class_get_pad_template (GST_ELEMENT_GET_CLASS (self),
      pad_names[INPUT_QUERY]);

  model_host_init (&self->host, GST_ELEMENT (self), MODEL_FOR_ATTENTION);
  self->vector_duration = GST_CLOCK_TIME_NONE;
  self->pads[INPUT_QUERY] = pad_new (INPUT_QUERY, templ);
  gst_element_add_pad (GST_ELEMENT (self), GST_PAD (self->pads[INPUT_QUERY]));
}
