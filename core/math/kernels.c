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

/* Weights come in panels of 16 outputs, (n_in, 16) each, so that outputs lie in the lanes and nothing is summed across
 * them. A panel is PARTS vectors. */
#define PARTS (CO_PANEL / CO_LANES)
/* Inputs whose products are summed before they join the others: short sums keep their digits. */
#define BLOCK 128

/* NP panels by NX rows: each weight is read once for NX rows. The last panel may have fewer than 16 outputs. */
#define TILE(NP, NX)                                                                            \
INLINE void                                                                                     \
tile_##NP##_##NX (const float *w, gsize stride, const float *b, gsize n_out, gsize n_in,          \
    const float *x, gsize x_stride, float *y, gsize y_stride)                                                   \
{                                                                                               \
  Vec total[NX][NP * PARTS] = { 0 };                                                            \
                                                                                                \
  for (gsize begin = 0; begin < n_in; begin += BLOCK) {                                         \
    const gsize end = MIN (begin + BLOCK, n_in);                                                \
    Vec acc[NX][NP * PARTS] = { 0 };                                                            \
                                                                                                \
    for (gsize i = begin; i < end; i++)                                                         \
      for (int v = 0; v < NP * PARTS; v++) {                                                    \
        const float *at = w + v / PARTS * stride + i * CO_PANEL + v % PARTS * CO_LANES;          \
        Vec wv = load (at);                                                                     \
        for (int r = 0; r < NX; r++)                                                            \
          acc[r][v] += wv * x[r * x_stride + i];                                                \
      }                                                                                         \
    for (int r = 0; r < NX; r++)                                                                \
      for (int v = 0; v < NP * PARTS; v++)                                                      \
        total[r][v] += acc[r][v];                                                               \
  }                                                                                             \
  for (int v = 0; v < NP * PARTS && (gsize) v * CO_LANES < n_out; v++) {                        \
    const gsize o = v * CO_LANES, n = MIN (n_out - o, CO_LANES);                                \
    Vec bias = { 0 };                                                                           \
                                                                                                \
    if (b)                                                                                      \
      bias = n == CO_LANES ? load (b + o) : load_part (b + o, n);                               \
    for (int r = 0; r < NX; r++)                                                                \
      if (n == CO_LANES)                                                                        \
        store (y + r * y_stride + o, total[r][v] + bias);                                       \
      else                                                                                      \
        store_part (y + r * y_stride + o, total[r][v] + bias, n);                               \
  }                                                                                             \
}

/* As many accumulators as there are registers for, and for one row, whose panels wait for each other least, fewer of
 * what is left over. */
#if CO_LANES == 16
#define MANY_1 8
#define SOME_1 4
#define MANY_2 4
#define MANY_4 4
TILE (8, 1)
TILE (4, 1)
TILE (4, 2)
TILE (4, 4)
#elif CO_LANES == 8
#define MANY_1 4
#define SOME_1 2
#define MANY_2 2
#define MANY_4 1
TILE (4, 1)
TILE (2, 1)
TILE (2, 2)
#else
#define MANY_1 2
#define SOME_1 2
#define MANY_2 1
#define MANY_4 1
TILE (2, 1)
#endif
#define SOME_2 MANY_2
#define SOME_4 MANY_4
TILE (1, 2)
TILE (1, 4)

/* One panel, one row: four sums, for a single one would wait for itself at every input. */
INLINE void
tile_1_1 (const float *w, gsize stride, const float *b, gsize n_out,
    gsize n_in, const float *x, gsize x_stride, float *y, gsize y_stride)
{
  for (gsize o = 0; o < MIN (n_out, CO_PANEL); o += CO_LANES) {
    const gsize n = MIN (n_out - o, CO_LANES);
    Vec s[4] = { 0 };
    gsize i = 0;

    for (; i + 4 <= n_in; i += 4)
      for (int k = 0; k < 4; k++)
        s[k] += load (w + (i + k) * CO_PANEL + o) * x[i + k];
    for (; i < n_in; i++)
      s[0] += load (w + i * CO_PANEL + o) * x[i];
    s[0] = (s[0] + s[1]) + (s[2] + s[3]);
    if (n == CO_LANES)
      store (y + o, b ? s[0] + load (b + o) : s[0]);
    else
      store_part (y + o, b ? s[0] + load_part (b + o, n) : s[0], n);
  }
}

#define PASTE(np, nx) tile_##np##_##nx
#define TILE_OF(np, nx) PASTE (np, nx)
#define PANELS(np, nx)                                                                          \
  for (; o + (np - 1) * CO_PANEL < n_out; o += np * CO_PANEL)                                   \
    TILE_OF (np, nx) (w + o / CO_PANEL * stride, stride, b ? b + o : NULL, n_out - o, n_in, x,     \
        x_stride, y + o, y_stride)

/* All outputs of NX rows */
#define ROWS(NX)                                                                                \
static void                                                                                     \
rows_##NX (const float *w, gsize stride, const float *b, gsize n_out, gsize n_in,                 \
    const float *x, gsize x_stride, float *y, gsize y_stride)                                   \
{                                                                                               \
  gsize o = 0;                                                                                  \
                                                                                                \
  PANELS (MANY_##NX, NX);                                                                       \
  PANELS (SOME_##NX, NX);                                                                       \
  PANELS (1, NX);                                                                               \
}

ROWS (1)
ROWS (2)
ROWS (4)

static void
k_linear (const float *w, gsize stride, const float *b, gsize n_out,
    gsize n_in, const float *x, gsize x_stride, gsize n_rows, float *y,
    gsize y_stride)
{
  gsize r = 0;

  for (; r + 4 <= n_rows; r += 4)
    rows_4 (w, stride, b, n_out, n_in, x + r * x_stride, x_stride,
        y + r * y_stride, y_stride);
  if (r + 2 <= n_rows) {
    rows_2 (w, stride, b, n_out, n_in, x + r * x_stride, x_stride,
        y + r * y_stride, y_stride);
    r += 2;
  }
  if (r < n_rows)
    rows_1 (w, stride, b, n_out, n_in, x + r * x_stride, x_stride,
        y + r * y_stride, y_stride);
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
    float lanes[CO_LANES];
    store (lanes, v);
    for (gsize l = 0; l < CO_LANES; l++)
      m = MAX (m, lanes[l]);
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
