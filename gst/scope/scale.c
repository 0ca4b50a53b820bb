/* gst-continual: values to colours and lengths
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/scale.h"

#include "tensor/absent.h"

#define N_STOPS 7

/* From violet over blue and green to yellow, lighter at every stop */
static const guint8 stops[N_STOPS][3] = {
  {0x14, 0x06, 0x30}, {0x3d, 0x1b, 0x78}, {0x35, 0x4f, 0xa6}, {0x22, 0x84, 0xa0},
  {0x35, 0xb4, 0x7c}, {0x9c, 0xd6, 0x4a}, {0xfc, 0xee, 0x52},
};

static guint32 tables[2][256];

static void
fill_tables (void)
{
  for (guint i = 0; i < 256; i++) {
    const gdouble at = i / 255.0 * (N_STOPS - 1);
    const guint from = MIN ((guint) at, N_STOPS - 2);
    guint32 color = 0;

    for (guint c = 0; c < 3; c++)
      color = color << 8 | (guint) (stops[from][c] + (at - from) *
          (stops[from + 1][c] - stops[from][c]) + 0.5);
    tables[SCOPE_COLORMAP_COLOR][i] = color;
    tables[SCOPE_COLORMAP_GRAY][i] = i * 0x010101;
  }
}

const guint32 *
scope_colormap_get (ScopeColormap colormap)
{
  static gsize filled;

  if (g_once_init_enter (&filled)) {
    fill_tables ();
    g_once_init_leave (&filled, 1);
  }
  return tables[colormap];
}

void
scope_range_push (ScopeRange * self, const gfloat * values, gsize n,
    guint memory)
{
  gdouble min = INFINITY, max = -INFINITY;

  for (gsize i = 0; i < n; i++)
    if (isfinite (values[i])) {
      min = MIN (min, values[i]);
      max = MAX (max, values[i]);
    }
  if (min > max)
    return;
  if (!self->known)
    *self = (ScopeRange) {
    TRUE, min, max};
  self->min = MIN (min, self->min + (min - self->min) / memory);
  self->max = MAX (max, self->max + (max - self->max) / memory);
}

void
scope_softmax (gfloat * values, gsize n)
{
  gfloat max = -INFINITY;
  gdouble sum = 0;

  for (gsize i = 0; i < n; i++) {
    if (isnan (values[i]) || values[i] == INFINITY) {
      row_set_absent (values, n);
      return;
    }
    max = MAX (max, values[i]);
  }
  if (max == -INFINITY) {
    row_set_absent (values, n);
    return;
  }
  for (gsize i = 0; i < n; i++) {
    values[i] = expf (values[i] - max);
    sum += values[i];
  }
  for (gsize i = 0; i < n; i++)
    values[i] = (gfloat) (values[i] / sum);
}
