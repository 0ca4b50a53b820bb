/* libcontinual: rotary positions of a config.json
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/config-json.h"

#define DEFAULT_THETA "10000"
#define DEFAULT_TYPE "default, for another type scales the angles, which this version cannot run"

/* Every other key means something that is not understood. */
static gboolean
check_keys (const CoConfigObject * object, const json_t * rope,
    const gchar * key)
{
  static const gchar *const known[] = { "rope_type", "type", "rope_theta", "partial_rotary_factor", NULL };
  const gchar *name;
  json_t *value;

  json_object_foreach ((json_t *) rope, name, value) {
    g_autofree gchar *expected = NULL;

    if (g_strv_contains (known, name) || json_is_null (value))
      continue;
    expected = g_strdup_printf ("rope_type, rope_theta and partial_rotary_factor only, not '%s'", name);
    return co_config_fail (object, key, expected, rope, CO_CONFIG_NO);
  }
  return TRUE;
}

static gboolean
check_type (const CoConfigObject * object, const json_t * rope)
{
  const gchar *key = co_config_member (rope, "rope_type") ? "rope_type" : "type";
  const json_t *type = co_config_member (rope, key);

  if (!type || g_strcmp0 (json_string_value (type), "default") == 0)
    return TRUE;
  return co_config_fail (object, key, DEFAULT_TYPE, type, CO_CONFIG_NO);
}

/* The modules of these families turn whole heads; a part of a head was never meant. */
static gboolean
check_part (const CoConfigObject * object, const json_t * from)
{
  const json_t *part = co_config_member (from, "partial_rotary_factor");

  if (!part || (json_is_number (part) && json_number_value (part) == 1))
    return TRUE;
  return co_config_fail (object, "partial_rotary_factor", "1 or nothing, for layers of this family turn whole heads", part,
      CO_CONFIG_NO);
}

/* transformers takes rope_scaling, the older name, before rope_parameters, and rope_theta in either before one beside it. */
gboolean
co_config_read_rotary (CoConfig * self, const CoConfigObject * object)
{
  const json_t *scaling = co_config_member (object->json, "rope_scaling");
  const gboolean old = scaling && !(json_is_object (scaling) && json_object_size (scaling) == 0);
  const gchar *key = old ? "rope_scaling" : "rope_parameters";
  const json_t *rope = co_config_member (object->json, key);
  const json_t *theta;
  g_autofree gchar *text = NULL;

  if (rope && !json_is_object (rope))
    return co_config_fail (object, key, "an object", rope, CO_CONFIG_WITHOUT);
  if (!check_type (object, rope) || !check_keys (object, rope, key) || !check_part (object, rope)
      || !check_part (object, object->json))
    return FALSE;
  theta = co_config_member (rope, "rope_theta");
  if (!theta)
    theta = co_config_member (object->json, "rope_theta");
  if (theta && !json_is_number (theta))
    return co_config_fail (object, "rope_theta", "a number", theta, CO_CONFIG_WITHOUT);
  text = theta ? co_config_to_text (theta) : NULL;
  co_config_set (self, CO_ROW_rope_theta, theta ? text : DEFAULT_THETA, theta ? "rope_theta" : NULL);
  return TRUE;
}
