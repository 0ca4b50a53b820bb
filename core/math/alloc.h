/* libcontinual: memory that kernels stream through
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Zeroed, aligned for vectors; g_aligned_free() frees it. */
gpointer co_alloc0 (gsize n, gsize size);

G_END_DECLS
