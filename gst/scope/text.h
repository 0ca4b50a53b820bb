/* gst-continual: text in a picture
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cairo.h>
#include <glib.h>

G_BEGIN_DECLS

/* One line in the fonts of the system; sizes are heights of a line in pixels. One thread at a time */
typedef struct _ScopeText ScopeText;

/* Text of fewer pixels can't be read. */
#define SCOPE_TEXT_LEAST 8

ScopeText *scope_text_new (void);
void scope_text_free (ScopeText * self);

guint scope_text_measure (ScopeText * self, const gchar * text, guint size);

/* Draws @text, cut to @width, from the left edge @x, or with @to_right up to the right edge x + width; @y: of its middle. */
void scope_text_draw (ScopeText * self, cairo_t * cr, const gchar * text,
    guint size, gdouble x, gdouble y, guint width, gboolean to_right);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ScopeText, scope_text_free)

G_END_DECLS
