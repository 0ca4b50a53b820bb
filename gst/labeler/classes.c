/* gst-continual: class labels as metadata of a buffer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/classes.h"

#include <gst/analytics/analytics.h>

void
classes_add (GstBuffer * buffer, const LabelReport * report)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  g_autofree gfloat *levels = g_new (gfloat, report->n_top);
  g_autofree GQuark *labels = g_new (GQuark, report->n_top);
  GstAnalyticsClsMtd classes;

  for (guint i = 0; i < report->n_top; i++) {
    levels[i] = report->scores[report->top[i]];
    labels[i] = g_quark_from_string (report->labels[report->top[i]]);
  }
  if (!meta)
    meta = gst_buffer_add_analytics_relation_meta (buffer);
  gst_analytics_relation_meta_add_cls_mtd (meta, report->n_top, levels, labels,
      &classes);
}
