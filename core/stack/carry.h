/* libcontinual: the first feed-forward product, carried along with an attention's sums
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/work.h"

G_BEGIN_DECLS

typedef struct _CoLayer CoLayer;

/* Of a layer whose attention answers whole windows. Absent where input.w is NULL. */
typedef struct
{
  CoLinear input;               /* E to F: G, with G b_o as its bias */
  const float *bias;            /* (F) W_1 β + b_1 */
} CoCarry;

/* What the sums of a vector's row are added to: base = x + b_o, and behind it G (x + b_o); of a bare attention b_o
 * alone. @scratch (n, E) may be where an attention's input stands that is projected already. */
void co_carry_begin (const CoLayer * self, const float *x /* (n, E) */ ,
    gsize n, float *scratch, float *base /* (n, C) */ );

/* The norm before the feed-forward, the first product and the activation behind it, of the sums in work->a (n, C): leaves
 * the residual in @x and the features in work->ff (n, F). */
void co_carry_end (const CoLayer * self, CoWork * work, gsize n,
    float *x /* (n, E) */ );

G_END_DECLS
