/* libcontinual: the row that a window is reduced to
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/pool.h"

void
co_pool_reduce (CoPool self, const float *x, gsize n, gsize width, float *y)
{
  for (gsize i = 0; i < width; i++) {
    double sum = 0;
    float max = x[i];

    for (gsize r = 0; r < n; r++) {
      sum += x[r * width + i];
      max = MAX (max, x[r * width + i]);
    }
    y[i] = self == CO_POOL_MAX ? max : (float) (sum / n);
  }
}
