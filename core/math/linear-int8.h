/* libcontinual: a matrix of int8 in panels times rows
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Inputs are rounded to 15 bits and two of them multiplied at a time, which every vector unit can: (a, b) times (c, d)
 * is ac + bd in 32 bits. The weights of four inputs of an output lie in two words of 16 bits: those of the first two plus 128 in
 * the lower bytes, those of the others in the upper ones. A mask and a shift make words of them, which is less work than to
 * widen bytes; what the 128 add is the same for all outputs and taken away at the end. */

/* Inputs between which sums of products stay below 2^31: 127 * 16383 * 1024. On the way they may pass it, modulo 2^32. */
#define INT8_BLOCK 1024
#define INT8_INPUT_MAX 16383
/* As many rows at once */
#define INT8_ROWS 4
#define INT8_PARTS (CO_PANEL / CO_LANES)

typedef gint16 Words __attribute__ ((vector_size (CO_LANES * 4)));
typedef guint32 UVec __attribute__ ((vector_size (CO_LANES * 4)));

/* One row's inputs */
typedef struct
{
  gint32 pairs[INT8_BLOCK / 2];
  guint32 offset;               /* what the 128 of the weights add to a sum */
  float scale;                  /* of one */
} Int8Row;

/* CO_LANES sums of two products */
INLINE UVec
multiply_pairs (Words a, gint32 pair)
{
  Words b = (Words) (pair - (IVec) { 0 });
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

/* NP panels by NX rows over @n fours of inputs: y += scales * sums */
#define INT8_TILE(NP, NX)                                                                       \
INLINE void                                                                                     \
int8_tile_##NP##_##NX (const gint16 *w, gsize stride, const float *scales, gsize n_out,         \
    const Int8Row *x, gsize n, float *y, gsize y_stride)                                        \
{                                                                                               \
  UVec acc[NX][NP * INT8_PARTS] = { 0 };                                                        \
                                                                                                \
  for (gsize i = 0; i < n; i++)                                                                 \
    for (int v = 0; v < NP * INT8_PARTS; v++) {                                                 \
      const gint16 *at = w + v / INT8_PARTS * stride + (i * CO_PANEL +                          \
          v % INT8_PARTS * CO_LANES) * 2;                                                       \
      Words both;                                                                               \
      memcpy (&both, at, sizeof both);                                                          \
      if (v % INT8_PARTS == 0)                                                                  \
        __builtin_prefetch (at + 8 * 2 * CO_PANEL);                                                \
      for (int r = 0; r < NX; r++)                                                              \
        acc[r][v] += multiply_pairs (both & 0xff, x[r].pairs[2 * i]) +                          \
            multiply_pairs (both >> 8, x[r].pairs[2 * i + 1]);                                  \
    }                                                                                           \
  for (int r = 0; r < NX; r++)                                                                  \
    for (gsize v = 0; v < NP * INT8_PARTS && v * CO_LANES < n_out; v++) {                       \
      const gsize o = v * CO_LANES, m = MIN (n_out - o, CO_LANES);                              \
      float *to = y + r * y_stride + o;                                                         \
      Vec sum = __builtin_convertvector ((IVec) (acc[r][v] - x[r].offset), Vec) * x[r].scale;   \
      if (m == CO_LANES)                                                                        \
        store (to, load (to) + sum * load (scales + o));                                        \
      else                                                                                      \
        store_part (to, load_part (to, m) + sum * load_part (scales + o, m), m);                \
    }                                                                                           \
}

INT8_TILE (4, 1)
INT8_TILE (1, 1)
INT8_TILE (1, 4)

typedef gint16 Shorts __attribute__ ((vector_size (CO_LANES * 2)));

INLINE Shorts
round_to_shorts (Vec v)
{
  IVec half = ((IVec) v & (gint32) 0x80000000) | (IVec) splat (.5f);

  return __builtin_convertvector (__builtin_convertvector (v + (Vec) half, IVec), Shorts);
}

/* @n inputs of a row as pairs of 15 bits, zeros behind them up to a four */
INLINE void
round_inputs (const float *x, gsize n, float factor, Int8Row * row)
{
  gint16 *to = (gint16 *) row->pairs;
  gint32 sum = 0;
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
  for (i = 0; i < n; i += 4)
    sum += to[i] + to[i + 1];
  row->offset = 128u * sum;
}

static void
unpack_int8 (const Packed * from, gsize panel, gsize i, gsize n, float *block)
{
  const gint16 *w = (const gint16 *) from->w +
      (panel * ((from->n_in + 3) / 4) + i / 4) * 2 * CO_PANEL;
  const gint16 ones[2][2] = { {1, 0}, {0, 1} };
  gint32 take[2];

  memcpy (take, ones, sizeof take);
  for (gsize o = 0; o < CO_PANEL; o += CO_LANES) {
    const gsize first = panel * CO_PANEL + o;
    const Vec scale = first + CO_LANES <= from->n_out ? load (from->scales + first)
        : first < from->n_out ? load_part (from->scales + first, from->n_out - first)
        : splat (0);

    for (gsize at = 0; at < n; at += 4)
      for (int k = 0; k < 4; k++) {
        Words both;
        memcpy (&both, w + (at / 4 * CO_PANEL + o) * 2, sizeof both);
        IVec weight = (IVec) multiply_pairs (k < 2 ? both & 0xff : both >> 8,
            take[k % 2]) - (k < 2 ? 128 : 0);
        store (block + (at + k) * CO_PANEL + o,
            __builtin_convertvector (weight, Vec) * scale);
      }
  }
}

static void
k_linear_int8 (const gint16 * w, const float *scales, const float *b,
    gsize n_out, gsize n_in, const float *x, gsize x_stride, gsize n_rows,
    float *y, gsize y_stride)
{
  const gsize stride = (n_in + 3) / 4 * 2 * CO_PANEL;
  Int8Row in[INT8_ROWS];
  float factors[INT8_ROWS];

  if (n_rows >= UNPACK_ROWS) {
    multiply_unpacked (&(Packed) {w, scales, n_out, n_in}, unpack_int8, b, x,
        x_stride, n_rows, y, y_stride);
    return;
  }
  for (gsize first = 0; first < n_rows; first += INT8_ROWS) {
    const gsize rows = MIN (n_rows - first, INT8_ROWS);
    float *to = y + first * y_stride;

    for (gsize r = 0; r < rows; r++) {
      const float top = k_peak (x + (first + r) * x_stride, n_in);

      in[r].scale = top / INT8_INPUT_MAX;
      factors[r] = top > 0 ? INT8_INPUT_MAX / top : 0;
      if (b)
        memcpy (to + r * y_stride, b, n_out * sizeof (float));
      else
        memset (to + r * y_stride, 0, n_out * sizeof (float));
    }
    for (gsize begin = 0; begin < n_in; begin += INT8_BLOCK) {
      const gsize n = MIN (n_in - begin, INT8_BLOCK), n_fours = (n + 3) / 4;
      const gint16 *at = w + begin / 2 * CO_PANEL;
      gsize o = 0;

      for (gsize r = 0; r < rows; r++)
        round_inputs (x + (first + r) * x_stride + begin, n, factors[r], in + r);
      if (rows == 1)
        for (; o + 4 * CO_PANEL <= n_out; o += 4 * CO_PANEL)
          int8_tile_4_1 (at + o / CO_PANEL * stride, stride, scales + o,
              4 * CO_PANEL, in, n_fours, to + o, y_stride);
      for (; o < n_out; o += CO_PANEL) {
        const gint16 *panel = at + o / CO_PANEL * stride;
        if (rows == INT8_ROWS)
          int8_tile_1_4 (panel, stride, scales + o, n_out - o, in, n_fours,
              to + o, y_stride);
        else
          for (gsize r = 0; r < rows; r++)
            int8_tile_1_1 (panel, stride, scales + o, n_out - o, in + r,
                n_fours, to + o + r * y_stride, y_stride);
      }
    }
  }
}
