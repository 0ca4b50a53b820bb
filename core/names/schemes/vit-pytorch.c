/* libcontinual: names of vit-pytorch
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/schemes.h"

/* The projections of queries, keys and values have no bias; dim_head need not be dim / heads. */
const CoScheme co_scheme_vit_pytorch = {
  "vit-pytorch's Transformer",.norm_first = TRUE,.activation = "gelu",.any_inner = TRUE,
  .names = CO_NAMES (CO_PAIR ("0.to_qkv", IN), CO_PAIR ("0.to_out.0", OUT), CO_PAIR ("0.norm", NORM1),
      CO_PAIR ("1.net.0", NORM2), CO_PAIR ("1.net.1", LINEAR1), CO_PAIR ("1.net.4", LINEAR2)),
  .own_biases = CO_ROLES (CO_ROLE_IN_WEIGHT),
  .norms = CO_NORMS ("norm")
};
