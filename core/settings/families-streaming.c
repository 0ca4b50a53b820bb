/* libcontinual: mimi, moonshine_streaming and voxtral_realtime: encoders whose layers see a window
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/config-json.h"

const CoFamily co_family_mimi = {
  "mimi", .prefixes = CO_TEXTS ("encoder_transformer", "decoder_transformer"), .not_run = CO_TEXTS ("*"),
  .n_layers = "num_hidden_layers", .n_layers_fallback = 8,
  .keys = CO_LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "8"},
      {"num_key_value_heads", CO_ROW_num_key_value_heads, "8"}, {"head_dim", CO_ROW_head_dim},
      {"hidden_act", CO_ROW_activation, "gelu"}, {"norm_eps", CO_ROW_layer_norm_eps, "1e-5"}),
  .values = CO_LIST (CoFamilyValue, {CO_ROW_norm_type, "layer"}, {CO_ROW_norm_first, "true"}),
  .checks = CO_LIST (CoFamilyCheck, {"is_causal", "true", "attention to vectors that come later"}),
  .biases = CO_LIST (CoFamilyBias,
      {"attention_bias", FALSE, CO_TEXTS ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")},
      {NULL, FALSE, CO_TEXTS ("mlp.fc1", "mlp.fc2")},
      {NULL, TRUE, CO_TEXTS ("input_layernorm", "post_attention_layernorm")}),
  .extras = CO_TEXTS ("self_attn_layer_scale.scale", "mlp_layer_scale.scale"),
  .rotary = TRUE, .read_windows = co_config_sliding_window, .windows_fallback = "250",
};

#define MOONSHINE                                                                                     \
  .layout = "[\"layers\", \"final_norm\"]", .not_run = CO_TEXTS ("embedder"),                         \
  .n_layers = "num_hidden_layers", .n_layers_fallback = 6,                                            \
  .keys = CO_LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "8"},                           \
      {"num_key_value_heads", CO_ROW_num_key_value_heads, "8"}, {"head_dim", CO_ROW_head_dim},        \
      {"hidden_act", CO_ROW_activation, "gelu"}),                                                     \
  .values = CO_LIST (CoFamilyValue, {CO_ROW_norm_type, "layer"}, {CO_ROW_norm_unit_offset, "true"},   \
      {CO_ROW_norm_first, "true"}, {CO_ROW_layer_norm_eps, "1e-5"}),                                  \
  .checks = CO_LIST (CoFamilyCheck, {0}),                                                             \
  .biases = CO_LIST (CoFamilyBias,                                                                    \
      {"attention_bias", FALSE,                                                                       \
          CO_TEXTS ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")}, \
      {NULL, TRUE, CO_TEXTS ("mlp.fc1", "mlp.fc2")}),                                                 \
  .read_windows = co_config_sliding_windows,                                                          \
  .windows_fallback = "[[16,4],[16,4],[16,0],[16,0],[16,4],[16,4]]"

const CoFamily co_family_moonshine_encoder = {
  "moonshine_streaming_encoder", .prefixes = CO_TEXTS (""), MOONSHINE
};

const CoFamily co_family_moonshine = {
  "moonshine_streaming", .config = "encoder_config", .config_type = "moonshine_streaming_encoder",
  .prefixes = CO_TEXTS ("model.encoder", "encoder"), MOONSHINE
};

#define VOXTRAL                                                                                       \
  .layout = "[\"layers\", \"norm\"]", .not_run = CO_TEXTS ("embedder"),                               \
  .n_layers = "num_hidden_layers", .n_layers_fallback = 32,                                           \
  .keys = CO_LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "32"},                          \
      {"num_key_value_heads", CO_ROW_num_key_value_heads}, {"head_dim", CO_ROW_head_dim, "64"},       \
      {"hidden_act", CO_ROW_activation, "silu"}, {"rms_norm_eps", CO_ROW_layer_norm_eps, "1e-5"}),    \
  .values = CO_LIST (CoFamilyValue, {CO_ROW_norm_type, "rms"}, {CO_ROW_norm_first, "true"}),          \
  .checks = CO_LIST (CoFamilyCheck, {"is_causal", "true", "attention to vectors that come later"}),                 \
  .biases = CO_LIST (CoFamilyBias,                                                                    \
      {NULL, TRUE, CO_TEXTS ("self_attn.q_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.down_proj")}, \
      {NULL, FALSE, CO_TEXTS ("self_attn.k_proj", "mlp.gate_proj", "mlp.up_proj")}),                  \
  .extras = CO_TEXTS ("mlp.gate_proj.weight"),                                                        \
  .rotary = TRUE, .read_windows = co_config_sliding_window, .windows_fallback = "750"

const CoFamily co_family_voxtral_encoder = {
  "voxtral_realtime_encoder", .prefixes = CO_TEXTS (""), VOXTRAL
};

const CoFamily co_family_voxtral = {
  "voxtral_realtime", .config = "audio_config", .config_type = "voxtral_realtime_encoder",
  .prefixes = CO_TEXTS ("audio_tower", "model.audio_tower"), VOXTRAL
};
