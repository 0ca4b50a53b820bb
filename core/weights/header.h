/* libcontinual: the header of a safetensors file
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "dtype.h"
#include "safetensors.h"

G_BEGIN_DECLS

typedef struct
{
  CoTensor tensor;              /* data is NULL yet; the name is owned */
  CoDtype dtype;
  gsize begin, end;             /* in the data that follows the header */
} CoHeaderEntry;

typedef struct
{
  GArray *entries;              /* of CoHeaderEntry, in the order of the data */
  GHashTable *metadata;         /* gchar * to gchar *, both owned */
  gsize data_start;             /* in the file */
} CoHeader;

/* How many bytes at the start of a file co_header_check_start() looks at. */
#define CO_HEADER_START 9

/* Whether a file of @size bytes can be safetensors at all. @start: (MIN (size, CO_HEADER_START)) */
gboolean co_header_check_start (const guint8 * start, guint64 size,
    const gchar * file, GError ** error);

/* Validates everything but the values: afterwards each tensor is a range of @data that holds just its
 * elements. @data: (size) the whole file. On failure there is nothing to clear. */
gboolean co_header_parse (CoHeader * self, const guint8 * data, gsize size,
    const gchar * file, GError ** error);
void co_header_clear (CoHeader * self);

G_END_DECLS
