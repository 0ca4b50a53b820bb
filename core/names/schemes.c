/* libcontinual: how the libraries of this field name their tensors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/schemes.h"

const CoScheme *const co_schemes[] = {
  &co_scheme_continual, &co_scheme_torch, &co_scheme_fast_transformers, &co_scheme_fast_transformers_decoder,
  &co_scheme_timm, &co_scheme_openai_whisper, &co_scheme_vit_pytorch, &co_scheme_bert, &co_scheme_vit,
  &co_scheme_vit_layers, &co_scheme_dinov2, &co_scheme_wav2vec2, &co_scheme_whisper, &co_scheme_mimi, &co_scheme_moonshine,
  &co_scheme_voxtral, &co_scheme_llama, &co_scheme_kernel_attention, &co_scheme_torch_attention, NULL
};
