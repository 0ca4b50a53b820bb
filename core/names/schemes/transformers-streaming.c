/* libcontinual: names of transformers' layers with rotary positions, gated feed-forwards or look-ahead
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/schemes.h"

#define SELF_ATTENTION                                                                                    \
  CO_PAIR ("self_attn.q_proj", Q), CO_PAIR ("self_attn.k_proj", K), CO_PAIR ("self_attn.v_proj", V),      \
  CO_PAIR ("self_attn.o_proj", OUT), CO_PAIR ("self_attn.q_norm", Q_NORM), CO_PAIR ("self_attn.k_norm", K_NORM)

#define FEED_FORWARD CO_PAIR ("mlp.fc1", LINEAR1), CO_PAIR ("mlp.fc2", LINEAR2)

#define GATED_FEED_FORWARD                                                                                \
  CO_PAIR ("mlp.gate_proj", GATE), CO_PAIR ("mlp.up_proj", LINEAR1), CO_PAIR ("mlp.down_proj", LINEAR2)

const CoScheme co_scheme_mimi = {
  "transformers' MimiTransformerModel",.norm_first = TRUE,.activation = "gelu",.rotary = TRUE,
  .names = CO_NAMES (SELF_ATTENTION, FEED_FORWARD, CO_PAIR ("input_layernorm", NORM1),
      CO_PAIR ("post_attention_layernorm", NORM2), CO_LAYER_SCALES),
  .norms = CO_NORMS (NULL)
};

const CoScheme co_scheme_moonshine = {
  "transformers' MoonshineStreamingEncoder",.norm_first = TRUE,.activation = "gelu",.offset_gain = "gamma",
  .names = CO_NAMES (SELF_ATTENTION, FEED_FORWARD, {"input_layernorm.gamma", CO_ROLE_NORM1_WEIGHT},
      {"post_attention_layernorm.gamma", CO_ROLE_NORM2_WEIGHT}),
  .norms = CO_NORMS ("final_norm")
};

/* Keys have no bias, nor has what is gated. */
const CoScheme co_scheme_voxtral = {
  "transformers' VoxtralRealtimeEncoder",.norm_first = TRUE,.activation = "silu",.rms_norm = TRUE,.rotary = TRUE,
  .names = CO_NAMES (SELF_ATTENTION, GATED_FEED_FORWARD, CO_PAIR ("self_attn_layer_norm", NORM1),
      CO_PAIR ("final_layer_norm", NORM2), CO_LAYER_SCALES),
  .own_biases = CO_ROLES (CO_ROLE_K_WEIGHT, CO_ROLE_LINEAR2_WEIGHT),
  .norms = CO_NORMS ("norm")
};

/* llama, mistral and qwen. Qwen2's queries, keys and values have biases, its outputs have none. */
const CoScheme co_scheme_llama = {
  "transformers' LlamaModel",.norm_first = TRUE,.activation = "silu",.rms_norm = TRUE,.rotary = TRUE,
  .names = CO_NAMES (SELF_ATTENTION, GATED_FEED_FORWARD, CO_PAIR ("input_layernorm", NORM1),
      CO_PAIR ("post_attention_layernorm", NORM2), CO_LAYER_SCALES),
  .own_biases = CO_ROLES (CO_ROLE_Q_WEIGHT, CO_ROLE_K_WEIGHT, CO_ROLE_V_WEIGHT),
  .norms = CO_NORMS ("norm")
};
