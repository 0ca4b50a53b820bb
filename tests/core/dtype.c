/* libcontinual: elements of each type become the float32 that is nearest
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <float.h>
#include <math.h>
#include <string.h>

#include <weights/dtype.h>

#define N 100000

/* The definition: sign, 2^exponent, 1.mantissa or, at the lowest exponent, 0.mantissa. */
static gdouble
decode (guint64 bits, gint exponent_bits, gint mantissa_bits)
{
  gint bias = (1 << (exponent_bits - 1)) - 1;
  gint top = (1 << exponent_bits) - 1;
  gint exponent = (bits >> mantissa_bits) & top;
  guint64 mantissa = bits & ((G_GUINT64_CONSTANT (1) << mantissa_bits) - 1);
  gboolean negative = (bits >> (exponent_bits + mantissa_bits)) & 1;
  gdouble value;

  if (exponent == top)
    value = mantissa ? NAN : INFINITY;
  else if (exponent == 0)
    value = ldexp (mantissa, 1 - bias - mantissa_bits);
  else
    value = ldexp (mantissa + ldexp (1, mantissa_bits),
        exponent - bias - mantissa_bits);
  return negative ? -value : value;
}

static void
check_one (CoDtype dtype, const guint8 * src, gdouble expected)
{
  const gsize size = co_dtype_get_size (dtype);
  guint8 three[24] = { 0 };
  float got[4] = { 9, 9, 9, 9 };
  float rounded;
  gsize n;

  /* Between two zeros, where nothing aligns it. */
  memcpy (three + size, src, size);
  n = co_dtype_convert (dtype, three, got, 3);
  g_assert_true (got[3] == 9);

  if (isnan (expected)) {
    g_assert_cmpuint (n, ==, 1);
    g_assert_true (isnan (co_dtype_get_value (dtype, src)));
  } else if (fabs (expected) > FLT_MAX) {
    g_assert_cmpuint (n, ==, 1);
    g_assert_true (co_dtype_get_value (dtype, src) == expected);
  } else {
    g_assert_cmpuint (n, ==, 3);
    rounded = (float) expected;
    g_assert_cmpmem (&got[1], sizeof rounded, &rounded, sizeof rounded);
    g_assert_true (co_dtype_get_value (dtype, src) == expected);
  }
  g_assert_true (got[0] == 0 && (n == 1 || got[2] == 0));
}

static void
check_bits (CoDtype dtype, guint64 bits, gint exponent_bits, gint mantissa_bits)
{
  guint64 little = GUINT64_TO_LE (bits);

  check_one (dtype, (const guint8 *) &little,
      decode (bits, exponent_bits, mantissa_bits));
}

static void
test_f16 (void)
{
  for (guint32 bits = 0; bits <= 0xffff; bits++)
    check_bits (CO_DTYPE_F16, bits, 5, 10);
}

static void
test_bf16 (void)
{
  for (guint32 bits = 0; bits <= 0xffff; bits++)
    check_bits (CO_DTYPE_BF16, bits, 8, 7);
}

static void
test_f32 (void)
{
  for (guint i = 0; i < N; i++)
    check_bits (CO_DTYPE_F32, g_test_rand_int () & 0xffffffff, 8, 23);
  for (guint32 exponent = 0; exponent <= 0x1ff; exponent++) {
    check_bits (CO_DTYPE_F32, exponent << 23, 8, 23);
    check_bits (CO_DTYPE_F32, exponent << 23 | 1, 8, 23);
    check_bits (CO_DTYPE_F32, exponent << 23 | 0x7fffff, 8, 23);
  }
}

static void
check_f64 (gdouble value)
{
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  check_bits (CO_DTYPE_F64, bits, 11, 52);
}

static void
test_f64 (void)
{
  const gdouble edges[] = { 0, -0.0, DBL_MAX, -DBL_MAX, DBL_MIN, 0x1p-1074,
    FLT_MAX, -FLT_MAX, FLT_MIN, 0x1p-149, 0x1p-150, 0x1p-151, INFINITY, NAN,
    1 + 0x1p-24, 1 + 0x1p-23 + 0x1p-24, nextafter (1 + 0x1p-24, 2)
  };

  for (gsize i = 0; i < G_N_ELEMENTS (edges); i++) {
    check_f64 (edges[i]);
    check_f64 (nextafter (edges[i], INFINITY));
    check_f64 (nextafter (edges[i], -INFINITY));
  }
  for (guint i = 0; i < N; i++) {
    check_f64 (g_test_rand_double_range (-10, 10));
    check_f64 (ldexp (g_test_rand_double (), g_test_rand_int_range (-160,
                140)));
    check_bits (CO_DTYPE_F64, (guint64) (guint32) g_test_rand_int () << 32
        | (guint32) g_test_rand_int (), 11, 52);
  }
}

/* The first bad value is the one that is named, wherever it is in a long tensor. */
static void
test_index (void)
{
  g_autofree guint8 *src = g_malloc0 (8 * 1000);
  g_autofree float *dst = g_new (float, 1000);
  const CoDtype dtypes[] = { CO_DTYPE_F32, CO_DTYPE_F16, CO_DTYPE_BF16,
    CO_DTYPE_F64
  };

  for (gsize i = 0; i < G_N_ELEMENTS (dtypes); i++) {
    const gsize size = co_dtype_get_size (dtypes[i]);

    memset (src, 0, 8 * 1000);
    g_assert_cmpuint (co_dtype_convert (dtypes[i], src, dst, 1000), ==, 1000);
    g_assert_cmpuint (co_dtype_convert (dtypes[i], src, dst, 0), ==, 0);
    for (gsize bad = 1000; bad-- > 0;) {
      memset (src + bad * size, 0xff, size);
      g_assert_cmpuint (co_dtype_convert (dtypes[i], src, dst, 1000), ==, bad);
    }
  }
}

static void
test_names (void)
{
  const gchar *names[] = { "F32", "F16", "BF16", "F64" };
  const gchar *integers[] = { "BOOL", "U8", "I8", "U16", "I16", "U32", "I32",
    "U64", "I64"
  };
  const gsize sizes[] = { 1, 1, 1, 2, 2, 4, 4, 8, 8 };
  const gchar *others[] = { "", "F", "F3", "F320", "f32", "I6", "I128", "U4",
    "F8_E4M3", "C64", " F32"
  };
  CoDtype dtype;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_assert_true (co_dtype_parse (names[i], &dtype));
    g_assert_cmpstr (co_dtype_get_name (dtype), ==, names[i]);
    g_assert_true (co_dtype_is_float (dtype));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (integers); i++) {
    g_assert_true (co_dtype_parse (integers[i], &dtype));
    g_assert_cmpstr (co_dtype_get_name (dtype), ==, integers[i]);
    g_assert_cmpuint (co_dtype_get_size (dtype), ==, sizes[i]);
    g_assert_false (co_dtype_is_float (dtype));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (co_dtype_parse (others[i], &dtype));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dtype/f16", test_f16);
  g_test_add_func ("/dtype/bf16", test_bf16);
  g_test_add_func ("/dtype/f32", test_f32);
  g_test_add_func ("/dtype/f64", test_f64);
  g_test_add_func ("/dtype/index", test_index);
  g_test_add_func ("/dtype/names", test_names);
  return g_test_run ();
}
