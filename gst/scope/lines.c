/* gst-continual: the scores of each class over time
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/style.h"

#define STEPS 20                /* cells above each other for a class, of which the topmost stays empty */
#define PAD 6                   /* left of a label */

static void
get_least_size (const guint dims[3], guint * width, guint * height)
{
  *width = 1;
  *height = dims[0];
}

static void
get_cells (const guint dims[3], guint length, guint * width, guint * height)
{
  *width = length;
  *height = (guint) MIN ((guint64) dims[0] * STEPS, G_MAXUINT);
}

/* The column of one score, in the cells from @to upwards */
static void
draw_score (const ScopePanel * panel, gfloat score, guint32 * to)
{
  const gdouble level = scope_scale_get_level (&panel->scale, score);
  const guint filled = isnan (level) ? 0 : (guint) (level * (STEPS - 1) + 0.5);
  const guint32 color =
      filled ? scope_scale_get_bar_color (&panel->scale, score) : SCOPE_EMPTY;

  for (guint i = 0; i < STEPS; i++, to -= panel->cells.stride)
    *to = i < filled ? color : SCOPE_EMPTY;
}

static void
draw_labels (const ScopePanel * panel, cairo_t * cr)
{
  const guint size = scope_panel_get_text_size (panel);

  if (size < SCOPE_TEXT_LEAST || panel->width < 8 * PAD)
    return;
  for (guint i = 0; i < panel->dims[0]; i++) {
    g_autofree gchar *label = scope_panel_copy_label (panel, i);

    scope_text_draw (panel->text, cr, label, size, panel->x + PAD,
        panel->y + (i + 0.5) * panel->height / panel->dims[0],
        panel->width - PAD, FALSE);
  }
}

/* The newest column is at the right. */
static void
draw (const ScopePanel * panel, cairo_t * cr)
{
  const ScopeCells *cells = &panel->cells;

  for (guint x = 0; x < cells->width; x++) {
    const gfloat *scores = scope_history_get (panel->history, panel->stream,
        cells->width - 1 - x);

    for (guint i = 0; i < panel->dims[0]; i++)
      draw_score (panel, scores[i],
          cells->pixels + ((i + 1) * STEPS - 1) * cells->stride + x);
  }
  scope_cells_paint (cells, cr, panel->x, panel->y, panel->width,
      panel->height);
  draw_labels (panel, cr);
}

const ScopeStyle scope_lines = {
  .dims = "CLASSES, CLASSES:POSITIONS (of which the newest is shown) or CLASSES:POSITIONS:STREAMS",
  .scrolls = TRUE,
  .labeled = TRUE,
  .least = NAN,
  .most = NAN,
  .memory = 1000,
  .get_least_size = get_least_size,
  .get_cells = get_cells,
  .draw = draw,
};
