/* The naive truth: attention of one query
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reference.h"

/* What queries attend to: keys @from to @to, then the fixed ones of @layer, if it is given. */
typedef struct
{
  const RefAttention *attention;
  const RefLayer *layer;
  const double *q, *k, *v;      /* (n, H dk), (n, H dk), (n, H dv) */
  gsize from, to;
  gsize end;                    /* of the window, whose last keys may not exist; 0: to */
} RefKeys;

/* Softmax: the query in row @row. @weights: of the first head, the window's last key at N - 1; heads @stride apart;
 * or NULL. */
void ref_attend (const RefModel * m, const RefKeys * keys, gsize row,
    double *context /* (H dv) */ , double *weights, gsize stride,
    RefAnswer * answer);

/* A ratio of sums of products of features: the query in row @row. With @chunk a key counts as its chunk does. */
void ref_attend_linear (const RefModel * m, const RefKeys * keys, gsize row,
    const guint64 * chunk, double *context /* (H dv) */ , RefAnswer * answer);

/* The same for every row of @n, each of which attends to all before it and itself; the first @n_repeated count @repeats
 * times. */
void ref_attend_causally (const RefModel * m, const RefKeys * keys, gsize n,
    gsize n_repeated, double repeats, double *context /* (n, H dv) */ , RefAnswer * answer);
