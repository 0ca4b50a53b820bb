/* libcontinual: which tensor of a file is which part of a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "settings/settings.h"

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
  const CoSchemeName *names;    /* ended by a suffix of NULL */
} CoScheme;

/* Ended by NULL; the most specific first */
extern const CoScheme *const co_schemes[];

/* The tensors of one layer */
typedef struct
{
  const CoTensor *tensors[CO_N_ROLES];
  gchar *path;                  /* the begin of their names; "" at the top */
} CoLayerParts;

typedef struct
{
  const CoTensor *weight, *bias;
  gchar *path;
} CoModuleParts;

/* The tensors of a file by part. A part that the model does not have has a weight of NULL. */
typedef struct
{
  const CoScheme *scheme;
  GArray *layers;               /* CoLayerParts, in order */
  CoModuleParts embed, positions, encoder_norm, norm, head;
} CoParts;

/* FALSE with CO_ERROR_MODEL, which names the tensor without a part; there is nothing to clear then. */
gboolean co_parts_find (CoParts * self, const CoSafetensors * file,
    const CoSettings * settings, GError ** error);
void co_parts_clear (CoParts * self);

G_END_DECLS
