/* libcontinual: a row's inputs for weights of int8, and their products
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Inputs are integers of 15 bits and a sign. The weights of four inputs of an output lie in two words of 16 bits: those of the
 * first two plus 128 in the lower bytes, those of the others in the upper ones. Every way below gives the same integers,
 * whatever the processor multiplies: two words at a time, or four bytes, where an input is two bytes, 256 high + low. */

/* Inputs between which sums of products stay below 2^31: 127 * 16383 * 1024. On the way they may pass it, modulo 2^32. */
#define INT8_BLOCK 1024
#define INT8_INPUT_MAX 16383

typedef gint16 Words __attribute__ ((vector_size (CO_LANES * 4)));

/* The bytes of a word whose value has 128 added, and the others */
#define BYTES_FIRST 0x00800080u
#define BYTES_LAST 0x80008000u

#if CO_LANES == 16 && defined (__AVX512VNNI__)
#define ADD_FOUR(sum, unsigned_, signed_) \
  ((UVec) _mm512_dpbusd_epi32 ((__m512i) (sum), (__m512i) (unsigned_), (__m512i) (signed_)))
#elif CO_LANES == 8 && defined (__AVXVNNI__)
#define ADD_FOUR(sum, unsigned_, signed_) \
  ((UVec) _mm256_dpbusd_avx_epi32 ((__m256i) (sum), (__m256i) (unsigned_), (__m256i) (signed_)))
#elif CO_LANES == 4 && defined (__ARM_FEATURE_MATMUL_INT8)
#define ADD_FOUR(sum, unsigned_, signed_) \
  ((UVec) vusdotq_s32 ((int32x4_t) (sum), (uint8x16_t) (unsigned_), (int8x16_t) (signed_)))
#elif CO_LANES == 4 && defined (__ARM_FEATURE_DOTPROD)
#define ADD_FOUR_UNSIGNED(sum, a, b) \
  ((UVec) vdotq_u32 ((uint32x4_t) (sum), (uint8x16_t) (a), (uint8x16_t) (b)))
#define ADD_FOUR_SIGNED(sum, a, b) \
  ((UVec) vdotq_s32 ((int32x4_t) (sum), (int8x16_t) (a), (int8x16_t) (b)))
#endif

#if defined (ADD_FOUR) || defined (ADD_FOUR_SIGNED)

/* Sums of products: of the low bytes, then of the high ones */
#define INT8_SUMS 2

typedef struct
{
  guint32 low[INT8_BLOCK / 4], high[INT8_BLOCK / 4];
  guint32 offset;               /* what the 128 of the weights add to a sum */
  float scale;                  /* of one */
} Int8Row;

/* Adds the products of the @i-th four inputs and the weights @raw. */
INLINE void
add_products (UVec sums[INT8_SUMS], UVec raw, const Int8Row * x, gsize i)
{
#ifdef ADD_FOUR
  sums[0] = ADD_FOUR (sums[0], splat_word (x->low[i]), raw ^ BYTES_FIRST);
  sums[1] = ADD_FOUR (sums[1], raw ^ BYTES_LAST, splat_word (x->high[i]));
#else
  sums[0] = ADD_FOUR_UNSIGNED (sums[0], splat_word (x->low[i]), raw ^ BYTES_LAST);
  sums[1] = ADD_FOUR_SIGNED (sums[1], raw ^ BYTES_FIRST, splat_word (x->high[i]));
#endif
}

INLINE IVec
get_sum (const UVec sums[INT8_SUMS], const Int8Row * x)
{
  return (IVec) (sums[0] + (sums[1] << 8) - x->offset);
}

/* From @n fours of rounded inputs */
INLINE void
put_rounded (Int8Row * row, const guint32 * pairs, gsize n)
{
  guint32 sum = 0;

  for (gsize i = 0; i < n; i++) {
    const guint32 a = pairs[2 * i], b = pairs[2 * i + 1];

    row->low[i] = (a & 0x00ff00ff) | (b & 0x00ff00ff) << 8;
    row->high[i] = (a >> 8 & 0x00ff00ff) | (b & 0xff00ff00);
  }
#ifdef ADD_FOUR
  for (gsize i = 0; i < 4 * n; i++)
    sum += ((const gint8 *) row->high)[i];
  row->offset = sum * (128 * 256);
#else
  for (gsize i = 0; i < 4 * n; i++)
    sum += ((const guint8 *) row->low)[i];
  row->offset = sum * 128;
#endif
}

#else

#define INT8_SUMS 1

typedef struct
{
  guint32 pairs[INT8_BLOCK / 2];
  guint32 offset;               /* what the 128 of the weights add to a sum */
  float scale;                  /* of one */
} Int8Row;

/* (a, b) times (c, d) is ac + bd in 32 bits, which every vector unit can. */
INLINE UVec
multiply_pairs (Words a, guint32 pair)
{
  Words b = (Words) splat_word (pair);
#if CO_LANES == 16 && defined (__AVX512BW__)
  return (UVec) _mm512_madd_epi16 ((__m512i) a, (__m512i) b);
#elif CO_LANES == 8 && defined (__AVX2__)
  return (UVec) _mm256_madd_epi16 ((__m256i) a, (__m256i) b);
#elif CO_LANES == 4 && defined (__SSE2__)
  return (UVec) _mm_madd_epi16 ((__m128i) a, (__m128i) b);
#else
  UVec sum;
  for (int i = 0; i < CO_LANES; i++)
    sum[i] = a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
  return sum;
#endif
}

/* A mask and a shift make words of the bytes, which is less work than to widen them. */
INLINE void
add_products (UVec sums[INT8_SUMS], UVec raw, const Int8Row * x, gsize i)
{
  sums[0] += multiply_pairs ((Words) raw & 0xff, x->pairs[2 * i]) +
      multiply_pairs ((Words) raw >> 8, x->pairs[2 * i + 1]);
}

INLINE IVec
get_sum (const UVec sums[INT8_SUMS], const Int8Row * x)
{
  return (IVec) (sums[0] - x->offset);
}

INLINE void
put_rounded (Int8Row * row, const guint32 * pairs, gsize n)
{
  guint32 sum = 0;

  memcpy (row->pairs, pairs, n * 2 * sizeof *pairs);
  for (gsize i = 0; i < n; i++)
    sum += ((const gint16 *) pairs)[4 * i] + ((const gint16 *) pairs)[4 * i + 1];
  row->offset = sum * 128;
}

#endif

typedef gint16 Shorts __attribute__ ((vector_size (CO_LANES * 2)));

/* To nearest, halves away from zero */
INLINE Shorts
round_to_shorts (Vec v)
{
  IVec half = ((IVec) v & (gint32) 0x80000000) | (IVec) splat (.5f);

  return __builtin_convertvector (__builtin_convertvector (v + (Vec) half, IVec), Shorts);
}

/* @n inputs times @factor as integers, zeros behind them up to a four */
static void
round_inputs (const float *x, gsize n, float factor, Int8Row * row)
{
  guint32 pairs[INT8_BLOCK / 2];
  gint16 *to = (gint16 *) pairs;
  Shorts v;
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES) {
    v = round_to_shorts (load (x + i) * factor);
    memcpy (to + i, &v, sizeof v);
  }
  if (i < n) {
    v = round_to_shorts (load_part (x + i, n - i) * factor);
    memcpy (to + i, &v, (n - i + 3) / 4 * 8);
  }
  put_rounded (row, pairs, (n + 3) / 4);
}
