/* gst-continual: statistics of the steps of a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/stats.h"

void
model_stats_add (ModelStats * self, const ModelCounts * counts, gsize n_steps)
{
  self->sum.vectors += counts->vectors;
  self->sum.outputs += counts->outputs;
  self->sum.absent += counts->absent;
  if (!n_steps)
    return;
  self->sum.step_time = counts->step_time;
  self->steps += n_steps;
  self->time += n_steps * counts->step_time;
}

GstStructure *
model_stats_to_structure (const ModelStats * self, const CoModelInfo * info,
    guint n_streams)
{
  const guint64 state_bytes = info ? n_streams * info->state_bytes : 0;
  const guint64 model_bytes = info ? info->model_bytes : 0;
  const guint64 macs = info ? info->macs : 0;

  return gst_structure_new ("continual-stats",
      "vectors", G_TYPE_UINT64, self->sum.vectors,
      "outputs", G_TYPE_UINT64, self->sum.outputs,
      "refused", G_TYPE_UINT64, self->sum.refused,
      "absent", G_TYPE_UINT64, self->sum.absent,
      "step-time", G_TYPE_UINT64, self->sum.step_time,
      "mean-step-time", G_TYPE_UINT64,
      self->steps ? self->time / self->steps : (guint64) 0,
      "state-bytes", G_TYPE_UINT64, state_bytes,
      "model-bytes", G_TYPE_UINT64, model_bytes,
      "macs", G_TYPE_UINT64, macs, NULL);
}
