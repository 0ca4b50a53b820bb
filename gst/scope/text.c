/* gst-continual: text in a picture
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/text.h"

#include <pango/pangocairo.h>

#include "scope/style.h"

/* Of a line's height, what the font's em has */
#define EM 0.8

struct _ScopeText
{
  PangoFontMap *fonts;          /* of its own: the default one is each thread's */
  PangoContext *context;
  PangoLayout *layout;
};

ScopeText *
scope_text_new (void)
{
  ScopeText *self = g_new (ScopeText, 1);

  self->fonts = pango_cairo_font_map_new ();
  self->context = pango_font_map_create_context (self->fonts);
  self->layout = pango_layout_new (self->context);
  pango_layout_set_single_paragraph_mode (self->layout, TRUE);
  pango_layout_set_ellipsize (self->layout, PANGO_ELLIPSIZE_END);
  return self;
}

void
scope_text_free (ScopeText * self)
{
  if (!self)
    return;
  g_object_unref (self->layout);
  g_object_unref (self->context);
  g_object_unref (self->fonts);
  g_free (self);
}

/* @width -1: as wide as it is */
static void
set (ScopeText * self, const gchar * text, guint size, gint width)
{
  PangoFontDescription *font = pango_font_description_from_string ("Sans");

  pango_font_description_set_absolute_size (font, size * EM * PANGO_SCALE);
  pango_layout_set_font_description (self->layout, font);
  pango_font_description_free (font);
  pango_layout_set_width (self->layout, width < 0 ? -1 : width * PANGO_SCALE);
  pango_layout_set_text (self->layout, text, -1);
}

guint
scope_text_measure (ScopeText * self, const gchar * text, guint size)
{
  gint width;

  set (self, text, size, -1);
  pango_layout_get_pixel_size (self->layout, &width, NULL);
  return (guint) width;
}

static void
show (ScopeText * self, cairo_t * cr, guint32 color, gdouble x, gdouble y)
{
  scope_set_color (cr, color);
  cairo_move_to (cr, x, y);
  pango_cairo_show_layout (cr, self->layout);
}

void
scope_text_draw (ScopeText * self, cairo_t * cr, const gchar * text, guint size,
    gdouble x, gdouble y, guint width, gboolean to_right)
{
  gdouble top;
  gint height;

  set (self, text, size, (gint) width);
  pango_layout_set_alignment (self->layout, to_right ? PANGO_ALIGN_RIGHT :
      PANGO_ALIGN_LEFT);
  pango_layout_get_pixel_size (self->layout, NULL, &height);
  top = y - height / 2.0;
  pango_cairo_update_layout (cr, self->layout);
  /* With an edge, so that it can be read on light colours */
  show (self, cr, SCOPE_EMPTY, x - 1, top - 1);
  show (self, cr, SCOPE_EMPTY, x + 1, top + 1);
  show (self, cr, SCOPE_TEXT, x, top);
}
