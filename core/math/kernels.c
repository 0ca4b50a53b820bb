/* libcontinual: the inner loops, compiled once for each instruction set
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CO_TABLE names the table, CO_LANES the floats of a vector register. Vectors are GCC's and clang's, so that
 * no line here knows an instruction set; loads and stores go through memcpy, so that none needs alignment. */
#include "math/kernels.h"
#include <math.h>
#include <string.h>

typedef float Vec __attribute__ ((vector_size (CO_LANES * 4)));
typedef gint32 IVec __attribute__ ((vector_size (CO_LANES * 4)));

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

/* The last @n < CO_LANES floats, zeros behind them. */
INLINE Vec
load_part (const float *p, gsize n)
{
  Vec v = { 0 };
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

INLINE float
sum_lanes (Vec v)
{
  float a[CO_LANES];
  store (a, v);
  for (gsize w = CO_LANES / 2; w > 0; w /= 2)
    for (gsize i = 0; i < w; i++)
      a[i] += a[i + w];
  return a[0];
}

INLINE Vec
blend (IVec mask, Vec yes, Vec no)
{
  return (Vec) ((mask & (IVec) yes) | (~mask & (IVec) no));
}

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

INLINE Vec
vabs (Vec a)
{
  return (Vec) ((IVec) a & 0x7fffffff);
}

/* exp: x = k ln 2 + r, |r| <= ln 2 / 2, a polynomial of degree 6 in r. Below -87.3 it is 0, above 88.3 it
 * stays at exp (88.3). */
INLINE Vec
vexp (Vec x)
{
  const Vec tiny = splat (-87.3f);
  IVec zero = x < tiny;
  Vec k, r, p;

  x = vmin (vmax (x, tiny), splat (88.3f));
  k = x * 1.44269504f + 12582912.f;     /* 1.5 * 2^23: the sum's low bits are the nearest integer */
  r = k - 12582912.f;
  IVec scale = ((IVec) k - 0x4b400000 + 127) << 23;
  r = x - r * 0.693145751953125f - r * 1.42860677e-6f;
  p = splat (1.0f / 720);
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return (Vec) (~zero & (IVec) (p * (Vec) scale));
}

/* erf: an odd rational function on [-4, 4], beyond which it is 1 in float32. */
INLINE Vec
verf (Vec x)
{
  Vec x2, p, q;

  x = vmin (vmax (x, splat (-4)), splat (4));
  x2 = x * x;
  p = splat (-2.72614225801306e-10f);
  p = p * x2 + 2.77068142495902e-08f;
  p = p * x2 - 2.10102402082508e-06f;
  p = p * x2 - 5.69250639462346e-05f;
  p = p * x2 - 7.34990630326855e-04f;
  p = p * x2 - 2.95459980854025e-03f;
  p = p * x2 - 1.60960333262415e-02f;
  q = splat (-1.45660718464996e-05f);
  q = q * x2 - 2.13374055278905e-04f;
  q = q * x2 - 1.68282697438203e-03f;
  q = q * x2 - 7.37332916720468e-03f;
  q = q * x2 - 1.42647390514189e-02f;
  return x * p / q;
}

INLINE Vec
vsigmoid (Vec x)
{
  Vec e = vexp (-vabs (x));
  Vec s = 1 / (1 + e);
  return blend (x < 0, e * s, s);
}

INLINE Vec
vtanh (Vec x)
{
  Vec e = vexp (-2 * vabs (x));
  Vec t = (1 - e) / (1 + e);
  return blend (x < 0, -t, t);
}

/* ---- products ---- */

/* Halves of two vectors side by side, then quarters, and so on: what is left after all stages is the eight sums. */
#define SHUFFLE __builtin_shufflevector
#if CO_LANES == 16
typedef float Vec8 __attribute__ ((vector_size (32)));

INLINE Vec
fold_halves (Vec a, Vec b)
{
  return SHUFFLE (a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
      + SHUFFLE (a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}

INLINE Vec
fold_quarters (Vec a, Vec b)
{
  return SHUFFLE (a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
      + SHUFFLE (a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

INLINE Vec
fold_eighths (Vec a, Vec b)
{
  return SHUFFLE (a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29)
      + SHUFFLE (a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
}

INLINE void
sum8 (const Vec * a /* (8) */ , float *out /* (8) */ )
{
  Vec v = fold_eighths (fold_quarters (fold_halves (a[0], a[1]),
          fold_halves (a[2], a[3])), fold_quarters (fold_halves (a[4], a[5]),
          fold_halves (a[6], a[7])));
  Vec8 sums = SHUFFLE (v, v, 0, 2, 4, 6, 8, 10, 12, 14)
      + SHUFFLE (v, v, 1, 3, 5, 7, 9, 11, 13, 15);
  memcpy (out, &sums, sizeof sums);
}
#elif CO_LANES == 8
INLINE Vec
fold_halves (Vec a, Vec b)
{
  return SHUFFLE (a, b, 0, 1, 2, 3, 8, 9, 10, 11)
      + SHUFFLE (a, b, 4, 5, 6, 7, 12, 13, 14, 15);
}

INLINE Vec
fold_quarters (Vec a, Vec b)
{
  return SHUFFLE (a, b, 0, 1, 4, 5, 8, 9, 12, 13)
      + SHUFFLE (a, b, 2, 3, 6, 7, 10, 11, 14, 15);
}

INLINE void
sum8 (const Vec * a, float *out)
{
  Vec v = fold_quarters (fold_halves (a[0], a[1]), fold_halves (a[2], a[3]));
  Vec w = fold_quarters (fold_halves (a[4], a[5]), fold_halves (a[6], a[7]));
  store (out, SHUFFLE (v, w, 0, 2, 4, 6, 8, 10, 12, 14)
      + SHUFFLE (v, w, 1, 3, 5, 7, 9, 11, 13, 15));
}
#else
INLINE Vec
fold_halves (Vec a, Vec b)
{
  return SHUFFLE (a, b, 0, 1, 4, 5) + SHUFFLE (a, b, 2, 3, 6, 7);
}

INLINE Vec
fold_quarters (Vec a, Vec b)
{
  return SHUFFLE (a, b, 0, 2, 4, 6) + SHUFFLE (a, b, 1, 3, 5, 7);
}

INLINE void
sum8 (const Vec * a, float *out)
{
  store (out, fold_quarters (fold_halves (a[0], a[1]), fold_halves (a[2],
              a[3])));
  store (out + 4, fold_quarters (fold_halves (a[4], a[5]), fold_halves (a[6],
              a[7])));
}
#endif

/* A tile of NW weight rows by NX input rows, NW NX being a multiple of 8: each weight is read once for NX rows. */
#define TILE(NW, NX)                                                                            \
INLINE void                                                                                     \
tile_##NW##_##NX (const float *w, gsize w_stride, const float *b, gsize n_in, const float *x,     \
    gsize x_stride, float *y, gsize y_stride)                                                   \
{                                                                                               \
  Vec acc[NX * NW] = { 0 };                                                                     \
  float sums[NX * NW];                                                                          \
  gsize i = 0;                                                                                  \
                                                                                                \
  for (; i + CO_LANES <= n_in; i += CO_LANES) {                                                 \
    Vec xv[NX];                                                                                 \
    for (int c = 0; c < NX; c++)                                                                \
      xv[c] = load (x + c * x_stride + i);                                                      \
    for (int r = 0; r < NW; r++) {                                                              \
      Vec wv = load (w + r * w_stride + i);                                                     \
      for (int c = 0; c < NX; c++)                                                              \
        acc[c * NW + r] += wv * xv[c];                                                          \
    }                                                                                           \
  }                                                                                             \
  if (i < n_in)                                                                                 \
    for (int r = 0; r < NW; r++) {                                                              \
      Vec wv = load_part (w + r * w_stride + i, n_in - i);                                      \
      for (int c = 0; c < NX; c++)                                                              \
        acc[c * NW + r] += wv * load_part (x + c * x_stride + i, n_in - i);                     \
    }                                                                                           \
  for (int g = 0; g < NX * NW; g += 8)                                                          \
    sum8 (acc + g, sums + g);                                                                   \
  for (int c = 0; c < NX; c++)                                                                  \
    for (int r = 0; r < NW; r++)                                                                \
      y[c * y_stride + r] = sums[c * NW + r] + (b ? b[r] : 0);                                  \
}

TILE (8, 1)
TILE (4, 2)
#if CO_LANES == 16
#define MOST_ROWS 4             /* as many accumulators as there are registers for */
TILE (4, 4)
#else
#define MOST_ROWS 2
#endif

INLINE float
dot_row (const float *w, const float *x, gsize n)
{
  Vec s = { 0 };
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES)
    s += load (w + i) * load (x + i);
  if (i < n)
    s += load_part (w + i, n - i) * load_part (x + i, n - i);
  return sum_lanes (s);
}

static void
k_linear (const float *w, gsize w_stride, const float *b, gsize n_out,
    gsize n_in, const float *x, gsize x_stride, gsize n_rows, float *y,
    gsize y_stride)
{
  gsize o = 0;

  for (; o + 8 <= n_out; o += 8) {
    gsize r = 0;
#if MOST_ROWS == 4
    for (; r + 4 <= n_rows; r += 4)
      for (gsize half = o; half < o + 8; half += 4)
        tile_4_4 (w + half * w_stride, w_stride, b ? b + half : NULL, n_in,
            x + r * x_stride, x_stride, y + r * y_stride + half, y_stride);
#endif
    for (; r + 2 <= n_rows; r += 2)
      for (gsize half = o; half < o + 8; half += 4)
        tile_4_2 (w + half * w_stride, w_stride, b ? b + half : NULL, n_in,
            x + r * x_stride, x_stride, y + r * y_stride + half, y_stride);
    if (r < n_rows)
      tile_8_1 (w + o * w_stride, w_stride, b ? b + o : NULL, n_in,
          x + r * x_stride, x_stride, y + r * y_stride + o, y_stride);
  }
  for (; o < n_out; o++)
    for (gsize r = 0; r < n_rows; r++)
      y[r * y_stride + o] = dot_row (w + o * w_stride, x + r * x_stride, n_in)
          + (b ? b[o] : 0);
}

static void
k_linear_transposed (const float *w, gsize w_stride, gsize n_out, gsize n_in,
    const float *x, float *y)
{
  gsize o = 0;

  for (; o + 4 <= n_out; o += 4) {
    const float *w0 = w + o * w_stride, *w1 = w0 + w_stride;
    const float *w2 = w1 + w_stride, *w3 = w2 + w_stride;
    const float x0 = x[o], x1 = x[o + 1], x2 = x[o + 2], x3 = x[o + 3];
    gsize i = 0;
    for (; i + CO_LANES <= n_in; i += CO_LANES)
      store (y + i, load (y + i) + x0 * load (w0 + i) + x1 * load (w1 + i)
          + x2 * load (w2 + i) + x3 * load (w3 + i));
    for (; i < n_in; i++)
      y[i] += x0 * w0[i] + x1 * w1[i] + x2 * w2[i] + x3 * w3[i];
  }
  for (; o < n_out; o++) {
    const float *w0 = w + o * w_stride;
    gsize i = 0;
    for (; i + CO_LANES <= n_in; i += CO_LANES)
      store (y + i, load (y + i) + x[o] * load (w0 + i));
    for (; i < n_in; i++)
      y[i] += x[o] * w0[i];
  }
}

static float
k_dot (const float *a, const float *b, gsize n)
{
  Vec s0 = { 0 }, s1 = { 0 };
  gsize i = 0;

  for (; i + 2 * CO_LANES <= n; i += 2 * CO_LANES) {
    s0 += load (a + i) * load (b + i);
    s1 += load (a + i + CO_LANES) * load (b + i + CO_LANES);
  }
  for (; i + CO_LANES <= n; i += CO_LANES)
    s0 += load (a + i) * load (b + i);
  if (i < n)
    s1 += load_part (a + i, n - i) * load_part (b + i, n - i);
  return sum_lanes (s0 + s1);
}

static void
k_axpy (float a, const float *x, float *y, gsize n)
{
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES)
    store (y + i, load (y + i) + a * load (x + i));
  for (; i < n; i++)
    y[i] += a * x[i];
}

static void
k_exchange (float *p, float f, float a, const float *x, float b, const float *z,
    float c, float *y, gsize n)
{
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES) {
    Vec v = f * load (p + i) + a * load (x + i) + b * load (z + i);
    store (p + i, v);
    store (y + i, load (y + i) + c * v);
  }
  for (; i < n; i++) {
    p[i] = f * p[i] + a * x[i] + b * z[i];
    y[i] += c * p[i];
  }
}

/* ---- softmax and norm ---- */

static float
k_max (const float *x, gsize n)
{
  float m = x[0];
  gsize i = 0;

  if (n >= CO_LANES) {
    Vec v = load (x);
    for (i = CO_LANES; i + CO_LANES <= n; i += CO_LANES)
      v = vmax (v, load (x + i));
    for (gsize l = 0; l < CO_LANES; l++)
      m = MAX (m, v[l]);
  }
  for (; i < n; i++)
    m = MAX (m, x[i]);
  return m;
}

static float
k_exp_sum (const float *x, float shift, float *y, gsize n)
{
  Vec sum = { 0 };
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES) {
    Vec e = vexp (load (x + i) - shift);
    store (y + i, e);
    sum += e;
  }
  if (i < n) {
    Vec e = vexp (load_part (x + i, n - i) - shift);
    store_part (y + i, e, n - i);
    sum += load_part (y + i, n - i);
  }
  return sum_lanes (sum);
}

static void
k_layer_norm (const float *x, const float *g, const float *b, float eps,
    float *y, gsize n)
{
  Vec s = { 0 }, s2 = { 0 };
  float mean, scale;
  gsize i;

  for (i = 0; i + CO_LANES <= n; i += CO_LANES)
    s += load (x + i);
  if (i < n)
    s += load_part (x + i, n - i);
  mean = sum_lanes (s) / n;
  for (i = 0; i + CO_LANES <= n; i += CO_LANES) {
    Vec d = load (x + i) - mean;
    s2 += d * d;
  }
  for (; i < n; i++) {
    float d = x[i] - mean;
    s2[0] += d * d;
  }
  scale = 1 / sqrtf (sum_lanes (s2) / n + eps);
  for (i = 0; i + CO_LANES <= n; i += CO_LANES) {
    Vec v = (load (x + i) - mean) * scale * load (g + i);
    store (y + i, b ? v + load (b + i) : v);
  }
  for (; i < n; i++)
    y[i] = (x[i] - mean) * scale * g[i] + (b ? b[i] : 0);
}

/* ---- activations ---- */

#define ACTIVATION(name, expression)                                                            \
static void                                                                                     \
k_##name (float *x, gsize n)                                                                    \
{                                                                                               \
  gsize i = 0;                                                                                  \
  for (; i + CO_LANES <= n; i += CO_LANES) {                                                    \
    Vec v = load (x + i);                                                                       \
    store (x + i, expression);                                                                  \
  }                                                                                             \
  if (i < n) {                                                                                  \
    Vec v = load_part (x + i, n - i);                                                           \
    store_part (x + i, expression, n - i);                                                      \
  }                                                                                             \
}

ACTIVATION (relu, vmax (v, splat (0)))
ACTIVATION (gelu, 0.5f * v * (1 + verf (v * 0.707106781f)))
ACTIVATION (gelu_tanh,
    0.5f * v * (1 + vtanh (0.797884561f * (v + 0.044715f * v * v * v))))
ACTIVATION (silu, v * vsigmoid (v))
ACTIVATION (tanh, vtanh (v))
ACTIVATION (sigmoid, vsigmoid (v))
ACTIVATION (elu, blend (v > 0, v, vexp (v) - 1))
ACTIVATION (leaky_relu, blend (v > 0, v, 0.01f * v))

static void
k_identity (float *x, gsize n)
{
}

extern const CoKernels CO_TABLE;
const CoKernels CO_TABLE = {
  G_STRINGIFY (CO_NAME), k_linear, k_linear_transposed, k_dot, k_axpy, k_exchange, k_max,
  k_exp_sum, k_layer_norm, k_relu, k_gelu, k_gelu_tanh, k_silu, k_tanh,
  k_sigmoid, k_elu, k_leaky_relu, k_identity
};
