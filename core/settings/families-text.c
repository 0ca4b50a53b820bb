/* libcontinual: llama, mistral, qwen2 and qwen3: causal layers behind an embedding
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/config-json.h"

/* Old files have the frequencies of rotary positions in every layer. */
#define CAUSAL_LAYERS                                                                                 \
  .prefixes = CO_TEXTS ("model", ""), .layout = "[\"layers\", \"norm\"]",                             \
  .not_run = CO_TEXTS ("embed_tokens", "lm_head", "*.rotary_emb.inv_freq"),                           \
  .n_layers = "num_hidden_layers", .n_layers_fallback = 32, .rotary = TRUE,                           \
  .values = CO_LIST (CoFamilyValue, {CO_ROW_norm_type, "rms"}, {CO_ROW_norm_first, "true"})

#define KEYS(key_value_heads, head_size)                                                              \
  .keys = CO_LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "32"},                          \
      {"num_key_value_heads", CO_ROW_num_key_value_heads, key_value_heads},                           \
      {"head_dim", CO_ROW_head_dim, head_size}, {"hidden_act", CO_ROW_activation, "silu"},            \
      {"rms_norm_eps", CO_ROW_layer_norm_eps, "1e-6"})

#define CHECKS(...)                                                                                   \
  .checks = CO_LIST (CoFamilyCheck,                                                                   \
      {"is_causal", "true", "attention to vectors that come later"},                                  \
      {"use_bidirectional_attention", "false", "attention to vectors that come later"},               \
      {"attn_logit_softcapping", "null", "logits that are capped"}, __VA_ARGS__)

#define GATE "mlp.gate_proj.weight"
#define INPUTS "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"
#define OUTPUTS "self_attn.o_proj"
#define FEED_FORWARD "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"

const CoFamily co_family_llama = {
  "llama", CAUSAL_LAYERS, KEYS (NULL, NULL), CHECKS ({"sliding_window", "null", "a window that llama does not have"}),
  .biases = CO_LIST (CoFamilyBias, {"attention_bias", FALSE, CO_TEXTS (INPUTS, OUTPUTS)},
      {"mlp_bias", FALSE, CO_TEXTS (FEED_FORWARD)}),
  .extras = CO_TEXTS (GATE), .read_windows = co_config_no_window,
};

const CoFamily co_family_mistral = {
  "mistral", CAUSAL_LAYERS, KEYS ("8", NULL), CHECKS ({0}),
  .biases = CO_LIST (CoFamilyBias, {NULL, FALSE, CO_TEXTS (INPUTS, OUTPUTS, FEED_FORWARD)}),
  .extras = CO_TEXTS (GATE),
  .read_windows = co_config_sliding_window_or_null, .windows_fallback = "4096",
};

const CoFamily co_family_qwen2 = {
  "qwen2", CAUSAL_LAYERS, KEYS ("32", NULL), CHECKS ({0}),
  .biases = CO_LIST (CoFamilyBias, {NULL, TRUE, CO_TEXTS (INPUTS)}, {NULL, FALSE, CO_TEXTS (OUTPUTS, FEED_FORWARD)}),
  .extras = CO_TEXTS (GATE),
  .read_windows = co_config_sliding_window_if_used, .windows_fallback = "4096",
};

const CoFamily co_family_qwen3 = {
  "qwen3", CAUSAL_LAYERS, KEYS ("32", "128"), CHECKS ({0}),
  .biases = CO_LIST (CoFamilyBias, {"attention_bias", FALSE, CO_TEXTS (INPUTS, OUTPUTS)},
      {NULL, FALSE, CO_TEXTS (FEED_FORWARD)}),
  .extras = CO_TEXTS (GATE, "self_attn.q_norm.weight", "self_attn.k_norm.weight"),
  .read_windows = co_config_sliding_window_if_used, .windows_fallback = "4096",
};
