/* libcontinual: the row that a window is reduced to
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The rows of a window are its vectors and, as row 0, the class token. */
typedef enum
{
  CO_POOL_NONE,                 /* the query at query_index, or all positions */
  CO_POOL_LAST,                 /* the newest vector */
  CO_POOL_FIRST,                /* row 0: the class token, or the oldest vector */
  CO_POOL_MEAN,
  CO_POOL_MAX,
  CO_POOL_CLS,                  /* the class token */
} CoPool;

/* Whether the pool needs every row, not one of them */
static inline gboolean
co_pool_reduces (CoPool self)
{
  return self == CO_POOL_MEAN || self == CO_POOL_MAX;
}

/* y = the mean or the maximum of all rows */
void co_pool_reduce (CoPool self, const float *x /* (n, width) */ , gsize n,
    gsize width, float *y /* (width) */ );

G_END_DECLS
