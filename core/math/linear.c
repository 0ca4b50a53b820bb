/* libcontinual: weights and what they do to rows
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/linear.h"
#include <string.h>

void
co_linear (const CoLinear * self, const float *x, gsize x_stride,
    gsize n_rows, float *y, gsize y_stride)
{
  if (n_rows <= CO_LINEAR_MAX_ROWS) {
    co_kernels->linear (self->w, self->n_in, self->b, self->n_out, self->n_in,
        x, x_stride, n_rows, y, y_stride);
    return;
  }
  for (gsize r = 0; self->b && r < n_rows; r++)
    memcpy (y + r * y_stride, self->b, self->n_out * sizeof (float));
  co_matmul_nt (n_rows, self->n_out, self->n_in, 1, x, x_stride, self->w,
      self->n_in, self->b ? 1 : 0, y, y_stride);
}

void
co_norm (const CoNorm * self, const float *x, gsize n_rows, float *y)
{
  for (gsize r = 0; r < n_rows; r++)
    co_kernels->layer_norm (x + r * self->n, self->gain, self->bias, self->eps,
        y + r * self->n, self->n);
}
