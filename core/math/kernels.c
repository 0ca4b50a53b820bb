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

/* The normal distribution Phi (x): x Q (x^2) beside 1/2, where Q is a polynomial of degree 13 that is minimax to 7e-8 on
 * [-5.2, 5.2], beyond which Phi is 0 or 1 to 1e-7. In t = x^2 brought to [-1, 1], and its even and odd terms apart, so
 * that neither waits for the other. */
INLINE Vec
vphi (Vec x)
{
  Vec t, t2, even, odd;

  x = vmin (vmax (x, splat (-5.2f)), splat (5.2f));
  t = x * x * (2 / (5.2f * 5.2f)) - 1;
  t2 = t * t;
  even = splat (1.268509735e-03f);
  even = even * t2 + 1.800126218e-03f;
  even = even * t2 + 8.559964149e-03f;
  even = even * t2 + 1.795478857e-02f;
  even = even * t2 + 3.198995894e-02f;
  even = even * t2 + 5.002452137e-02f;
  even = even * t2 + 1.359499930e-01f;
  odd = splat (-4.812640799e-04f);
  odd = odd * t2 - 1.221533115e-03f;
  odd = odd * t2 - 4.788993429e-03f;
  odd = odd * t2 - 1.250514609e-02f;
  odd = odd * t2 - 2.472362291e-02f;
  odd = odd * t2 - 3.992982032e-02f;
  odd = odd * t2 - 6.774366745e-02f;
  return x * (even + odd * t) + .5f;
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

static float
k_peak (const float *x, gsize n)
{
  Vec v = { 0 };
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES)
    v = vmax (v, vabs (load (x + i)));
  if (i < n)
    v = vmax (v, vabs (load_part (x + i, n - i)));
  return max_lane (v);
}

/* ---- products ---- */

/* Inputs whose products are summed before they join the others. Short sums keep their digits, and a panel's part of as
 * many inputs stays in the nearest cache while all rows pass. */
#define BLOCK 128

/* Panels at a time for 1, 2 and 4 rows: as many accumulators as there are registers for, and for one row, whose panels wait
 * for each other least, fewer of what is left over. */
#if CO_LANES == 16
#define MANY_1 8
#define SOME_1 4
#define MANY_2 4
#define MANY_4 4
#elif CO_LANES == 8
#define MANY_1 4
#define SOME_1 2
#define MANY_2 2
#define MANY_4 1
#else
#define MANY_1 2
#define SOME_1 2
#define MANY_2 1
#define MANY_4 1
#endif
#define SOME_2 MANY_2
#define SOME_4 MANY_4

/* What a product without a bias begins with: as many as the outputs of the widest tile. */
static const float no_bias[8 * CO_PANEL];

static void __attribute__ ((noinline))
put_last_sums (Vec sum, gsize n, const float *from, float *y)
{
  store_part (y, load_part (from, n) + sum, n);
}

/* y = from + sums for the outputs from @o on, unless there are none */
INLINE void
put_sum (Vec sum, gsize o, gsize n_out, const float *from, float *y)
{
  if (o + CO_LANES <= n_out)
    store (y + o, load (from + o) + sum);
  else if (o < n_out)
    put_last_sums (sum, n_out - o, from + o, y + o);
}

#define ADD_FLOAT(sum, raw, k, x) vmuladd (raw, splat (x), sum)
#define WEIGHT float
#define PER_WEIGHT 1
#define INPUT float
#define RAW Vec
#define LOAD_RAW load
#define ADD ADD_FLOAT
#define FORMAT float32
#include "math/linear-template.h"

static void
k_linear (const float *w, gsize stride, const float *b, gsize n_out,
    gsize n_in, const float *x, gsize x_stride, gsize n_rows, float *y,
    gsize y_stride)
{
  product_float32_any (w, stride, n_out, n_in, x, x_stride, n_rows, b, 0, y,
      y_stride);
}

/* One panel: four sums, for a single one would wait for itself at every input. */
static void
multiply_panel (const float *w, gsize n_out, gsize n_in, const float *x,
    const float *from, float *y)
{
  for (gsize o = 0; o < n_out; o += CO_LANES) {
    Vec s[4] = { 0 };
    gsize i = 0;

    for (; i + 4 <= n_in; i += 4)
      for (int k = 0; k < 4; k++)
        s[k] += load (w + (i + k) * CO_PANEL + o) * x[i + k];
    for (; i < n_in; i++)
      s[0] += load (w + i * CO_PANEL + o) * x[i];
    put_sum ((s[0] + s[1]) + (s[2] + s[3]), o, n_out, from, y);
  }
}

static void
k_linear_row (const float *w, gsize stride, gsize n_out, gsize n_in,
    const float *x, float *y)
{
  const gsize panels = (n_out + CO_PANEL - 1) / CO_PANEL / SOME_1 * SOME_1;
  const gsize n = MIN (panels * CO_PANEL, n_out);

  if (n > 0)
    rows_float32_1 (w, stride, 0, n, n_in, x, 0, NULL, 0, y, 0);
  for (gsize o = n; o < n_out; o += CO_PANEL)
    for (gsize i = 0; i < MAX (n_in, 1); i += BLOCK)
      multiply_panel (w + o / CO_PANEL * stride + i * CO_PANEL,
          MIN (n_out - o, CO_PANEL), MIN (n_in - i, BLOCK), x + i,
          i ? y + o : no_bias, y + o);
}

#include "math/linear-bfloat16.h"
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

/* Rows whose sums run side by side, on one reading of x */
#define DOT_ROWS 4

INLINE void
dot_rows (const gsize rows, const float *w, gsize w_stride, gsize n, const float *x, float *y)
{
  Vec s[DOT_ROWS] = { 0 }, part;
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES) {
    part = load (x + i);
    for (gsize r = 0; r < rows; r++)
      s[r] = vmuladd (load (w + r * w_stride + i), part, s[r]);
  }
  if (i < n) {
    part = load_part (x + i, n - i);
    for (gsize r = 0; r < rows; r++)
      s[r] = vmuladd (load_part (w + r * w_stride + i, n - i), part, s[r]);
  }
  for (gsize r = 0; r < rows; r++)
    y[r] = sum_lanes (s[r]);
}

static void
k_dots (const float *w, gsize w_stride, gsize n_rows, gsize n, const float *x, float *y)
{
  gsize r = 0;

  for (; r + DOT_ROWS <= n_rows; r += DOT_ROWS)
    dot_rows (DOT_ROWS, w + r * w_stride, w_stride, n, x, y + r);
  for (; r < n_rows; r++)
    dot_rows (1, w + r * w_stride, w_stride, n, x, y + r);
}

static void
k_affine (float a, const float *x, const float *b, float *y, gsize n)
{
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES)
    store (y + i, a * load (x + i) + load (b + i));
  for (; i < n; i++)
    y[i] = a * x[i] + b[i];
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

#include "math/double.h"

/* Registers of a row in which the heads' sums stay */
#define EXCHANGE_WIDTH 4

/* @width registers of row @r from element @i on. What comes next is fetched ahead: heads are too many places at once for
 * the processor to foresee. */
INLINE void
exchange_part (const gsize width, const CoExchange * e, gsize r, gsize i)
{
  Vec sum[EXCHANGE_WIDTH];

  for (gsize w = 0; w < width; w++)
    sum[w] = load (e->from + r * e->from_stride + i + w * CO_LANES);
  for (gsize h = 0; h < e->n_heads; h++) {
    const gsize factor = h * e->stride + r, at = h * e->n + i;
    const float f = e->f[factor], a = e->a[factor], b = e->b[factor];
    const float c = e->c[factor], *x = e->x + at, *z = e->z + at;
    float *p = e->p + r * e->n_heads * e->n + at;

    for (gsize k = 0; width > 1 && k < width * CO_LANES; k += 16)
      __builtin_prefetch (p + width * CO_LANES + k, 1);
#define EXCHANGE(SCALED)                                                                        \
    for (gsize w = 0; w < width; w++) {                                                         \
      Vec v = SCALED (load (p + w * CO_LANES)) + a * load (x + w * CO_LANES) +                  \
          b * load (z + w * CO_LANES);                                                          \
      store (p + w * CO_LANES, v);                                                              \
      sum[w] += c * v;                                                                          \
    }
    if (f == 1)                 /* mostly the maximum stays */
      EXCHANGE ()
    else
      EXCHANGE (f *)
#undef EXCHANGE
  }
  for (gsize w = 0; w < width; w++)
    store (e->y + r * e->n + i + w * CO_LANES, sum[w]);
}

static void
k_exchange (const CoExchange * self)
{
  const CoExchange local = *self, *e = &local;  /* where no store can reach it */

  for (gsize r = 0; r < e->n_rows; r++) {
    gsize i = 0;

    for (; i + EXCHANGE_WIDTH * CO_LANES <= e->n; i += EXCHANGE_WIDTH * CO_LANES)
      exchange_part (EXCHANGE_WIDTH, e, r, i);
    for (; i + CO_LANES <= e->n; i += CO_LANES)
      exchange_part (1, e, r, i);
    for (; i < e->n; i++) {
      float sum = e->from[r * e->from_stride + i];

      for (gsize h = 0; h < e->n_heads; h++) {
        const gsize factor = h * e->stride + r, at = h * e->n + i;
        float *p = e->p + r * e->n_heads * e->n + at;

        *p = e->f[factor] * *p + e->a[factor] * e->x[at] + e->b[factor] * e->z[at];
        sum += e->c[factor] * *p;
      }
      e->y[r * e->n + i] = sum;
    }
  }
}

/* ---- softmax and norm ---- */

static float
k_max (const float *x, gsize n)
{
  Vec v = splat (x[0]);
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES)
    v = vmax (v, load (x + i));
  if (i < n)
    v = vmax (v, load_part_filled (x + i, n - i, x[0]));
  return max_lane (v);
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
    sum += keep_part (e, n - i);
  }
  return sum_lanes (sum);
}

/* Rows whose sums run side by side, for a short one would wait for its own */
#define NORM_ROWS 4

/* @rows of k_layer_norm's, or of k_rms_norm's: a constant mean of 0 */
INLINE void
norm_rows (const gboolean rms, const gsize rows, const float *x, gsize x_stride, const float *a,
    const float *g, const float *b, float eps, float *y, float *scales, gsize n)
{
  Vec s[NORM_ROWS] = { 0 }, s2[NORM_ROWS] = { 0 };
  float mean[NORM_ROWS], scale[NORM_ROWS];
  gsize i, r;

  for (i = 0; i + CO_LANES <= n; i += CO_LANES)
    for (r = 0; r < rows; r++) {
      Vec v = load (x + r * x_stride + i);
      if (a) {
        v += load (a + r * n + i);
        store (y + r * n + i, v);
      }
      s[r] += v;
    }
  for (r = 0; i < n && r < rows; r++) {
    Vec v = load_part (x + r * x_stride + i, n - i);
    if (a) {
      v += load_part (a + r * n + i, n - i);
      store_part (y + r * n + i, v, n - i);
    }
    s[r] += v;
  }
  if (a) {
    x = y;
    x_stride = n;
  }
  for (r = 0; r < rows; r++)
    mean[r] = rms ? 0 : sum_lanes (s[r]) / n;
  for (i = 0; i + CO_LANES <= n; i += CO_LANES)
    for (r = 0; r < rows; r++) {
      Vec d = load (x + r * x_stride + i) - mean[r];
      s2[r] = vmuladd (d, d, s2[r]);
    }
  for (r = 0; i < n && r < rows; r++) {
    Vec d = load_part_filled (x + r * x_stride + i, n - i, mean[r]) - mean[r];
    s2[r] = vmuladd (d, d, s2[r]);
  }
  for (r = 0; r < rows; r++) {
    scale[r] = 1 / sqrtf (sum_lanes (s2[r]) / n + eps);
    if (scales)
      scales[r] = scale[r];
  }
  for (i = 0; i + CO_LANES <= n; i += CO_LANES) {
    Vec gain = load (g + i), bias = b ? load (b + i) : splat (0);
    for (r = 0; r < rows; r++)
      store (y + r * n + i, vmuladd (load (x + r * x_stride + i) - mean[r],
              scale[r] * gain, bias));
  }
  for (r = 0; i < n && r < rows; r++) {
    Vec gain = load_part (g + i, n - i), bias = b ? load_part (b + i, n - i) : splat (0);
    store_part (y + r * n + i, vmuladd (load_part (x + r * x_stride + i, n - i) -
            mean[r], scale[r] * gain, bias), n - i);
  }
}

#define NORM(name, rms)                                                                         \
static void                                                                                     \
name (const float *x, gsize x_stride, const float *a, const float *g, const float *b,           \
    float eps, float *y, float *scale, gsize n_rows, gsize n)                                   \
{                                                                                               \
  gsize r = 0;                                                                                  \
                                                                                                \
  for (; r + NORM_ROWS <= n_rows; r += NORM_ROWS)                                               \
    if (a)                                                                                      \
      NORM_SOME (rms, NORM_ROWS, a + r * n);                                                    \
    else                                                                                        \
      NORM_SOME (rms, NORM_ROWS, NULL);                                                         \
  for (; r < n_rows; r++)                                                                       \
    if (a)                                                                                      \
      NORM_SOME (rms, 1, a + r * n);                                                            \
    else                                                                                        \
      NORM_SOME (rms, 1, NULL);                                                                 \
}
#define NORM_SOME(rms, rows, a)                                                                 \
  norm_rows (rms, rows, x + r * x_stride, x_stride, a, g, b, eps, y + r * n,                    \
      scale ? scale + r : NULL, n)

NORM (k_layer_norm, FALSE)
NORM (k_rms_norm, TRUE)
#undef NORM
#undef NORM_SOME

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
ACTIVATION (gelu, v * vphi (v))
ACTIVATION (gelu_tanh,
    0.5f * v * (1 + vtanh (0.797884561f * (v + 0.044715f * v * v * v))))
ACTIVATION (silu, v * vsigmoid (v))
ACTIVATION (tanh, vtanh (v))
ACTIVATION (sigmoid, vsigmoid (v))
ACTIVATION (elu, blend (v > 0, v, vexp (v) - 1))
ACTIVATION (leaky_relu, blend (v > 0, v, 0.01f * v))

static void
k_rotate_halves (float *x, const float *cosine, const float *sine, gsize n)
{
  const gsize half = n / 2;
  gsize i = 0;

  for (; i + CO_LANES <= half; i += CO_LANES) {
    const Vec a = load (x + i), b = load (x + half + i);
    const Vec c = load (cosine + i), s = load (sine + i);

    store (x + i, a * c - b * s);
    store (x + half + i, b * c + a * s);
  }
  for (; i < half; i++) {
    const float a = x[i], b = x[half + i];

    x[i] = a * cosine[i] - b * sine[i];
    x[half + i] = b * cosine[i] + a * sine[i];
  }
}

static void
k_multiply (const float *x, float *y, gsize n)
{
  gsize i = 0;

  for (; i + CO_LANES <= n; i += CO_LANES)
    store (y + i, load (y + i) * load (x + i));
  for (; i < n; i++)
    y[i] *= x[i];
}

static void
k_identity (float *x, gsize n)
{
}

extern const CoKernels CO_TABLE;
const CoKernels CO_TABLE = {
  G_STRINGIFY (CO_NAME), BFLOAT16_INPUTS, k_linear, k_linear_row, k_linear_bfloat16, k_linear_int8,
  k_linear_transposed, k_dot, k_dots, k_axpy, k_axpy_double, k_combine_double,
  k_add_outer_double, k_weigh_rows_double, k_exp_double, k_affine, k_exchange, k_max, k_peak,
  k_exp_sum, k_layer_norm, k_rms_norm, k_rotate_halves, k_multiply, k_relu, k_gelu, k_gelu_tanh, k_silu, k_tanh,
  k_sigmoid, k_elu, k_leaky_relu, k_identity
};
