/* libcontinual: how the libraries of this field name their tensors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/parts.h"

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

/* base: CO_ROLE_Q_WEIGHT, or CO_ROLE_CROSS */
#define PROJECTION(name, role, base)                              \
  {name ".weight", CO_ROLE_##role##_WEIGHT - CO_ROLE_Q_WEIGHT + base},  \
  {name ".bias", CO_ROLE_##role##_BIAS - CO_ROLE_Q_WEIGHT + base}

#define PROJECTIONS(prefix, base)                                 \
  PROJECTION (prefix "query_projection", Q, base),                \
  PROJECTION (prefix "key_projection", K, base),                  \
  PROJECTION (prefix "value_projection", V, base),                \
  PROJECTION (prefix "out_projection", OUT, base),                \
  {prefix "inner_attention.feature_map.omega",                    \
      CO_ROLE_FEATURES - CO_ROLE_Q_WEIGHT + base}

static const CoScheme continual = {
  "continual-inference's TransformerEncoder", .names = (const CoSchemeName[]) {
        MULTIHEAD_ATTENTION ("0.self_attn."), FEED_FORWARD ("1."), {NULL}}
};

static const CoScheme torch = {
  "torch.nn.TransformerEncoder", .names = (const CoSchemeName[]) {
        MULTIHEAD_ATTENTION ("self_attn."), FEED_FORWARD (""), {NULL}}
};

static const CoScheme fast_transformers = {
  "fast_transformers' TransformerEncoder", .names = (const CoSchemeName[]) {
        PROJECTIONS ("attention.", CO_ROLE_Q_WEIGHT), FEED_FORWARD (""), {NULL}}
};

static const CoScheme fast_transformers_decoder = {
  "fast_transformers' TransformerDecoder", .decoder = TRUE,
  .names = (const CoSchemeName[]) {
        PROJECTIONS ("self_attention.", CO_ROLE_Q_WEIGHT),
        PROJECTIONS ("cross_attention.", CO_ROLE_CROSS), FEED_FORWARD (""),
        {"norm3.weight", CO_ROLE_NORM3_WEIGHT},
        {"norm3.bias", CO_ROLE_NORM3_BIAS}, {NULL}}
};

static const CoScheme kernel_attention = {
  "TensorFlow Models' KernelAttention", .bare = TRUE, .keras = TRUE,
  .names = (const CoSchemeName[]) {
        {"query.kernel", CO_ROLE_Q_WEIGHT}, {"query.bias", CO_ROLE_Q_BIAS},
        {"key.kernel", CO_ROLE_K_WEIGHT}, {"key.bias", CO_ROLE_K_BIAS},
        {"value.kernel", CO_ROLE_V_WEIGHT}, {"value.bias", CO_ROLE_V_BIAS},
        {"attention_output.kernel", CO_ROLE_OUT_WEIGHT},
        {"attention_output.bias", CO_ROLE_OUT_BIAS},
        {"projection_matrix", CO_ROLE_FEATURES}, {NULL}}
};

static const CoScheme torch_attention = {
  "torch.nn.MultiheadAttention", .bare = TRUE, .names = (const CoSchemeName[]) {
        MULTIHEAD_ATTENTION (""), {NULL}}
};

const CoScheme *const co_schemes[] = {
  &continual, &torch, &fast_transformers, &fast_transformers_decoder,
  &kernel_attention, &torch_attention, NULL
};
