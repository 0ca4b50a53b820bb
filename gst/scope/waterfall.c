/* gst-continual: vectors as columns that scroll by
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/style.h"

static void
get_least_size (const guint dims[3], guint * width, guint * height)
{
  *width = *height = 1;
}

static void
get_cells (const guint dims[3], guint length, guint * width, guint * height)
{
  *width = length;
  *height = dims[0];
}

/* The newest column is at the right, the first value of each at the bottom. */
static void
draw (const ScopePanel * panel, cairo_t * cr)
{
  const ScopeCells *cells = &panel->cells;

  for (guint x = 0; x < cells->width; x++) {
    const gfloat *values = scope_history_get (panel->history, panel->stream,
        cells->width - 1 - x);
    guint32 *to = cells->pixels + (cells->height - 1) * cells->stride + x;

    for (guint i = 0; i < cells->height; i++, to -= cells->stride)
      *to = scope_scale_get_color (&panel->scale, values[i]);
  }
  scope_cells_paint (cells, cr, panel->x, panel->y, panel->width,
      panel->height);
}

const ScopeStyle scope_waterfall = {
  .dims = "FEATURES, FEATURES:VECTORS or FEATURES:VECTORS:STREAMS",
  .timed = TRUE,
  .scrolls = TRUE,
  .least = NAN,
  .most = NAN,
  .memory = 1000,
  .get_least_size = get_least_size,
  .get_cells = get_cells,
  .draw = draw,
};
