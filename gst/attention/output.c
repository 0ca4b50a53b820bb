/* gst-continual: outputs of continualattention: buffers, gaps, labels and statistics
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/output.h"

#include "attention/private.h"

/* Before an event: the base class sends the segment with the first buffer only, and then sends it again. */
static void
push_segment (GstContinualAttention * self)
{
  GstAggregator *agg = GST_AGGREGATOR (self);
  GstEvent *event;

  if (!self->segment_due)
    return;
  event = gst_event_new_segment (&GST_AGGREGATOR_PAD (agg->srcpad)->segment);
  if (self->segment_seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (event, self->segment_seqnum);
  gst_pad_push_event (agg->srcpad, event);
  self->segment_due = FALSE;
}

void
attention_push_gap (GstContinualAttention * self, const VectorTime * time)
{
  GstAggregator *agg = GST_AGGREGATOR (self);
  GstClockTime pts = GST_CLOCK_TIME_IS_VALID (time->pts) ? time->pts :
      GST_AGGREGATOR_PAD (agg->srcpad)->segment.start;

  if (!self->negotiated || !GST_CLOCK_TIME_IS_VALID (pts))
    return;
  push_segment (self);
  gst_pad_push_event (agg->srcpad, gst_event_new_gap (pts,
          time->duration));
}

static void
push_labels (GstContinualAttention * self)
{
  GstEvent *labels = model_host_take_labels (&self->host);

  if (!labels)
    return;
  push_segment (self);
  gst_pad_push_event (GST_AGGREGATOR (self)->srcpad, labels);
}

GstFlowReturn
attention_push_outputs (GstContinualAttention * self)
{
  GstAggregator *agg = GST_AGGREGATOR (self);
  GstFlowReturn ret = GST_FLOW_OK;
  ModelEvent event;
  GstBuffer *out;

  if (!self->negotiated)
    return GST_FLOW_NOT_NEGOTIATED;
  push_labels (self);
  while (ret == GST_FLOW_OK && model_host_next_event (&self->host, &event))
    switch (event.type) {
      case MODEL_OUTPUT:
        ret = model_host_make_output (&self->host,
            gst_aggregator_get_buffer_pool (agg), &event, &out);
        if (ret != GST_FLOW_OK)
          break;
        self->segment_due = FALSE;
        ret = gst_aggregator_finish_buffer (agg, out);
        break;
      case MODEL_GAP:
        attention_push_gap (self, &event.time);
        break;
      default:
        ret = model_host_report_refused (&self->host, &event);
        break;
    }
  return ret;
}

GstFlowReturn
attention_drain (GstContinualAttention * self)
{
  if (!self->negotiated)
    return GST_FLOW_OK;
  return model_host_drain (&self->host) == GST_FLOW_OK ?
      attention_push_outputs (self) : GST_FLOW_ERROR;
}

void
attention_add_stats (GstContinualAttention * self, GstStructure * stats)
{
  GST_OBJECT_LOCK (self);
  gst_structure_set (stats,
      "unmatched", G_TYPE_UINT64, self->unmatched[INPUT_QUERY],
      "unmatched-keys", G_TYPE_UINT64, self->unmatched[INPUT_KEY],
      "unmatched-values", G_TYPE_UINT64, self->unmatched[INPUT_VALUE], NULL);
  GST_OBJECT_UNLOCK (self);
}
