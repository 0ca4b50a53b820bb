/* libcontinual: weights and what they do to rows
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/linear.h"

gsize
co_panels_size (gsize n_out, gsize n_in)
{
  return (n_out + CO_PANEL - 1) / CO_PANEL * n_in * CO_PANEL;
}

void
co_panels_fill (float *panels, gsize first, const float *m, gsize n_out,
    gsize n_in, gsize out_stride, gsize in_stride)
{
  for (gsize o = 0; o < n_out; o++) {
    gsize at = first + o;
    float *to = panels + at / CO_PANEL * n_in * CO_PANEL + at % CO_PANEL;

    for (gsize i = 0; i < n_in; i++)
      to[i * CO_PANEL] = m[o * out_stride + i * in_stride];
  }
}

void
co_linear (const CoLinear * self, const float *x, gsize x_stride,
    gsize n_rows, float *y, gsize y_stride)
{
  self->format->multiply (self, x, x_stride, n_rows, y, y_stride);
}

void
co_norm (const CoNorm * self, const float *x, gsize x_stride, gsize n_rows,
    float *y, float *scale)
{
  (self->rms ? co_kernels->rms_norm : co_kernels->layer_norm) (x, x_stride, NULL,
      self->gain, self->bias, self->eps, y, scale, n_rows, self->n);
}

void
co_add_norm (const CoNorm * self, float *x, const float *a, gsize n_rows)
{
  (self->rms ? co_kernels->rms_norm : co_kernels->layer_norm) (x, self->n, a,
      self->gain, self->bias, self->eps, x, NULL, n_rows, self->n);
}
