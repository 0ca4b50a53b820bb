/* libcontinual: the index of a checkpoint in shards
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * model.safetensors.index.json, as transformers and huggingface_hub write it: a JSON object of `weight_map` {tensor
 * name: shard's file name} and, perhaps, `metadata`. */
#pragma once

#include <continual/error.h>

G_BEGIN_DECLS

typedef struct
{
  GArray *weight_map;           /* table (table.h): tensor name, file name */
  GPtrArray *shards;            /* of const gchar *: the distinct file names, sorted, owned by weight_map */
  GArray *metadata;             /* table of the metadata that are strings */
} CoIndex;

/* Reads an index. File names must be plain: no folder, and ".safetensors" at the end.
 *
 * @text: (size). @file: the index's name in messages.
 * Error: CO_ERROR_CORRUPT; then there is nothing to clear. */
gboolean co_index_parse (CoIndex * self, const gchar * text, gsize size,
    const gchar * file, GError ** error);
void co_index_clear (CoIndex * self);

G_END_DECLS
