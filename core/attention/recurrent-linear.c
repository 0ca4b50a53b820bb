/* libcontinual: causal linear attention over all keys so far
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fast_transformers' recurrent linear attention (Katharopoulos et al., "Transformers are RNNs", 2020, eq. 16-20):
 * with S = sum_j phi (k_j) v_j^T and z = sum_j phi (k_j) the output is phi (q)^T S / (phi (q)^T z + 1e-6). The size of
 * the state is constant; the sums grow without a bound and are kept in double. */
#include "attention/attention.h"

static CoSumsShape
shape (const CoAttention * self)
{
  return (CoSumsShape) {
  self->features.n_features, self->d_value, self->features.map->logs};
}

static gsize
state_size (const CoAttention * self)
{
  CoSumsShape s = shape (self);

  return sizeof (CoStateHeader) + CO_ALIGN_BYTES (self->n_heads * co_sums_size (&s) *
      sizeof (double));
}

static guint64
macs (const CoAttention * self)
{
  const CoFeatures *f = &self->features;

  return self->out.n_in * self->out.n_out + 2 * self->n_heads *
      (f->n_features * (self->d_value + 1) +
      (f->projection ? f->n_projected * f->n_in : 0));
}

static gsize
scratch_size (const CoAttention * self)
{
  return 2 * (2 * self->features.n_features + self->d_value + 2 + self->d_key +
      self->features.n_projected);
}

static gsize
step (const CoAttention * self, CoStateHeader * state, const float *p,
    float *context, float *weights, float *scratch)
{
  const CoSumsShape s = shape (self);
  const float *q = p, *k = q + self->q.n_out, *v = k + self->k.n_out;
  double *sums = co_state_numbers (state);
  double *f = (double *) scratch, *rest = f + s.n_features;

  state->taken++;
  for (gsize h = 0; h < self->n_heads; h++) {
    double *head = sums + h * co_sums_size (&s);

    const gsize kv = co_attention_kv_head (self, h);

    co_features_map (&self->features, k + kv * self->d_key, f, rest);
    co_sums_add (&s, head, f, v + kv * self->d_value, rest);
    if (!context)
      continue;
    co_features_map (&self->features, q + h * self->d_key, f, rest);
    co_sums_attend (&s, head, f, self->features.eps,
        context + h * self->d_value, rest);
  }
  return 1;
}

static gboolean
is_sound (const CoAttention * self, const CoStateHeader * state)
{
  const CoSumsShape s = shape (self);
  const CoSumsBounds bounds = { state->taken, co_features_largest (&self->features, self->largest_key),
    self->largest_value, self->features.map->positive };
  const double *sums = co_state_numbers ((CoStateHeader *) state);

  for (gsize h = 0; h < self->n_heads; h++)
    if (!co_sums_are_sound (&s, sums + h * co_sums_size (&s), &bounds))
      return FALSE;
  return TRUE;
}

const CoAttentionClass co_recurrent_linear_class = {
  .name = "recurrent-linear",
  .in_double = TRUE,
  .state_size = state_size,
  .scratch_size = scratch_size,
  .is_sound = is_sound,
  .macs = macs,
  .step = step,
};
