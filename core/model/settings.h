/* libcontinual: a model's hyper-parameters
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/options.h>
#include "math/activation.h"
#include "weights/safetensors.h"

G_BEGIN_DECLS

typedef enum
{
  CO_KIND_SINGLE_OUTPUT,
  CO_KIND_RETROACTIVE,
  CO_KIND_DEEP,
  CO_KIND_RECURRENT_FULL,
  CO_KIND_RECURRENT_LINEAR,
  CO_KIND_KERNEL,
} CoKind;

/* In the order of CoKind, as properties and messages write them. */
extern const gchar *const co_kind_names[];

/* What a state dict cannot say. Numbers that were not given are 0. */
typedef struct
{
  gint64 nhead, sequence_len;
  gint kind;
  gint activation;
  gdouble layer_norm_eps;
  gboolean norm_first;
  gint64 query_index;
  gboolean add_zero_attn;
  gboolean partial;             /* warm_up */
  gint64 max_len;
  gint precision;               /* index in co_formats */
  gboolean drop_oldest;         /* at_max */
  /* feature maps */
  gint feature_map, feature_transform, kernel_fn;
  gint64 n_dims, num_random_features;
  gdouble softmax_temp, smoothing, scale;       /* 0: not given */
  /* kernel */
  gint64 chunk_len, window_len;
  gdouble decay;                /* less than 0: none */
  gboolean cache;
  /* decoder */
  gint architecture;
  gint self_attention, cross_attention;
  gchar *labels;                /* a JSON array or NULL */
  /* Names of a classifier's parts */
  gchar *embed, *positions, *encoder, *norm, *head;
} CoSettings;

/* Values of feature_transform, cross_attention and architecture */
enum
{ CO_TRANSFORM_EXPPLUS = 6 };
enum
{ CO_CROSS_FULL, CO_CROSS_LINEAR };
enum
{ CO_ARCHITECTURE_ANY, CO_ARCHITECTURE_ENCODER, CO_ARCHITECTURE_DECODER };

/* Reads metadata, and @options over it. FALSE with CO_ERROR_SETTING. */
gboolean co_settings_read (CoSettings * self, const CoSafetensors * file,
    const CoOptions * options, GError ** error);
void co_settings_clear (CoSettings * self);
/* What a stream's numbers depend on, in one string: equal for equal values, wherever they were said. */
gchar *co_settings_to_string (const CoSettings * self);

/* The key as the table spells it; NULL with CO_ERROR_SETTING if there is none. */
const gchar *co_settings_find_key (const gchar * key, GError ** error);

/* NULL if the option is not set. */
const gchar *co_options_get (const CoOptions * self, const gchar * key);
/* Every option that is set, in one string: equal for equal options. */
gchar *co_options_to_string (const CoOptions * self);

G_END_DECLS
