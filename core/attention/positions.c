/* libcontinual: positions that are counted in the window
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/positions.h"
#include <math.h>

/* The sum of two projections is exact to this many times the rounding error of one of them, squared. */
#define MAX_CANCELLATION 64

void
co_centre_rows (gboolean rms, const float *x, gsize n, gsize E, float *y)
{
  for (gsize r = 0; r < n; r++) {
    double mean = 0;

    for (gsize i = 0; i < E && !rms; i++)
      mean += x[r * E + i];
    mean /= E;
    for (gsize i = 0; i < E; i++)
      y[r * E + i] = x[r * E + i] - mean;
  }
}

gboolean
co_position_scale (const CoPositionTable * self, const float *centred,
    float square, gsize i, float *scale)
{
  const gsize E = self->d_model;
  const float both = square + self->squares[i];
  const float sum = both + 2 * co_kernels->dot (centred,
      self->centred + i * E, E);

  *scale = 1 / sqrtf (MAX (sum, 0) / E + self->eps);
  return sum * MAX_CANCELLATION >= both;
}

float
co_position_sum (const CoPositionTable * self, const float *centred, gsize i,
    float *z)
{
  const gsize E = self->d_model;

  for (gsize e = 0; e < E; e++)
    z[e] = centred[e] + self->centred[i * E + e];
  return 1 / sqrtf (co_kernels->dot (z, z, E) / E + self->eps);
}
