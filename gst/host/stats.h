/* gst-continual: statistics of the steps of a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/stream.h"

G_BEGIN_DECLS

typedef struct
{
  ModelCounts sum;              /* step_time: of the last step */
  guint64 steps;
  GstClockTime time;            /* of all steps */
} ModelStats;

/* Adds @n_steps steps, or a drain (0). Refused vectors are counted where they are reported. */
void model_stats_add (ModelStats * self, const ModelCounts * counts,
    gsize n_steps);

/* The structure continual-stats. @info: of the model in use; NULL: none. */
GstStructure *model_stats_to_structure (const ModelStats * self,
    const CoModelInfo * info, guint n_streams);

G_END_DECLS
