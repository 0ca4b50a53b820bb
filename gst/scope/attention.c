/* gst-continual: attention weights over the window, heads side by side
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/style.h"

#define GAP 4                   /* between heads */
#define TITLE 14

/* dims: W weights, P positions, H heads */

static void
get_least_size (const guint dims[3], guint * width, guint * height)
{
  *width = dims[2];
  *height = 1;
}

static void
get_cells (const guint dims[3], guint length, guint * width, guint * height)
{
  *width = dims[1] > 1 ? dims[0] : 0;
  *height = dims[1] > 1 ? dims[1] : 0;
}

typedef struct
{
  guint x, y, width, height;
} Part;

static gboolean
is_titled (const ScopePanel * panel)
{
  return panel->dims[2] > 1 && panel->width / panel->dims[2] >= 4 * TITLE
      && panel->height >= 3 * TITLE;
}

static Part
get_part (const ScopePanel * panel, guint head)
{
  const guint n = panel->dims[2];
  const guint left = (guint) ((guint64) head * panel->width / n);
  const guint right = (guint) ((guint64) (head + 1) * panel->width / n);
  const guint gap = right - left > 3 * GAP && head + 1 < n ? GAP : 0;
  const guint title = is_titled (panel) ? TITLE : 0;

  return (Part) {
  panel->x + left, panel->y + title, right - left - gap, panel->height - title};
}

static void
draw_ground (ScopePanel * panel, cairo_t * cr)
{
  for (guint h = 0; is_titled (panel) && h < panel->dims[2]; h++) {
    const Part part = get_part (panel, h);
    g_autofree gchar *title = g_strdup_printf ("head %u", h);

    scope_text_draw (panel->text, cr, title, TITLE, part.x,
        panel->y + TITLE / 2.0, part.width, FALSE);
  }
}

/* Edges on whole pixels, if each weight has one */
static gdouble
get_edge (const Part * part, guint i, guint n)
{
  const gdouble edge = (gdouble) part->width * i / n;

  return part->x + (part->width >= n ? floor (edge) : edge);
}

/* One position: a bar for each weight. The oldest is at the left. */
static void
draw_bars (const ScopePanel * panel, cairo_t * cr, const Part * part,
    const gfloat * weights)
{
  const guint n = panel->dims[0];

  for (guint i = 0; i < n; i++) {
    const gdouble level = scope_scale_get_level (&panel->scale, weights[i]);
    const gdouble left = get_edge (part, i, n);

    if (isnan (level))
      continue;
    scope_set_color (cr, scope_scale_get_bar_color (&panel->scale, weights[i]));
    cairo_rectangle (cr, left, part->y + (1 - level) * part->height,
        get_edge (part, i + 1, n) - left, level * part->height);
    cairo_fill (cr);
  }
}

/* Several: a row for each, the oldest at the top. */
static void
draw_map (const ScopePanel * panel, cairo_t * cr, const Part * part,
    const gfloat * weights)
{
  const ScopeCells *cells = &panel->cells;

  for (guint y = 0; y < cells->height; y++)
    for (guint x = 0; x < cells->width; x++)
      cells->pixels[y * cells->stride + x] =
          scope_scale_get_color (&panel->scale,
          weights[(gsize) y * cells->width + x]);
  scope_cells_paint (cells, cr, part->x, part->y, part->width, part->height);
}

static void
draw (const ScopePanel * panel, cairo_t * cr)
{
  const gsize head = (gsize) panel->dims[0] * panel->dims[1];
  const gfloat *weights = scope_history_get (panel->history, panel->stream, 0);

  for (guint h = 0; h < panel->dims[2]; h++, weights += head) {
    const Part part = get_part (panel, h);

    (panel->dims[1] > 1 ? draw_map : draw_bars) (panel, cr, &part, weights);
  }
}

const ScopeStyle scope_attention = {
  .dims = "WINDOW, WINDOW:POSITIONS, WINDOW:POSITIONS:HEADS or WINDOW:POSITIONS:HEADS:STREAMS",
  .weights = TRUE,
  .least = 0,
  .most = NAN,
  .memory = 20,
  .get_least_size = get_least_size,
  .get_cells = get_cells,
  .draw_ground = draw_ground,
  .draw = draw,
};
