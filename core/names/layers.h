/* libcontinual: finding the layers among the tensors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "names/modules.h"

G_BEGIN_DECLS

/* The layers in @named (CoNamed) by the scheme that leaves the fewest tensors over. */
typedef struct
{
  const CoScheme *scheme;       /* NULL: no scheme fits */
  GArray *layers;               /* CoLayerParts, sorted by list, then by number */
  GArray *rest;                 /* CoNamed: tensors of no layer; names belong to @named */
} CoLayers;

void co_layers_find (CoLayers * self, const GArray * named);
void co_layers_clear (CoLayers * self);

/* Whether a list that holds nothing but layers begins at 0 and has no gaps: FALSE with CO_ERROR_MODEL if one is missing.
 * Such a list is called layers, blocks, layer or h; the numbers of an nn.Sequential may be any. */
gboolean co_layers_check_lists (const GArray * layers,
    const CoModules * modules, const gchar * prefix,
    const CoCheckpoint * file, GError ** error);

G_END_DECLS
