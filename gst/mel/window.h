/* gst-continual: window functions
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mel/melsettings.h"

G_BEGIN_DECLS

void mel_window_fill (MelWindow window, gdouble * w /* (n) */ , guint n);

G_END_DECLS
