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
  gboolean drop_oldest;         /* at_max */
  gchar *labels;                /* a JSON array or NULL */
  /* Names of a classifier's parts */
  gchar *embed, *positions, *encoder, *norm, *head;
} CoSettings;

/* Reads metadata, and @options over it. FALSE with CO_ERROR_SETTING. */
gboolean co_settings_read (CoSettings * self, const CoSafetensors * file,
    const CoOptions * options, GError ** error);
void co_settings_clear (CoSettings * self);

/* NULL if the option is not set. */
const gchar *co_options_get (const CoOptions * self, const gchar * key);
/* Every option that is set, in one string: equal for equal options. */
gchar *co_options_to_string (const CoOptions * self);

G_END_DECLS
