/* libcontinual: values of a config.json
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/config-json.h"
#include "weights/fail.h"
#include "weights/json.h"

gboolean
co_config_fail (const CoConfigObject * self, const gchar * key,
    const gchar * expected, const json_t * found, const gchar * todo)
{
  g_autofree gchar *what = co_json_describe (found);

  return co_fail (self->error, CO_ERROR_SETTING, self->name,
      "`%s` of config.json: expected %s, found %s; %s", key, expected, what, todo);
}

const json_t *
co_config_member (const json_t * object, const gchar * key)
{
  const json_t *value = json_object_get (object, key);

  return json_is_null (value) ? NULL : value;
}

gchar *
co_config_to_text (const json_t * value)
{
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  switch (json_typeof (value)) {
    case JSON_STRING:
      return g_strdup (json_string_value (value));
    case JSON_INTEGER:
      return g_strdup_printf ("%" JSON_INTEGER_FORMAT, json_integer_value (value));
    case JSON_REAL:
      return g_strdup (g_ascii_dtostr (number, sizeof number, json_real_value (value)));
    case JSON_TRUE:
      return g_strdup ("true");
    case JSON_FALSE:
      return g_strdup ("false");
    default:
      return NULL;
  }
}

void
co_config_set (CoConfig * self, guint row, const gchar * value,
    const gchar * key)
{
  g_free (self->values[row]);
  self->values[row] = g_strdup (value);
  self->keys[row] = key;
}
