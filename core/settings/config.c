/* libcontinual: hyper-parameters from config.json
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/config.h"
#include "weights/fail.h"
#include "weights/json.h"
#include <string.h>

#define WITHOUT "load model.safetensors itself to leave config.json out, and give the hyper-parameters as metadata or options"

static gboolean
fail (const gchar * name, GError ** error, const gchar * key,
    const gchar * expected, const json_t * found, const gchar * todo)
{
  g_autofree gchar *what = co_json_describe (found);

  return co_fail (error, CO_ERROR_SETTING, name,
      "`%s` of config.json: expected %s, found %s; %s", key, expected, what, todo);
}

static const json_t *
member (const json_t * object, const gchar * key)
{
  const json_t *value = json_object_get (object, key);

  return json_is_null (value) ? NULL : value;
}

/* As a metadata string; NULL for what is none */
static gchar *
to_text (const json_t * value)
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

/* The words for a JSON value that can be a value of @setting; @fits: whether @value is one */
static const gchar *
expected_json (const CoSetting * setting, const json_t * value,
    gboolean * fits)
{
  switch (setting->type) {
    case CO_SETTING_INTEGER:
      *fits = json_is_integer (value);
      return "a whole number";
    case CO_SETTING_NUMBER:
      *fits = json_is_number (value);
      return "a number";
    case CO_SETTING_BOOLEAN:
      *fits = json_is_boolean (value);
      return "true or false";
    default:
      *fits = json_is_string (value);
      return "a string";
  }
}

static gboolean
read_key (CoConfig * self, const CoFamilyKey * key, const json_t * object,
    const gchar * name, GError ** error)
{
  const CoSetting *setting = co_setting_get (key->row);
  const json_t *value = member (object, key->key);
  const gchar *expected;
  gboolean fits;

  if (!value) {
    self->values[key->row] = g_strdup (key->fallback);
    return TRUE;
  }
  expected = expected_json (setting, value, &fits);
  if (!fits)
    return fail (name, error, key->key, expected, value, WITHOUT);
  if (key->row == CO_ROW_activation) {
    const gchar *ours = co_family_activation (json_string_value (value));

    if (!ours)
      return fail (name, error, key->key,
          "an activation that this version runs (gelu, gelu_new, gelu_pytorch_tanh, relu, silu, tanh, sigmoid, "
          "leaky_relu, linear)", value, "such a model cannot be run");
    self->values[key->row] = g_strdup (ours);
  } else {
    self->values[key->row] = to_text (value);
  }
  self->keys[key->row] = key->key;
  return TRUE;
}

static gboolean
check (const CoFamilyCheck * check, const json_t * object,
    const gchar * name, GError ** error)
{
  const json_t *value = member (object, check->key);
  g_autofree gchar *text = value ? to_text (value) : NULL;
  g_autofree gchar *expected = NULL;

  if (!value || g_strcmp0 (text, check->value) == 0)
    return TRUE;
  expected = g_strdup_printf ("%s or nothing, for anything else means %s, which this version cannot run",
      check->value, check->why);
  return fail (name, error, check->key, expected, value, "such a model cannot be run");
}

static const CoFamily *
find_family (const gchar * model_type)
{
  for (gsize i = 0; co_families[i]; i++)
    if (g_str_equal (co_families[i]->model_type, model_type))
      return co_families[i];
  return NULL;
}

static gboolean
read_family (CoConfig * self, const json_t * root, const gchar * name,
    GError ** error)
{
  const json_t *type = member (root, "model_type"), *object = root, *n_layers;

  if (json_is_string (type))
    self->family = find_family (json_string_value (type));
  if (!self->family) {
    g_autoptr (GString) known = g_string_new ("one of ");

    for (gsize i = 0; co_families[i]; i++)
      g_string_append_printf (known, "%s%s", i ? ", " : "", co_families[i]->model_type);
    return fail (name, error, "model_type", known->str, type, WITHOUT);
  }
  if (self->family->config) {
    object = member (root, self->family->config);
    if (!json_is_object (object))
      return fail (name, error, self->family->config, "an object", object, "save the whole configuration");
  }
  n_layers = member (object, self->family->n_layers);
  if (n_layers && (!json_is_integer (n_layers) || json_integer_value (n_layers) < 1))
    return fail (name, error, self->family->n_layers, "a number of layers", n_layers, WITHOUT);
  self->n_layers = json_integer_value (n_layers);
  for (const CoFamilyCheck * c = self->family->checks; c->key; c++)
    if (!check (c, object, name, error))
      return FALSE;
  for (const CoFamilyValue * v = self->family->values; v->value; v++)
    self->values[v->row] = g_strdup (v->value);
  for (const CoFamilyKey * k = self->family->keys; k->key; k++)
    if (!read_key (self, k, object, name, error))
      return FALSE;
  return TRUE;
}

gboolean
co_config_parse (CoConfig * self, const gchar * text, const gchar * name,
    GError ** error)
{
  json_t *root = co_json_parse (text, strlen (text), name, "a configuration", "save it again", error);
  gboolean ok;

  *self = (CoConfig) { 0 };
  if (!root)
    return FALSE;
  ok = read_family (self, root, name, error);
  json_decref (root);
  if (!ok)
    co_config_clear (self);
  return ok;
}

gboolean
co_config_read (CoConfig * self, const CoCheckpoint * file, GError ** error)
{
  const gchar *text = co_checkpoint_get_config (file);

  *self = (CoConfig) { 0 };
  return !text || co_config_parse (self, text, co_checkpoint_get_name (file), error);
}

void
co_config_clear (CoConfig * self)
{
  for (gsize i = 0; i < CO_N_ROWS; i++)
    g_free (self->values[i]);
  *self = (CoConfig) { 0 };
}
