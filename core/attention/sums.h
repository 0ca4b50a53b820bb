/* libcontinual: sums over keys, in constant memory
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attention/features.h"

G_BEGIN_DECLS

/* The sums of linear attention over the keys of one head: for each of M features f a row of d_value + 2 doubles,
 *
 *   shift   0, or with logarithms the largest log feature
 *   weight  sum_j exp (f_j - shift), or sum_j f_j
 *   values  sum_j exp (f_j - shift) v_j, or sum_j f_j v_j
 *
 * Zeros are the sums over no keys. Each feature has its own shift, so that a large feature does not underflow the others. */
typedef struct
{
  gsize n_features, d_value;
  gboolean logs;
} CoSumsShape;

static inline gsize
co_sums_size (const CoSumsShape * self)
{
  return self->n_features * (self->d_value + 2);
}

/* What sums are made of */
typedef struct
{
  double n;                     /* keys, at most */
  double feature, value;        /* the largest of a key: feature, or its logarithm; element of a value */
  gboolean positive;            /* no feature is negative */
} CoSumsBounds;

/* Whether finite @sums are of such keys. Their outputs are finite, then, or become so. */
gboolean co_sums_are_sound (const CoSumsShape * self, const double *sums,
    const CoSumsBounds * bounds);

void co_sums_add (const CoSumsShape * self, double *sums,
    const double *f /* (M) of the key */ , const float *v /* (d_value) */ ,
    double *scratch /* (d_value + 2) */ );

/* @sums *= @factor, 0 < factor <= 1 */
void co_sums_decay (const CoSumsShape * self, double *sums, double factor);

/* @sums += @factor times @other */
void co_sums_merge (const CoSumsShape * self, double *sums,
    const double *other, double factor);

/* sum_j w_j v_j / (sum_j w_j + eps), where w_j is the product of the query's features and the key's.
 * @scratch: d_value + 2 + M doubles */
void co_sums_attend (const CoSumsShape * self, const double *sums,
    const double *f /* (M) of the query */ , double eps,
    float *out /* (d_value) */ , double *scratch);

G_END_DECLS
