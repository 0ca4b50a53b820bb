/* libcontinual: names of fast_transformers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/schemes.h"

#define FEED_FORWARD                                          \
  CO_PAIR ("linear1", LINEAR1), CO_PAIR ("linear2", LINEAR2),   \
  CO_PAIR ("norm1", NORM1), CO_PAIR ("norm2", NORM2)

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

const CoScheme co_scheme_fast_transformers = {
  "fast_transformers' TransformerEncoder",
  .names = CO_NAMES (PROJECTIONS ("attention.", CO_ROLE_Q_WEIGHT), FEED_FORWARD),
  .norms = CO_NORMS ("norm")
};

const CoScheme co_scheme_fast_transformers_decoder = {
  "fast_transformers' TransformerDecoder",.decoder = TRUE,
  .names = CO_NAMES (PROJECTIONS ("self_attention.", CO_ROLE_Q_WEIGHT),
      PROJECTIONS ("cross_attention.", CO_ROLE_CROSS), FEED_FORWARD, CO_PAIR ("norm3", NORM3)),
  .norms = CO_NORMS ("norm")
};
