/* libcontinual: the header of a safetensors file
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "dtype.h"
#include "safetensors.h"

G_BEGIN_DECLS

typedef struct
{
  CoTensor tensor;              /* its data is still NULL; the name is owned */
  CoDtype dtype;
  gsize begin, end;             /* byte range in the data that follows the header */
} CoHeaderEntry;

typedef struct
{
  GArray *entries;              /* of CoHeaderEntry, of float types, in the order of the data */
  GArray *metadata;             /* table (table.h): key, value */
  GArray *buffers;              /* table of integer and boolean tensors: name, dtype */
  gsize data_start;             /* offset of the data in the file */
} CoHeader;

/* Bytes at the start of a file that co_header_check_start() reads. */
#define CO_HEADER_START 9

/* Checks that a file of @size bytes begins like safetensors. @start: (MIN (size, CO_HEADER_START)) its first bytes.
 * Error: CO_ERROR_CORRUPT. */
gboolean co_header_check_start (const guint8 * start, guint64 size,
    const gchar * file, GError ** error);

/* Validates everything except the values. Afterwards each entry's range lies inside @data and has the size of its
 * elements.
 *
 * @data: (size) the whole file.
 * Error: CO_ERROR_CORRUPT; then there is nothing to clear. */
gboolean co_header_parse (CoHeader * self, const guint8 * data, gsize size,
    const gchar * file, GError ** error);
void co_header_clear (CoHeader * self);

G_END_DECLS
