/* libcontinual: rotary positions
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021. Queries and keys are rotated by angles in
 * proportion to their positions, so that a logit depends on the difference of the positions: a cached key keeps its angle.
 * Features i and i + n / 2 of a head are a pair; interleaved pairs are reordered when a model is loaded. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gsize n;                      /* features of each head that are rotated, from its begin: an even number */
  const double *turns;          /* (n / 2) full turns per position: theta^(-2 i / n) / 2 pi */
} CoRotary;

/* The cosines and sines of position @t. Formed in double: right to 1e-7 after 10^9 vectors. */
void co_rotary_angles (const CoRotary * self, guint64 t,
    float *cosine /* (n / 2) */ , float *sine /* (n / 2) */ );

/* Rotates each head, in place. */
void co_rotary_apply (const CoRotary * self, float *x /* (n_heads, d) */ ,
    gsize n_heads, gsize d, const float *cosine, const float *sine);

G_END_DECLS
