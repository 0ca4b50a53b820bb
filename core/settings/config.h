/* libcontinual: hyper-parameters from config.json
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "settings/families.h"
#include "weights/checkpoint.h"

G_BEGIN_DECLS

/* What a config.json says, in the words of this library. Zero: nothing. */
struct _CoConfig
{
  const CoFamily *family;       /* NULL: there is no config.json */
  gint64 n_layers;              /* 0: unknown */
  gchar *values[CO_N_ROWS];     /* as in a metadata string; NULL: not said */
  const gchar *keys[CO_N_ROWS]; /* where a value is from; NULL: the family's constant */
  guint biases;                 /* bit i: whether those of family->biases[i] are there */
};

/* Reads the config.json of @file, if it has one.
 *
 * Returns: FALSE with CO_ERROR_SETTING if its model_type is not in co_families, or if one of its values changes the
 * computation and is not understood. There is nothing to clear then. */
gboolean co_config_read (CoConfig * self, const CoCheckpoint * file,
    GError ** error);
/* The same for the text of a config.json. @name: the name of its folder in messages. Also CO_ERROR_CORRUPT if @text is no
 * JSON object. */
gboolean co_config_parse (CoConfig * self, const gchar * text,
    const gchar * name, GError ** error);
void co_config_clear (CoConfig * self);

G_END_DECLS
