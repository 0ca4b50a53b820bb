/* libcontinual: softmax
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/softmax.h"
#include "math/kernels.h"

float
co_softmax_unnormalised (float *x, gsize n)
{
  return co_kernels->exp_sum (x, co_kernels->max (x, n), x, n);
}

void
co_softmax (float *x, gsize n)
{
  const float sum = co_softmax_unnormalised (x, n);

  for (gsize i = 0; i < n; i++)
    x[i] /= sum;
}
