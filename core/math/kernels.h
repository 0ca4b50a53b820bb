/* libcontinual: the inner loops, once for each instruction set
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Matrices lie in panels of CO_PANEL outputs, each (n_in, CO_PANEL): output o's weight for input i is
 * w[o / CO_PANEL * stride + i * CO_PANEL + o % CO_PANEL]. The last panel is filled up with zeros. */
#define CO_PANEL 16

/* Rows whose softmax lost one key, gained another and moved its maximum. Of each row r and head h, with factors
 * f = f[h][r] and so on:
 *
 *   p[r][h] = f p[r][h] + a x[h] + b z[h],   y[r] = from[r] + sum_h c p[r][h] */
typedef struct
{
  gsize n_rows, n_heads, n;
  float *p;                     /* (n_rows, n_heads, n) */
  const float *f, *a, *b, *c;   /* (n_heads, n_rows) at stride */
  gsize stride;
  const float *x, *z;           /* (n_heads, n) */
  const float *from;            /* (n_rows, n) at from_stride */
  gsize from_stride;
  float *y;                     /* (n_rows, n) */
} CoExchange;

/* Every table computes the same, to rounding. Vectors need no alignment.
 *
 * Products by weights, norms and activations are invariant: a row's results are the same to the bit whatever the number of
 * rows and the row's index. */
typedef struct
{
  const char *name;
  /* linear_bfloat16 rounds its inputs to bfloat16, for the processor multiplies those. */
  gboolean bfloat16_inputs;

  /* y[r][o] = sum_i w[o][i] x[r][i] + b[o] */
  void (*linear) (const float *w /* panels of (n_out, n_in) */ , gsize stride,
      const float *b /* (n_out) or NULL */ , gsize n_out, gsize n_in,
      const float *x /* (n_rows, n_in) at x_stride */ , gsize x_stride,
      gsize n_rows,
      float *y /* (n_rows, n_out) at y_stride */ , gsize y_stride);
  /* The same of one row, without b, in another order of sums, which is faster for few outputs: for what is never done for
   * several rows at once */
  void (*linear_row) (const float *w /* panels of (n_out, n_in) */ ,
      gsize stride, gsize n_out, gsize n_in, const float *x /* (n_in) */ ,
      float *y /* (n_out) */ );
  /* linear with weights in bfloat16, two inputs' in a word: panels of (n_in / 2, CO_PANEL), n_in filled up to an even
   * number. See bfloat16_inputs. */
  void (*linear_bfloat16) (const guint32 * w,
      const float *b /* (n_out) or NULL */ , gsize n_out, gsize n_in,
      const float *x /* (n_rows, n_in) at x_stride */ , gsize x_stride,
      gsize n_rows,
      float *y /* (n_rows, n_out) at y_stride */ , gsize y_stride);
  /* The same with weights in int8, each output's times its scale, the inputs rounded to 15 bits of the row's largest:
   * panels of (n_in / 4, CO_PANEL, 2), n_in filled up to a multiple of 4. Of the two words of an output the lower bytes hold the
   * weights of the first and the second input plus 128, the upper bytes those of the third and the fourth. */
  void (*linear_int8) (const gint16 * w, const float *scales /* (n_out) */ ,
      const float *b /* (n_out) or NULL */ , gsize n_out, gsize n_in,
      const float *x /* (n_rows, n_in) at x_stride */ , gsize x_stride,
      gsize n_rows,
      float *y /* (n_rows, n_out) at y_stride */ , gsize y_stride);
  /* y[i] += sum_o x[o] w[o][i] */
  void (*linear_transposed) (const float *w /* (n_out, n_in) at w_stride */ ,
      gsize w_stride, gsize n_out, gsize n_in,
      const float *x /* (n_out) */ , float *y /* (n_in) */ );
  float (*dot) (const float *a /* (n) */ , const float *b /* (n) */ , gsize n);
  /* y[r] = w[r] . x */
  void (*dots) (const float *w /* (n_rows, n) at w_stride */ , gsize w_stride,
      gsize n_rows, gsize n, const float *x /* (n) */ ,
      float *y /* (n_rows) */ );
  /* y += a x */
  void (*axpy) (float a, const float *x /* (n) */ , float *y /* (n) */ ,
      gsize n);
  /* The same in double */
  void (*axpy_double) (double a, const double *x /* (n) */ ,
      double *y /* (n) */ , gsize n);
  /* y = sum_t a[t] x[t] of one to four terms; y may be one of them */
  void (*combine_double) (gsize n_terms, const double *a, const double *const *x, double *y /* (n) */ ,
      gsize n);
  /* y[r] += f[r] x */
  void (*add_outer_double) (const double *f /* (n_rows) */ ,
      const double *x /* (n) */ , double *y /* (n_rows, n) */ , gsize n_rows,
      gsize n);
  /* y = sum_r f[r] x[r] */
  void (*weigh_rows_double) (const double *f /* (n_rows) */ ,
      const double *x /* (n_rows, n) */ , double *y /* (n) */ , gsize n_rows,
      gsize n);
  /* y = exp (x); x and y may be the same */
  void (*exp_double) (const double *x /* (n) */ , double *y /* (n) */ , gsize n);
  /* y = a x + b */
  void (*affine) (float a, const float *x /* (n) */ ,
      const float *b /* (n) */ , float *y /* (n) */ , gsize n);
  void (*exchange) (const CoExchange * e);
  float (*max) (const float *x /* (n) */ , gsize n);
  /* the largest |x| */
  float (*peak) (const float *x /* (n) */ , gsize n);
  /* y = exp (x - shift), returns the sum; x and y may be the same */
  float (*exp_sum) (const float *x /* (n) */ , float shift,
      float *y /* (n) */ , gsize n);
  /* of each row z = x + a: y = (z - mean) * scale * g + b, scale = 1 / sqrt (var + eps); y may be x where x_stride is n */
  void (*layer_norm) (const float *x /* (n_rows, n) at x_stride */ ,
      gsize x_stride, const float *a /* (n_rows, n) or NULL: none */ ,
      const float *g /* (n) */ , const float *b /* (n) or NULL */ , float eps,
      float *y /* (n_rows, n) */ , float *scale /* (n_rows) or NULL */ ,
      gsize n_rows, gsize n);

  /* The same without the mean: y = z * scale * g + b, scale = 1 / sqrt (mean (z^2) + eps) */
  void (*rms_norm) (const float *x /* (n_rows, n) at x_stride */ ,
      gsize x_stride, const float *a /* (n_rows, n) or NULL: none */ ,
      const float *g /* (n) */ , const float *b /* (n) or NULL */ , float eps,
      float *y /* (n_rows, n) */ , float *scale /* (n_rows) or NULL */ ,
      gsize n_rows, gsize n);
  /* (x[i], x[i + n / 2]) rotated by the i-th angle, in place */
  void (*rotate_halves) (float *x /* (n) */ , const float *cosine /* (n / 2) */ ,
      const float *sine /* (n / 2) */ , gsize n);
  /* y *= x */
  void (*multiply) (const float *x /* (n) */ , float *y /* (n) */ , gsize n);

  /* in place, torch's definitions */
  void (*relu) (float *x /* (n) */ , gsize n);
  void (*gelu) (float *x, gsize n);
  void (*gelu_tanh) (float *x, gsize n);
  void (*silu) (float *x, gsize n);
  void (*tanh) (float *x, gsize n);
  void (*sigmoid) (float *x, gsize n);
  void (*elu) (float *x, gsize n);
  void (*leaky_relu) (float *x, gsize n);
  void (*identity) (float *x, gsize n);
} CoKernels;

/* The fastest table that this machine runs; the environment variable CONTINUAL_CPU names a lesser one. */
extern const CoKernels *co_kernels;

/* All tables that this machine runs, the plain one first, ended by NULL. */
const CoKernels *const *co_kernels_all (void);

G_END_DECLS
