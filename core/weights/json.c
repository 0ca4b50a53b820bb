/* libcontinual: JSON from files that are not trusted
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include <string.h>

#include "fail.h"
#include "quote.h"

json_t *
co_json_parse (const gchar * text, gsize size, const gchar * file,
    const gchar * what, const gchar * todo, GError ** error)
{
  g_autofree gchar *found = NULL;
  const gchar *nul = size > 0 ? memchr (text, '\0', size) : NULL;
  json_error_t json_error;
  json_t *root;

  /* Jansson skips a NUL behind a number and behind true, false and null. */
  if (nul) {
    co_fail (error, CO_ERROR_CORRUPT, file, "expected %s in JSON, found a NUL "
        "at its byte %" G_GSIZE_FORMAT "; %s", what, (gsize) (nul - text),
        todo);
    return NULL;
  }
  root = json_loadb (text, size, JSON_REJECT_DUPLICATES, &json_error);
  if (json_is_object (root))
    return root;
  if (root) {
    found = co_json_describe (root);
    json_decref (root);
    co_fail (error, CO_ERROR_CORRUPT, file,
        "expected %s in JSON, found %s; %s", what, found, todo);
  } else {
    found = co_quote (json_error.text);
    co_fail (error, CO_ERROR_CORRUPT, file, "expected %s in JSON, found an "
        "error at its byte %d: %s; %s", what, json_error.position, found, todo);
  }
  return NULL;
}

gchar *
co_json_describe (const json_t * value)
{
  if (value == NULL)
    return g_strdup ("nothing");
  switch (json_typeof (value)) {
    case JSON_OBJECT:
      return g_strdup_printf ("an object of %" G_GSIZE_FORMAT " members",
          json_object_size (value));
    case JSON_ARRAY:
      return g_strdup_printf ("an array of %" G_GSIZE_FORMAT " items",
          json_array_size (value));
    case JSON_STRING:
      return co_quote (json_string_value (value));
    case JSON_INTEGER:
      return g_strdup_printf ("%" JSON_INTEGER_FORMAT,
          json_integer_value (value));
    case JSON_REAL:
      return g_strdup_printf ("the fractional number %g",
          json_real_value (value));
    case JSON_TRUE:
      return g_strdup ("true");
    case JSON_FALSE:
      return g_strdup ("false");
    case JSON_NULL:
      return g_strdup ("null");
  }
  g_return_val_if_reached (NULL);
}
