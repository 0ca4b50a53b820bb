/* libcontinual: the carry of a retroactive layer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * After the attention, r = x + b_o + sum_h P_h / d_h is normalised with gain g and bias β and multiplied by W_1:
 *
 *   W_1 u + b_1 = G r / σ + (W_1 β + b_1),   G = W_1 diag (g) (1 - 1 1^T / E),   σ^2 = var (r) + ε.
 *
 * Except for σ this is linear in r. So the attention updates sums over G W_o,h v_j beside those over W_o,h v_j, and the
 * N x E x F product of a window becomes updates of N x H x F sums. G subtracts the mean before anything is rounded: a row's
 * mean may be much larger than its deviation. With an RMS norm no mean is subtracted, and σ^2 = mean (r^2) + ε. */
#include "stack/carry.h"
#include <string.h>

static void
centre (const float *x /* (n) */ , gsize n, float *y)
{
  double mean = 0;

  for (gsize i = 0; i < n; i++)
    mean += x[i];
  mean /= n;
  for (gsize i = 0; i < n; i++)
    y[i] = x[i] - mean;
}

/* The norm before the feed-forward */
static const CoNorm *
carried_norm (const CoLayer * self)
{
  return self->norm_first ? &self->norm2 : &self->norm1;
}

void
co_carry_base (const CoLayer * self, const float *x, gsize n, float *scratch,
    float *base)
{
  const CoAttention *attention = &self->attention;
  const gsize E = attention->out.n_out, C = attention->n_carried;

  for (gsize r = 0; r < n; r++) {
    float *row = base + r * C;

    if (attention->out.b)
      memcpy (row, attention->out.b, E * sizeof (float));
    else
      memset (row, 0, E * sizeof (float));
    if (!self->bare)
      co_kernels->axpy (1, x + r * E, row, E);
    if (self->carry.input.w && !carried_norm (self)->rms)
      centre (x + r * E, E, scratch + r * E);
  }
  if (self->carry.input.w)
    co_linear (&self->carry.input, carried_norm (self)->rms ? x : scratch, E, n,
        base + E, C);
}

void
co_carry_features (const CoLayer * self, CoWork * work, gsize n, float *x)
{
  const gsize E = self->attention.out.n_out, C = self->attention.n_carried;
  const gsize F = self->linear1.n_out;
  float *scale = work->scratch;

  if (self->norm_first) {
    for (gsize r = 0; r < n; r++)
      memcpy (x + r * E, work->a + r * C, E * sizeof (float));
    co_norm (&self->norm2, work->a, C, n, work->u, scale);
  } else {
    co_norm (&self->norm1, work->a, C, n, x, scale);
  }
  for (gsize r = 0; r < n; r++) {
    float *ff = work->ff + r * F;

    co_kernels->affine (scale[r], work->a + r * C + E, self->carry.bias, ff, F);
    co_layer_activate (self, ff, 1);
  }
}
