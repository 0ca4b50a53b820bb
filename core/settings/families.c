/* libcontinual: families of models that config.json names
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keys and their default values are those of transformers' configuration classes. */
#include "settings/families.h"

const CoFamily *const co_families[] = {
  &co_family_bert, &co_family_vit, &co_family_wav2vec2, &co_family_hubert, &co_family_whisper, &co_family_mimi,
  &co_family_moonshine_encoder, &co_family_moonshine, &co_family_voxtral_encoder, &co_family_voxtral, &co_family_llama,
  &co_family_mistral, &co_family_qwen2, &co_family_qwen3, NULL
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
