/* libcontinual: a matrix of int8 in panels times rows
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Inputs are rounded to 15 bits and two of them multiplied at a time, which every vector unit can: (a, b) times (c, d)
 * is ac + bd in 32 bits. PAIRS are half of CO_LANES times four bytes of weights. */

/* Inputs between which sums of products stay below 2^31: 127 * 16383 * 1024. */
#define INT8_BLOCK 1024
#define INT8_INPUT_MAX 16383
/* As many rows at once */
#define INT8_ROWS 4
#define INT8_PARTS (CO_PANEL / CO_LANES)

typedef gint8 Bytes __attribute__ ((vector_size (CO_LANES * 2)));
typedef gint16 Words __attribute__ ((vector_size (CO_LANES * 4)));

/* CO_LANES sums of two products */
INLINE IVec
multiply_pairs (Words a, Words b)
{
#if CO_LANES == 16 && defined (__AVX512BW__)
  return (IVec) _mm512_madd_epi16 ((__m512i) a, (__m512i) b);
#elif CO_LANES == 8 && defined (__AVX2__)
  return (IVec) _mm256_madd_epi16 ((__m256i) a, (__m256i) b);
#elif CO_LANES == 4 && defined (__SSE2__)
  return (IVec) _mm_madd_epi16 ((__m128i) a, (__m128i) b);
#else
  IVec sum;
  for (int i = 0; i < CO_LANES; i++)
    sum[i] = a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
  return sum;
#endif
}

INLINE Words
load_bytes (const gint8 * p)
{
  Bytes v;
  memcpy (&v, p, sizeof v);
  return __builtin_convertvector (v, Words);
}

/* One panel by NX rows over @n pairs of inputs: y += scale * sum */
#define INT8_TILE(NX)                                                                           \
INLINE void                                                                                     \
int8_tile_##NX (const gint8 *w, const float *scales, gsize n_out, const gint32 *pairs,            \
    const float *row_scales, gsize n, float *y, gsize y_stride)                                 \
{                                                                                               \
  IVec acc[NX][INT8_PARTS] = { 0 };                                                             \
                                                                                                \
  for (gsize i = 0; i < n; i++)                                                                 \
    for (int v = 0; v < INT8_PARTS; v++) {                                                      \
      Words wv = load_bytes (w + (i * CO_PANEL + v * CO_LANES) * 2);                            \
      for (int r = 0; r < NX; r++)                                                              \
        acc[r][v] += multiply_pairs (wv,                                                        \
            (Words) (pairs[r * INT8_BLOCK / 2 + i] - (IVec) { 0 }));                            \
    }                                                                                           \
  for (int r = 0; r < NX; r++)                                                                  \
    for (int v = 0; v < INT8_PARTS && (gsize) v * CO_LANES < n_out; v++) {                      \
      const gsize o = v * CO_LANES, m = MIN (n_out - o, CO_LANES);                              \
      float *to = y + r * y_stride + o;                                                         \
      Vec sum = __builtin_convertvector (acc[r][v], Vec) * row_scales[r];                       \
      if (m == CO_LANES)                                                                        \
        store (to, load (to) + sum * load (scales + o));                                        \
      else                                                                                      \
        store_part (to, load_part (to, m) + sum * load_part (scales + o, m), m);                \
    }                                                                                           \
}

INT8_TILE (1)
INT8_TILE (4)

/* Four panels of one row, so that none waits for itself */
INLINE void
int8_panels_4 (const gint8 * w, gsize stride, const float *scales,
    const gint32 * pairs, const float *row_scales, gsize n, float *y)
{
  IVec acc[4][INT8_PARTS] = { 0 };

  for (gsize i = 0; i < n; i++) {
    Words x = (Words) (pairs[i] - (IVec) { 0 });
    for (int p = 0; p < 4; p++)
      for (int v = 0; v < INT8_PARTS; v++)
        acc[p][v] += multiply_pairs (load_bytes (w + p * stride +
                (i * CO_PANEL + v * CO_LANES) * 2), x);
  }
  for (int p = 0; p < 4; p++)
    for (int v = 0; v < INT8_PARTS; v++) {
      const gsize o = p * CO_PANEL + v * CO_LANES;
      Vec sum = __builtin_convertvector (acc[p][v], Vec) * row_scales[0];
      store (y + o, load (y + o) + sum * load (scales + o));
    }
}

INLINE float
largest_size (const float *x, gsize n)
{
  Vec top = { 0 };
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES)
    top = vmax (top, vabs (load (x + i)));
  if (i < n)
    top = vmax (top, vabs (load_part (x + i, n - i)));
  return max_lane (top);
}

typedef gint16 Shorts __attribute__ ((vector_size (CO_LANES * 2)));

INLINE Shorts
round_to_shorts (Vec v)
{
  IVec half = ((IVec) v & (gint32) 0x80000000) | (IVec) splat (.5f);

  return __builtin_convertvector (__builtin_convertvector (v + (Vec) half, IVec), Shorts);
}

/* @n inputs of a row as pairs of 15 bits; an odd one has a zero beside it. */
INLINE void
round_inputs (const float *x, gsize n, float factor, gint32 * pairs)
{
  gint16 *to = (gint16 *) pairs;
  Shorts v;
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES) {
    v = round_to_shorts (load (x + i) * factor);
    memcpy (to + i, &v, sizeof v);
  }
  if (i < n) {
    v = round_to_shorts (load_part (x + i, n - i) * factor);
    memcpy (to + i, &v, (n - i + 1) / 2 * 4);
  }
}

static void
k_linear_int8 (const gint8 * w, const float *scales, const float *b,
    gsize n_out, gsize n_in, const float *x, gsize x_stride, gsize n_rows,
    float *y, gsize y_stride)
{
  const gsize stride = (n_in + 1) / 2 * 2 * CO_PANEL;
  gint32 pairs[INT8_ROWS * INT8_BLOCK / 2];
  float row_scales[INT8_ROWS], factors[INT8_ROWS];

  for (gsize first = 0; first < n_rows; first += INT8_ROWS) {
    const gsize rows = MIN (n_rows - first, INT8_ROWS);
    float *to = y + first * y_stride;

    for (gsize r = 0; r < rows; r++) {
      const float *row = x + (first + r) * x_stride;
      const float top = largest_size (row, n_in);

      row_scales[r] = top / INT8_INPUT_MAX;
      factors[r] = top > 0 ? INT8_INPUT_MAX / top : 0;
      if (b)
        memcpy (to + r * y_stride, b, n_out * sizeof (float));
      else
        memset (to + r * y_stride, 0, n_out * sizeof (float));
    }
    for (gsize begin = 0; begin < n_in; begin += INT8_BLOCK) {
      const gsize n = MIN (n_in - begin, INT8_BLOCK), n_pairs = (n + 1) / 2;
      const gint8 *at = w + begin * CO_PANEL;
      gsize o = 0;

      for (gsize r = 0; r < rows; r++)
        round_inputs (x + (first + r) * x_stride + begin, n, factors[r],
            pairs + r * INT8_BLOCK / 2);
      if (rows == 1)
        for (; o + 4 * CO_PANEL <= n_out; o += 4 * CO_PANEL)
          int8_panels_4 (at + o / CO_PANEL * stride, stride, scales + o, pairs,
              row_scales, n_pairs, to + o);
      for (; o < n_out; o += CO_PANEL) {
        const gint8 *panel = at + o / CO_PANEL * stride;
        if (rows == INT8_ROWS)
          int8_tile_4 (panel, scales + o, n_out - o, pairs, row_scales, n_pairs,
              to + o, y_stride);
        else
          for (gsize r = 0; r < rows; r++)
            int8_tile_1 (panel, scales + o, n_out - o,
                pairs + r * INT8_BLOCK / 2, row_scales + r, n_pairs,
                to + o + r * y_stride, y_stride);
      }
    }
  }
}
