/* libcontinual: names of timm's VisionTransformer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/schemes.h"

/* qkv_bias=False leaves out that bias alone. */
const CoScheme co_scheme_timm = {
  "timm's VisionTransformer",.norm_first = TRUE,.activation = "gelu",.any_inner = TRUE,
  .names = CO_NAMES (CO_PAIR ("attn.qkv", IN), CO_PAIR ("attn.proj", OUT), CO_PAIR ("norm1", NORM1),
      CO_PAIR ("norm2", NORM2), CO_PAIR ("mlp.fc1", LINEAR1), CO_PAIR ("mlp.fc2", LINEAR2),
      CO_PAIR ("attn.q_norm", Q_NORM), CO_PAIR ("attn.k_norm", K_NORM), CO_LAYER_SCALES),
  .own_biases = CO_ROLES (CO_ROLE_IN_WEIGHT),
  .norms = CO_NORMS ("norm")
};
