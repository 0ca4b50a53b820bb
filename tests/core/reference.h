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

/* What linear attention maps queries and keys with. */
typedef struct
{
  const gchar *map;
  gsize n_in, n_projected;      /* dk, and rows of the projection, or dk */
  float *projection;            /* (n_projected, dk) or NULL */
  const gchar *kernel_fn;       /* of generalized */
  double smoothing;             /* of smoothed-random-fourier */
  double scale;                 /* of queries and keys */
  double norm;                  /* of the features */
  double eps;                   /* under the ratio */
} RefFeatures;

typedef struct
{
  RefLinear q, k, v, out;
  RefFeatures features;
} RefAttention;

typedef struct
{
  RefAttention self, cross;     /* cross: of a decoder */
  float *fixed_k, *fixed_v;     /* (E) bias_k and bias_v, or NULL */
  RefNorm norm1, norm2, norm3;
  RefLinear linear1, linear2;
} RefLayer;

/* How the file names the tensors. */
typedef enum
{
  REF_TORCH,
  REF_CONTINUAL,
  REF_FAST_TRANSFORMERS,
  REF_KERAS,
} RefNames;

#define REF_MAX_LAYERS 4

typedef enum
{ REF_POOL_NONE, REF_POOL_LAST, REF_POOL_FIRST, REF_POOL_MEAN, REF_POOL_MAX, REF_POOL_CLS } RefPool;

/* What a layout says beside embedding, positions, encoder, norm and head, each of which may be absent */
typedef struct
{
  gboolean on;
  RefNorm input_norm;           /* (C) */
  RefNorm batch_norm;           /* (C) with the statistics: */
  float *batch_mean, *batch_var;        /* (C) */
  double scale;                 /* behind the embedding; 0: none */
  float *class_token;           /* (E) */
  gboolean class_covered;       /* row 0 of the positions is the class token's */
  gboolean window;              /* positions are counted in the window */
  RefNorm between;              /* (E) behind the positions */
  RefPool pool;
  RefNorm fc_norm;              /* (E) behind the pool */
  RefLinear hidden;             /* before the head, and its activation */
  const gchar *hidden_activation;
  const gchar *end;             /* softmax, log_softmax or sigmoid */
  gsize interval;               /* of answers, at least 1 */
} RefLayout;

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
  gsize max_len;                /* recurrent-full; 0: more than enough */
  gboolean drop_oldest;
  gsize chunk_len, window_len;  /* kernel */
  double decay;                 /* 1: none */
  gboolean cache;
  const gchar *map;             /* feature_map or feature_transform */
  const gchar *kernel_fn;       /* NULL: the default */
  double smoothing;             /* 0: the default */
  gboolean decoder, cross_linear;
  RefLinear embed, head;
  float *positions;             /* (P, E) or NULL */
  gsize P;
  RefLayer layers[REF_MAX_LAYERS];
  RefNorm encoder_norm, norm;
  RefLayout layout;

  /* Today's layers */
  gboolean rms, unit_offset;    /* of every norm */
  double rope_theta, rope_partial;      /* rope_theta 0: no rotary positions */
  gboolean rope_interleaved;
  gsize windows[REF_MAX_LAYERS][2];     /* deep: left and right of each layer; left 0: N */

  RefNames names;
  gboolean named;               /* children of a classifier have names in place of numbers */
  const gchar *prefix;          /* of all names, "" or ending in a dot */
  GPtrArray *owned;
} RefModel;

/* What a decoder attends to. */
typedef struct
{
  gsize n;
  float *x;                     /* (n, E) */
} RefMemory;

/* All vectors that a stream has taken since its reset. */
typedef struct
{
  const float *x;               /* (n, C) */
  const float *key, *value;     /* (n, kdim), (n, vdim) or NULL, as in CoInput */
  const guint64 *chunk;         /* (n) which chunk each is in */
  const RefMemory *const *memory;       /* (n) what a decoder attended to */
  gsize n_repeated;             /* so many of the first came over and over, */
  guint64 repeats;              /* so many times (one layer of recurrent-linear) */
} RefInput;

/* What is known of one answer. */
typedef struct
{
  double *y;                    /* (positions, D) */
  double *weights;              /* (H, positions, W) */
  double largest_logit, largest_output;
  double largest_weighed;       /* an output if all values, and what they are multiplied by, were positive */
  double condition;             /* at least 1: how much a ratio of sums enlarges errors of its sums */
} RefAnswer;

gsize ref_n_fixed (const RefModel * m);
/* 1 with a class token, which is the row after the vectors of a window here */
gsize ref_n_class (const RefModel * m);
gsize ref_n_positions (const RefModel * m);
/* Vectors that deep layers see after the one that they answer, and before it without it */
gsize ref_look_ahead (const RefModel * m);
gsize ref_look_back (const RefModel * m);
/* How many answers the @n-th vector (from 1), the @filled-th of its chunk, brings, and how old the newest of them is. */
gsize ref_n_answers (const RefModel * m, guint64 n, gsize filled,
    gsize * age);

/* The answer to the vector @age vectors before the last of @n, all of which are in @input. @position is what number
 * the first of them has: 0 unless @input holds only the end of a long stream. */
void ref_answer (const RefModel * m, const RefInput * input, gsize n,
    guint64 position, gsize age, RefAnswer * answer);
void ref_answer_clear (RefAnswer * answer);

/* How many of the last vectors an answer can depend on; G_MAXSIZE: all. */
gsize ref_reach (const RefModel * m);

double ref_activate (const gchar * name, double x);

/* How far from the truth an output may be: 1e-4, relative to the largest output where that exceeds 1, and 2^-23 of the
 * largest logit times what it multiplies: an error of a logit is a relative one of a weight, and so of a value. */
double ref_tolerance (const RefAnswer * answer);
