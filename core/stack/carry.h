/* libcontinual: the carry of a retroactive layer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/layer.h"

G_BEGIN_DECLS

/* The base of each vector's row, to which the attention adds its sums: x + b_o, then the carry G (x + b_o); b_o alone for a
 * bare attention. @scratch (n, E) may be the input of an attention that is projected already. */
void co_carry_base (const CoLayer * self, const float *x /* (n, E) */ ,
    gsize n, float *scratch, float *base /* (n, C) */ );

/* The norm before the feed-forward, the first product and the activation, from the sums in work->a (n, C): writes the
 * residual to @x and the features to work->ff (n, F). */
void co_carry_features (const CoLayer * self, CoWork * work, gsize n,
    float *x /* (n, E) */ );

G_END_DECLS
