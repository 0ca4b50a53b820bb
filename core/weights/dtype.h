/* libcontinual: element types of weight files
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  CO_DTYPE_F32,
  CO_DTYPE_F16,
  CO_DTYPE_BF16,
  CO_DTYPE_F64,
  /* Integers: buffers such as num_batches_tracked, which are validated and skipped. */
  CO_DTYPE_BOOL,
  CO_DTYPE_U8,
  CO_DTYPE_I8,
  CO_DTYPE_U16,
  CO_DTYPE_I16,
  CO_DTYPE_U32,
  CO_DTYPE_I32,
  CO_DTYPE_U64,
  CO_DTYPE_I64
} CoDtype;

/* FALSE for every other type, whether safetensors knows it or not. */
gboolean co_dtype_parse (const gchar * name, CoDtype * dtype);
/* TRUE for F32, F16, BF16 and F64. */
gboolean co_dtype_is_float (CoDtype dtype);
const gchar *co_dtype_get_name (CoDtype dtype);
/* Bytes of one element in a file. */
gsize co_dtype_get_size (CoDtype dtype);

/* Converts @n elements of a float type.
 *
 * @src: (n) elements, little-endian, at any alignment. @dst: (n).
 * Returns: n, or the index of the first value that is not finite as a float32. */
gsize co_dtype_convert (CoDtype dtype, const guint8 * src, float *dst, gsize n);

/* The value of one element of a float type, before rounding to float32. */
gdouble co_dtype_get_value (CoDtype dtype, const guint8 * src);

G_END_DECLS
