/* libcontinual: the two ways to find the parts beside the layers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "names/layers.h"

G_BEGIN_DECLS

/* What both read and write: the layers that were found, the modules of all other tensors, and the parts to fill */
typedef struct
{
  CoParts *parts;               /* scheme is set; layers, encoder_norm and list are to be filled */
  CoLayers *layers;
  CoModules *modules;
  const CoCheckpoint *file;
  const CoSettings *settings;
  const gchar *prefix;          /* without wrappers; "": none */
  GError **error;
} CoPlacing;

/* In the order of @layout, a JSON array of parts and operations. FALSE with CO_ERROR_SETTING, or with CO_ERROR_MODEL for a
 * tensor that no entry uses. */
gboolean co_place_by_layout (CoPlacing * self, const gchar * layout);
/* By the numbers and names of children: embedding, positions, encoder, norm, head. FALSE with CO_ERROR_MODEL. */
gboolean co_place_by_names (CoPlacing * self);

/* Sets the error. Returns: FALSE. */
gboolean co_place_fail (CoPlacing * self, CoError code, const gchar * format,
    ...) G_GNUC_PRINTF (3, 4);
/* Takes the name and the tensors of @part to the end of the list. */
void co_place_append (CoPlacing * self, CoPart * part);
/* The norm that module @path keeps behind its layers; NULL: none */
CoModule *co_place_own_norm (CoPlacing * self, const gchar * path);

G_END_DECLS
