/* gst-continual: from raw scores to labels
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/scores.h"

#include <math.h>

LabelScores *
label_scores_new (guint n_labels, guint n_streams)
{
  LabelScores *self;

  g_return_val_if_fail (n_labels > 0 && n_streams > 0, NULL);

  self = g_new0 (LabelScores, 1);
  self->n_labels = n_labels;
  self->n_streams = n_streams;
  self->smoothed = g_try_new (gdouble, (gsize) n_streams * n_labels);
  self->scores = g_try_new (gdouble, n_labels);
  self->started = g_try_new (gboolean, n_streams);
  self->shown = g_try_new (gint, n_streams);
  self->order = g_try_new (guint, n_labels);
  if (!self->smoothed || !self->scores || !self->started || !self->shown
      || !self->order) {
    label_scores_free (self);
    return NULL;
  }
  label_scores_reset (self, -1);
  return self;
}

void
label_scores_free (LabelScores * self)
{
  g_free (self->smoothed);
  g_free (self->scores);
  g_free (self->started);
  g_free (self->shown);
  g_free (self->order);
  g_free (self);
}

void
label_scores_reset (LabelScores * self, gint stream)
{
  for (guint s = 0; s < self->n_streams; s++) {
    if (stream < 0 || s == (guint) stream) {
      self->started[s] = FALSE;
      self->shown[s] = -1;
    }
  }
}

static LabelRow
check_row (const gfloat * row, guint n, gboolean softmax)
{
  guint nans = 0, finite = 0;

  for (guint i = 0; i < n; i++) {
    nans += isnan (row[i]) != 0;
    finite += isfinite (row[i]) != 0;
    if (isinf (row[i]) && row[i] > 0)
      return LABEL_ROW_INVALID;
  }
  if (nans == n)
    return LABEL_ROW_ABSENT;
  /* The softmax of minus infinity is 0. */
  if (nans || finite == 0 || (!softmax && finite < n))
    return LABEL_ROW_INVALID;
  return LABEL_ROW_SCORED;
}

static void
score_row (gdouble * scores, const gfloat * row, guint n, gboolean softmax)
{
  gdouble max = -G_MAXDOUBLE, sum = 0;

  for (guint i = 0; i < n; i++) {
    scores[i] = (gdouble) row[i];
    max = MAX (max, scores[i]);
  }
  if (!softmax)
    return;
  for (guint i = 0; i < n; i++)
    sum += scores[i] = exp (scores[i] - max);
  for (guint i = 0; i < n; i++)
    scores[i] /= sum;
}

LabelRow
label_scores_push (LabelScores * self, guint stream, const gfloat * row,
    gboolean softmax, gdouble smoothing)
{
  gdouble *y = self->smoothed + (gsize) stream * self->n_labels;
  const gdouble *x = self->scores;
  LabelRow res = check_row (row, self->n_labels, softmax);

  if (res != LABEL_ROW_SCORED)
    return res;

  score_row (self->scores, row, self->n_labels, softmax);
  if (!self->started[stream])
    smoothing = 0;
  for (guint i = 0; i < self->n_labels; i++)
    y[i] = smoothing > 0 ? smoothing * y[i] + (1 - smoothing) * x[i] : x[i];
  self->started[stream] = TRUE;
  return res;
}

gint
label_scores_show (LabelScores * self, guint stream, gdouble threshold,
    const gboolean * ignored, gboolean * changed)
{
  const gdouble *y = self->smoothed + (gsize) stream * self->n_labels;
  guint best = 0;
  gint label;

  for (guint i = 1; i < self->n_labels; i++)
    if (y[i] > y[best])
      best = i;
  label = y[best] >= threshold && !ignored[best] ? (gint) best : -1;
  *changed = label != self->shown[stream];
  self->shown[stream] = label;
  return label;
}

static gint
compare_scores (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const gdouble *y = user_data;
  guint i = *(const guint *) a, k = *(const guint *) b;

  if (y[i] != y[k])
    return y[i] > y[k] ? -1 : 1;
  return i < k ? -1 : i > k;
}

const guint *
label_scores_top (LabelScores * self, guint stream, guint k,
    gdouble threshold, const gboolean * ignored, guint * n)
{
  gdouble *y = self->smoothed + (gsize) stream * self->n_labels;

  *n = 0;
  for (guint i = 0; i < self->n_labels; i++)
    if (y[i] >= threshold && !ignored[i])
      self->order[(*n)++] = i;
  g_qsort_with_data (self->order, (gint) * n, sizeof (guint), compare_scores,
      y);
  *n = MIN (*n, k);
  return self->order;
}
