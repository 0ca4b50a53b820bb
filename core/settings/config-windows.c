/* libcontinual: kind and windows of a config.json
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/config-json.h"

#define SLIDING "sliding_attention"
#define FULL "full_attention"

static gboolean
set_full (CoConfig * self, const gchar * key)
{
  co_config_set (self, CO_ROW_kind, "recurrent-full", key);
  return TRUE;
}

static gboolean
set_deep (CoConfig * self, const CoConfigObject * object,
    const json_t * window)
{
  g_autofree gchar *text = NULL;

  if (window && (!json_is_integer (window) || json_integer_value (window) < 1
          || json_integer_value (window) > CO_MAX_COUNT))
    return co_config_fail (object, "sliding_window", "a number of vectors from 1 to " G_STRINGIFY (CO_MAX_COUNT), window,
        CO_CONFIG_WITHOUT);
  text = window ? co_config_to_text (window) : g_strdup (self->family->windows_fallback);
  co_config_set (self, CO_ROW_kind, "deep", window ? "sliding_window" : NULL);
  co_config_set (self, CO_ROW_sequence_len, text, window ? "sliding_window" : NULL);
  return TRUE;
}

/* Whether every layer is of one type: *type, NULL if config.json does not say it. */
static gboolean
read_layer_types (const CoConfig * self, const CoConfigObject * object,
    const gchar ** type)
{
  const json_t *types = co_config_member (object->json, "layer_types");
  const gchar *first = json_string_value (json_array_get (types, 0));
  gboolean ok = first && (g_str_equal (first, FULL) || g_str_equal (first, SLIDING));

  *type = NULL;
  if (!types)
    return TRUE;
  ok = ok && json_array_size (types) == (gsize) self->n_layers;
  for (gsize i = 0; ok && i < json_array_size (types); i++)
    ok = g_strcmp0 (json_string_value (json_array_get (types, i)), first) == 0;
  *type = first;
  return ok || co_config_fail (object, "layer_types", "one entry for each layer, all of them " FULL " or all " SLIDING ", for "
      "this version cannot mix them", types, CO_CONFIG_NO);
}

/* Checks that what layer_types says, if it says anything, is @expected. */
static gboolean
check_layer_types (const CoConfig * self, const CoConfigObject * object,
    const gchar * expected)
{
  const gchar *type;

  if (!read_layer_types (self, object, &type))
    return FALSE;
  return !type || g_str_equal (type, expected)
      || co_config_fail (object, "layer_types", expected, json_array_get (json_object_get (object->json, "layer_types"), 0),
      CO_CONFIG_NO);
}

gboolean
co_config_sliding_window (CoConfig * self, const CoConfigObject * object)
{
  return check_layer_types (self, object, SLIDING)
      && set_deep (self, object, json_object_get (object->json, "sliding_window"));
}

gboolean
co_config_sliding_window_or_null (CoConfig * self,
    const CoConfigObject * object)
{
  if (!json_is_null (json_object_get (object->json, "sliding_window")))
    return co_config_sliding_window (self, object);
  return check_layer_types (self, object, FULL) && set_full (self, "sliding_window");
}

/* Whether the layers from max_window_layers on, which have windows, are all layers, or none */
static gboolean
read_max_window_layers (const CoConfig * self, const CoConfigObject * object,
    const gchar ** type)
{
  const json_t *value = co_config_member (object->json, "max_window_layers");
  const json_int_t first = value ? json_integer_value (value) : 28;     /* transformers' default */

  if (value && !json_is_integer (value))
    return co_config_fail (object, "max_window_layers", "a whole number", value, CO_CONFIG_WITHOUT);
  *type = first <= 0 ? SLIDING : FULL;
  return first <= 0 || first >= self->n_layers
      || co_config_fail (object, "max_window_layers", "no more than 0, or at least the number of layers, for this version "
      "cannot mix layers with and without a window", value, CO_CONFIG_NO);
}

gboolean
co_config_sliding_window_if_used (CoConfig * self,
    const CoConfigObject * object)
{
  const json_t *use = co_config_member (object->json, "use_sliding_window");
  const json_t *window = json_object_get (object->json, "sliding_window");
  const gchar *type = NULL;

  if (use && !json_is_boolean (use))
    return co_config_fail (object, "use_sliding_window", "true or false", use, CO_CONFIG_WITHOUT);
  if (!json_is_true (use) || json_is_null (window))
    return check_layer_types (self, object, FULL) && set_full (self, use ? "use_sliding_window" : NULL);
  if (!read_layer_types (self, object, &type) || (!type && !read_max_window_layers (self, object, &type)))
    return FALSE;
  return !g_strcmp0 (type, FULL) ? set_full (self, "layer_types") : set_deep (self, object, window);
}

gboolean
co_config_no_window (CoConfig * self, const CoConfigObject * object)
{
  return check_layer_types (self, object, FULL) && set_full (self, NULL);
}

/* ---- a pair for each layer ---- */

static gboolean
is_count (const json_t * value, json_int_t min)
{
  return json_is_integer (value) && json_integer_value (value) >= min && json_integer_value (value) <= CO_MAX_COUNT;
}

/* As attention_windows, whose second number counts the vectors ahead; NULL with an error */
static gchar *
pairs_to_text (const CoConfig * self, const CoConfigObject * object,
    const json_t * pairs)
{
  g_autoptr (GString) text = g_string_new ("[");
  gboolean ok = json_is_array (pairs) && json_array_size (pairs) >= (gsize) self->n_layers;

  for (gint64 i = 0; ok && i < self->n_layers; i++) {
    const json_t *pair = json_array_get (pairs, i), *left = json_array_get (pair, 0), *right = json_array_get (pair, 1);

    ok = json_array_size (pair) == 2 && is_count (left, 1) && is_count (right, 0);
    if (ok)
      g_string_append_printf (text, "%s[%" JSON_INTEGER_FORMAT ",%" JSON_INTEGER_FORMAT "]", i ? "," : "",
          json_integer_value (left), MAX (json_integer_value (right) - 1, 0));
  }
  if (!ok) {
    co_config_fail (object, "sliding_windows", "a pair [left, right] of whole numbers for each layer, left at least 1, right "
        "at least 0", pairs, CO_CONFIG_WITHOUT);
    return NULL;
  }
  g_string_append_c (text, ']');
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
co_config_sliding_windows (CoConfig * self, const CoConfigObject * object)
{
  const json_t *said = json_object_get (object->json, "sliding_windows");
  json_t *fallback = json_loads (self->family->windows_fallback, 0, NULL);
  g_autofree gchar *text = pairs_to_text (self, object, said ? said : fallback);

  json_decref (fallback);
  if (!text)
    return FALSE;
  co_config_set (self, CO_ROW_kind, "deep", NULL);
  co_config_set (self, CO_ROW_attention_windows, text, said ? "sliding_windows" : NULL);
  return TRUE;
}
