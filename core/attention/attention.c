/* libcontinual: what every kind of attention shares
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/attention.h"
#include <string.h>

gsize
co_attention_proj_width (const CoAttention * self)
{
  return self->q.n_out + self->k.n_out + self->v.n_out;
}

gsize
co_attention_max_answers (const CoAttention * self)
{
  return MAX (self->chunk_len, 1);
}

gsize
co_attention_scratch_size (const CoAttention * self)
{
  gsize step = self->klass->scratch_size (self);
  gsize window = self->klass->window
      ? co_attention_window_scratch_size (self) : 0;

  return CO_ALIGN_FLOATS (MAX (step, window));
}

gsize
co_attention_n_weights (const CoAttention * self)
{
  return self->sequence_len ? self->sequence_len + self->n_fixed : 0;
}

void
co_attention_project (const CoAttention * self, const float *query,
    const float *key, const float *value, gsize n, float *p)
{
  const gsize width = co_attention_proj_width (self);

  if (self->qkv.w && query == key && key == value) {
    co_linear (&self->qkv, query, self->qkv.n_in, n, p, width);
  } else {
    co_linear (&self->q, query, self->q.n_in, n, p, width);
    co_linear (&self->k, key, self->k.n_in, n, p + self->q.n_out, width);
    co_linear (&self->v, value, self->v.n_in, n,
        p + self->q.n_out + self->k.n_out, width);
  }
}

void
co_attention_order_weights (const CoAttention * self, const float *a,
    gsize a_stride, float scale, gsize n, gsize newest, float *weights)
{
  const gsize N = self->sequence_len, x = self->n_fixed;

  /* A window that is not full yet is written at the end: the oldest weights are zero. */
  memset (weights, 0, (N - n) * sizeof (float));
  for (gsize j = 0; j < n; j++)
    weights[N - n + j] = scale * a[(x + (newest + 1 + j) % n) * a_stride];
  for (gsize j = 0; j < x; j++)
    weights[N + j] = scale * a[j * a_stride];
}
