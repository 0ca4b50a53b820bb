/* libcontinual: names of TensorFlow Models' Keras layers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/schemes.h"

#define KERNEL(name, role) \
  {name ".kernel", CO_ROLE_##role##_WEIGHT}, {name ".bias", CO_ROLE_##role##_BIAS}

const CoScheme co_scheme_kernel_attention = {
  "TensorFlow Models' KernelAttention",.bare = TRUE,.keras = TRUE,
  .names = CO_NAMES (KERNEL ("query", Q), KERNEL ("key", K), KERNEL ("value", V), KERNEL ("attention_output", OUT),
      {"projection_matrix", CO_ROLE_FEATURES}),
  .norms = CO_NORMS ("norm")
};
