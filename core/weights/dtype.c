/* libcontinual: conversion of a file's elements to float32
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dtype.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define EXPONENT 0x7f800000u

static const struct
{
  const gchar *name;
  gsize size;
} dtypes[] = {
  [CO_DTYPE_F32] = {"F32", 4},
  [CO_DTYPE_F16] = {"F16", 2},
  [CO_DTYPE_BF16] = {"BF16", 2},
  [CO_DTYPE_F64] = {"F64", 8},
  [CO_DTYPE_BOOL] = {"BOOL", 1},
  [CO_DTYPE_U8] = {"U8", 1},
  [CO_DTYPE_I8] = {"I8", 1},
  [CO_DTYPE_U16] = {"U16", 2},
  [CO_DTYPE_I16] = {"I16", 2},
  [CO_DTYPE_U32] = {"U32", 4},
  [CO_DTYPE_I32] = {"I32", 4},
  [CO_DTYPE_U64] = {"U64", 8},
  [CO_DTYPE_I64] = {"I64", 8},
};

gboolean
co_dtype_parse (const gchar * name, CoDtype * dtype)
{
  for (gsize i = 0; i < G_N_ELEMENTS (dtypes); i++) {
    if (strcmp (name, dtypes[i].name) == 0) {
      *dtype = (CoDtype) i;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
co_dtype_is_float (CoDtype dtype)
{
  return dtype <= CO_DTYPE_F64;
}

const gchar *
co_dtype_get_name (CoDtype dtype)
{
  return dtypes[dtype].name;
}

gsize
co_dtype_get_size (CoDtype dtype)
{
  return dtypes[dtype].size;
}

static inline guint32
bits_of_float (float value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static inline guint16
load_16 (const guint8 * src)
{
  guint16 bits;

  memcpy (&bits, src, sizeof bits);
  return GUINT16_FROM_LE (bits);
}

static inline guint32
f32_bits (const guint8 * src)
{
  guint32 bits;

  memcpy (&bits, src, sizeof bits);
  return GUINT32_FROM_LE (bits);
}

static inline guint32
bf16_bits (const guint8 * src)
{
  return (guint32) load_16 (src) << 16;
}

static inline guint32
f16_bits (const guint8 * src)
{
  guint32 half = load_16 (src);
  guint32 sign = (half & 0x8000) << 16;
  guint32 exponent = (half >> 10) & 0x1f;
  guint32 mantissa = half & 0x3ff;

  if (exponent == 0x1f)
    return sign | EXPONENT | mantissa << 13;
  if (exponent == 0)
    return sign | bits_of_float ((float) mantissa * 0x1p-24f);
  return sign | (exponent + 127 - 15) << 23 | mantissa << 13;
}

static inline gdouble
f64_value (const guint8 * src)
{
  guint64 bits;
  gdouble value;

  memcpy (&bits, src, sizeof bits);
  bits = GUINT64_FROM_LE (bits);
  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline guint32
f64_bits (const guint8 * src)
{
  gdouble value = f64_value (src);

  return fabs (value) <= FLT_MAX ? bits_of_float ((float) value) : EXPONENT;
}

/* Inlined into each caller: the compiler then vectorizes one loop per type. */
static inline __attribute__ ((always_inline)) gsize
convert (const guint8 * src, float *dst, gsize n, gsize size,
    guint32 (*get_bits) (const guint8 *))
{
  guint32 bad = 0;

  for (gsize i = 0; i < n; i++) {
    guint32 bits = get_bits (src + i * size);

    memcpy (&dst[i], &bits, sizeof bits);
    bad |= (bits & EXPONENT) == EXPONENT;
  }
  if (!bad)
    return n;

  for (gsize i = 0; i < n; i++) {
    if ((get_bits (src + i * size) & EXPONENT) == EXPONENT)
      return i;
  }
  g_assert_not_reached ();
}

gsize
co_dtype_convert (CoDtype dtype, const guint8 * src, float *dst, gsize n)
{
  switch (dtype) {
    case CO_DTYPE_F32:
      return convert (src, dst, n, 4, f32_bits);
    case CO_DTYPE_F16:
      return convert (src, dst, n, 2, f16_bits);
    case CO_DTYPE_BF16:
      return convert (src, dst, n, 2, bf16_bits);
    case CO_DTYPE_F64:
      return convert (src, dst, n, 8, f64_bits);
    default:
      break;
  }
  g_assert_not_reached ();
}

gdouble
co_dtype_get_value (CoDtype dtype, const guint8 * src)
{
  float value;

  if (dtype == CO_DTYPE_F64)
    return f64_value (src);
  co_dtype_convert (dtype, src, &value, 1);
  return value;
}
