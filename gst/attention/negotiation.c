/* gst-continual: events, caps and buffer pools of continualattention
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/private.h"

#include "host/caps.h"
#include "host/output.h"
#include "tensor/pool.h"
#include "tensor/vectorcaps.h"

static GstAggregatorClass *parent_class;

static gboolean
set_caps (GstContinualAttention * self, VectorPad * pad,
    AttentionInput input, const GstCaps * caps)
{
  const CoModelInfo *info = model_host_get_info (&self->host);
  g_autofree gchar *why = NULL;
  TensorInfo tensor;

  if (!vector_caps_read (caps, attention_get_width (info, input),
          attention_get_input_name (input), &tensor, &why)) {
    if (!self->failed)
      vector_caps_post_error (GST_ELEMENT (self), why, caps);
    self->failed = TRUE;
    return FALSE;
  }
  vector_pad_set_caps (pad, &tensor);
  if (input == INPUT_QUERY) {
    if (!model_host_set_n_streams (&self->host, tensor.dims[2])) {
      self->failed = TRUE;
      return FALSE;
    }
    attention_set_vector_duration (self, vector_caps_get_duration (&tensor));
    gst_pad_mark_reconfigure (GST_AGGREGATOR (self)->srcpad);
  }
  return TRUE;
}

static gboolean
set_segment (GstContinualAttention * self, VectorPad * pad,
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
  /* Another position in the file is another stream. Not for the first segment: the state may be restored. */
  if (vector_pad_jumps (pad, event)) {
    attention_drain (self);
    model_host_reset (&self->host, -1);
  }
  vector_pad_set_segment (pad, event);
  if (input == INPUT_QUERY) {
    gst_aggregator_update_segment (GST_AGGREGATOR (self), &pad->segment);
    self->segment_due = TRUE;
    self->segment_seqnum = gst_event_get_seqnum (event);
  }
  return TRUE;
}

static void
stream_start (GstContinualAttention * self, VectorPad * pad,
    AttentionInput input, GstEvent * event)
{
  guint32 seqnum = gst_event_get_seqnum (event);

  /* Not for the first stream, whose state is fresh or restored; a new link repeats the event of the same stream. */
  if (pad->stream_start != GST_SEQNUM_INVALID && pad->stream_start != seqnum) {
    attention_drain (self);
    model_host_reset (&self->host, -1);
  }
  pad->stream_start = seqnum;
  if (input == INPUT_QUERY)
    model_host_set_labels_due (&self->host);
}

/* Does nothing if @event is not a continual-reset event. */
static void
reset (GstContinualAttention * self, GstEvent * event)
{
  gboolean drain;
  gint stream;

  if (!model_host_read_reset (&self->host, event, &stream, &drain))
    return;
  if (drain)
    attention_drain (self);
  model_host_reset (&self->host, stream);
}

static gboolean
sink_event (GstAggregator * agg, GstAggregatorPad * pad, GstEvent * event)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  VectorPad *from = VECTOR_PAD (pad);
  AttentionInput input = attention_find_input (self, pad);
  gboolean ok = TRUE;
  GstCaps *caps;

  GST_DEBUG_OBJECT (self, "%s: %" GST_PTR_FORMAT, GST_PAD_NAME (pad), event);
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
      if (ok)
        event = vector_pad_take_segment (from, event);
      break;
    case GST_EVENT_GAP:
      event = vector_pad_take_gap (from, event);
      if (!event)
        return TRUE;
      break;
    case GST_EVENT_SEGMENT_DONE:
      vector_pad_set_done (from);
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      /* An event from before a tee arrives at every pad: one is enough. */
      ok = input == INPUT_QUERY;
      if (ok)
        reset (self, event);
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

static GstFlowReturn
sink_event_pre_queue (GstAggregator * agg, GstAggregatorPad * pad,
    GstEvent * event)
{
  return vector_pad_pre_queue (parent_class, VECTOR_PAD (pad), event);
}

static gboolean
sink_query (GstAggregator * agg, GstAggregatorPad * pad, GstQuery * query)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  GstCaps *filter, *res;
  CoModel *model;

  if (vector_caps_accept (query))
    return TRUE;
  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return parent_class->sink_query (agg, pad, query);
  gst_query_parse_caps (query, &filter);
  model = model_host_ref_model (&self->host);
  if (model) {
    res = vector_caps_new (attention_get_width (co_model_get_info (model),
            attention_find_input (self, pad)));
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

/* Of a file that counts bytes */
static gboolean
src_query (GstAggregator * agg, GstQuery * query)
{
  VectorPad *pads[N_INPUTS];
  gboolean ok = FALSE;

  if (GST_QUERY_TYPE (query) == GST_QUERY_DURATION
      || GST_QUERY_TYPE (query) == GST_QUERY_SEEKING) {
    attention_ref_pads (GST_CONTINUAL_ATTENTION (agg), pads);
    ok = vector_pad_answer (pads[INPUT_QUERY], query);
    attention_unref_pads (pads);
  }
  return ok || parent_class->src_query (agg, query);
}

static GstFlowReturn
update_src_caps (GstAggregator * agg, GstCaps * caps, GstCaps ** ret)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  const CoModelInfo *info = model_host_get_info (&self->host);
  VectorPad *pads[N_INPUTS];
  GstCaps *out = NULL;

  attention_ref_pads (self, pads);
  if (pads[INPUT_QUERY]->input.dims[0])
    out = attention_make_src_caps (self->host.weights, info, pads[INPUT_QUERY]);
  attention_unref_pads (pads);
  /* The CAPS event marks the pad for renegotiation. */
  if (!out)
    return GST_AGGREGATOR_FLOW_NEED_DATA;
  *ret = gst_caps_intersect_full (out, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (out);
  return GST_FLOW_OK;
}

static gboolean
negotiated_src_caps (GstAggregator * agg, GstCaps * caps)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);

  GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT, caps);
  self->negotiated = TRUE;
  return TRUE;
}

static gboolean
decide_allocation (GstAggregator * agg, GstQuery * query)
{
  tensor_pool_require (query,
      model_host_get_output_size (&GST_CONTINUAL_ATTENTION (agg)->host));
  return tensor_pool_configure (query);
}

void
attention_negotiation_class_init (GstAggregatorClass * klass)
{
  parent_class = g_type_class_peek_parent (klass);
  klass->sink_event_pre_queue = sink_event_pre_queue;
  klass->sink_event = sink_event;
  klass->sink_query = sink_query;
  klass->src_query = src_query;
  klass->update_src_caps = update_src_caps;
  klass->negotiated_src_caps = negotiated_src_caps;
  klass->decide_allocation = decide_allocation;
}
