/* Weights in bfloat16 and int8: their products are what the rounded weights give, and models stay near float32
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "golden.h"
#include "math/linear.h"
#include <math.h>

static double
round_bfloat16 (double v)
{
  int e;

  v = frexp (v, &e);
  return ldexp (nearbyint (v * 256) / 256, e);
}

/* A random matrix in @format, and what its products must be in double. */
static void
check_product (const CoKernels * kernels, const CoFormat * format,
    gsize n_out, gsize n_in, gsize n_rows)
{
  g_autofree float *m = g_new (float, n_out * n_in);
  g_autofree float *panels = g_new0 (float, co_panels_size (n_out, n_in));
  g_autofree guint8 *w = g_malloc0 (format->size (n_out, n_in));
  g_autofree float *scales = g_new0 (float, n_out);
  g_autofree float *b = g_new (float, n_out);
  g_autofree float *x = g_new (float, n_rows * n_in);
  g_autofree float *y = g_new (float, n_rows * n_out);
  const CoLinear linear = { n_in, n_out, format, w, scales, b };

  for (gsize i = 0; i < n_out * n_in; i++)
    m[i] = g_test_rand_double_range (-1, 1);
  for (gsize i = 0; i < n_out; i++)
    b[i] = g_test_rand_double_range (-1, 1);
  for (gsize i = 0; i < n_rows * n_in; i++)
    x[i] = g_test_rand_double_range (-3, 3);
  co_panels_fill (panels, 0, m, n_out, n_in, n_in, 1);
  format->fill (w, scales, panels, n_out, n_in);
  co_kernels = kernels;
  co_linear (&linear, x, n_in, n_rows, y, n_out);

  for (gsize r = 0; r < n_rows; r++)
    for (gsize o = 0; o < n_out; o++) {
      double sum = b[o], size = fabs (b[o]), top = 0, bound;

      for (gsize i = 0; i < n_in; i++)
        top = MAX (top, fabsf (m[o * n_in + i]));
      for (gsize i = 0; i < n_in; i++) {
        double v = m[o * n_in + i], input = x[r * n_in + i];
        if (g_str_equal (format->name, "bfloat16")) {
          v = round_bfloat16 (v);
          if (kernels->bfloat16_inputs)
            input = round_bfloat16 (input);
        } else if (g_str_equal (format->name, "int8")) {
          v = lrintf ((float) v / (float) top * 127) * (double) scales[o];
        }
        sum += v * input;
        size += fabs (v * input);
      }
      /* float32 sums; of int8 besides the inputs' 15 bits: half a step of at most 3/16383 in each */
      bound = 1e-6 * size + 1e-6;
      if (g_str_equal (format->name, "int8"))
        bound += n_in * .51 * 3 / 16383 * top;
      g_assert_cmpfloat (fabs (y[r * n_out + o] - sum), <=, bound);
    }
}

static void
test_products (void)
{
  const gsize outs[] = { 1, 5, 16, 17, 64, 100 };
  const gsize ins[] = { 1, 2, 7, 64, 129, 1023, 1024, 1025, 2500 };
  const gsize rows[] = { 1, 2, 3, 4, 5, 9, 16, 19 };
  const CoKernels *chosen = co_kernels;

  for (const CoKernels * const *k = co_kernels_all (); *k; k++)
    for (gsize f = 0; f < CO_N_FORMATS; f++)
      for (gsize o = 0; o < G_N_ELEMENTS (outs); o++)
        for (gsize i = 0; i < G_N_ELEMENTS (ins); i++)
          check_product (*k, co_formats[f], outs[o], ins[i],
              rows[(2 * o + i) % G_N_ELEMENTS (rows)]);
  co_kernels = chosen;
}

/* The largest sums that int8 can meet do not leave 32 bits. */
static void
test_extremes (void)
{
  const gsize n = 4096;
  g_autofree float *panels = g_new0 (float, co_panels_size (1, n));
  g_autofree guint8 *w = g_malloc0 (co_formats[2]->size (1, n));
  g_autofree float *x = g_new (float, n);

  for (int sign = -1; sign <= 1; sign += 2)
    for (int weight = -1; weight <= 1; weight += 2) {
      float scale, y;

      for (gsize i = 0; i < n; i++)
        x[i] = sign, panels[i * CO_PANEL] = weight;
      memset (w, 0, co_formats[2]->size (1, n));
      co_formats[2]->fill (w, &scale, panels, 1, n);
      co_linear (&(CoLinear) {n, 1, co_formats[2], w, &scale, NULL}, x, n, 1, &y,
          1);
      g_assert_cmpfloat_with_epsilon (y, (double) n * sign * weight, 1e-3 * n);
    }
}

/* Errors that rounding explains, not errors: bfloat16 keeps 8 bits, int8 7 and a half. */
static void
test_golden (gconstpointer data)
{
  const struct
  {
    const gchar *precision;
    gdouble most;
  } cases[] = { {"bfloat16", .05}, {"int8", .1} };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (CoOptions) options = co_options_new ();
    g_autofree gchar *path = golden_path (data, "model.safetensors");
    g_autoptr (Golden) g = golden_load (data, NULL);
    g_autoptr (CoModel) model = NULL;
    g_autoptr (CoStream) stream = NULL;
    g_autofree float *y = NULL;
    double worst = 0, largest = 1;
    gsize n, capacity;

    co_options_set (options, "precision", cases[i].precision, NULL);
    model = co_model_load (path, options, NULL);
    g_assert_true (model != NULL && model != g->model);
    stream = co_stream_new (model, 1);
    capacity = co_stream_max_outputs (stream, g->n_steps);
    y = g_new (float, capacity * g->y_size);
    n = co_stream_forward_steps (stream, &(CoInput) {
          .x = g->x}, g->n_steps, TRUE, &(CoResult) {
          .capacity = capacity,.y = y});
    g_assert_cmpuint (n, ==, g->n_outputs);
    for (gsize j = 0; j < n * g->y_size; j++) {
      worst = MAX (worst, fabs (y[j] - g->y[j]));
      largest = MAX (largest, fabs (g->y[j]));
    }
    g_test_message ("%s, %s: largest error %g of %g", g->name,
        cases[i].precision, worst, largest);
    g_assert_cmpfloat (worst, <=, cases[i].most * largest);
    /* They are lower precisions indeed. */
    g_assert_cmpfloat (worst, >, g->atol / 100);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/precision/products", test_products);
  g_test_add_func ("/precision/extremes", test_extremes);
  g_test_add_data_func ("/precision/classifier", "classifier-1", test_golden);
  g_test_add_data_func ("/precision/two-layers", "encoder-2-relu", test_golden);
  g_test_add_data_func ("/precision/deep", "deep-3", test_golden);
  g_test_add_data_func ("/precision/linear", "recurrent-linear-2", test_golden);
  return g_test_run ();
}
