/* libcontinual: the ring of keys, values and waiting queries
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/attention.h"
#include <string.h>

gsize
co_ring_width (const CoAttention * self)
{
  return CO_ALIGN_FLOATS (self->n_fixed + self->sequence_len);
}

gsize
co_ring_size (const CoAttention * self)
{
  const gsize n_queries = self->query_back ? self->query_back + 1 : 0;

  return co_keys_size (self, co_ring_width (self)) + n_queries * self->q.n_out;
}

CoKeys
co_ring_keys (const CoAttention * self, CoStateHeader * state)
{
  return co_keys_open (self, co_state_numbers (state), co_ring_width (self));
}

const float *
co_ring_query (const CoAttention * self, CoStateHeader * state, guint64 t)
{
  return (float *) co_state_numbers (state) +
      co_keys_size (self, co_ring_width (self)) +
      t % (self->query_back + 1) * self->q.n_out;
}

void
co_ring_put_fixed (const CoAttention * self, CoStateHeader * state,
    float *scratch)
{
  const CoKeys keys = co_ring_keys (self, state);

  for (gsize j = 0; j < self->n_fixed; j++)
    co_keys_put (self, &keys, j, self->fixed_k + j * self->k.n_out,
        self->fixed_v + j * self->v.n_out);
}

const float *
co_ring_take (const CoAttention * self, CoStateHeader * state, const float *p)
{
  const float *k = p + self->q.n_out, *v = k + self->k.n_out;
  const CoKeys keys = co_ring_keys (self, state);
  const guint64 t = state->taken++;

  if (t == 0)
    co_ring_put_fixed (self, state, NULL);
  co_keys_put (self, &keys, self->n_fixed + t % self->sequence_len, k, v);
  if (!self->query_back)
    return p;
  memcpy ((float *) co_ring_query (self, state, t), p,
      self->q.n_out * sizeof (float));
  return co_ring_query (self, state, t + 1);    /* the oldest of them */
}
