/* libcontinual: a trained model's tensors, metadata and configuration
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "safetensors.h"

G_BEGIN_DECLS

/* A set of tensors with metadata and, from a folder, config.json: immutable, reference counted. */
typedef struct _CoCheckpoint CoCheckpoint;

/* Loads a .safetensors file, or a folder as save_pretrained() leaves it: model.safetensors, or the shards that
 * model.safetensors.index.json names, and perhaps config.json. Metadata of all shards and of the index is merged.
 * Aliases of shared tensors, as save_model() writes them, are tensors too (alias.h).
 *
 * Errors: CO_ERROR_NOT_FOUND without such a file or folder, without weights in a folder, and for a missing shard;
 * CO_ERROR_READ, also if a file changed before all were read; CO_ERROR_CORRUPT. */
CoCheckpoint *co_checkpoint_load (const gchar * path, GError ** error);
/* Loads the content of a .safetensors file. @name: its name in messages. Error: CO_ERROR_CORRUPT. */
CoCheckpoint *co_checkpoint_load_bytes (GBytes * bytes, const gchar * name,
    GError ** error);
CoCheckpoint *co_checkpoint_ref (CoCheckpoint * self);
void co_checkpoint_unref (CoCheckpoint * self);

/* Tensors of floating-point types, sorted by name (strcmp). */
gsize co_checkpoint_get_n_tensors (const CoCheckpoint * self);
const CoTensor *co_checkpoint_get_tensor (const CoCheckpoint * self,
    gsize index);
/* Returns: NULL if no tensor has that name. */
const CoTensor *co_checkpoint_lookup (const CoCheckpoint * self,
    const gchar * name);
/* The dtype of a tensor that was skipped because it is of integers or booleans, such as "I64"; or NULL. */
const gchar *co_checkpoint_get_buffer_dtype (const CoCheckpoint * self,
    const gchar * name);

/* The value of a metadata key, or NULL. */
const gchar *co_checkpoint_get_metadata (const CoCheckpoint * self,
    const gchar * key);
/* All metadata keys but aliases, sorted, with NULL at the end. */
const gchar *const *co_checkpoint_get_metadata_keys (const CoCheckpoint * self);
/* The text of config.json: a JSON object of at most 1 MiB without duplicate keys. NULL if there is none. */
const gchar *co_checkpoint_get_config (const CoCheckpoint * self);
/* The name of the file or folder in messages. */
const gchar *co_checkpoint_get_name (const CoCheckpoint * self);
/* Bytes of float32 data; shared data counts once. */
gsize co_checkpoint_get_n_bytes (const CoCheckpoint * self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CoCheckpoint, co_checkpoint_unref)

/* A string that tells versions of a file or folder apart: device, inode, size and times of each file that
 * co_checkpoint_load() may read. No file is opened, and a change of content that keeps all of these is not seen. In a
 * folder with an index every file named *.safetensors counts.
 *
 * For a cache, take it before and after loading. The model may be shared if both are equal.
 * Returns: NULL if a file cannot be examined; co_checkpoint_load() then says why. */
gchar *co_checkpoint_identity (const gchar * path);

G_END_DECLS
