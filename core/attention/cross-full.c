/* libcontinual: softmax attention of a decoder to a memory
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fast_transformers' recurrent full cross-attention. A layer's part of the memory is the keys and values. */
#include "attention/cross.h"

static gsize
memory_size (const CoAttention * self, gsize n)
{
  return CO_ALIGN_BYTES (co_keys_size (self, CO_ALIGN_FLOATS (n)) *
      sizeof (float));
}

static void
project (const CoAttention * self, const float *vectors, gsize n,
    gpointer memory)
{
  const CoKeys keys = co_keys_open (self, memory, CO_ALIGN_FLOATS (n));
  g_autofree float *k = g_new (float, self->k.n_out + self->v.n_out);
  float *v = k + self->k.n_out;

  for (gsize j = 0; j < n; j++) {
    co_linear (&self->k, vectors + j * self->k.n_in, self->k.n_in, 1, k,
        self->k.n_out);
    co_linear (&self->v, vectors + j * self->v.n_in, self->v.n_in, 1, v,
        self->v.n_out);
    co_keys_put (self, &keys, j, k, v);
  }
}

static void
attend (const CoAttention * self, gconstpointer memory, gsize n, const float *q,
    float *context, float *scratch)
{
  const CoKeys keys = co_keys_open (self, (float *) memory,
      CO_ALIGN_FLOATS (n));

  for (gsize h = 0; h < self->n_heads; h++)
    co_keys_attend (self, &keys, h, n, q, context, scratch);
}

const CoCrossClass co_cross_full_class = {
  .name = "full",
  .memory_size = memory_size,
  .scratch_size = co_keys_scratch_size,
  .project = project,
  .attend = attend,
};
