/* libcontinual: what the libraries of this field call their tensors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/scheme.h"

#define FEED_FORWARD(prefix)                        \
  {prefix "linear1.weight", CO_ROLE_LINEAR1_WEIGHT},  \
  {prefix "linear1.bias", CO_ROLE_LINEAR1_BIAS},      \
  {prefix "linear2.weight", CO_ROLE_LINEAR2_WEIGHT},  \
  {prefix "linear2.bias", CO_ROLE_LINEAR2_BIAS},      \
  {prefix "norm1.weight", CO_ROLE_NORM1_WEIGHT},      \
  {prefix "norm1.bias", CO_ROLE_NORM1_BIAS},          \
  {prefix "norm2.weight", CO_ROLE_NORM2_WEIGHT},      \
  {prefix "norm2.bias", CO_ROLE_NORM2_BIAS}

#define MULTIHEAD_ATTENTION(prefix)                   \
  {prefix "in_proj_weight", CO_ROLE_IN_WEIGHT},       \
  {prefix "in_proj_bias", CO_ROLE_IN_BIAS},           \
  {prefix "q_proj_weight", CO_ROLE_Q_WEIGHT},         \
  {prefix "k_proj_weight", CO_ROLE_K_WEIGHT},         \
  {prefix "v_proj_weight", CO_ROLE_V_WEIGHT},         \
  {prefix "bias_k", CO_ROLE_FIXED_K},                 \
  {prefix "bias_v", CO_ROLE_FIXED_V},                 \
  {prefix "out_proj.weight", CO_ROLE_OUT_WEIGHT},     \
  {prefix "out_proj.bias", CO_ROLE_OUT_BIAS}

#define PROJECTIONS(prefix)                           \
  {prefix "query_projection.weight", CO_ROLE_Q_WEIGHT}, \
  {prefix "query_projection.bias", CO_ROLE_Q_BIAS},     \
  {prefix "key_projection.weight", CO_ROLE_K_WEIGHT},   \
  {prefix "key_projection.bias", CO_ROLE_K_BIAS},       \
  {prefix "value_projection.weight", CO_ROLE_V_WEIGHT}, \
  {prefix "value_projection.bias", CO_ROLE_V_BIAS},     \
  {prefix "out_projection.weight", CO_ROLE_OUT_WEIGHT}, \
  {prefix "out_projection.bias", CO_ROLE_OUT_BIAS}

static const CoScheme continual = {
  "continual-inference's TransformerEncoder", FALSE, (const CoSchemeName[]) {
        MULTIHEAD_ATTENTION ("0.self_attn."), FEED_FORWARD ("1."), {NULL}}
};

static const CoScheme torch = {
  "torch.nn.TransformerEncoder", FALSE, (const CoSchemeName[]) {
        MULTIHEAD_ATTENTION ("self_attn."), FEED_FORWARD (""), {NULL}}
};

static const CoScheme fast_transformers = {
  "fast_transformers' TransformerEncoder", FALSE, (const CoSchemeName[]) {
        PROJECTIONS ("attention."), FEED_FORWARD (""), {NULL}}
};

static const CoScheme torch_attention = {
  "torch.nn.MultiheadAttention", TRUE, (const CoSchemeName[]) {
        MULTIHEAD_ATTENTION (""), {NULL}}
};

const CoScheme *const co_schemes[] = {
  &continual, &torch, &fast_transformers, &torch_attention, NULL
};
