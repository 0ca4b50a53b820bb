/* gst-continual: outputs of a continualfilter: buffers, gaps and labels
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder/filter.h"

#include "host/output.h"

void
filter_push_labels (GstContinualFilter * self)
{
  GstEvent *labels = model_host_take_labels (&self->host);

  if (labels)
    gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self), labels);
}

static void
push_gap (GstContinualFilter * self, const VectorTime * time)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  /* A stream without times must preroll, too. */
  GstClockTime pts = GST_CLOCK_TIME_IS_VALID (time->pts) ? time->pts :
      trans->segment.start;

  if (GST_CLOCK_TIME_IS_VALID (pts))
    gst_pad_push_event (trans->srcpad, gst_event_new_gap (pts,
            time->duration));
}

GstFlowReturn
filter_next_output (GstContinualFilter * self, GstBuffer ** out)
{
  ModelEvent event;
  GstFlowReturn ret = GST_FLOW_OK;

  *out = NULL;
  while (ret == GST_FLOW_OK && !*out
      && model_host_next_event (&self->host, &event))
    switch (event.type) {
      case MODEL_OUTPUT:
        if (self->media.active)
          ret = filter_media_answer (&self->media, &self->host, &event);
        else
          ret = model_host_make_output (&self->host,
              gst_base_transform_get_buffer_pool (GST_BASE_TRANSFORM (self)),
              &event, out);
        break;
      case MODEL_GAP:
        if (!self->media.active)
          push_gap (self, &event.time);
        break;
      default:
        if (event.type != MODEL_NOT_FINITE)
          filter_media_refuse (&self->media);
        ret = model_host_report_refused (&self->host, &event);
        break;
    }
  /* Not before the step of the newest vector. */
  if (ret == GST_FLOW_OK && self->media.active && !self->buffer)
    *out = filter_media_pop (&self->media, model_host_get_delay (&self->host));
  return ret;
}

GstFlowReturn
filter_push_media (GstContinualFilter * self)
{
  GstFlowReturn ret = GST_FLOW_OK;
  GstBuffer *out;

  while (ret == GST_FLOW_OK && (out = filter_media_pop (&self->media, 0)))
    ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), out);
  return ret;
}

GstFlowReturn
filter_drain (GstContinualFilter * self)
{
  GstFlowReturn ret;
  GstBuffer *out;

  if (!self->input.dims[0])
    return GST_FLOW_OK;
  ret = model_host_drain (&self->host);
  if (ret != GST_FLOW_OK)
    return ret;
  do {
    ret = filter_next_output (self, &out);
    if (out)
      ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), out);
  } while (ret == GST_FLOW_OK && out);
  return ret == GST_FLOW_OK ? filter_push_media (self) : ret;
}
