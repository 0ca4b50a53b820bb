/* libcontinual: linear attention of a decoder to a memory
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fast_transformers' recurrent linear cross-attention. A layer's part of the memory is the sums over the
 * keys, whose size does not depend on the memory's length. */
#include "attention/cross.h"

static CoSumsShape
shape (const CoAttention * self)
{
  return (CoSumsShape) {
  self->features.n_features, self->d_value, self->features.map->logs};
}

static gsize
memory_size (const CoAttention * self, gsize n)
{
  CoSumsShape s = shape (self);

  return CO_ALIGN_BYTES (self->n_heads * co_sums_size (&s) * sizeof (double));
}

static gsize
scratch_size (const CoAttention * self, gsize n)
{
  return 2 * (2 * self->features.n_features + self->d_value + 2 + self->d_key +
      self->features.n_projected);
}

static void
project (const CoAttention * self, const float *vectors, gsize n,
    gpointer memory)
{
  const CoSumsShape s = shape (self);
  g_autofree float *k = g_new (float, self->k.n_out + self->v.n_out);
  float *v = k + self->k.n_out;
  g_autofree double *scratch = g_malloc (scratch_size (self, n) * sizeof (float));
  double *f = scratch, *rest = f + s.n_features;

  for (gsize j = 0; j < n; j++) {
    co_linear (&self->k, vectors + j * self->k.n_in, self->k.n_in, 1, k,
        self->k.n_out);
    co_linear (&self->v, vectors + j * self->v.n_in, self->v.n_in, 1, v,
        self->v.n_out);
    for (gsize h = 0; h < self->n_heads; h++) {
      co_features_map (&self->features, k + h * self->d_key, f, rest);
      co_sums_add (&s, (double *) memory + h * co_sums_size (&s), f,
          v + h * self->d_value, rest);
    }
  }
}

static void
attend (const CoAttention * self, gconstpointer memory, gsize n, const float *q,
    float *context, float *scratch)
{
  const CoSumsShape s = shape (self);
  double *f = (double *) scratch, *rest = f + s.n_features;

  for (gsize h = 0; h < self->n_heads; h++) {
    co_features_map (&self->features, q + h * self->d_key, f, rest);
    co_sums_attend (&s, (const double *) memory + h * co_sums_size (&s), f,
        self->features.eps, context + h * self->d_value, rest);
  }
}

const CoCrossClass co_cross_linear_class = {
  .name = "linear",
  .memory_size = memory_size,
  .scratch_size = scratch_size,
  .project = project,
  .attend = attend,
};
