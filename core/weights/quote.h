/* libcontinual: strings of a file in messages
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @text, in quotes, as a message can show it whatever a file put there: cut when long, and what is not
 * printable escaped. */
gchar *co_quote (const gchar * text);

G_END_DECLS
