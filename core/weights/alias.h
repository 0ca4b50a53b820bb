/* libcontinual: names of tensors that share their data
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "safetensors.h"

G_BEGIN_DECLS

/* Resolves the aliases in metadata. Where parameters are shared, save_model() of safetensors.torch writes one of them,
 * and a metadata entry {removed name: kept name} for each other.
 *
 * An entry is an alias if its key has a dot, as names in a state dict have, and is no tensor, and if its value is the
 * name of a tensor. (A key without a dot may be a setting, such as positions = "pos_embed".) Aliases become tensors
 * that share the data, and leave the metadata. All other entries stay.
 *
 * @tensors: of CoTensor, sorted by name; aliases are added. @buffers: table (table.h) of integer tensors; their aliases
 * are added. @metadata: table. @aliases: an empty table, which gets the aliases and owns the new tensors' names.
 * @file: the file's name in messages.
 * Error: CO_ERROR_CORRUPT for an entry that can only be an alias, of a tensor that is missing. */
gboolean co_aliases_resolve (GArray * tensors, GArray * buffers,
    GArray * metadata, GArray * aliases, const gchar * file, GError ** error);

/* The tensor of that name in @tensors, of CoTensor, sorted by name; or NULL. */
const CoTensor *co_tensors_lookup (const GArray * tensors, const gchar * name);
void co_tensors_sort (GArray * tensors);

G_END_DECLS
