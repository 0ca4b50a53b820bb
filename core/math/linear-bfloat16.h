/* libcontinual: a matrix of bfloat16 in panels times rows
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bfloat16 is the upper half of a float32; those of two inputs lie in one word, the first one's below. Where the processor
 * multiplies pairs of them, the inputs are rounded to bfloat16 as well, whatever the number of rows; elsewhere weights
 * become floats. */

INLINE IVec
load_words (const guint32 * p)
{
  IVec v;
  memcpy (&v, p, sizeof v);
  return v;
}

/* The sum with the products of two pairs added */
#if CO_LANES == 16 && defined (__AVX512BF16__)
#define ADD_PAIRS(sum, raw, pair) ((Vec) _mm512_dpbf16_ps ((__m512) (sum),                      \
    (__m512bh) (raw), (__m512bh) splat_word (pair)))
#elif CO_LANES == 4 && defined (__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#define ADD_PAIRS(sum, raw, pair) ((Vec) vbfdotq_f32 ((float32x4_t) (sum),                      \
    (bfloat16x8_t) (raw), (bfloat16x8_t) splat_word (pair)))
#endif

#ifdef ADD_PAIRS
#define BFLOAT16_INPUTS TRUE

/* Rows and inputs that are rounded at once; blocks are whole ones. */
#define PAIR_ROWS 16
#define PAIRS (4 * BLOCK)

#define ADD_PAIRS_OF(sum, raw, k, x) ADD_PAIRS (sum, raw, x)
#define WEIGHT guint32
#define PER_WEIGHT 1
#define INPUT guint32
#define RAW IVec
#define LOAD_RAW load_words
#define ADD ADD_PAIRS_OF
#define FORMAT pairs
#include "math/linear-template.h"

/* @n inputs, to nearest, ties to even; a zero behind an odd number */
static void
round_pairs (const float *x, gsize n, guint32 *pairs)
{
  guint16 *to = (guint16 *) pairs;

  for (gsize i = 0; i < n; i++) {
    guint32 bits;

    memcpy (&bits, x + i, sizeof bits);
    to[i] = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  }
  if (n % 2)
    to[n] = 0;
}

static void
k_linear_bfloat16 (const guint32 * w, const float *b, gsize n_out,
    gsize n_in, const float *x, gsize x_stride, gsize n_rows, float *y,
    gsize y_stride)
{
  const gsize stride = (n_in + 1) / 2 * CO_PANEL;
  guint32 pairs[PAIR_ROWS][PAIRS];

  for (gsize first = 0; first < n_rows; first += PAIR_ROWS) {
    const gsize rows = MIN (n_rows - first, PAIR_ROWS);
    const float *from = b;
    gsize from_stride = 0, i = 0;

    do {
      const gsize n = MIN (n_in - i, 2 * PAIRS);

      for (gsize r = 0; r < rows; r++)
        round_pairs (x + (first + r) * x_stride + i, n, pairs[r]);
      product_pairs_any (w + i / 2 * CO_PANEL, stride, n_out, (n + 1) / 2,
          pairs[0], PAIRS, rows, from, from_stride, y + first * y_stride, y_stride);
      from = y + first * y_stride;
      from_stride = y_stride;
      i += 2 * PAIRS;
    } while (i < n_in);
  }
}

#undef PAIR_ROWS
#undef PAIRS

#else
#define BFLOAT16_INPUTS FALSE

#define DECODE_BFLOAT16(raw, k) \
  ((Vec) ((k) ? (raw) & (gint32) 0xffff0000 : (raw) << 16))

#define ADD_BFLOAT16(sum, raw, k, x) vmuladd (DECODE_BFLOAT16 (raw, k), splat (x), sum)
#define WEIGHT guint32
#define PER_WEIGHT 2
#define INPUT float
#define RAW IVec
#define LOAD_RAW load_words
#define ADD ADD_BFLOAT16
#define FORMAT bfloat16
#include "math/linear-template.h"

/* From as many rows on it pays to make floats of a block of weights once. The order of sums stays. */
#define UNPACK_ROWS 16

static void
unpack_bfloat16 (const guint32 * w, gsize n, float *block /* (BLOCK, CO_PANEL) */ )
{
  for (gsize at = 0; at < (n + 1) / 2 * CO_PANEL; at += CO_LANES) {
    float *to = block + at / CO_PANEL * 2 * CO_PANEL + at % CO_PANEL;
    IVec raw = load_words (w + at);

    __builtin_prefetch (w + at + BLOCK / 2 * CO_PANEL);
    store (to, DECODE_BFLOAT16 (raw, 0));
    store (to + CO_PANEL, DECODE_BFLOAT16 (raw, 1));
  }
}

static void
multiply_unpacked (const guint32 * w, const float *b, gsize n_out, gsize n_in,
    const float *x, gsize x_stride, gsize n_rows, float *y, gsize y_stride)
{
  const gsize step = MANY_4 * CO_PANEL, stride = (n_in + 1) / 2 * CO_PANEL;
  float block[MANY_4 * CO_PANEL * BLOCK];

  for (gsize o = 0; o < n_out; o += step) {
    const float *from = b ? b + o : NULL;
    gsize from_stride = 0;

    for (gsize i = 0; i < n_in; i += BLOCK) {
      const gsize outputs = MIN (n_out - o, step), n = MIN (n_in - i, BLOCK);

      for (gsize p = 0; p * CO_PANEL < outputs; p++)
        unpack_bfloat16 (w + (o / CO_PANEL + p) * stride + i / 2 * CO_PANEL, n,
            block + p * BLOCK * CO_PANEL);
      block_float32_any (block, BLOCK * CO_PANEL, 0, outputs, n, x + i, x_stride,
          n_rows, from, from_stride, y + o, y_stride);
      from = y + o;
      from_stride = y_stride;
    }
  }
}

static void
k_linear_bfloat16 (const guint32 * w, const float *b, gsize n_out,
    gsize n_in, const float *x, gsize x_stride, gsize n_rows, float *y,
    gsize y_stride)
{
  if (n_rows >= UNPACK_ROWS && n_in > 0)
    multiply_unpacked (w, b, n_out, n_in, x, x_stride, n_rows, y, y_stride);
  else
    product_bfloat16_any (w, (n_in + 1) / 2 * CO_PANEL, n_out, n_in, x, x_stride,
        n_rows, b, 0, y, y_stride);
}

#endif
