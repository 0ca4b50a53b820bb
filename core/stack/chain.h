/* libcontinual: maps of single rows, one after another
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "math/activation.h"
#include "math/linear.h"

G_BEGIN_DECLS

typedef struct _CoOp CoOp;

/* A map of each row by itself */
typedef struct
{
  const gchar *name;
  gboolean in_place;            /* x and y of apply() may be the same */
  gboolean apart;               /* x and y may be different memory, without overlap */
  void (*apply) (const CoOp * self, const float *x /* (n, n_in) */ , gsize n,
      float *y /* (n, n_out) */ );
} CoOpClass;

struct _CoOp
{
  const CoOpClass *klass;
  gsize n_in, n_out;
  CoLinear linear;
  CoNorm norm;
  const float *gain, *offset;   /* (n_in) affine: y = gain x + offset */
  CoActivation activation;
};

extern const CoOpClass co_op_linear;
extern const CoOpClass co_op_norm;      /* layer norm */
extern const CoOpClass co_op_affine;    /* a batch norm in evaluation, a scale */
extern const CoOpClass co_op_activation;
extern const CoOpClass co_op_softmax;
extern const CoOpClass co_op_log_softmax;

/* The composition of @n maps; the identity where n is 0 */
typedef struct
{
  CoOp *ops;                    /* (n) */
  gsize n;
} CoChain;

/* The output width for rows of @n_in features */
gsize co_chain_n_out (const CoChain * self, gsize n_in);
/* The widest row between two maps */
gsize co_chain_widest (const CoChain * self, gsize n_in);
/* Multiply-accumulates of @rows rows */
guint64 co_chain_macs (const CoChain * self, guint64 rows);

/* y = f (x). @x and @y may be the same only if no map is a co_op_linear. */
void co_chain_apply (const CoChain * self, const float *x /* (n, n_in) */ ,
    gsize n_in, gsize n, float *y /* (n, n_out) */ ,
    float *scratch /* (2, n, widest) */ );

G_END_DECLS
