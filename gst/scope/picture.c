/* gst-continual: a picture of panels, one for each stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/picture.h"

#include <string.h>

#define GAP 2                   /* between panels */
#define LARGEST_TEXT 20
#define TAG 14                  /* size of a stream's number */

struct _ScopePicture
{
  const ScopeStyle *style;
  guint width, height, n_streams;
  ScopePanel *panels;           /* (S) */
  ScopeCells cells;
  ScopeText *text;
  cairo_surface_t *ground;      /* what stays */
  gboolean grounded;            /* it is drawn */
  cairo_surface_t *canvas;
};

void
scope_set_color (cairo_t * cr, guint32 color)
{
  cairo_set_source_rgb (cr, (color >> 16) / 255.0, (color >> 8 & 0xff) / 255.0,
      (color & 0xff) / 255.0);
}

guint
scope_panel_get_text_size (const ScopePanel * panel)
{
  return MIN (panel->height / panel->dims[0], LARGEST_TEXT);
}

gchar *
scope_panel_copy_label (const ScopePanel * panel, guint i)
{
  return panel->labels ? g_strdup (panel->labels[i]) : g_strdup_printf ("%u", i);
}

static gboolean
cells_init (ScopeCells * self, guint width, guint height)
{
  self->width = width;
  self->height = height;
  self->surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  self->pixels = (guint32 *) cairo_image_surface_get_data (self->surface);
  self->stride = cairo_image_surface_get_stride (self->surface) /
      sizeof (guint32);
  return cairo_surface_status (self->surface) == CAIRO_STATUS_SUCCESS;
}

/* Sharp where cells are larger than pixels, smooth where they are smaller */
void
scope_cells_paint (const ScopeCells * self, cairo_t * cr, guint x, guint y,
    guint width, guint height)
{
  cairo_surface_mark_dirty (self->surface);
  cairo_save (cr);
  cairo_rectangle (cr, x, y, width, height);
  cairo_clip (cr);
  cairo_translate (cr, x, y);
  cairo_scale (cr, (gdouble) width / self->width,
      (gdouble) height / self->height);
  cairo_set_source_surface (cr, self->surface, 0, 0);
  cairo_pattern_set_extend (cairo_get_source (cr), CAIRO_EXTEND_PAD);
  cairo_pattern_set_filter (cairo_get_source (cr), width < self->width
      || height < self->height ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
  cairo_paint (cr);
  cairo_restore (cr);
}

void
scope_picture_get_least_size (const ScopeStyle * style, const guint dims[3],
    guint n_streams, guint * width, guint * height)
{
  style->get_least_size (dims, width, height);
  *height = (guint) MIN ((guint64) * height * n_streams, G_MAXUINT);
}

static void
panel_init (ScopePicture * self, guint i, const guint dims[3],
    const ScopeHistory * history)
{
  const guint top = (guint) ((guint64) i * self->height / self->n_streams);
  const guint bottom =
      (guint) ((guint64) (i + 1) * self->height / self->n_streams);
  guint width, height, gap;

  self->style->get_least_size (dims, &width, &height);
  gap = bottom - top > 8 * GAP && bottom - top >= height + GAP
      && i + 1 < self->n_streams ? GAP : 0;
  self->panels[i] = (ScopePanel) {
  .y = top,.width = self->width,.height = bottom - top - gap,.stream = i,
        .dims = {dims[0], dims[1], dims[2]},.history = history,
        .cells = self->cells,.text = self->text};
}

ScopePicture *
scope_picture_new (const ScopeStyle * style, const guint dims[3],
    guint n_streams, guint width, guint height, const ScopeHistory * history)
{
  g_autoptr (ScopePicture) self = g_new0 (ScopePicture, 1);
  guint cells_width = 0, cells_height = 0;

  self->style = style;
  self->width = width;
  self->height = height;
  self->n_streams = n_streams;
  self->ground = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  self->canvas = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  if (cairo_surface_status (self->ground) || cairo_surface_status (self->canvas))
    return NULL;
  if (style->get_cells)
    style->get_cells (dims, scope_history_get_length (history), &cells_width,
        &cells_height);
  if (cells_width && !cells_init (&self->cells, cells_width, cells_height))
    return NULL;
  self->text = scope_text_new ();
  self->panels = g_new (ScopePanel, n_streams);
  for (guint i = 0; i < n_streams; i++)
    panel_init (self, i, dims, history);
  return g_steal_pointer (&self);
}

void
scope_picture_free (ScopePicture * self)
{
  if (!self)
    return;
  g_free (self->panels);
  scope_text_free (self->text);
  g_clear_pointer (&self->cells.surface, cairo_surface_destroy);
  g_clear_pointer (&self->ground, cairo_surface_destroy);
  g_clear_pointer (&self->canvas, cairo_surface_destroy);
  g_free (self);
}

void
scope_picture_set_labels (ScopePicture * self, const gchar * const *labels)
{
  for (guint i = 0; i < self->n_streams; i++)
    self->panels[i].labels = labels;
  self->grounded = FALSE;
}

static void
draw_ground (ScopePicture * self)
{
  cairo_t *cr = cairo_create (self->ground);

  scope_set_color (cr, SCOPE_EMPTY);
  cairo_paint (cr);
  for (guint i = 0; self->style->draw_ground && i < self->n_streams; i++)
    self->style->draw_ground (&self->panels[i], cr);
  cairo_destroy (cr);
  self->grounded = TRUE;
}

/* The number of the stream */
static void
draw_tag (const ScopePicture * self, const ScopePanel * panel, cairo_t * cr)
{
  g_autofree gchar *tag = g_strdup_printf ("%u", panel->stream);

  if (self->n_streams > 1 && panel->height >= 2 * TAG)
    scope_text_draw (self->text, cr, tag, TAG, panel->x, panel->y + TAG / 2.0,
        panel->width - MIN (4, panel->width), TRUE);
}

void
scope_picture_draw (ScopePicture * self, const ScopeScale * scale)
{
  cairo_t *cr;

  if (!self->grounded)
    draw_ground (self);
  cr = cairo_create (self->canvas);
  cairo_set_operator (cr, CAIRO_OPERATOR_SOURCE);
  cairo_set_source_surface (cr, self->ground, 0, 0);
  cairo_paint (cr);
  cairo_set_operator (cr, CAIRO_OPERATOR_OVER);
  for (guint i = 0; i < self->n_streams; i++) {
    ScopePanel *panel = &self->panels[i];

    panel->scale = *scale;
    self->style->draw (panel, cr);
    draw_tag (self, panel, cr);
  }
  cairo_destroy (cr);
  cairo_surface_flush (self->canvas);
}

void
scope_picture_copy (const ScopePicture * self, guint8 * to, gsize stride)
{
  const guint8 *from = cairo_image_surface_get_data (self->canvas);
  const gsize step = cairo_image_surface_get_stride (self->canvas);

  for (guint y = 0; y < self->height; y++)
    memcpy (to + y * stride, from + y * step, self->width * sizeof (guint32));
}
