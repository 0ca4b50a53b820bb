/* libcontinual: quoting a file's strings in messages
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @text in quotes, safe to print whatever a file contains: cut after 120 characters; characters that are not
 * printable, and bytes that are not UTF-8, are escaped. */
gchar *co_quote (const gchar * text);

G_END_DECLS
