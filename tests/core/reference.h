/* The naive truth: small random models, evaluated in float64 by plain loops
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

typedef struct
{
  gsize n_out, n_in;
  float *w;                     /* (n_out, n_in); NULL: there is no such part */
  float *b;                     /* (n_out) or NULL */
} RefLinear;

typedef struct
{
  gsize n;
  float *gain;                  /* (n); NULL: there is no such part */
  float *bias;                  /* (n) or NULL */
} RefNorm;

typedef struct
{
  RefLinear q, k, v, out;
  float *fixed_k, *fixed_v;     /* (E) bias_k and bias_v, or NULL */
  RefNorm norm1, norm2;
  RefLinear linear1, linear2;
} RefLayer;

/* How the file names the tensors. */
typedef enum
{
  REF_TORCH,
  REF_CONTINUAL,
  REF_FAST_TRANSFORMERS,
} RefNames;

#define REF_MAX_LAYERS 4

/* A model, every number of which is a float, so that the file holds this very model. */
typedef struct
{
  const gchar *kind;
  gsize C, E, H, N, L, D;
  gboolean bare;                /* an attention alone */
  gboolean separate;            /* whose keys and values have sizes of their own */
  gboolean norm_first, zero_attn, partial;
  const gchar *activation;
  double eps;
  gint64 query_index;
  gsize max_len;                /* recurrent-full */
  gboolean drop_oldest;
  RefLinear embed, head;
  float *positions;             /* (P, E) or NULL */
  gsize P;
  RefLayer layers[REF_MAX_LAYERS];
  RefNorm encoder_norm, norm;

  RefNames names;
  gboolean named;               /* children of a classifier have names in place of numbers */
  const gchar *prefix;          /* of all names, "" or ending in a dot */
  GPtrArray *owned;
} RefModel;

/* All vectors that a stream has taken since its reset. */
typedef struct
{
  const float *x;               /* (n, C) */
  const float *key, *value;     /* (n, kdim), (n, vdim) or NULL, as in CoInput */
} RefInput;

/* What is known of one answer. */
typedef struct
{
  double *y;                    /* (positions, D) */
  double *weights;              /* (H, positions, W) */
  double largest_logit, largest_output;
} RefAnswer;

gsize ref_n_fixed (const RefModel * m);
gsize ref_n_positions (const RefModel * m);
/* How many answers the @n-th vector (from 1) brings, and how old the newest of them is. */
gsize ref_n_answers (const RefModel * m, guint64 n, gsize * age);

/* The answer to the vector @age vectors before the last of @n, all of which are in @input. @position is what number
 * the first of them has: 0 unless @input holds only the end of a long stream. */
void ref_answer (const RefModel * m, const RefInput * input, gsize n,
    guint64 position, gsize age, RefAnswer * answer);
void ref_answer_clear (RefAnswer * answer);

/* How many of the last vectors an answer can depend on; G_MAXSIZE: all. */
gsize ref_reach (const RefModel * m);

/* How far from the truth an output may be. */
double ref_tolerance (const RefAnswer * answer);
