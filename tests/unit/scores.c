/* gst-continual: from raw scores to labels
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/scores.h"

#include <math.h>

static const gboolean none_ignored[3];

static LabelRow
push (LabelScores * scores, guint stream, gfloat a, gfloat b, gfloat c, gboolean softmax, gdouble smoothing)
{
  const gfloat row[3] = { a, b, c };

  return label_scores_push (scores, stream, row, softmax, smoothing);
}

static void
test_softmax (void)
{
  LabelScores *scores = label_scores_new (3, 1);

  g_assert_cmpint (push (scores, 0, logf (1), logf (2), logf (5), TRUE, 0), ==, LABEL_ROW_SCORED);
  g_assert_cmpfloat_with_epsilon (label_scores_get (scores, 0, 0), 1 / 8., 1e-6);
  g_assert_cmpfloat_with_epsilon (label_scores_get (scores, 0, 2), 5 / 8., 1e-6);
  /* No overflow, and minus infinity is a probability of 0. */
  g_assert_cmpint (push (scores, 0, 1e4f, 1e4f, -INFINITY, TRUE, 0), ==, LABEL_ROW_SCORED);
  g_assert_cmpfloat (label_scores_get (scores, 0, 0), ==, 0.5);
  g_assert_cmpfloat (label_scores_get (scores, 0, 2), ==, 0);
  label_scores_free (scores);
}

static void
test_smoothing (void)
{
  LabelScores *scores = label_scores_new (3, 2);

  /* The first row counts fully. */
  push (scores, 0, 8, 0, 0, FALSE, 0.75);
  g_assert_cmpfloat (label_scores_get (scores, 0, 0), ==, 8);
  push (scores, 0, 0, 4, 0, FALSE, 0.75);
  g_assert_cmpfloat (label_scores_get (scores, 0, 0), ==, 6);
  g_assert_cmpfloat (label_scores_get (scores, 0, 1), ==, 1);
  /* Streams are apart, and a reset one starts again. */
  push (scores, 1, 0, 4, 0, FALSE, 0.75);
  g_assert_cmpfloat (label_scores_get (scores, 1, 1), ==, 4);
  label_scores_reset (scores, 0);
  push (scores, 0, 2, 0, 0, FALSE, 0.75);
  push (scores, 1, 0, 0, 0, FALSE, 0.75);
  g_assert_cmpfloat (label_scores_get (scores, 0, 0), ==, 2);
  g_assert_cmpfloat (label_scores_get (scores, 1, 1), ==, 3);
  label_scores_free (scores);
}

static void
test_refused_rows (void)
{
  LabelScores *scores = label_scores_new (3, 1);

  push (scores, 0, 1, 2, 3, FALSE, 0);
  g_assert_cmpint (push (scores, 0, NAN, NAN, NAN, TRUE, 0), ==, LABEL_ROW_ABSENT);
  g_assert_cmpint (push (scores, 0, 1, NAN, 0, TRUE, 0), ==, LABEL_ROW_INVALID);
  g_assert_cmpint (push (scores, 0, 1, INFINITY, 0, TRUE, 0), ==, LABEL_ROW_INVALID);
  g_assert_cmpint (push (scores, 0, 1, -INFINITY, 0, FALSE, 0), ==, LABEL_ROW_INVALID);
  g_assert_cmpint (push (scores, 0, -INFINITY, -INFINITY, -INFINITY, TRUE, 0), ==, LABEL_ROW_INVALID);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpfloat (label_scores_get (scores, 0, i), ==, i + 1);
  label_scores_free (scores);
}

static void
test_shown_label (void)
{
  LabelScores *scores = label_scores_new (3, 1);
  const gboolean ignored[3] = { FALSE, FALSE, TRUE };
  gboolean changed;

  push (scores, 0, 1, 3, 3, FALSE, 0);
  g_assert_cmpint (label_scores_show (scores, 0, 3, none_ignored, &changed), ==, 1);
  g_assert_true (changed);
  g_assert_cmpint (label_scores_show (scores, 0, 3, none_ignored, &changed), ==, 1);
  g_assert_false (changed);
  g_assert_cmpint (label_scores_show (scores, 0, 3.5, none_ignored, &changed), ==, -1);
  g_assert_true (changed);
  /* The best one is ignored: none is shown, not the second best. */
  push (scores, 0, 1, 3, 4, FALSE, 0);
  g_assert_cmpint (label_scores_show (scores, 0, 0, ignored, &changed), ==, -1);
  g_assert_false (changed);
  label_scores_free (scores);
}

static void
test_top (void)
{
  LabelScores *scores = label_scores_new (3, 1);
  const gboolean ignored[3] = { TRUE, FALSE, FALSE };
  const guint *top;
  guint n;

  push (scores, 0, 5, 2, 5, FALSE, 0);
  top = label_scores_top (scores, 0, 3, 0, none_ignored, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (top[0], ==, 0);
  g_assert_cmpuint (top[1], ==, 2);
  g_assert_cmpuint (top[2], ==, 1);
  label_scores_top (scores, 0, 3, 5, none_ignored, &n);
  g_assert_cmpuint (n, ==, 2);
  top = label_scores_top (scores, 0, 1, 0, ignored, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (top[0], ==, 2);
  label_scores_free (scores);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scores/softmax", test_softmax);
  g_test_add_func ("/scores/smoothing", test_smoothing);
  g_test_add_func ("/scores/refused-rows", test_refused_rows);
  g_test_add_func ("/scores/shown-label", test_shown_label);
  g_test_add_func ("/scores/top", test_top);
  return g_test_run ();
}
