/* libcontinual: bert, vit, wav2vec2, hubert and whisper: encoders that see a whole window
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/families.h"

#define SELF_ATTENTION_ONLY                                                                       \
  {"is_decoder", "false", "a causal mask"},                                                       \
  {"add_cross_attention", "false", "a second attention, to another sequence"}

const CoFamily co_family_bert = {
  "bert", .prefixes = CO_TEXTS ("encoder", "bert.encoder"),
  .not_run = CO_TEXTS ("embeddings", "pooler"),
  .n_layers = "num_hidden_layers",
  .keys = CO_LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "12"},
      {"hidden_act", CO_ROW_activation, "gelu"},
      {"layer_norm_eps", CO_ROW_layer_norm_eps, "1e-12"}),
  .values = CO_LIST (CoFamilyValue, {CO_ROW_norm_type, "layer"}, {CO_ROW_norm_first, "false"}),
  .checks = CO_LIST (CoFamilyCheck, SELF_ATTENTION_ONLY,
      {"position_embedding_type", "absolute", "positions within the attention"}),
};

const CoFamily co_family_vit = {
  "vit", .prefixes = CO_TEXTS ("encoder", "vit.encoder", "vit", ""),
  .not_run = CO_TEXTS ("embeddings", "pooler", "layernorm"),
  .n_layers = "num_hidden_layers",
  .keys = CO_LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "12"},
      {"hidden_act", CO_ROW_activation, "gelu"},
      {"layer_norm_eps", CO_ROW_layer_norm_eps, "1e-12"}),
  .values = CO_LIST (CoFamilyValue, {CO_ROW_norm_type, "layer"}, {CO_ROW_norm_first, "true"}),
  .checks = CO_LIST (CoFamilyCheck, SELF_ATTENTION_ONLY),
};

/* wav2vec2 and hubert: the same keys, defaults and names */
#define SPEECH(type)                                                                              \
  {                                                                                               \
    type, .prefixes = CO_TEXTS ("encoder.layers", type ".encoder.layers"), .not_run = CO_TEXTS ("*"),   \
    .n_layers = "num_hidden_layers",                                                              \
    .keys = CO_LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "12"},                       \
        {"hidden_act", CO_ROW_activation, "gelu"},                                                \
        {"layer_norm_eps", CO_ROW_layer_norm_eps, "1e-5"},                                        \
        {"do_stable_layer_norm", CO_ROW_norm_first, "false"}),                                    \
    .values = CO_LIST (CoFamilyValue, {CO_ROW_norm_type, "layer"}),                                                          \
    .checks = CO_LIST (CoFamilyCheck, SELF_ATTENTION_ONLY,                                           \
        {"adapter_attn_dim", "null", "an adapter in every layer"}),                               \
  }

const CoFamily co_family_wav2vec2 = SPEECH ("wav2vec2");
const CoFamily co_family_hubert = SPEECH ("hubert");

const CoFamily co_family_whisper = {
  "whisper", .prefixes = CO_TEXTS ("encoder", "model.encoder"),
  .layout = "[\"positions:embed_positions\", \"layers\", \"layer_norm\"]",
  .not_run = CO_TEXTS ("conv1", "conv2"),
  .n_layers = "encoder_layers",
  .keys = CO_LIST (CoFamilyKey, {"encoder_attention_heads", CO_ROW_nhead, "4"},
      {"activation_function", CO_ROW_activation, "gelu"},
      {"max_source_positions", CO_ROW_sequence_len, "1500"}),
  .values = CO_LIST (CoFamilyValue, {CO_ROW_norm_type, "layer"}, {CO_ROW_norm_first, "true"},
      {CO_ROW_layer_norm_eps, "1e-5"}, {CO_ROW_position_index, "window"}),
  .checks = CO_LIST (CoFamilyCheck, {0}),
};
