/* libcontinual: vectors of CO_LANES floats
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GCC's and clang's own; only the larger and the smaller of two need a name of the instruction set's where there is
 * one. Loads and stores go through memcpy, so that none needs alignment. */
#pragma once

#include <glib.h>
#include <string.h>
#if defined (__SSE2__)
#include <immintrin.h>
#elif defined (__ARM_NEON)
#include <arm_neon.h>
#endif

typedef float Vec __attribute__ ((vector_size (CO_LANES * 4)));
typedef gint32 IVec __attribute__ ((vector_size (CO_LANES * 4)));
typedef guint32 UVec __attribute__ ((vector_size (CO_LANES * 4)));

#define INLINE static inline __attribute__ ((always_inline))

INLINE Vec
load (const float *p)
{
  Vec v;
  memcpy (&v, p, sizeof v);
  return v;
}

INLINE void
store (float *p, Vec v)
{
  memcpy (p, &v, sizeof v);
}

INLINE Vec
splat (float x)
{
  return x - (Vec) { 0 };
}

INLINE UVec
splat_word (guint32 x)
{
  return x - (UVec) { 0 };
}

#if defined (__AVX512F__) && CO_LANES == 16
#define FIRST_LANES(n) ((__mmask16) ((1 << (n)) - 1))
/* The last @n < CO_LANES floats, zeros behind them. */
INLINE Vec
load_part (const float *p, gsize n)
{
  return (Vec) _mm512_maskz_loadu_ps (FIRST_LANES (n), p);
}

/* The same with @fill behind them */
INLINE Vec
load_part_filled (const float *p, gsize n, float fill)
{
  return (Vec) _mm512_mask_loadu_ps ((__m512) splat (fill), FIRST_LANES (n), p);
}

INLINE void
store_part (float *p, Vec v, gsize n)
{
  _mm512_mask_storeu_ps (p, FIRST_LANES (n), (__m512) v);
}

/* @v with zeros from lane @n on */
INLINE Vec
keep_part (Vec v, gsize n)
{
  return (Vec) _mm512_maskz_mov_ps (FIRST_LANES (n), (__m512) v);
}
#else
/* The last @n < CO_LANES floats, zeros behind them. */
INLINE Vec
load_part (const float *p, gsize n)
{
  Vec v = { 0 };
  for (gsize i = 0; i < n; i++)
    v[i] = p[i];
  return v;
}

/* The same with @fill behind them */
INLINE Vec
load_part_filled (const float *p, gsize n, float fill)
{
  Vec v = splat (fill);
  for (gsize i = 0; i < n; i++)
    v[i] = p[i];
  return v;
}

INLINE void
store_part (float *p, Vec v, gsize n)
{
  for (gsize i = 0; i < n; i++)
    p[i] = v[i];
}

/* @v with zeros from lane @n on */
INLINE Vec
keep_part (Vec v, gsize n)
{
  for (gsize i = n; i < CO_LANES; i++)
    v[i] = 0;
  return v;
}
#endif

typedef float Vec4 __attribute__ ((vector_size (16)));
#if CO_LANES >= 8
typedef float Vec8 __attribute__ ((vector_size (32)));
#endif

INLINE float
sum_lanes (Vec v)
{
#if CO_LANES == 16
  Vec8 w = __builtin_shufflevector (v, v, 0, 1, 2, 3, 4, 5, 6, 7)
      + __builtin_shufflevector (v, v, 8, 9, 10, 11, 12, 13, 14, 15);
#elif CO_LANES == 8
  Vec8 w = v;
#endif
#if CO_LANES >= 8
  Vec4 q = __builtin_shufflevector (w, w, 0, 1, 2, 3)
      + __builtin_shufflevector (w, w, 4, 5, 6, 7);
#else
  Vec4 q = v;
#endif
  return (q[0] + q[2]) + (q[1] + q[3]);
}

INLINE Vec
blend (IVec mask, Vec yes, Vec no)
{
  return (Vec) ((mask & (IVec) yes) | (~mask & (IVec) no));
}

#if defined (__AVX512F__) && CO_LANES == 16
#define vmax(a, b) ((Vec) _mm512_max_ps ((__m512) (a), (__m512) (b)))
#define vmin(a, b) ((Vec) _mm512_min_ps ((__m512) (a), (__m512) (b)))
#elif defined (__AVX__) && CO_LANES == 8
#define vmax(a, b) ((Vec) _mm256_max_ps ((__m256) (a), (__m256) (b)))
#define vmin(a, b) ((Vec) _mm256_min_ps ((__m256) (a), (__m256) (b)))
#elif defined (__SSE2__) && CO_LANES == 4
#define vmax(a, b) ((Vec) _mm_max_ps ((__m128) (a), (__m128) (b)))
#define vmin(a, b) ((Vec) _mm_min_ps ((__m128) (a), (__m128) (b)))
#else
INLINE Vec
vmax (Vec a, Vec b)
{
  return blend (a > b, a, b);
}

INLINE Vec
vmin (Vec a, Vec b)
{
  return blend (a < b, a, b);
}
#endif

/* a b + c, rounded once where the processor can: said, not left to the compiler, which may choose otherwise in another loop */
#if defined (__AVX512F__) && CO_LANES == 16
#define vmuladd(a, b, c) ((Vec) _mm512_fmadd_ps ((__m512) (a), (__m512) (b), (__m512) (c)))
#elif defined (__FMA__) && CO_LANES == 8
#define vmuladd(a, b, c) ((Vec) _mm256_fmadd_ps ((__m256) (a), (__m256) (b), (__m256) (c)))
#elif defined (__ARM_FEATURE_FMA) && CO_LANES == 4
#define vmuladd(a, b, c) ((Vec) vfmaq_f32 ((float32x4_t) (c), (float32x4_t) (a), (float32x4_t) (b)))
#else
#define vmuladd(a, b, c) ((a) * (b) + (c))
#endif

INLINE Vec
vabs (Vec a)
{
  return (Vec) ((IVec) a & 0x7fffffff);
}

INLINE float
max_lane (Vec v)
{
  float top[CO_LANES];

  store (top, v);
  for (int n = CO_LANES / 2; n > 0; n /= 2)
    for (int l = 0; l < n; l++)
      top[l] = MAX (top[l], top[l + n]);
  return top[0];
}
