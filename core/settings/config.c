/* libcontinual: hyper-parameters from config.json
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/config-json.h"
#include "weights/json.h"
#include <string.h>

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
read_key (CoConfig * self, const CoFamilyKey * key,
    const CoConfigObject * object)
{
  const CoSetting *setting = co_setting_get (key->row);
  const json_t *value = co_config_member (object->json, key->key);
  g_autofree gchar *text = NULL;
  const gchar *expected;
  gboolean fits;

  if (!value) {
    const gboolean unsaid = !setting->fallback && json_object_get (object->json, key->key);

    co_config_set (self, key->row, unsaid ? NULL : key->fallback, NULL);
    return TRUE;
  }
  expected = expected_json (setting, value, &fits);
  if (!fits)
    return co_config_fail (object, key->key, expected, value, CO_CONFIG_WITHOUT);
  text = co_config_to_text (value);
  if (key->row == CO_ROW_activation) {
    const gchar *ours = co_family_activation (text);

    if (!ours)
      return co_config_fail (object, key->key,
          "an activation that this version runs (gelu, gelu_new, gelu_pytorch_tanh, relu, silu, tanh, sigmoid, "
          "leaky_relu, linear)", value, CO_CONFIG_NO);
    co_config_set (self, key->row, ours, key->key);
  } else {
    co_config_set (self, key->row, text, key->key);
  }
  return TRUE;
}

static gboolean
check (const CoFamilyCheck * check, const CoConfigObject * object)
{
  const json_t *value = co_config_member (object->json, check->key);
  g_autofree gchar *text = value ? co_config_to_text (value) : NULL;
  g_autofree gchar *expected = NULL;

  if (!value || g_strcmp0 (text, check->value) == 0)
    return TRUE;
  expected = g_strdup_printf ("%s or nothing, for anything else means %s, which this version cannot run",
      check->value, check->why);
  return co_config_fail (object, check->key, expected, value, CO_CONFIG_NO);
}

static gboolean
read_biases (CoConfig * self, const CoConfigObject * object)
{
  const CoFamilyBias *biases = self->family->biases;

  for (guint i = 0; biases && biases[i].weights; i++) {
    const json_t *value = biases[i].key ? co_config_member (object->json, biases[i].key) : NULL;

    if (value && !json_is_boolean (value))
      return co_config_fail (object, biases[i].key, "true or false", value, CO_CONFIG_WITHOUT);
    if (value ? json_is_true (value) : biases[i].there)
      self->biases |= 1u << i;
  }
  return TRUE;
}

static gboolean
read_n_layers (CoConfig * self, const CoConfigObject * object)
{
  const json_t *value = co_config_member (object->json, self->family->n_layers);

  if (value && (!json_is_integer (value) || json_integer_value (value) < 1))
    return co_config_fail (object, self->family->n_layers, "a number of layers", value, CO_CONFIG_WITHOUT);
  self->n_layers = value ? json_integer_value (value) : self->family->n_layers_fallback;
  return TRUE;
}

static const CoFamily *
find_family (const gchar * model_type)
{
  for (gsize i = 0; co_families[i]; i++)
    if (g_str_equal (co_families[i]->model_type, model_type))
      return co_families[i];
  return NULL;
}

/* The object that describes the part that runs; an empty one if the library would take its default values. */
static gboolean
find_object (const CoFamily * family, CoConfigObject * object, json_t * empty)
{
  const json_t *nested, *type;

  if (!family->config)
    return TRUE;
  nested = co_config_member (object->json, family->config);
  if (nested && !json_is_object (nested))
    return co_config_fail (object, family->config, "an object", nested, "save the whole configuration");
  object->json = nested ? nested : empty;
  type = co_config_member (object->json, "model_type");
  if (type && g_strcmp0 (json_string_value (type), family->config_type) != 0)
    return co_config_fail (object, "model_type", family->config_type, type, CO_CONFIG_NO);
  return TRUE;
}

static gboolean
read_family (CoConfig * self, const CoConfigObject * object)
{
  const CoFamily *family = self->family;

  if (!read_n_layers (self, object) || !read_biases (self, object))
    return FALSE;
  for (const CoFamilyCheck * c = family->checks; c->key; c++)
    if (!check (c, object))
      return FALSE;
  for (const CoFamilyValue * v = family->values; v->value; v++)
    co_config_set (self, v->row, v->value, NULL);
  for (const CoFamilyKey * k = family->keys; k->key; k++)
    if (!read_key (self, k, object))
      return FALSE;
  return (!family->rotary || co_config_read_rotary (self, object))
      && (!family->read_windows || family->read_windows (self, object));
}

static gboolean
read_root (CoConfig * self, const json_t * root, const gchar * name,
    GError ** error)
{
  static const CoFamilyCheck quantized = { "quantization_config", "null", "weights that are quantized" };
  const json_t *type = co_config_member (root, "model_type");
  CoConfigObject object = { root, name, error };
  g_autoptr (GString) known = g_string_new ("one of ");
  json_t *empty;
  gboolean ok;

  if (json_is_string (type))
    self->family = find_family (json_string_value (type));
  if (!self->family) {
    for (gsize i = 0; co_families[i]; i++)
      g_string_append_printf (known, "%s%s", i ? ", " : "", co_families[i]->model_type);
    return co_config_fail (&object, "model_type", known->str, type, CO_CONFIG_WITHOUT);
  }
  empty = json_object ();
  ok = check (&quantized, &object) && find_object (self->family, &object, empty) && check (&quantized, &object)
      && read_family (self, &object);
  json_decref (empty);
  return ok;
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
  ok = read_root (self, root, name, error);
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
