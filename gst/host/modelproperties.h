/* gst-continual: the hyper-parameters of a model as properties of an element
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

#include "tensor/propertytable.h"

G_BEGIN_DECLS

/* Which element a host is part of: the scope of its settings. */
typedef CoSettingScope ModelElement;
#define MODEL_FOR_ENCODER CO_FOR_ENCODER
#define MODEL_FOR_ATTENTION CO_FOR_ATTENTION
#define MODEL_FOR_DECODER CO_FOR_DECODER

/* The values of the properties. One that is unset leaves the choice to the model. */
typedef struct
{
  gchar *path;                  /* of the model */
  GValue *values;               /* (co_setting_count ()); not initialised where a setting has no property */
} ModelProperties;

/* Installs a property for each setting in the core's table that applies to elements of @kind. Returns the first id that
 * is free. */
guint model_properties_install (GObjectClass * klass, guint first_id,
    ModelElement kind);

void model_properties_init (ModelProperties * self);
void model_properties_clear (ModelProperties * self);

/* As property_table_set() and property_table_get(). FALSE: @pspec is no setting. */
gboolean model_properties_set (ModelProperties * self, GstElement * element,
    const gboolean * running, const GValue * value, GParamSpec * pspec);
gboolean model_properties_get (const ModelProperties * self,
    GstElement * element, GValue * value, GParamSpec * pspec);

/* The properties that are set, as options for co_model_load(): they win over the file. */
CoOptions *model_properties_get_options (const ModelProperties * self);

G_END_DECLS
