/* libcontinual: sums over keys, in constant memory
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/sums.h"
#include "math/kernels.h"
#include <math.h>
#include <string.h>

/* Raises a row's shift to @log, if @log is larger. The caller then adds exp (log - shift). */
static void
raise_shift (double *row, gsize n, double log)
{
  if (row[1] == 0) {
    row[0] = log;
  } else if (log > row[0]) {
    double factor = exp (row[0] - log);
    for (gsize i = 1; i < n; i++)
      row[i] *= factor;
    row[0] = log;
  }
}

void
co_sums_add (const CoSumsShape * self, double *sums, const double *f,
    const float *v, double *scratch)
{
  const gsize n = self->d_value + 2;

  scratch[0] = 0;               /* the shift stays */
  scratch[1] = 1;
  for (gsize i = 2; i < n; i++)
    scratch[i] = v[i - 2];
  if (!self->logs) {
    co_kernels->add_outer_double (f, scratch, sums, self->n_features, n);
    return;
  }
  for (gsize m = 0; m < self->n_features; m++) {
    double *row = sums + m * n;

    raise_shift (row, n, f[m]);
    co_kernels->axpy_double (exp (f[m] - row[0]), scratch + 1, row + 1, n - 1);
  }
}

void
co_sums_decay (const CoSumsShape * self, double *sums, double factor)
{
  const gsize n = self->d_value + 2;

  if (factor == 1)
    return;
  for (gsize m = 0; m < self->n_features; m++)
    if (self->logs)
      sums[m * n] += log (factor);
    else
      for (gsize i = 1; i < n; i++)
        sums[m * n + i] *= factor;
}

void
co_sums_merge (const CoSumsShape * self, double *sums, const double *other,
    double factor)
{
  const gsize n = self->d_value + 2;
  const double log_factor = self->logs ? log (factor) : 0;

  if (!self->logs) {            /* all shifts are 0 */
    co_kernels->axpy_double (factor, other, sums, co_sums_size (self));
    return;
  }
  for (gsize m = 0; m < self->n_features; m++) {
    const double *from = other + m * n;
    double *row = sums + m * n;

    if (from[1] == 0)
      continue;
    raise_shift (row, n, from[0] + log_factor);
    co_kernels->axpy_double (exp (from[0] + log_factor - row[0]), from + 1,
        row + 1, n - 1);
  }
}

/* Rounding */
#define SLACK 1.01
/* Products below this are flushed to zero, so that a mass may be 0 beside values that are not. */
#define FLUSHED 1e-280

/* The key with the largest logarithm has a weight of 1. */
static gboolean
has_logs (const double *row, const CoSumsBounds * bounds)
{
  return row[1] == 0 || (row[0] <= SLACK * bounds->feature + 1 && row[1] >= 1 / SLACK
      && row[1] <= SLACK * bounds->n);
}

gboolean
co_sums_are_sound (const CoSumsShape * self, const double *sums,
    const CoSumsBounds * bounds)
{
  const gsize n = self->d_value + 2;

  for (gsize m = 0; m < self->n_features; m++) {
    const double *row = sums + m * n;
    const double mass = SLACK * bounds->n * bounds->feature;
    double most = SLACK * mass * bounds->value;

    if (self->logs ? !has_logs (row, bounds) : fabs (row[1]) > mass)
      return FALSE;
    if (self->logs || bounds->positive) {
      if (row[1] < 0)
        return FALSE;
      most = SLACK * row[1] * bounds->value + (self->logs ? 0 : FLUSHED);
    }
    for (gsize i = 2; i < n; i++)
      if (fabs (row[i]) > most)
        return FALSE;
  }
  return TRUE;
}

void
co_sums_attend (const CoSumsShape * self, const double *sums, const double *f,
    double eps, float *out, double *scratch)
{
  const gsize n = self->d_value + 2, M = self->n_features;
  double *row = scratch, *w = scratch + n, top = -HUGE_VAL;

  /* With logarithms both sums are scaled by exp (-top), and so is eps. */
  for (gsize m = 0; self->logs && m < M; m++) {
    w[m] = sums[m * n + 1] == 0 ? -HUGE_VAL : f[m] + sums[m * n];
    top = MAX (top, w[m]);
  }
  for (gsize m = 0; self->logs && m < M; m++)
    w[m] -= top;
  if (self->logs)
    co_kernels->exp_double (w, w, M);
  co_kernels->weigh_rows_double (self->logs ? w : f, sums, row, M, n);
  row[1] += self->logs && eps > 0 ? eps * exp (-top) : eps;
  for (gsize i = 0; i < self->d_value; i++)
    out[i] = row[2 + i] / row[1];
}
