/* libcontinual: weights and what they do to rows
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/settings.h>

#include "math/kernels.h"

G_BEGIN_DECLS

typedef struct _CoLinear CoLinear;

/* How weights are kept */
typedef struct
{
  const gchar *name;
  gboolean scaled;              /* each output has a scale */
  gsize (*size) (gsize n_out, gsize n_in);      /* bytes */
  /* From panels of float32; @w is zero. */
  void (*fill) (gpointer w, float *scales /* (n_out) */ ,
      const float *panels /* of (n_out, n_in) */ , gsize n_out, gsize n_in);
  void (*multiply) (const CoLinear * self,
      const float *x /* (n_rows, n_in) */ , gsize x_stride, gsize n_rows,
      float *y /* (n_rows, n_out) */ , gsize y_stride);
} CoFormat;

/* Each format: its name, whether each output has a scale, and its description. */
#define CO_FORMATS(F)                                                   \
  F (float32, FALSE, "Four bytes a weight")                             \
  F (bfloat16, FALSE, "Two bytes a weight, 8 bits of mantissa")         \
  F (int8, TRUE, "One byte a weight, 127 steps to each output's largest; inputs in 15 bits")

enum
{
#define ENUMERATOR(name, scaled, blurb) CO_FORMAT_##name,
  CO_FORMATS (ENUMERATOR)
#undef ENUMERATOR
  CO_N_FORMATS
};

extern const CoFormat *const co_formats[CO_N_FORMATS];
extern const CoChoice co_format_choices[CO_N_FORMATS];

/* y = W x + b; absent where w is NULL */
struct _CoLinear
{
  gsize n_in, n_out;
  const CoFormat *format;
  gconstpointer w;              /* panels, see math/kernels.h */
  const float *scales;          /* (n_out) or NULL */
  const float *b;               /* (n_out) or NULL */
};

/* Multiply-accumulates of @rows rows */
static inline guint64
co_linear_macs (const CoLinear * self, guint64 rows)
{
  return rows * self->n_in * self->n_out;
}

/* Absent where gain is NULL. */
typedef struct
{
  gsize n;
  const float *gain;            /* (n) */
  const float *bias;            /* (n) or NULL */
  float eps;
  gboolean rms;                 /* an RMS norm; else a layer norm */
} CoNorm;

/* Floats that the panels of an (n_out, n_in) matrix take. */
gsize co_panels_size (gsize n_out, gsize n_in);
/* Outputs @first and up of zeroed panels, whose element (o, i) is m[o * out_stride + i * in_stride]. */
void co_panels_fill (float *panels, gsize first, const float *m, gsize n_out,
    gsize n_in, gsize out_stride, gsize in_stride);

/* y[r] = W x[r] + b. Rows lie at the given strides; x and y do not overlap. */
void co_linear (const CoLinear * self, const float *x /* (n_rows, n_in) */ ,
    gsize x_stride, gsize n_rows, float *y /* (n_rows, n_out) */ ,
    gsize y_stride);

/* x and y may be the same where x_stride is n. @scale: what each row was multiplied by, beside the gain. */
void co_norm (const CoNorm * self, const float *x /* (n_rows, n) */ ,
    gsize x_stride, gsize n_rows, float *y /* (n_rows, n) */ ,
    float *scale /* (n_rows) or NULL */ );

/* x = norm (x + a) */
void co_add_norm (const CoNorm * self, float *x /* (n_rows, n) */ ,
    const float *a /* (n_rows, n) */ , gsize n_rows);

/* What CoExchange says. */
void co_exchange (const CoExchange * exchange);

/* c = alpha a b^T + beta c */
void co_matmul_nt (gsize m, gsize n, gsize k, float alpha,
    const float *a /* (m, k) */ , gsize a_stride,
    const float *b /* (n, k) */ , gsize b_stride, float beta,
    float *c /* (m, n) */ , gsize c_stride);

/* c = a b, in double */
void co_matmul_double (gsize m, gsize n, gsize k,
    const double *a /* (m, k) */ , const double *b /* (k, n) */ ,
    double *c /* (m, n) */ );

/* c = alpha a b + beta c */
void co_matmul_nn (gsize m, gsize n, gsize k, float alpha,
    const float *a /* (m, k) */ , gsize a_stride,
    const float *b /* (k, n) */ , gsize b_stride, float beta,
    float *c /* (m, n) */ , gsize c_stride);

G_END_DECLS
