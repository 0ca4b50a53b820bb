/* libcontinual: the inner loops, compiled once for each instruction set
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CO_TABLE names the table, CO_LANES the floats of a vector register. */
#include "math/kernels.h"
#include "math/vector.h"
#include <math.h>

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

#define WEIGHT float
#define LOAD_WEIGHTS load
#define FORMAT float32
#include "math/linear-template.h"

/* bfloat16 is the upper half of a float32. */
typedef guint16 HalfVec __attribute__ ((vector_size (CO_LANES * 2)));
typedef guint32 UVec __attribute__ ((vector_size (CO_LANES * 4)));

INLINE Vec
load_bfloat16 (const guint16 * p)
{
  HalfVec v;
  memcpy (&v, p, sizeof v);
  return (Vec) (__builtin_convertvector (v, UVec) << 16);
}

#define WEIGHT guint16
#define LOAD_WEIGHTS load_bfloat16
#define FORMAT bfloat16
#include "math/linear-template.h"

static void
k_linear_bfloat16 (const guint16 * w, const float *b, gsize n_out,
    gsize n_in, const float *x, gsize x_stride, gsize n_rows, float *y,
    gsize y_stride)
{
  linear_bfloat16_any (w, n_in * CO_PANEL, b, n_out, n_in, x, x_stride, n_rows,
      y, y_stride);
}

#include "math/linear-int8.h"

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
  G_STRINGIFY (CO_NAME), linear_float32_any, k_linear_bfloat16, k_linear_int8,
  k_linear_transposed, k_dot, k_axpy, k_exchange, k_max,
  k_exp_sum, k_layer_norm, k_relu, k_gelu, k_gelu_tanh, k_silu, k_tanh,
  k_sigmoid, k_elu, k_leaky_relu, k_identity
};
