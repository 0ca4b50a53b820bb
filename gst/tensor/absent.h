/* gst-continual: rows of streams that have no vector in a buffer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <math.h>

G_BEGIN_DECLS

/* Whether the stream of @row is absent: all values are NaN. */
static inline gboolean
row_is_absent (const gfloat * row /* (n) */ , gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!isnan (row[i]))
      return FALSE;
  return TRUE;
}

static inline void
row_set_absent (gfloat * row /* (n) */ , gsize n)
{
  for (gsize i = 0; i < n; i++)
    row[i] = NAN;
}

/* A vector that is NaN throughout is not absent but wrong: as infinity it is refused, with a reason. */
static inline void
row_keep_present (gfloat * row /* (n) */ , gsize n)
{
  if (row_is_absent (row, n))
    row[0] = INFINITY;
}

/* TRUE: none of the @n values is a NaN or an infinity. */
static inline gboolean
row_is_finite (const float *row, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (row[i]))
      return FALSE;
  return TRUE;
}

G_END_DECLS
