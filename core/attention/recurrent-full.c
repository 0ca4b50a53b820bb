/* libcontinual: causal attention of each query over all keys so far
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fast_transformers' recurrent full attention (Katharopoulos et al., "Transformers are RNNs", 2020). All keys so far
 * are a window that is never full: sequence_len is max_len, and partial is set. When the ring is full, either the stream
 * takes no more vectors or the oldest key is evicted (`at_max`). */
#include "attention/attention.h"
#include <math.h>

static gboolean
none_larger (const float *x /* (n) */ , gsize n, double largest)
{
  for (gsize i = 0; i < n; i++)
    if (fabsf (x[i]) > largest)
      return FALSE;
  return TRUE;
}

static gboolean
is_sound (const CoAttention * self, const CoStateHeader * state)
{
  const CoKeys keys = co_ring_keys (self, (CoStateHeader *) state);
  const gsize n_keys = keys.v - keys.k;

  return none_larger (keys.k, n_keys, self->largest_key)
      && none_larger (keys.v, co_keys_size (self, keys.width) - n_keys,
      self->largest_value);
}

const CoAttentionClass co_recurrent_full_class = {
  .name = "recurrent-full",
  .state_size = co_single_output_state_size,
  .scratch_size = co_single_output_scratch_size,
  .is_sound = is_sound,
  .put_fixed = co_ring_put_fixed,
  .macs = co_single_output_macs,
  .step = co_single_output_step,
};
