/* libcontinual: words that were meant
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether @a becomes @b by at most @n insertions, deletions, replacements and swaps of neighbours (the optimal string
 * alignment distance), where - and _ are equal and so are upper and lower case. */
gboolean co_is_near (const gchar * a, const gchar * b, guint n);

G_END_DECLS
