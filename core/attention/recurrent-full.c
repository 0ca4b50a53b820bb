/* libcontinual: causal attention of each query over all keys so far
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fast_transformers' recurrent full attention (Katharopoulos et al., "Transformers are RNNs", 2020). All keys so far
 * are a window that is never full: sequence_len is max_len, and partial is set. When the ring is full, either the stream
 * takes no more vectors or the oldest key is evicted (`at_max`). */
#include "attention/attention.h"

const CoAttentionClass co_recurrent_full_class = {
  .name = "recurrent-full",
  .state_size = co_single_output_state_size,
  .scratch_size = co_single_output_scratch_size,
  .macs = co_single_output_macs,
  .step = co_single_output_step,
};
