/* The inner loops of every table against plain loops in double
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/kernels.h"
#include <math.h>
#include <string.h>

#define MAX_N 70
#define PAD 20                  /* floats that nobody may touch, before and behind */
#define CANARY 777.25f

/* Memory whose vector begins at any multiple of 4 bytes. */
typedef struct
{
  float *memory;
  float *x;                     /* (n) */
  gsize n;
} Vector;

static float
draw (void)
{
  return g_test_rand_double_range (-2, 2);
}

static Vector
vector_new (gsize n, gsize misplaced)
{
  Vector v = {.n = n };

  v.memory = g_aligned_alloc (n + 2 * PAD + misplaced, sizeof (float), 64);
  v.x = v.memory + PAD + misplaced;
  for (gsize i = 0; i < n + 2 * PAD + misplaced; i++)
    v.memory[i] = CANARY;
  for (gsize i = 0; i < n; i++)
    v.x[i] = draw ();
  return v;
}

static void
vector_free (Vector * v)
{
  for (const float *p = v->memory; p < v->x; p++)
    g_assert_true (*p == CANARY);
  for (const float *p = v->x + v->n; p < v->x + v->n + PAD; p++)
    g_assert_true (*p == CANARY);
  g_aligned_free (v->memory);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Vector, vector_free)

/* A sum of @n terms whose sizes add up to @sizes may be off by as many roundings. */
static void
check_sum (float found, double expected, double sizes, gsize n)
{
  double allowed = (n + 4) * ldexp (sizes, -23) + 1e-37;

  if (!(fabs (found - expected) <= allowed))
    g_error ("found %.9g, expected %.9g +- %.3g in a sum of %zu", found,
        expected, allowed, n);
}

static float *
weight (float *panels, gsize stride, gsize o, gsize i)
{
  return panels + o / CO_PANEL * stride + i * CO_PANEL + o % CO_PANEL;
}

static void
check_linear (const CoKernels * k, gsize n_in, gsize n_out, gsize n_rows,
    gsize misplaced)
{
  const gsize stride = (n_in + misplaced % 3) * CO_PANEL;
  const gsize panels = (n_out + CO_PANEL - 1) / CO_PANEL;
  const gsize x_stride = n_in + misplaced, y_stride = n_out + 2;
  g_auto (Vector) w = vector_new (panels * stride, misplaced);
  g_auto (Vector) x = vector_new (n_rows * x_stride, misplaced / 2);
  g_auto (Vector) b = vector_new (n_out, 1);
  g_auto (Vector) y = vector_new (n_rows * y_stride, 3 - misplaced % 4);

  for (gsize o = n_out; o < panels * CO_PANEL; o++)
    for (gsize i = 0; i < n_in; i++)
      *weight (w.x, stride, o, i) = 0;
  for (gsize bias = 0; bias < 2; bias++) {
    for (gsize i = 0; i < y.n; i++)
      y.x[i] = CANARY;
    k->linear (w.x, stride, bias ? b.x : NULL, n_out, n_in, x.x, x_stride,
        n_rows, y.x, y_stride);
    for (gsize r = 0; r < n_rows; r++)
      for (gsize o = 0; o < y_stride; o++) {
        double sum = 0, sizes = 0;

        if (o >= n_out) {       /* between the rows */
          g_assert_true (y.x[r * y_stride + o] == CANARY);
          continue;
        }
        for (gsize i = 0; i < n_in; i++) {
          double term = (double) *weight (w.x, stride, o, i) *
              x.x[r * x_stride + i];
          sum += term;
          sizes += fabs (term);
        }
        sum += bias ? b.x[o] : 0;
        check_sum (y.x[r * y_stride + o], sum, sizes + 2, n_in);
      }
  }
}

static void
test_linear (gconstpointer data)
{
  for (gsize n_in = 0; n_in <= MAX_N; n_in++)
    for (gsize n_out = 0; n_out <= 35; n_out += 1 + 2 * (n_out > 17))
      for (gsize n_rows = 1; n_rows <= 5; n_rows++)
        check_linear (data, n_in, n_out, n_rows, (n_in + n_out) % 4);
  for (gsize n_rows = 0; n_rows <= 16; n_rows++)
    check_linear (data, 33, 21, n_rows, 1);
}

/* The product of two rows sums in the same order wherever an output stands, and whichever of the two is the weight: what the
 * retroactive kind counts on. */
static void
test_linear_order (gconstpointer data)
{
  const CoKernels *k = data;

  for (gsize n_out = 1; n_out <= 180; n_out += 1 + n_out / 8)
    for (gsize n_in = 1; n_in <= 300; n_in += 1 + n_in / 4) {
      const gsize size = (n_out + CO_PANEL - 1) / CO_PANEL * CO_PANEL * n_in;
      g_auto (Vector) a = vector_new (2 * n_in, 1);
      g_auto (Vector) b = vector_new (2 * n_in, 2);
      g_auto (Vector) w = vector_new (size, 3);
      g_auto (Vector) y = vector_new (2 * n_out, 1);
      float once[2];

      for (gsize i = 0; i < n_in; i++)
        for (gsize o = 0; o < size / n_in; o++)
          w.x[(o / CO_PANEL * n_in + i) * CO_PANEL + o % CO_PANEL] = b.x[i];
      k->linear (w.x, n_in * CO_PANEL, NULL, n_out, n_in, a.x, n_in, 2, y.x, n_out);
      for (gsize i = 0; i < n_in; i++)
        w.x[i * CO_PANEL] = a.x[i];
      k->linear (w.x, n_in * CO_PANEL, NULL, 1, n_in, b.x, n_in, 2, once, 1);
      for (gsize o = 0; o < n_out; o++)
        g_assert_true (y.x[o] == once[0]);
    }
}

static void
test_linear_transposed (gconstpointer data)
{
  const CoKernels *k = data;

  for (gsize n_in = 0; n_in <= MAX_N; n_in++)
    for (gsize n_out = 0; n_out <= 11; n_out++) {
      const gsize stride = n_in + n_out % 3;
      g_auto (Vector) w = vector_new (n_out * stride, n_in % 4);
      g_auto (Vector) x = vector_new (n_out, 1);
      g_auto (Vector) y = vector_new (n_in, n_out % 4);
      g_autofree float *before = g_memdup2 (y.x, n_in * sizeof (float));

      k->linear_transposed (w.x, stride, n_out, n_in, x.x, y.x);
      for (gsize i = 0; i < n_in; i++) {
        double sum = before[i], sizes = fabs (sum);
        for (gsize o = 0; o < n_out; o++) {
          sum += (double) x.x[o] * w.x[o * stride + i];
          sizes += fabs ((double) x.x[o] * w.x[o * stride + i]);
        }
        check_sum (y.x[i], sum, sizes, n_out);
      }
    }
}

static void
test_dots (gconstpointer data)
{
  const CoKernels *k = data;

  for (gsize n = 0; n <= MAX_N; n++)
    for (gsize n_rows = 0; n_rows <= 9; n_rows++) {
      const gsize stride = n + n_rows % 3;
      g_auto (Vector) w = vector_new (n_rows * stride, n % 4);
      g_auto (Vector) x = vector_new (n, n_rows % 4);
      g_auto (Vector) y = vector_new (n_rows, 1);

      k->dots (w.x, stride, n_rows, n, x.x, y.x);
      for (gsize r = 0; r < n_rows; r++) {
        double dot = 0, sizes = 0;

        for (gsize i = 0; i < n; i++) {
          dot += (double) w.x[r * stride + i] * x.x[i];
          sizes += fabs ((double) w.x[r * stride + i] * x.x[i]);
        }
        check_sum (y.x[r], dot, sizes, n);
      }
    }
}

static void
test_vectors (gconstpointer data)
{
  const CoKernels *k = data;

  for (gsize n = 0; n <= MAX_N; n++)
    for (gsize misplaced = 0; misplaced < 4; misplaced++) {
      g_auto (Vector) x = vector_new (n, misplaced);
      g_auto (Vector) y = vector_new (n, 3 - misplaced);
      g_autofree float *y_before = g_memdup2 (y.x, (n + 1) * sizeof (float));
      const float a = draw ();
      double dot = 0, sizes = 0;
      float top = -INFINITY, peak = 0;

      for (gsize i = 0; i < n; i++) {
        dot += (double) x.x[i] * y.x[i];
        sizes += fabs ((double) x.x[i] * y.x[i]);
        top = MAX (top, x.x[i]);
        peak = MAX (peak, fabsf (x.x[i]));
      }
      check_sum (k->dot (x.x, y.x, n), dot, sizes, n);
      if (n > 0)
        g_assert_true (k->max (x.x, n) == top);
      g_assert_true (k->peak (x.x, n) == peak);

      k->axpy (a, x.x, y.x, n);
      for (gsize i = 0; i < n; i++)
        check_sum (y.x[i], y_before[i] + (double) a * x.x[i], 8, 1);

      {
        double x2[MAX_N + 1], y2[MAX_N + 1];

        for (gsize i = 0; i < n; i++)
          x2[i] = x.x[i], y2[i] = y_before[i];
        x2[n] = y2[n] = CANARY;
        k->axpy_double (a, x2, y2, n);
        for (gsize i = 0; i < n; i++)
          g_assert_cmpfloat_with_epsilon (y2[i], y_before[i] + (double) a * x2[i], 1e-14);
        g_assert_true (y2[n] == CANARY);
      }

      k->affine (a, x.x, y_before, y.x, n);
      for (gsize i = 0; i < n; i++)
        check_sum (y.x[i], (double) a * x.x[i] + y_before[i], 8, 1);

    }
}

/* Rows one by one and in pairs, of one head and of several; of a row in four the maximum has moved. */
static void
check_exchange (const CoKernels * k, gsize n_rows, gsize H, gsize n)
{
  const gsize stride = n_rows + 2;
  g_auto (Vector) x = vector_new (H * n, n % 4);
  g_auto (Vector) z = vector_new (H * n, 1);
  g_auto (Vector) p = vector_new (n_rows * H * n, 2);
  g_auto (Vector) from = vector_new (n_rows * (n + 1), 2);
  g_auto (Vector) y = vector_new (n_rows * n, 3);
  g_auto (Vector) factors = vector_new (4 * H * stride, 1);
  g_autofree float *before = g_memdup2 (p.x, n_rows * H * n * sizeof (float));
  float *f = factors.x;
  const float *a = f + H * stride, *b = a + H * stride, *c = b + H * stride;

  for (gsize i = 0; i < H * stride; i++)
    if (i % 4)
      f[i] = 1;
  k->exchange (&(CoExchange) {n_rows, H, n, p.x, f, a, b, c, stride, x.x, z.x,
        from.x, n + 1, y.x});
  for (gsize r = 0; r < n_rows; r++)
    for (gsize i = 0; i < n; i++) {
      double sum = from.x[r * (n + 1) + i], sizes = 2 + 26 * H;

      for (gsize h = 0; h < H; h++) {
        gsize at = (r * H + h) * n + i, factor = h * stride + r;
        double exact = (double) f[factor] * before[at] +
            (double) a[factor] * x.x[h * n + i] +
            (double) b[factor] * z.x[h * n + i];
        check_sum (p.x[at], exact, 12, 3);
        sum += c[factor] * exact;
      }
      check_sum (y.x[r * n + i], sum, sizes, 4 * H);
    }
}

static void
test_exchange (gconstpointer data)
{
  for (gsize n = 0; n <= MAX_N; n++)
    for (gsize H = 1; H <= 4; H++)
      for (gsize n_rows = 1; n_rows <= 5; n_rows++)
        check_exchange (data, n_rows, H, n);
}

/* Wherever the largest one stands, also among numbers that are all negative or infinite */
static void
test_max (gconstpointer data)
{
  const CoKernels *k = data;

  for (gsize n = 1; n <= MAX_N; n++)
    for (gsize at = 0; at < n; at++) {
      g_auto (Vector) x = vector_new (n, at % 4);

      for (gsize i = 0; i < n; i++)
        x.x[i] = i == at ? -3 : i % 2 ? -INFINITY : -1e30f;
      g_assert_true (k->max (x.x, n) == -3);
    }
}

static double *
draw_doubles (gsize n)
{
  double *x = g_new (double, n + 1);

  for (gsize i = 0; i < n; i++)
    x[i] = draw ();
  x[n] = CANARY;
  return x;
}

/* Sums in double of @n_rows rows of @n numbers, each within the roundings of its terms */
static void
check_sums (const CoKernels * k, gsize n_rows, gsize n)
{
  g_autofree double *f = draw_doubles (n_rows), *x = draw_doubles (n);
  g_autofree double *rows = draw_doubles (n_rows * n), *y = draw_doubles (n);
  g_autofree double *before = g_memdup2 (rows, (n_rows * n + 1) * sizeof (double));
  const double allowed = ldexp (4 * n_rows + 4, -52);

  k->add_outer_double (f, x, rows, n_rows, n);
  for (gsize i = 0; i < n_rows * n; i++)
    g_assert_cmpfloat_with_epsilon (rows[i], before[i] + f[i / n] * x[i % n], allowed);
  g_assert_true (rows[n_rows * n] == CANARY);
  k->weigh_rows_double (f, rows, y, n_rows, n);
  for (gsize i = 0; i < n; i++) {
    double sum = 0;

    for (gsize r = 0; r < n_rows; r++)
      sum += f[r] * rows[r * n + i];
    g_assert_cmpfloat_with_epsilon (y[i], sum, 6 * allowed);
  }
  g_assert_true (y[n] == CANARY);
}

/* One to four terms, one of which may be the result */
static void
check_combined (const CoKernels * k, gsize n_terms, gsize n, gsize in_place)
{
  g_autofree double *a = draw_doubles (n_terms), *x = draw_doubles (n_terms * n);
  g_autofree double *before = g_memdup2 (x, (n_terms * n + 1) * sizeof (double));
  g_autofree double *apart = draw_doubles (n);
  double *y = in_place < n_terms ? x + in_place * n : apart;
  const double *of[4];

  for (gsize t = 0; t < n_terms; t++)
    of[t] = x + t * n;
  k->combine_double (n_terms, a, of, y, n);
  for (gsize i = 0; i < n; i++) {
    double sum = 0;

    for (gsize t = 0; t < n_terms; t++)
      sum += a[t] * before[t * n + i];
    g_assert_cmpfloat_with_epsilon (y[i], sum, ldexp (32, -52));
  }
  for (gsize i = 0; i < n_terms * n; i++)
    g_assert_true (i / MAX (n, 1) == in_place || x[i] == before[i]);
  g_assert_true (apart[n] == CANARY);
  g_assert_true (x[n_terms * n] == CANARY);
}

static void
test_double (gconstpointer data)
{
  for (gsize n = 0; n <= MAX_N; n++) {
    for (gsize n_rows = 1; n_rows <= 5; n_rows++)
      check_sums (data, n_rows, n);
    for (gsize n_terms = 1; n_terms <= 4; n_terms++)
      for (gsize in_place = 0; in_place <= n_terms; in_place++)
        check_combined (data, n_terms, n, in_place);
  }
}

/* Relative error of exp in double against the C library's in a longer type, wherever numbers are normal; 0 below */
static void
test_exp_double (gconstpointer data)
{
  const CoKernels *k = data;
  double worst = 0;

  for (double from = -707.9; from < 708.9; from += 0.0173) {
    double x[MAX_N], y[MAX_N + 1];
    const gsize n = 1 + (gsize) ((from + 708) * 100) % MAX_N;

    for (gsize i = 0; i < n; i++)
      x[i] = MIN (from + i * 1e-5, 709);
    y[n] = CANARY;
    k->exp_double (x, y, n);
    for (gsize i = 0; i < n; i++)
      worst = MAX (worst, fabs ((double) (y[i] / expl (x[i]) - 1)));
    g_assert_true (y[n] == CANARY);
  }
  g_test_message ("%s: largest relative error of exp in double %.3g", k->name, worst);
  g_assert_cmpfloat (worst, <=, ldexp (1, -51));
  {
    double y[] = { -709, -1e4, -INFINITY, 0, 1e4 };

    k->exp_double (y, y, G_N_ELEMENTS (y));
    for (gsize i = 0; i < 3; i++)
      g_assert_true (y[i] == 0);
    g_assert_true (y[3] == 1);
    g_assert_true (isfinite (y[4]) && y[4] > 1e307);
  }
}

/* Relative error of exp, wherever float32 has normal numbers: what every softmax rests on */
static void
test_exp (gconstpointer data)
{
  const CoKernels *k = data;
  double worst = 0;

  for (double from = -87.2; from < 88; from += 0.0101) {
    float x[MAX_N], y[MAX_N];
    gsize n = 1 + (gsize) ((from + 88) * 100) % MAX_N;
    double sum = 0;
    float found;

    for (gsize i = 0; i < n; i++) {
      x[i] = MIN (from + i * 1e-4, 88);
      sum += exp (x[i]);
    }
    found = k->exp_sum (x, 0, y, n);
    for (gsize i = 0; i < n; i++)
      worst = MAX (worst, fabs (y[i] / exp (x[i]) - 1));
    if (sum < 1e38)
      check_sum (found, sum, sum, n);
  }
  g_test_message ("%s: largest relative error of exp %.3g", k->name, worst);
  g_assert_cmpfloat (worst, <=, ldexp (5, -24));
}

static void
test_exp_sum (gconstpointer data)
{
  const CoKernels *k = data;

  for (gsize n = 0; n <= MAX_N; n++)
    for (gsize in_place = 0; in_place < 2; in_place++) {
      g_auto (Vector) x = vector_new (n, n % 4);
      g_auto (Vector) y = vector_new (n, 2);
      g_autofree float *before = g_memdup2 (x.x, n * sizeof (float));
      const float shift = 1e4;
      float *out = in_place ? x.x : y.x, sum;
      double expected = 0;

      for (gsize i = 0; i < n; i++)
        before[i] = x.x[i] += shift - 2;
      if (n > 3)                /* what is as good as nothing is nothing, not a denormal */
        before[3] = x.x[3] = shift - 200;
      sum = k->exp_sum (x.x, shift, out, n);
      for (gsize i = 0; i < n; i++) {
        double exact = exp ((double) before[i] - shift);
        expected += exact;
        check_sum (out[i], exact, exact, 0);
      }
      check_sum (sum, expected, expected, n);
      if (n > 3)
        g_assert_true (out[3] == 0);
    }
}

/* Every row of @n_rows, with and without what is added first, out of place and in place */
static void
check_layer_norm (const CoKernels * k, gsize n, gsize n_rows, gboolean added,
    gboolean bias, float offset)
{
  const float eps = 1e-5;
  const gsize stride = added ? n : n + n_rows % 3;
  g_auto (Vector) x = vector_new (n_rows * stride, n % 4);
  g_auto (Vector) a = vector_new (n_rows * n, 3);
  g_auto (Vector) g = vector_new (n, 1);
  g_auto (Vector) b = vector_new (n, 2);
  g_auto (Vector) y = vector_new (n_rows * n, (n + 1) % 4);
  g_auto (Vector) scale = vector_new (n_rows, 1);

  for (gsize i = 0; i < n_rows * stride; i++)
    x.x[i] += offset;
  k->layer_norm (x.x, stride, added ? a.x : NULL, g.x, bias ? b.x : NULL, eps,
      y.x, scale.x, n_rows, n);
  for (gsize r = 0; r < n_rows; r++) {
    g_autofree double *z = g_new (double, n);
    double mean = 0, var = 0, allowed;

    for (gsize i = 0; i < n; i++) {
      z[i] = x.x[r * stride + i] + (added ? (double) a.x[r * n + i] : 0);
      mean += z[i] / n;
    }
    for (gsize i = 0; i < n; i++)
      var += (z[i] - mean) * (z[i] - mean) / n;
    /* The mean is off by a rounding of the numbers, which the norm enlarges. */
    allowed = 2e-6 + (offset + 4) * ldexp (n / 8. + 2, -23) / sqrt (var + eps);
    g_assert_cmpfloat (fabs (scale.x[r] * sqrt (var + eps) - 1), <=, allowed);
    for (gsize i = 0; i < n; i++) {
      double exact = (z[i] - mean) / sqrt (var + eps) * g.x[i] + (bias ? b.x[i] : 0);
      g_assert_cmpfloat (fabs (y.x[r * n + i] - exact), <=, 2 * allowed);
    }
  }
  if (stride > n)
    return;
  k->layer_norm (x.x, stride, added ? a.x : NULL, g.x, bias ? b.x : NULL, eps,
      x.x, NULL, n_rows, n);
  g_assert_cmpmem (x.x, n_rows * n * sizeof (float), y.x,
      n_rows * n * sizeof (float));
}

static void
test_layer_norm (gconstpointer data)
{
  for (gsize n = 1; n <= MAX_N; n++)
    for (gsize n_rows = 0; n_rows <= 9; n_rows += 1 + n % 2)
      for (gsize bits = 0; bits < 4; bits++)
        for (float offset = 0; offset <= 100; offset += 50)
          check_layer_norm (data, n, n_rows, bits & 1, bits / 2, offset);
}

/* ---- activations ---- */

static double
relu (double x)
{
  return MAX (x, 0);
}

static double
gelu (double x)
{
  return 0.5 * x * erfc (-x * sqrt (0.5));
}

static double
gelu_tanh (double x)
{
  return 0.5 * x * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x)));
}

static double
sigmoid (double x)
{
  return 1 / (1 + exp (-x));
}

static double
silu (double x)
{
  return x * sigmoid (x);
}

static double
elu (double x)
{
  return x > 0 ? x : expm1 (x);
}

static double
leaky_relu (double x)
{
  return x > 0 ? x : 0.01 * x;
}

static double
identity (double x)
{
  return x;
}

static void
test_activations (gconstpointer data)
{
  const CoKernels *k = data;
  const struct
  {
    const gchar *name;
    void (*found) (float *x, gsize n);
    double (*expected) (double x);
  } functions[] = {
    {"relu", k->relu, relu}, {"gelu", k->gelu, gelu},
    {"gelu_tanh", k->gelu_tanh, gelu_tanh}, {"silu", k->silu, silu},
    {"tanh", k->tanh, tanh}, {"sigmoid", k->sigmoid, sigmoid},
    {"elu", k->elu, elu}, {"leaky_relu", k->leaky_relu, leaky_relu},
    {"identity", k->identity, identity},
  };
  const float special[] = { 0, -0.f, 1e-30f, -1e-30f, 1e-6f, -1e-6f, 50, -50,
    88.5f, -88.5f, 1e4f, -1e4f, 1e15f, -1e15f
  };

  for (gsize f = 0; f < G_N_ELEMENTS (functions); f++) {
    double worst = 0;

    for (gsize n = 0; n <= MAX_N; n++)
      for (gsize part = 0; part < 60; part++) {
        g_auto (Vector) x = vector_new (n, (n + part) % 4);
        g_autofree float *before = NULL;

        for (gsize i = 0; i < n; i++)
          x.x[i] = part == 0 ? special[(i + n) % G_N_ELEMENTS (special)]
              : g_test_rand_double_range (-12, 12);
        before = g_memdup2 (x.x, n * sizeof (float));
        functions[f].found (x.x, n);
        for (gsize i = 0; i < n; i++) {
          double exact = functions[f].expected (before[i]);
          double e = fabs (x.x[i] - exact) / MAX (1, fabs (before[i]));
          worst = e <= worst ? worst : e;
        }
      }
    g_test_message ("%s %s: largest error %.3g", k->name, functions[f].name,
        worst);
    g_assert_cmpfloat (worst, <=, ldexp (1, -21));
  }
}

int
main (int argc, char **argv)
{
  const struct
  {
    const gchar *name;
    GTestDataFunc function;
  } tests[] = {
    {"linear", test_linear},
    {"linear-order", test_linear_order},
    {"linear-transposed", test_linear_transposed},
    {"dots", test_dots},
    {"vectors", test_vectors},
    {"max", test_max},
    {"double", test_double},
    {"exp", test_exp},
    {"exp-double", test_exp_double},
    {"exp-sum", test_exp_sum},
    {"exchange", test_exchange},
    {"layer-norm", test_layer_norm},
    {"activations", test_activations},
  };

  g_test_init (&argc, &argv, NULL);     /* prints the seed */
  for (const CoKernels * const *k = co_kernels_all (); *k; k++)
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++) {
      g_autofree gchar *path = g_strdup_printf ("/kernels/%s/%s", (*k)->name,
          tests[i].name);
      g_test_add_data_func (path, *k, tests[i].function);
    }
  return g_test_run ();
}
