/* libcontinual: how the libraries of this field name their tensors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file for each library in schemes/; schemes.c lists them. Of two suffixes that fit a name, the first counts. */
#pragma once

#include "names/parts.h"

#define CO_NAMES(...) (const CoSchemeName[]) { __VA_ARGS__, {NULL} }
#define CO_ROLES(...) (const CoRole[]) { __VA_ARGS__, CO_N_ROLES }
#define CO_NORMS(...) (const gchar *const[]) { __VA_ARGS__, NULL }

/* NAME.weight and NAME.bias in the roles CO_ROLE_ROLE_WEIGHT and CO_ROLE_ROLE_BIAS */
#define CO_PAIR(name, role) \
  {name ".weight", CO_ROLE_##role##_WEIGHT}, {name ".bias", CO_ROLE_##role##_BIAS}

/* Factors of the two branches of a layer, as several libraries call them */
#define CO_LAYER_SCALES                                                                                   \
  {"self_attn_layer_scale.scale", CO_ROLE_SCALE1}, {"mlp_layer_scale.scale", CO_ROLE_SCALE2},             \
  {"layer_scale_1.scale", CO_ROLE_SCALE1}, {"layer_scale_2.scale", CO_ROLE_SCALE2},                       \
  {"layer_scale_1.lambda1", CO_ROLE_SCALE1}, {"layer_scale_2.lambda1", CO_ROLE_SCALE2},                   \
  {"layer_scale1.lambda1", CO_ROLE_SCALE1}, {"layer_scale2.lambda1", CO_ROLE_SCALE2},                     \
  {"ls1.gamma", CO_ROLE_SCALE1}, {"ls2.gamma", CO_ROLE_SCALE2}

extern const CoScheme co_scheme_torch, co_scheme_torch_attention, co_scheme_continual, co_scheme_fast_transformers,
    co_scheme_fast_transformers_decoder, co_scheme_kernel_attention, co_scheme_timm, co_scheme_openai_whisper,
    co_scheme_vit_pytorch, co_scheme_bert, co_scheme_vit, co_scheme_vit_layers, co_scheme_dinov2, co_scheme_wav2vec2, co_scheme_whisper,
    co_scheme_mimi, co_scheme_moonshine, co_scheme_voxtral, co_scheme_llama;
