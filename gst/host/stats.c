/* gst-continual: what an element counts, as a property and as messages
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/private.h"

GstStructure *
model_host_get_stats (ModelHost * self)
{
  CoModelInfo info = { 0 };
  GstStructure *res;
  ModelStats stats;
  guint n_streams = model_host_get_n_streams (self);

  GST_OBJECT_LOCK (self->element);
  stats = self->stats;
  if (self->model)
    info = *co_model_get_info (self->model);
  GST_OBJECT_UNLOCK (self->element);
  res = gst_structure_new ("continual-stats",
      "vectors", G_TYPE_UINT64, stats.sum.vectors,
      "outputs", G_TYPE_UINT64, stats.sum.outputs,
      "refused", G_TYPE_UINT64, stats.sum.refused,
      "absent", G_TYPE_UINT64, stats.sum.absent,
      "step-time", G_TYPE_UINT64, stats.sum.step_time,
      "mean-step-time", G_TYPE_UINT64,
      stats.steps ? stats.time / stats.steps : (guint64) 0,
      "state-bytes", G_TYPE_UINT64, (guint64) (n_streams * info.state_bytes),
      "model-bytes", G_TYPE_UINT64, (guint64) info.model_bytes,
      "macs", G_TYPE_UINT64, info.macs, NULL);
  if (self->klass->add_stats)
    self->klass->add_stats (self->element, res);
  return res;
}

void
model_host_count (ModelHost * self, const ModelCounts * counts, gsize n_steps)
{
  GST_OBJECT_LOCK (self->element);
  self->stats.sum.vectors += counts->vectors;
  self->stats.sum.outputs += counts->outputs;
  self->stats.sum.absent += counts->absent;
  if (n_steps) {
    self->stats.sum.step_time = counts->step_time;
    self->stats.steps += n_steps;
    self->stats.time += n_steps * counts->step_time;
  }
  GST_OBJECT_UNLOCK (self->element);
}

void
model_host_post_stats (ModelHost * self)
{
  GstClockTime now;

  if (!self->stats_interval)
    return;
  now = gst_util_get_timestamp ();
  if (now - self->last_stats < self->stats_interval * GST_SECOND)
    return;
  self->last_stats = now;
  gst_element_post_message (self->element,
      gst_message_new_element (GST_OBJECT (self->element),
          model_host_get_stats (self)));
}
