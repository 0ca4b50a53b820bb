/* libcontinual: attention of one query over the last N keys
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SingleOutputMultiheadAttention (Hedegaard & Iosifidis, "Continual Transformers", ICLR 2023, eq. 7-8): keys and
 * values are projected once, when their vector arrives, and cached in a ring. Softmax does not depend on the order of
 * the keys, so the ring is never shifted. */
#include "attention/attention.h"

gsize
co_single_output_state_size (const CoAttention * self)
{
  return sizeof (CoStateHeader) +
      CO_ALIGN_BYTES (co_ring_size (self) * sizeof (float));
}

gsize
co_single_output_step (const CoAttention * self, CoStateHeader * state,
    const float *p, float *context, float *weights, float *scratch)
{
  const gsize N = self->sequence_len, x = self->n_fixed;
  const gsize newest = state->taken % N;
  const float *q = co_ring_take (self, state, p);
  const CoKeys keys = co_ring_keys (self, state);
  const gsize n = MIN (state->taken, N);

  if (n < N && (!self->partial || state->taken <= self->query_back))
    return 0;
  if (!context)
    return 1;

  for (gsize h = 0; h < self->n_heads; h++) {
    const float sum =
        co_keys_attend (self, &keys, h, x + n, q, context, scratch);

    if (weights)
      co_attention_order_weights (self, scratch, 1, 1 / sum, n, newest,
          weights + h * (N + x));
  }
  return 1;
}

gsize
co_single_output_scratch_size (const CoAttention * self)
{
  return co_keys_scratch_size (self, co_ring_width (self));
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
  .put_fixed = co_ring_put_fixed,
  .macs = co_single_output_macs,
  .step = co_single_output_step,
};
