/* libcontinual: families of models that config.json names
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keys and their default values are those of transformers' configuration classes. */
#include "settings/families.h"

#define LIST(type, ...) (const type[]) { __VA_ARGS__, {0} }
#define NAMES(...) (const gchar *const[]) { __VA_ARGS__, NULL }

#define SELF_ATTENTION_ONLY                                                                       \
  {"is_decoder", "false", "a causal mask"},                                                       \
  {"add_cross_attention", "false", "a second attention, to another sequence"}

static const CoFamily bert = {
  "bert", .prefixes = NAMES ("encoder", "bert.encoder"),
  .not_run = NAMES ("embeddings", "pooler"),
  .n_layers = "num_hidden_layers",
  .keys = LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "12"},
      {"hidden_act", CO_ROW_activation, "gelu"},
      {"layer_norm_eps", CO_ROW_layer_norm_eps, "1e-12"}),
  .values = LIST (CoFamilyValue, {CO_ROW_norm_first, "false"}),
  .checks = LIST (CoFamilyCheck, SELF_ATTENTION_ONLY,
      {"position_embedding_type", "absolute", "positions within the attention"}),
};

static const CoFamily vit = {
  "vit", .prefixes = NAMES ("encoder", "vit.encoder"),
  .not_run = NAMES ("embeddings", "pooler", "layernorm"),
  .n_layers = "num_hidden_layers",
  .keys = LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "12"},
      {"hidden_act", CO_ROW_activation, "gelu"},
      {"layer_norm_eps", CO_ROW_layer_norm_eps, "1e-12"}),
  .values = LIST (CoFamilyValue, {CO_ROW_norm_first, "true"}),
  .checks = LIST (CoFamilyCheck, SELF_ATTENTION_ONLY),
};

/* wav2vec2 and hubert: the same keys, defaults and names */
#define SPEECH(type)                                                                              \
  {                                                                                               \
    type, .prefixes = NAMES ("encoder.layers", type ".encoder.layers"), .not_run = NAMES ("*"),   \
    .n_layers = "num_hidden_layers",                                                              \
    .keys = LIST (CoFamilyKey, {"num_attention_heads", CO_ROW_nhead, "12"},                       \
        {"hidden_act", CO_ROW_activation, "gelu"},                                                \
        {"layer_norm_eps", CO_ROW_layer_norm_eps, "1e-5"},                                        \
        {"do_stable_layer_norm", CO_ROW_norm_first, "false"}),                                    \
    .values = LIST (CoFamilyValue, {0}),                                                          \
    .checks = LIST (CoFamilyCheck, SELF_ATTENTION_ONLY,                                           \
        {"adapter_attn_dim", "null", "an adapter in every layer"}),                               \
  }

static const CoFamily wav2vec2 = SPEECH ("wav2vec2");
static const CoFamily hubert = SPEECH ("hubert");

static const CoFamily whisper = {
  "whisper", .prefixes = NAMES ("encoder", "model.encoder"),
  .layout = "[\"positions:embed_positions\", \"layers\", \"layer_norm\"]",
  .not_run = NAMES ("conv1", "conv2"),
  .n_layers = "encoder_layers",
  .keys = LIST (CoFamilyKey, {"encoder_attention_heads", CO_ROW_nhead, "4"},
      {"activation_function", CO_ROW_activation, "gelu"},
      {"max_source_positions", CO_ROW_sequence_len, "1500"}),
  .values = LIST (CoFamilyValue, {CO_ROW_norm_first, "true"},
      {CO_ROW_layer_norm_eps, "1e-5"}, {CO_ROW_position_index, "window"}),
  .checks = LIST (CoFamilyCheck, {0}),
};

const CoFamily *const co_families[] = {
  &bert, &vit, &wav2vec2, &hubert, &whisper, NULL
};

static const struct
{
  const gchar *name, *ours;
} activations[] = {
  {"gelu", "gelu"}, {"gelu_python", "gelu"},
  {"gelu_new", "gelu-tanh"}, {"gelu_fast", "gelu-tanh"},
  {"gelu_accurate", "gelu-tanh"}, {"gelu_pytorch_tanh", "gelu-tanh"},
  {"gelu_python_tanh", "gelu-tanh"},
  {"relu", "relu"}, {"silu", "silu"}, {"swish", "silu"}, {"tanh", "tanh"},
  {"sigmoid", "sigmoid"}, {"leaky_relu", "leaky-relu"}, {"linear", "identity"},
};

const gchar *
co_family_activation (const gchar * name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (activations); i++)
    if (g_str_equal (activations[i].name, name))
      return activations[i].ours;
  return NULL;
}
