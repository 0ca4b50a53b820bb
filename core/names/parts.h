/* libcontinual: which tensor of a file is which part of a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "settings/settings.h"
#include "stack/pool.h"

G_BEGIN_DECLS

/* The role of a tensor within a layer */
typedef enum
{
  CO_ROLE_IN_WEIGHT,            /* query, key and value in one */
  CO_ROLE_IN_BIAS,
  CO_ROLE_Q_WEIGHT,
  CO_ROLE_Q_BIAS,
  CO_ROLE_K_WEIGHT,
  CO_ROLE_K_BIAS,
  CO_ROLE_V_WEIGHT,
  CO_ROLE_V_BIAS,
  CO_ROLE_OUT_WEIGHT,
  CO_ROLE_OUT_BIAS,
  CO_ROLE_FEATURES,             /* the random matrix of a feature map */
  CO_ROLE_CROSS,                /* from CO_ROLE_Q_WEIGHT to CO_ROLE_FEATURES, of a decoder's second attention */
  CO_ROLE_CROSS_END = CO_ROLE_CROSS + CO_ROLE_FEATURES - CO_ROLE_Q_WEIGHT,
  CO_ROLE_FIXED_K,              /* add_bias_kv */
  CO_ROLE_FIXED_V,
  CO_ROLE_NORM1_WEIGHT,
  CO_ROLE_NORM1_BIAS,
  CO_ROLE_NORM2_WEIGHT,
  CO_ROLE_NORM2_BIAS,
  CO_ROLE_NORM3_WEIGHT,
  CO_ROLE_NORM3_BIAS,
  CO_ROLE_LINEAR1_WEIGHT,
  CO_ROLE_LINEAR1_BIAS,
  CO_ROLE_LINEAR2_WEIGHT,
  CO_ROLE_LINEAR2_BIAS,
  CO_ROLE_GATE_WEIGHT,          /* of a gated feed-forward: linear2 (act (gate x) * linear1 x) */
  CO_ROLE_GATE_BIAS,
  CO_ROLE_Q_NORM_WEIGHT,        /* norms of each head's query and key */
  CO_ROLE_Q_NORM_BIAS,
  CO_ROLE_K_NORM_WEIGHT,
  CO_ROLE_K_NORM_BIAS,
  CO_ROLE_SCALE1,               /* (E) factors of the attention's output, and of the feed-forward's */
  CO_ROLE_SCALE2,
  CO_N_ROLES
} CoRole;

typedef struct
{
  const gchar *suffix;          /* the end of the name, without wrappers */
  CoRole role;
} CoSchemeName;

/* The names of one library */
typedef struct
{
  const gchar *title;
  gboolean bare;                /* an attention alone, without layer norms and feed-forward */
  gboolean decoder;             /* layers have a second attention, to a memory */
  gboolean keras;               /* weights are (E, H, D), a layer's (n_in, …) */
  gboolean norm_first;          /* layers are pre-norm; else the setting norm_first says it */
  const gchar *activation;      /* the usual one of its models; NULL: relu, torch's default */
  gboolean rms_norm;            /* norms without a bias are RMS norms; else the setting norm_type says it */
  gboolean rotary;              /* queries and keys are turned by rotary positions */
  const gchar *offset_gain;     /* what norms call their gain less 1; NULL: a norm's weight is its gain, or the setting
                                 * norm_unit_offset says otherwise */
  gboolean any_inner;           /* CO_ROLE_IN_WEIGHT is (3 n, E) with any n; else (3 E, E) */
  const CoSchemeName *names;    /* ended by a suffix of NULL */
  const CoRole *own_biases;     /* weights that have biases or not, all of them, whatever the other weights of the layer
                                 * have; ended by CO_N_ROLES. NULL: none */
  const gchar *const *norms;    /* names of the encoder's own norm; ended by NULL */
} CoScheme;

/* Ended by NULL; the most specific first */
extern const CoScheme *const co_schemes[];

/* The tensors of one layer */
typedef struct
{
  const CoTensor *tensors[CO_N_ROLES];
  gchar *path;                  /* the begin of their names; "" at the top */
} CoLayerParts;

/* What a part or an operation of a layout is */
typedef enum
{
  CO_PART_ENCODER,              /* the layers */
  CO_PART_LINEAR,               /* weight (out, in), bias (out) or NULL */
  CO_PART_NORM,                 /* weight (C), bias (C) or NULL */
  CO_PART_BATCH_NORM,           /* the same, running_mean (C), running_var (C) */
  CO_PART_POSITIONS,            /* weight (P, E), (1, P, E) or (P, 1, E) */
  CO_PART_CLASS_TOKEN,          /* weight (1, 1, E): before the first vector of the window */
  CO_PART_SCALE,                /* x * number */
  CO_PART_POOL,                 /* choice: CoPool */
  CO_PART_ACTIVATION,           /* choice: CoActivation */
  CO_PART_SOFTMAX,
  CO_PART_LOG_SOFTMAX,
} CoPartType;

typedef struct
{
  CoPartType type;
  gint choice;
  gdouble number;
  gchar *name;                  /* as a layout writes it */
  const CoTensor *weight, *bias, *running_mean, *running_var;   /* a batch norm may have only the running ones */
} CoPart;

/* The tensors of a file by part */
typedef struct
{
  const CoScheme *scheme;
  GArray *layers;               /* CoLayerParts, in order */
  CoPart encoder_norm;          /* the encoder's own; weight NULL: it has none */
  GArray *list;                 /* CoPart, in the order of forward(); one of them is CO_PART_ENCODER */
  GPtrArray *warnings;          /* gchar *: what may be other than it was trained */
} CoParts;

/* Finds the part of each tensor under the prefix: by the layout, or without one by the names and numbers of modules.
 *
 * Settles what the names say: norm_first of a scheme that is pre-norm, and of the family of config.json the usual prefix,
 * and position_index where there are no positions.
 * Returns: FALSE with CO_ERROR_MODEL, which names the tensor without a part, or with CO_ERROR_SETTING if the layout, the
 * prefix or norm_first is wrong. There is nothing to clear then. */
gboolean co_parts_find (CoParts * self, const CoCheckpoint * file,
    CoSettings * settings, GError ** error);
void co_parts_clear (CoParts * self);
/* The scheme, the parts and their order in one string: equal for equal computations on equal weights. */
gchar *co_parts_to_string (const CoParts * self);

G_END_DECLS
