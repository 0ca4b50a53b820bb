/* gst-continual: the states of streams in another CoStream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

G_BEGIN_DECLS

/* Copies the states of the first @n streams of @from to those of @to, of the same model. FALSE, with CO_ERROR_NO_SPACE: there is no room
 * for a copy; the first streams of @to may have theirs already. */
gboolean states_copy (const CoStream * from, CoStream * to, guint n,
    GError ** error);

G_END_DECLS
