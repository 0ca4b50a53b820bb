/* libcontinual: positions that are counted in the window
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row i of the table belongs to the i-th vector of the window, so the position of a cached vector changes with every step.
 * The projections of vectors are cached without their positions, and the projections of the table are constant:
 *
 *   post-norm   W (x_j + p_i) + b = W x_j + b + W p_i
 *   pre-norm    W LN (x_j + p_i) + b = (W g x'_j + W g p'_i) / s_ij + (W β + b)
 *
 * with the gain g and the bias β of the norm, x' and p' without their means (of an RMS norm: with them), and
 * s_ij^2 = (|x'_j|^2 + 2 x'_j.p'_i + |p'_i|^2) / E + eps. */
#pragma once

#include "math/linear.h"

G_BEGIN_DECLS

typedef struct
{
  gsize n;                      /* N, positions of the window */
  gsize width;                  /* of a projected row: q, k, v */
  const float *p;               /* (N, width) W p_i, or W g p'_i */

  /* pre-norm; NULL for post-norm */
  const float *centred;         /* (N, E) p'_i */
  const float *squares;         /* (N) |p'_i|^2 */
  const float *constant;        /* (width) W β + b */
  gsize d_model;                /* E */
  float eps;
} CoPositionTable;

/* Subtracts the mean of each row. @rms: copies it, as an RMS norm has no mean */
void co_centre_rows (gboolean rms, const float *x /* (n, E) */ , gsize n, gsize E,
    float *y /* (n, E) */ );

/* 1 / s_ij of a cached vector x' at position @i. FALSE: x' nearly cancels p', so the sum of their projections would lose
 * digits; compute it from the sum of the rows instead. */
gboolean co_position_scale (const CoPositionTable * self,
    const float *centred /* (E) x' */ , float square /* |x'|^2 */ , gsize i,
    float *scale);

/* z = x' + p'_i; returns 1 / s from z itself */
float co_position_sum (const CoPositionTable * self,
    const float *centred /* (E) x' */ , gsize i, float *z /* (E) */ );

G_END_DECLS
