/* libcontinual: causal attention of each query over all keys so far
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fast_transformers' recurrent full attention (Katharopoulos et al., "Transformers are RNNs", 2020). All keys so far
 * are a window that is never full: sequence_len is the most it holds, and partial is set. What happens when it is
 * full is the stream's to say (`at_max`): it takes no more, or the ring goes round. */
#include "attention/attention.h"

const CoAttentionClass co_recurrent_full_class = {
  .name = "recurrent-full",
  .state_size = co_single_output_state_size,
  .scratch_size = co_single_output_scratch_size,
  .macs = co_single_output_macs,
  .step = co_single_output_step,
};
