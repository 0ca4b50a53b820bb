/* The naive truth: what a layout says of the rows before and behind the layers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reference.h"

/* (n, n_out) from (n, n_in) */
double *ref_linear (const RefLinear * f, const double *x, gsize n);
/* (n, f->n), in place */
void ref_norm (const RefModel * m, const RefNorm * f, double *x, gsize n);

/* The rows (length + n_class, E) in front of the layers; @position: of the first vector, since the reset */
double *ref_before_layers (const RefModel * m, double *x /* (length, C) */ ,
    gsize length, guint64 position);

/* The rows behind the last layer that matter: how many, and the first of them */
gsize ref_n_asking (const RefModel * m, gsize length);
gsize ref_first_asking (const RefModel * m, gsize length);

/* answer->y of @n rows (n, E), and the mean of their weights where a pool makes one row of them */
void ref_after_layers (const RefModel * m, double *x, gsize n,
    RefAnswer * answer);
