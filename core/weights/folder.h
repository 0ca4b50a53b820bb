/* libcontinual: a checkpoint in a folder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "safetensors.h"

G_BEGIN_DECLS

/* The content of a folder as save_pretrained() leaves it. */
typedef struct
{
  GPtrArray *shards;            /* of CoSafetensors, sorted by file name */
  GArray *metadata;             /* table (table.h): that of all shards, and of the index */
  gchar *config;                /* text of config.json, a JSON object; NULL without the file */
} CoFolder;

/* Reads config.json and model.safetensors, or the shards that model.safetensors.index.json names.
 *
 * Errors: CO_ERROR_NOT_FOUND if there are no weights, or if a shard is missing; CO_ERROR_READ if a file cannot be read,
 * or if one changed before all were read; CO_ERROR_CORRUPT. Then there is nothing to clear. */
gboolean co_folder_read (CoFolder * self, const gchar * path, GError ** error);
void co_folder_clear (CoFolder * self);

/* The stamps of all files that co_folder_read() may read, as one string; none is opened. With an index these are all
 * files named *.safetensors. Returns: NULL if a file or the folder cannot be examined. */
gchar *co_folder_identity (const gchar * path);

G_END_DECLS
