/* gst-continual: running maximum of a stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MelMaximum MelMaximum;

/* Over the last @window values; 0: over all of them. */
MelMaximum *mel_maximum_new (guint64 window);
void mel_maximum_free (MelMaximum * self);
void mel_maximum_reset (MelMaximum * self);
/* Adds @value. Returns the maximum, with @value. */
gdouble mel_maximum_push (MelMaximum * self, gdouble value);

G_END_DECLS
