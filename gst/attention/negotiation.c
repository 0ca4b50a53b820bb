/* gst-continual: events, caps and memory of a continualattention
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/private.h"

#include "host/caps.h"
#include "tensor/pool.h"
#include "tensor/vectorcaps.h"

static GstAggregatorClass *parent_class;

static gsize
get_width (const CoModelInfo * info, AttentionInput input)
{
  return input == INPUT_QUERY ? info->n_inputs : input == INPUT_KEY ?
      info->n_keys : info->n_values;
}

/* Which input @pad is. */
static AttentionInput
find_input (GstContinualAttention * self, GstAggregatorPad * pad)
{
  AttentionInput input = INPUT_QUERY;

  GST_OBJECT_LOCK (self);
  while (input < N_INPUTS - 1
      && (gpointer) self->pads[input] != (gpointer) pad)
    input++;
  GST_OBJECT_UNLOCK (self);
  return input;
}

/* Which of the pads' vectors serve as @input. */
static AttentionInput
find_source (AttentionPad * const pads[N_INPUTS], AttentionInput input)
{
  while (!pads[input])
    input--;
  return input;
}

static gchar *
check_widths (const CoModelInfo * info, AttentionPad * const pads[N_INPUTS])
{
  for (AttentionInput i = 0; i < N_INPUTS; i++) {
    const AttentionInput source = find_source (pads, i);
    const guint found = pads[source]->input.dims[0];

    if (found == get_width (info, i))
      continue;
    return source == i ? g_strdup_printf ("expected %s of %" G_GSIZE_FORMAT
        " values, as the model takes them, found %u", attention_get_input_name
        (i), get_width (info, i), found) :
        g_strdup_printf ("expected %s of %" G_GSIZE_FORMAT " values, as the "
        "model takes them, found no pad for them and %s of %u: link the pad %s",
        attention_get_input_name (i), get_width (info, i),
        attention_get_input_name (source), found,
        i == INPUT_KEY ? "key" : "value");
  }
  return NULL;
}

static gboolean
fractions_equal (guint64 a_n, guint64 a_d, guint64 b_n, guint64 b_d)
{
  return a_n * b_d == b_n * a_d;
}

/* Whether a framerate counts vectors or buffers of T is not told by the caps: streams differ if they do both ways. */
static gboolean
framerates_differ (const TensorInfo * a, const TensorInfo * b)
{
  return a->fps_n && b->fps_n
      && !fractions_equal (a->fps_n, a->fps_d, b->fps_n, b->fps_d)
      && !fractions_equal ((guint64) a->fps_n * a->dims[1], a->fps_d,
      (guint64) b->fps_n * b->dims[1], b->fps_d);
}

gchar *
attention_check_inputs (GstContinualAttention * self,
    AttentionPad * const pads[N_INPUTS])
{
  const TensorInfo *query = &pads[INPUT_QUERY]->input;
  gchar *why =
      check_widths (co_model_get_info (model_stream_get_model (self->
              host.stream)), pads);

  for (AttentionInput i = INPUT_KEY; !why && i < N_INPUTS; i++) {
    const TensorInfo *input = pads[i] ? &pads[i]->input : query;
    const gchar *name = attention_get_input_name (i);

    if (input->dims[2] != query->dims[2])
      why = g_strdup_printf ("expected %s of as many streams as the queries, "
          "%u, found %u: correct the last of the dimensions", name,
          query->dims[2], input->dims[2]);
    else if (framerates_differ (query, input))
      why = g_strdup_printf ("expected %s at the rate of the queries, "
          "framerate=%d/%d, found framerate=%d/%d: bring them to one rate "
          "before this element", name, query->fps_n, query->fps_d,
          input->fps_n, input->fps_d);
  }
  return why;
}

/* What comes out of queries such as @query's. */
static GstCaps *
make_src_caps (AttentionWeights weights, const CoModelInfo * info,
    const AttentionPad * query)
{
  const TensorInfo *in = &query->input;
  GstCaps *caps = tensor_caps_new (in->dims, in->fps_n, in->fps_d);
  GstCaps *res = attention_weights_add_to_caps (weights, info,
      model_caps_to_src (info, caps));

  gst_caps_unref (caps);
  return res;
}

gchar *
attention_find_obstacle (GstElement * element, CoModel * model)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (element);
  const CoModelInfo *info = co_model_get_info (model);
  AttentionPad *pads[N_INPUTS];
  GstCaps *out, *possible;
  gchar *why = NULL;

  attention_ref_pads (self, pads);
  if (self->negotiated)
    why = check_widths (info, pads);
  if (self->negotiated && !why) {
    out = make_src_caps (self->host.weights, info, pads[INPUT_QUERY]);
    possible = gst_pad_peer_query_caps (GST_AGGREGATOR (self)->srcpad, out);
    if (gst_caps_is_empty (possible))
      why = g_strdup_printf ("expected outputs that downstream takes, found "
          "vectors of %" G_GSIZE_FORMAT ": correct the caps after this element",
          info->n_outputs);
    gst_caps_unref (possible);
    gst_caps_unref (out);
  }
  attention_unref_pads (pads);
  return why;
}

void
attention_set_vector_duration (GstContinualAttention * self,
    GstClockTime duration)
{
  GstClockTime delay = 0;

  if (duration == self->vector_duration)
    return;
  self->vector_duration = duration;
  if (GST_CLOCK_TIME_IS_VALID (duration))
    delay = model_host_get_delay (&self->host) * duration;
  gst_aggregator_set_latency (GST_AGGREGATOR (self), delay, delay);
}

static gboolean
set_caps (GstContinualAttention * self, AttentionPad * pad,
    AttentionInput input, const GstCaps * caps)
{
  const CoModelInfo *info =
      co_model_get_info (model_stream_get_model (self->host.stream));
  g_autofree gchar *why = NULL;
  TensorInfo tensor;

  if (!vector_caps_read (caps, get_width (info, input),
          attention_get_input_name (input), &tensor, &why)
      || !model_caps_check_streams (info, tensor.dims[2], &why)) {
    if (!self->failed)
      vector_caps_post_error (GST_ELEMENT (self), why, caps);
    self->failed = TRUE;
    return FALSE;
  }
  attention_pad_set_caps (pad, &tensor);
  if (input == INPUT_QUERY) {
    model_host_set_n_streams (&self->host, tensor.dims[2]);
    attention_set_vector_duration (self, vector_caps_get_duration (&tensor));
    gst_pad_mark_reconfigure (GST_AGGREGATOR (self)->srcpad);
  }
  return TRUE;
}

static gboolean
set_segment (GstContinualAttention * self, AttentionPad * pad,
    AttentionInput input, GstEvent * event)
{
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  if (segment->rate < 0) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected a segment that plays forwards, found one of rate %g: "
            "attention over past vectors can't run backwards; seek with a "
            "positive rate.", segment->rate), (NULL));
    self->failed = TRUE;
    return FALSE;
  }
  attention_pad_set_segment (pad, segment);
  /* Another place in a file is another stream; the first one may find a restored state. */
  if (pad->in_bytes && pad->begun)
    model_host_reset (&self->host, -1);
  pad->begun = TRUE;
  if (input == INPUT_QUERY) {
    gst_aggregator_update_segment (GST_AGGREGATOR (self), &pad->segment);
    self->segment_due = TRUE;
    self->segment_seqnum = gst_event_get_seqnum (event);
  }
  return TRUE;
}

static void
stream_start (GstContinualAttention * self, AttentionPad * pad,
    AttentionInput input, GstEvent * event)
{
  guint32 seqnum = gst_event_get_seqnum (event);

  /* The first one finds a fresh or a restored state; one that a new link repeats is no new stream. */
  if (pad->stream_start != GST_SEQNUM_INVALID && pad->stream_start != seqnum) {
    attention_drain (self);
    model_host_reset (&self->host, -1);
  }
  pad->stream_start = seqnum;
  if (input == INPUT_QUERY)
    self->host.labels_due = TRUE;
}

static gboolean
sink_event (GstAggregator * agg, GstAggregatorPad * pad, GstEvent * event)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  AttentionPad *from = ATTENTION_PAD (pad);
  AttentionInput input = find_input (self, pad);
  gboolean ok = TRUE;
  GstCaps *caps;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      stream_start (self, from, input, event);
      break;
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      ok = set_caps (self, from, input, caps);
      break;
    case GST_EVENT_SEGMENT:
      ok = set_segment (self, from, input, event);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      /* What comes down a tee arrives at every pad: once is enough. */
      ok = input == INPUT_QUERY;
      if (ok)
        model_host_handle_reset (&self->host, event);
      break;
    default:
      break;
  }
  if (!ok) {
    gst_event_unref (event);
    return input != INPUT_QUERY && !self->failed;
  }
  return parent_class->sink_event (agg, pad, event);
}

static gboolean
sink_query (GstAggregator * agg, GstAggregatorPad * pad, GstQuery * query)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  GstCaps *filter, *res;
  CoModel *model;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return parent_class->sink_query (agg, pad, query);
  gst_query_parse_caps (query, &filter);
  model = model_host_ref_model (&self->host);
  if (model) {
    res = vector_caps_new (get_width (co_model_get_info (model),
            find_input (self, pad)));
    co_model_unref (model);
  } else {
    res = gst_pad_get_pad_template_caps (GST_PAD (pad));
  }
  if (filter) {
    GstCaps *both =
        gst_caps_intersect_full (res, filter, GST_CAPS_INTERSECT_FIRST);

    tensor_caps_refuse_untyped (GST_ELEMENT (self), filter);
    gst_caps_unref (res);
    res = both;
  }
  gst_query_set_caps_result (query, res);
  gst_caps_unref (res);
  return TRUE;
}

static GstFlowReturn
update_src_caps (GstAggregator * agg, GstCaps * caps, GstCaps ** ret)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  const CoModelInfo *info =
      co_model_get_info (model_stream_get_model (self->host.stream));
  AttentionPad *pads[N_INPUTS];
  GstCaps *out = NULL;

  attention_ref_pads (self, pads);
  if (pads[INPUT_QUERY]->input.dims[0])
    out = make_src_caps (self->host.weights, info, pads[INPUT_QUERY]);
  attention_unref_pads (pads);
  /* The CAPS event asks again. */
  if (!out)
    return GST_AGGREGATOR_FLOW_NEED_DATA;
  *ret = gst_caps_intersect_full (out, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (out);
  return GST_FLOW_OK;
}

static gboolean
negotiated_src_caps (GstAggregator * agg, GstCaps * caps)
{
  GST_CONTINUAL_ATTENTION (agg)->negotiated = TRUE;
  return TRUE;
}

static gboolean
decide_allocation (GstAggregator * agg, GstQuery * query)
{
  tensor_pool_require (query,
      model_stream_get_output_size (GST_CONTINUAL_ATTENTION (agg)->
          host.stream));
  return tensor_pool_configure (query);
}

void
attention_negotiation_class_init (GstAggregatorClass * klass)
{
  parent_class = g_type_class_peek_parent (klass);
  klass->sink_event = sink_event;
  klass->sink_query = sink_query;
  klass->update_src_caps = update_src_caps;
  klass->negotiated_src_caps = negotiated_src_caps;
  klass->decide_allocation = decide_allocation;
}
