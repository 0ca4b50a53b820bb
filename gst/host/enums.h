/* gst-continual: enumerations of hyper-parameters
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* Nicks are what the core's options take; value 0 leaves the choice to the model, or is the default. */
#define MODEL_TYPE_ATTENTION (model_attention_get_type ())
#define MODEL_TYPE_ACTIVATION (model_activation_get_type ())
#define MODEL_TYPE_SWITCH (model_switch_get_type ())
#define MODEL_TYPE_SELF_ATTENTION (model_self_attention_get_type ())
#define MODEL_TYPE_CROSS_ATTENTION (model_cross_attention_get_type ())
#define MODEL_TYPE_AT_MAX (model_at_max_get_type ())
#define MODEL_TYPE_WARM_UP (model_warm_up_get_type ())
#define MODEL_TYPE_FEATURE_MAP (model_feature_map_get_type ())
#define MODEL_TYPE_FEATURE_TRANSFORM (model_feature_transform_get_type ())
#define MODEL_TYPE_PRECISION (model_precision_get_type ())

GType model_attention_get_type (void);
GType model_activation_get_type (void);
GType model_switch_get_type (void);
GType model_self_attention_get_type (void);
GType model_cross_attention_get_type (void);
GType model_at_max_get_type (void);
GType model_warm_up_get_type (void);
GType model_feature_map_get_type (void);
GType model_feature_transform_get_type (void);
GType model_precision_get_type (void);

G_END_DECLS
