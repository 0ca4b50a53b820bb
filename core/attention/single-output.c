/* libcontinual: attention of one query over the last N keys
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SingleOutputMultiheadAttention (Hedegaard & Iosifidis, "Continual Transformers", ICLR 2023, eq. 7-8): keys and
 * values are projected once, when their vector arrives, and cached in a ring. Softmax does not depend on the order of
 * the keys, so the ring is never shifted. */
#include "attention/attention.h"
#include <string.h>

/* Fixed keys, then the ring's N slots, padded to whole panels. */
static gsize
ring_width (const CoAttention * self)
{
  return CO_ALIGN_FLOATS (self->n_fixed + self->sequence_len);
}

/* Cached queries: the one that attends now, and the newer ones; 0: the newest attends */
static gsize
n_queries (const CoAttention * self)
{
  return self->query_back ? self->query_back + 1 : 0;
}

gsize
co_single_output_state_size (const CoAttention * self)
{
  return sizeof (CoStateHeader) + CO_ALIGN_BYTES ((co_keys_size (self, ring_width (self)) +
          n_queries (self) * self->q.n_out) * sizeof (float));
}

gsize
co_single_output_step (const CoAttention * self, CoStateHeader * state,
    const float *p, float *context, float *weights, float *scratch)
{
  const gsize N = self->sequence_len, W = ring_width (self), x = self->n_fixed;
  const float *q = p, *k = q + self->q.n_out, *v = k + self->k.n_out;
  float *numbers = co_state_numbers (state);
  const CoKeys keys = co_keys_open (self, numbers, W);
  const gsize newest = state->taken % N;
  gsize n;

  for (gsize j = 0; state->taken == 0 && j < x; j++)
    co_keys_put (self, &keys, j, self->fixed_k + j * self->k.n_out,
        self->fixed_v + j * self->v.n_out);
  co_keys_put (self, &keys, x + newest, k, v);
  if (self->query_back) {
    float *queries = numbers + co_keys_size (self, W);
    gsize len = n_queries (self);
    memcpy (queries + state->taken % len * self->q.n_out, q,
        self->q.n_out * sizeof (float));
    q = queries + (state->taken + 1) % len * self->q.n_out;   /* the oldest of them */
  }
  state->taken++;
  n = MIN (state->taken, N);
  if (n < N && (!self->partial || state->taken <= self->query_back))
    return 0;
  if (!context)
    return 1;

  for (gsize h = 0; h < self->n_heads; h++) {
    float sum = co_keys_attend (self, &keys, h, x + n, q, context, scratch);

    if (weights)
      co_attention_order_weights (self, scratch, 1, 1 / sum, n, newest,
          weights + h * (N + x));
  }
  return 1;
}

gsize
co_single_output_scratch_size (const CoAttention * self)
{
  return co_keys_scratch_size (self, ring_width (self));
}

guint64
co_single_output_macs (const CoAttention * self)
{
  return self->sequence_len * (self->q.n_out + self->out.n_in) +
      self->out.n_out * self->out.n_in;
}

const CoAttentionClass co_single_output_class = {
  .name = "single-output",
  .window = TRUE,
  .state_size = co_single_output_state_size,
  .scratch_size = co_single_output_scratch_size,
  .macs = co_single_output_macs,
  .step = co_single_output_step,
};
