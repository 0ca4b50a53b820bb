/* libcontinual: names of Hugging Face's transformers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/schemes.h"

const CoScheme co_scheme_bert = {
  "transformers' BertEncoder",.activation = "gelu",
  .names = CO_NAMES (CO_PAIR ("attention.self.query", Q), CO_PAIR ("attention.self.key", K),
      CO_PAIR ("attention.self.value", V), CO_PAIR ("attention.output.dense", OUT),
      CO_PAIR ("attention.output.LayerNorm", NORM1), CO_PAIR ("intermediate.dense", LINEAR1),
      CO_PAIR ("output.dense", LINEAR2), CO_PAIR ("output.LayerNorm", NORM2)),
  .norms = CO_NORMS (NULL)
};

/* qkv_bias=False leaves out those three. */
const CoScheme co_scheme_vit = {
  "transformers' ViTEncoder",.norm_first = TRUE,.activation = "gelu",
  .names = CO_NAMES (CO_PAIR ("attention.attention.query", Q), CO_PAIR ("attention.attention.key", K),
      CO_PAIR ("attention.attention.value", V), CO_PAIR ("attention.output.dense", OUT),
      CO_PAIR ("layernorm_before", NORM1), CO_PAIR ("layernorm_after", NORM2), CO_PAIR ("intermediate.dense", LINEAR1),
      CO_PAIR ("output.dense", LINEAR2)),
  .own_biases = CO_ROLES (CO_ROLE_Q_WEIGHT, CO_ROLE_K_WEIGHT, CO_ROLE_V_WEIGHT),
  .norms = CO_NORMS ("layernorm")
};

/* The same module in transformers 5, which saves it under the names before, but not in a state dict of its own. */
const CoScheme co_scheme_vit_layers = {
  "transformers' ViTModel",.norm_first = TRUE,.activation = "gelu",
  .names = CO_NAMES (CO_PAIR ("attention.q_proj", Q), CO_PAIR ("attention.k_proj", K), CO_PAIR ("attention.v_proj", V),
      CO_PAIR ("attention.o_proj", OUT), CO_PAIR ("layernorm_before", NORM1), CO_PAIR ("layernorm_after", NORM2),
      CO_PAIR ("mlp.fc1", LINEAR1), CO_PAIR ("mlp.fc2", LINEAR2)),
  .own_biases = CO_ROLES (CO_ROLE_Q_WEIGHT, CO_ROLE_K_WEIGHT, CO_ROLE_V_WEIGHT),
  .norms = CO_NORMS ("layernorm")
};

const CoScheme co_scheme_dinov2 = {
  "transformers' Dinov2Encoder",.norm_first = TRUE,.activation = "gelu",
  .names = CO_NAMES (CO_PAIR ("attention.attention.query", Q), CO_PAIR ("attention.attention.key", K),
      CO_PAIR ("attention.attention.value", V), CO_PAIR ("attention.output.dense", OUT), CO_PAIR ("norm1", NORM1),
      CO_PAIR ("norm2", NORM2), CO_PAIR ("mlp.fc1", LINEAR1), CO_PAIR ("mlp.fc2", LINEAR2), CO_LAYER_SCALES),
  .own_biases = CO_ROLES (CO_ROLE_Q_WEIGHT, CO_ROLE_K_WEIGHT, CO_ROLE_V_WEIGHT),
  .norms = CO_NORMS ("layernorm")
};

/* wav2vec2 and hubert. The encoder's layer_norm is before or behind the layers: a layout must say where. */
const CoScheme co_scheme_wav2vec2 = {
  "transformers' Wav2Vec2Encoder",.activation = "gelu",
  .names = CO_NAMES (CO_PAIR ("attention.q_proj", Q), CO_PAIR ("attention.k_proj", K), CO_PAIR ("attention.v_proj", V),
      CO_PAIR ("attention.out_proj", OUT), CO_PAIR ("layer_norm", NORM1), CO_PAIR ("final_layer_norm", NORM2),
      CO_PAIR ("feed_forward.intermediate_dense", LINEAR1), CO_PAIR ("feed_forward.output_dense", LINEAR2)),
  .norms = CO_NORMS (NULL)
};

/* Keys have no bias. */
const CoScheme co_scheme_whisper = {
  "transformers' WhisperEncoder",.norm_first = TRUE,.activation = "gelu",
  .names = CO_NAMES (CO_PAIR ("self_attn.q_proj", Q), CO_PAIR ("self_attn.k_proj", K), CO_PAIR ("self_attn.v_proj", V),
      CO_PAIR ("self_attn.out_proj", OUT), CO_PAIR ("self_attn_layer_norm", NORM1),
      CO_PAIR ("final_layer_norm", NORM2), CO_PAIR ("fc1", LINEAR1), CO_PAIR ("fc2", LINEAR2)),
  .own_biases = CO_ROLES (CO_ROLE_K_WEIGHT),
  .norms = CO_NORMS ("layer_norm")
};
