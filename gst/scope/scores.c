/* gst-continual: a bar for each class
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/style.h"

#define PAD 6                   /* left and right of a label */

static void
get_least_size (const guint dims[3], guint * width, guint * height)
{
  *width = 1;
  *height = dims[0];
}

/* Where class @i begins */
static guint
get_top (const ScopePanel * panel, guint i)
{
  return panel->y + (guint) ((guint64) i * panel->height / panel->dims[0]);
}

/* Labels take at most 2/5 of the panel. */
static void
draw_ground (ScopePanel * panel, cairo_t * cr)
{
  const guint size = scope_panel_get_text_size (panel);

  panel->margin = 0;
  if (size < SCOPE_TEXT_LEAST || panel->width < 8 * PAD)
    return;
  for (guint i = 0; i < panel->dims[0]; i++) {
    g_autofree gchar *label = scope_panel_copy_label (panel, i);

    panel->margin = MAX (panel->margin, scope_text_measure (panel->text, label,
            size) + 2 * PAD);
  }
  panel->margin = MIN (panel->margin, panel->width * 2 / 5);
  for (guint i = 0; i < panel->dims[0]; i++) {
    g_autofree gchar *label = scope_panel_copy_label (panel, i);

    scope_text_draw (panel->text, cr, label, size, panel->x + PAD,
        (get_top (panel, i) + get_top (panel, i + 1)) / 2.0,
        panel->margin - 2 * PAD, TRUE);
  }
}

static void
draw (const ScopePanel * panel, cairo_t * cr)
{
  const gfloat *values = scope_history_get (panel->history, panel->stream, 0);
  const guint room = panel->width - panel->margin;

  for (guint i = 0; i < panel->dims[0]; i++) {
    const gdouble level = scope_scale_get_level (&panel->scale, values[i]);
    const guint top = get_top (panel, i), bottom = get_top (panel, i + 1);

    if (isnan (level))
      continue;
    scope_set_color (cr, scope_scale_get_bar_color (&panel->scale, values[i]));
    cairo_rectangle (cr, panel->x + panel->margin, top, level * room,
        bottom - top > 3 ? bottom - top - 1 : bottom - top);
    cairo_fill (cr);
  }
}

const ScopeStyle scope_scores = {
  .dims = "CLASSES, CLASSES:POSITIONS (of which the newest is shown) or CLASSES:POSITIONS:STREAMS",
  .labeled = TRUE,
  .least = NAN,
  .most = NAN,
  .memory = 1000,
  .get_least_size = get_least_size,
  .draw_ground = draw_ground,
  .draw = draw,
};
