/* libcontinual: attention of one query over the last N keys
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SingleOutputMultiheadAttention (Hedegaard & Iosifidis, "Continual Transformers", ICLR 2023, eq. 7-8): keys and
 * values are projected once, when their vector comes, and kept in a ring. Softmax does not care for the order of
 * keys, so nothing is ever shifted. Keys and values lie transposed, so that every loop runs along the window
 * whatever the size of a head. */
#include "attention/attention.h"
#include <string.h>

typedef struct
{
  guint64 t;                    /* vectors taken */
  float *k;                     /* (H, dk, W) */
  float *v;                     /* (H, dv, W) */
  float *q;                     /* (query_back + 1, H dk), the newest in slot (t - 1) % (query_back + 1) */
} State;

/* W: fixed keys, then the ring's N slots, padded to whole vectors. */
static gsize
ring_width (const CoAttention * self)
{
  return CO_ALIGN_FLOATS (self->n_fixed + self->sequence_len);
}

static gsize
old_queries (const CoAttention * self)
{
  return self->query_back ? (self->query_back + 1) * self->q.n_out : 0;
}

static gsize
state_size (const CoAttention * self)
{
  return 64 + CO_ALIGN_BYTES (((self->k.n_out + self->v.n_out) *
          ring_width (self) + old_queries (self)) * sizeof (float));
}

static State
open_state (const CoAttention * self, gpointer memory)
{
  float *f = (float *) ((guint8 *) memory + 64);
  gsize W = ring_width (self);

  return (State) {
  .t = *(guint64 *) memory,.k = f,.v = f + self->k.n_out * W,.q =
        f + (self->k.n_out + self->v.n_out) * W};
}

static void
put (float *ring /* (rows, W) */ , gsize W, gsize slot,
    const float *x /* (rows) */ , gsize rows)
{
  for (gsize i = 0; i < rows; i++)
    ring[i * W + slot] = x[i];
}

static gsize
step (const CoAttention * self, gpointer memory, const float *p,
    float *context, float *weights, float *scratch)
{
  const gsize N = self->sequence_len, W = ring_width (self);
  const gsize x = self->n_fixed;
  const gsize newest = *(guint64 *) memory % N;
  const float *q = p, *k = q + self->q.n_out, *v = k + self->k.n_out;
  State s = open_state (self, memory);
  gsize n;

  for (gsize j = 0; s.t == 0 && j < x; j++) {
    put (s.k, W, j, self->fixed_k + j * self->k.n_out, self->k.n_out);
    put (s.v, W, j, self->fixed_v + j * self->v.n_out, self->v.n_out);
  }
  put (s.k, W, x + newest, k, self->k.n_out);
  put (s.v, W, x + newest, v, self->v.n_out);
  if (self->query_back) {
    gsize len = self->query_back + 1;
    memcpy (s.q + s.t % len * self->q.n_out, q, self->q.n_out * sizeof (float));
    q = s.q + (s.t + 1) % len * self->q.n_out;  /* the oldest of them */
  }
  *(guint64 *) memory = ++s.t;
  n = MIN (s.t, N);
  if (n < N && !self->partial)
    return 0;

  for (gsize h = 0; h < self->n_heads; h++) {
    float sum = co_attention_ask (self, h, s.k, s.v, W, x + n, q, context,
        scratch);

    if (weights)
      co_attention_order_weights (self, scratch, 1, 1 / sum, n, newest,
          weights + h * (N + x));
  }
  return 1;
}

static gsize
scratch_size (const CoAttention * self)
{
  return co_attention_ask_scratch_size (self, ring_width (self));
}

static guint64
macs (const CoAttention * self)
{
  return self->sequence_len * (self->k.n_out + self->v.n_out) +
      self->out.n_out * self->out.n_in;
}

const CoAttentionClass co_single_output_class = {
  .name = "single-output",
  .window = TRUE,
  .state_size = state_size,
  .scratch_size = scratch_size,
  .macs = macs,
  .step = step,
};

/* fast_transformers' recurrent full attention: all keys so far are a window that is never full. sequence_len is the
 * most it holds, and partial is set. */
const CoAttentionClass co_recurrent_full_class = {
  .name = "recurrent-full",
  .state_size = state_size,
  .scratch_size = scratch_size,
  .macs = macs,
  .step = step,
};
