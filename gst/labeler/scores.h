/* gst-continual: from raw scores to labels
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Smoothed scores of S streams with D labels, and the label that each of them shows. */
typedef struct
{
  guint n_labels, n_streams;    /* D, S */
  gdouble *smoothed;            /* (S, D) */
  gdouble *scores;              /* (D): of the current row */
  gboolean *started;            /* (S): had a row since the reset */
  gint *shown;                  /* (S): index, or -1 for none */
  guint *order;                 /* (D) */
} LabelScores;

typedef enum
{
  LABEL_ROW_SCORED,
  LABEL_ROW_ABSENT,             /* all NaN */
  LABEL_ROW_INVALID,            /* some NaN, or an infinity without a meaning */
} LabelRow;

/* NULL: there is no room for them. */
LabelScores *label_scores_new (guint n_labels, guint n_streams);
void label_scores_free (LabelScores * self);

/* Resets @stream; < 0: all streams. */
void label_scores_reset (LabelScores * self, gint stream);

/* Adds the next @row, (D), of @stream: y[t] = smoothing * y[t-1] + (1 - smoothing) * x[t], y[0] = x[0], where x is the row
 * or its softmax. The state changes only with LABEL_ROW_SCORED. */
LabelRow label_scores_push (LabelScores * self, guint stream,
    const gfloat * row, gboolean softmax, gdouble smoothing);

/* Index of the best smoothed score, the lowest one of equals; -1: it is below @threshold or @ignored, (D). Stores it.
 * *changed: it differs from the one stored before (-1 after a reset). */
gint label_scores_show (LabelScores * self, guint stream, gdouble threshold,
    const gboolean * ignored, gboolean * changed);

/* Indices of the up to @k best scores, best first, without those below @threshold or @ignored; *n of them. Valid until
 * the next call. */
const guint *label_scores_top (LabelScores * self, guint stream, guint k,
    gdouble threshold, const gboolean * ignored, guint * n);

static inline gdouble
label_scores_get (const LabelScores * self, guint stream, guint label)
{
  return self->smoothed[(gsize) stream * self->n_labels + label];
}

G_END_DECLS
