/* gst-continual: from raw scores to the label that is heard
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Smoothed scores of S streams with D labels, and the label that each of them shows. */
typedef struct
{
  guint n_labels, n_streams;    /* D, S */
  gdouble *smoothed;            /* (S, D) */
  gdouble *scores;              /* (D): of the row at hand */
  gboolean *started;            /* (S): has had a row */
  gint *shown;                  /* (S): index, or -1 for none */
  guint *order;                 /* (D) */
} LabelScores;

typedef enum
{
  LABEL_ROW_SCORED,
  LABEL_ROW_ABSENT,             /* NaN throughout */
  LABEL_ROW_INVALID,            /* holds a NaN, or an infinity that has no meaning */
} LabelRow;

LabelScores *label_scores_new (guint n_labels, guint n_streams);
void label_scores_free (LabelScores * self);

/* @stream < 0: all of them. */
void label_scores_reset (LabelScores * self, gint stream);

/* Takes in the next @row, (D), of @stream: y[t] = smoothing * y[t-1] + (1 - smoothing) * x[t], y[0] = x[0], x
 * the row or its softmax. Anything but LABEL_ROW_SCORED leaves the state as it was. */
LabelRow label_scores_push (LabelScores * self, guint stream,
    const gfloat * row, gboolean softmax, gdouble smoothing);

/* The index of the best smoothed score if it reaches @threshold and @ignored, (D), doesn't hold it; else -1.
 * It is remembered: *changed tells whether it differs from the last one (at first -1). Of equals the lowest
 * index wins. */
gint label_scores_show (LabelScores * self, guint stream, gdouble threshold,
    const gboolean * ignored, gboolean * changed);

/* The indices of the at most @k best scores from @threshold on without the ignored ones, best first; *n of
 * them. Valid until the next call. */
const guint *label_scores_top (LabelScores * self, guint stream, guint k,
    gdouble threshold, const gboolean * ignored, guint * n);

static inline gdouble
label_scores_get (const LabelScores * self, guint stream, guint label)
{
  return self->smoothed[(gsize) stream * self->n_labels + label];
}

G_END_DECLS
