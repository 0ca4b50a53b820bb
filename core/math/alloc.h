/* libcontinual: aligned memory
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of RAM that the machine has */
guint64 co_ram (void);

/* Zeros, aligned for vector registers; free with co_free(). NULL: there is no room, or n * size is more than the RAM, of
 * which the zeros would take every page; or it is 0. */
gpointer co_try_alloc0 (gsize n, gsize size);
void co_free (gpointer memory);

G_END_DECLS
