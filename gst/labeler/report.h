/* gst-continual: text, JSON and message of a recognised label
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "labeler/properties.h"

G_BEGIN_DECLS

/* Times of a row; GST_CLOCK_TIME_NONE: not known. */
typedef struct
{
  GstClockTime timestamp, duration, stream_time, running_time;
} LabelTimes;

typedef struct
{
  LabelTimes times;
  gint stream;                  /* -1: the only one, which is not named */
  const gchar *const *labels;   /* (D) */
  const gdouble *scores;        /* (D) */
  guint n_labels;               /* D */
  const guint *top;             /* (n_top): indices, best first; n_top >= 1 */
  guint n_top;
  gboolean several;             /* top-k is more than 1 */
} LabelReport;

/* SECONDS <tab> [STREAM <tab>] LABEL <tab> SCORE [<tab> LABEL <tab> SCORE]... <newline> */
void label_report_append_line (const LabelReport * report, GString * out);

/* [STREAM: ]LABEL, or with several one LABEL SCORE a line; no newline at the end. */
void label_report_append_text (const LabelReport * report, GString * out);

/* A JSON object with the fields of the message and, with several, an array "top"; then a newline. */
void label_report_append_json (const LabelReport * report, GString * out);

/* What a buffer with this report alone holds; free it. */
gchar *label_report_to_text (const LabelReport * report, LabelerFormat format);

/* A copy that owns its arrays. */
LabelReport *label_report_copy (const LabelReport * report);
void label_report_free (LabelReport * report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LabelReport, label_report_free)

/* The structure of the element message. */
GstStructure *label_report_to_structure (const LabelReport * report);

G_END_DECLS
