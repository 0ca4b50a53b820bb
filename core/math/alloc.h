/* libcontinual: aligned memory
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Zeros, aligned for vector registers; free with co_free(). co_alloc0() ends the process where there is no memory,
 * co_try_alloc0() returns NULL. */
gpointer co_alloc0 (gsize n, gsize size);
gpointer co_try_alloc0 (gsize n, gsize size);
void co_free (gpointer memory);

G_END_DECLS
