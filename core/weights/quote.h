/* libcontinual: a file's strings and shapes in messages
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @text in quotes, safe to print whatever a file contains: cut after 120 characters; characters that are not
 * printable, and bytes that are not UTF-8, are escaped. */
gchar *co_quote (const gchar * text);

/* A shape for a message, such as "(12, 4)". @zero: what to write for a size of 0; NULL: 0. */
gchar *co_shape_to_string (const gsize * dims, gsize n, const gchar * zero);

G_END_DECLS
