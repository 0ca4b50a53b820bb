/* libcontinual: JSON from files that are not trusted
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/error.h>
#include <jansson.h>

G_BEGIN_DECLS

/* Parses a JSON object. Duplicate keys, NUL characters and nesting deeper than Jansson's limit are errors.
 *
 * @text: (size). @file: the file's name in messages. @what: the name of the object in messages, such as "a header".
 * @todo: what the message says to do.
 * Returns: a reference to release with json_decref(), or NULL with CO_ERROR_CORRUPT. */
json_t *co_json_parse (const gchar * text, gsize size, const gchar * file,
    const gchar * what, const gchar * todo, GError ** error);

/* A short description of @value for messages; NULL: "nothing". */
gchar *co_json_describe (const json_t * value);

G_END_DECLS
