/* gst-continual: properties that say which model, and what its file doesn't
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define MODEL_MAX_OPTIONS 32

/* Which elements a property is for. */
typedef enum
{
  MODEL_FOR_ENCODER = 1 << 0,
  MODEL_FOR_ATTENTION = 1 << 1,
  MODEL_FOR_DECODER = 1 << 2,
} ModelElement;

/* The properties' values. */
typedef struct
{
  gchar *path;
  GValue options[MODEL_MAX_OPTIONS];    /* by property id - 1 */
} ModelSettings;

/* Installs `model-path` and a property for each hyper-parameter that applies to @element. Ids count from 1 and are the
 * same for every element. Returns the first id that is free. */
guint model_settings_install_properties (GObjectClass * klass,
    ModelElement element);

void model_settings_init (ModelSettings * self);
void model_settings_clear (ModelSettings * self);

/* @id: one of the properties but model-path. */
void model_settings_set (ModelSettings * self, guint id, const GValue * value);
/* @id: any of the properties. */
void model_settings_get (const ModelSettings * self, guint id, GValue * value);

#define MODEL_PROP_PATH 1

/* The hyper-parameters that are not at their default, which is: as the model says. */
CoOptions *model_settings_get_options (const ModelSettings * self);

/* @path: NULL, or a file. NULL: an error message or, with @keep, a warning that the old model stays, was posted by
 * @element. */
CoModel *model_load (GstElement * element, const gchar * path,
    const CoOptions * options, gboolean keep);

G_END_DECLS
