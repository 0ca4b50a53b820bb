/* libcontinual: softmax attention of a decoder to a memory
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fast_transformers' recurrent full cross-attention. The memory's part is keys (H, dk, W) and values (H, dv, W),
 * transposed; W is the memory's length, padded. */
#include "attention/cross.h"

static gsize
memory_size (const CoAttention * self, gsize n)
{
  return CO_ALIGN_BYTES ((self->k.n_out + self->v.n_out) *
      CO_ALIGN_FLOATS (n) * sizeof (float));
}

static void
project_transposed (const CoLinear * linear, const float *vectors, gsize n,
    float *to /* (n_out, W) */ )
{
  const gsize W = CO_ALIGN_FLOATS (n);
  g_autofree float *row = g_new (float, linear->n_out);

  for (gsize j = 0; j < n; j++) {
    co_linear (linear, vectors + j * linear->n_in, linear->n_in, 1, row,
        linear->n_out);
    for (gsize i = 0; i < linear->n_out; i++)
      to[i * W + j] = row[i];
  }
}

static void
project (const CoAttention * self, const float *vectors, gsize n,
    gpointer memory)
{
  float *k = memory, *v = k + self->k.n_out * CO_ALIGN_FLOATS (n);

  project_transposed (&self->k, vectors, n, k);
  project_transposed (&self->v, vectors, n, v);
}

static void
ask (const CoAttention * self, gconstpointer memory, gsize n, const float *q,
    float *context, float *scratch)
{
  const gsize W = CO_ALIGN_FLOATS (n);
  const float *k = memory, *v = k + self->k.n_out * W;

  for (gsize h = 0; h < self->n_heads; h++)
    co_attention_ask (self, h, k, v, W, n, q, context, scratch);
}

const CoCrossClass co_cross_full_class = {
  .name = "full",
  .memory_size = memory_size,
  .scratch_size = co_attention_ask_scratch_size,
  .project = project,
  .ask = ask,
};
