/* libcontinual: names of OpenAI's whisper
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/schemes.h"

/* Keys have no bias. */
const CoScheme co_scheme_openai_whisper = {
  "OpenAI whisper's AudioEncoder",.norm_first = TRUE,.activation = "gelu",
  .names = CO_NAMES (CO_PAIR ("attn.query", Q), CO_PAIR ("attn.key", K), CO_PAIR ("attn.value", V),
      CO_PAIR ("attn.out", OUT), CO_PAIR ("attn_ln", NORM1), CO_PAIR ("mlp_ln", NORM2), CO_PAIR ("mlp.0", LINEAR1),
      CO_PAIR ("mlp.2", LINEAR2)),
  .own_biases = CO_ROLES (CO_ROLE_K_WEIGHT),
  .norms = CO_NORMS ("ln_post")
};
