/* gst-continual: how a recognised label is written down
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* When a row was valid; GST_CLOCK_TIME_NONE for what isn't known. */
typedef struct
{
  GstClockTime timestamp, duration, stream_time, running_time;
} LabelTimes;

typedef struct
{
  LabelTimes times;
  gint stream;                  /* -1: there is only one, don't name it */
  const gchar *const *labels;   /* (D) */
  const gdouble *scores;        /* (D) */
  const guint *top;             /* (n_top): indices, best first; n_top >= 1 */
  guint n_top;
  gboolean several;             /* more than one was asked for, however many there are */
} LabelReport;

/* SECONDS <tab> [STREAM <tab>] LABEL <tab> SCORE [<tab> LABEL <tab> SCORE]... <newline> */
void label_report_append_line (const LabelReport * report, GString * out);

/* [STREAM: ]LABEL, or if several were asked for LABEL SCORE on each line; no newline at the end. */
void label_report_append_text (const LabelReport * report, GString * out);

/* One object and a newline, with the fields of the message; if several were asked for also an array "top". */
void label_report_append_json (const LabelReport * report, GString * out);

/* What the element message holds. */
GstStructure *label_report_to_structure (const LabelReport * report);

G_END_DECLS
