/* libcontinual: names of torch.nn and of continual-inference, which keeps torch's
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/schemes.h"

#define FEED_FORWARD(prefix)                                          \
  CO_PAIR (prefix "linear1", LINEAR1), CO_PAIR (prefix "linear2", LINEAR2), \
  CO_PAIR (prefix "norm1", NORM1), CO_PAIR (prefix "norm2", NORM2)

#define MULTIHEAD_ATTENTION(prefix)                   \
  {prefix "in_proj_weight", CO_ROLE_IN_WEIGHT},       \
  {prefix "in_proj_bias", CO_ROLE_IN_BIAS},           \
  {prefix "q_proj_weight", CO_ROLE_Q_WEIGHT},         \
  {prefix "k_proj_weight", CO_ROLE_K_WEIGHT},         \
  {prefix "v_proj_weight", CO_ROLE_V_WEIGHT},         \
  {prefix "bias_k", CO_ROLE_FIXED_K},                 \
  {prefix "bias_v", CO_ROLE_FIXED_V},                 \
  CO_PAIR (prefix "out_proj", OUT)

const CoScheme co_scheme_torch = {
  "torch.nn.TransformerEncoder",
  .names = CO_NAMES (MULTIHEAD_ATTENTION ("self_attn."), FEED_FORWARD (""), CO_LAYER_SCALES),
  .norms = CO_NORMS ("norm")
};

const CoScheme co_scheme_continual = {
  "continual-inference's TransformerEncoder",
  .names = CO_NAMES (MULTIHEAD_ATTENTION ("0.self_attn."), FEED_FORWARD ("1.")),
  .norms = CO_NORMS ("norm")
};

const CoScheme co_scheme_torch_attention = {
  "torch.nn.MultiheadAttention",.bare = TRUE,
  .names = CO_NAMES (MULTIHEAD_ATTENTION ("")),
  .norms = CO_NORMS ("norm")
};
