/* libcontinual: reading the hyper-parameters of one model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/settings.h"
#include "settings/config.h"
#include "settings/metadata.h"
#include "weights/fail.h"
#include "weights/quote.h"
#include <math.h>
#include <string.h>

/* Where the value of the i-th row is in CoSettings */
static const gsize offsets[] = {
#define OFFSET(member, ...) G_STRUCT_OFFSET (CoSettings, member),
  CO_SETTINGS (OFFSET, OFFSET, OFFSET, OFFSET, OFFSET)
#undef OFFSET
};

static gchar *
expected (const CoSetting * setting)
{
  GString *names;

  switch (setting->type) {
    case CO_SETTING_INTEGER:
      return g_strdup_printf ("a whole number from %.0f to %.0f", setting->min,
          setting->max);
    case CO_SETTING_NUMBER:
      return g_strdup_printf ("a number from %g to %g", setting->min,
          setting->max);
    case CO_SETTING_BOOLEAN:
      return g_strdup ("true or false");
    default:
      names = g_string_new ("one of ");
      for (guint i = 0; i < setting->n_choices; i++)
        g_string_append_printf (names, "%s%s", i ? ", " : "",
            setting->choices[i].name);
      return g_string_free (names, FALSE);
  }
}

static gboolean
parse (const CoSetting * setting, const gchar * value, gpointer to)
{
  gchar *end;

  switch (setting->type) {
    case CO_SETTING_INTEGER:{
      gint64 n;
      if (!g_ascii_string_to_signed (value, 10, setting->min, setting->max, &n,
              NULL))
        return FALSE;
      *(gint64 *) to = n;
      return TRUE;
    }
    case CO_SETTING_NUMBER:{
      gdouble x = g_ascii_strtod (value, &end);
      if (end == value || *end != '\0' || !isfinite (x) || x < setting->min
          || x > setting->max)
        return FALSE;
      *(gdouble *) to = x;
      return TRUE;
    }
    case CO_SETTING_BOOLEAN:
      *(gboolean *) to = g_ascii_strcasecmp (value, "true") == 0
          || g_str_equal (value, "1");
      return *(gboolean *) to || g_ascii_strcasecmp (value, "false") == 0
          || g_str_equal (value, "0");
    case CO_SETTING_CHOICE:
      for (guint i = 0; i < setting->n_choices; i++)
        if (co_setting_same_name (setting->choices[i].name, value)) {
          *(gint *) to = i;
          return TRUE;
        }
      return FALSE;
    case CO_SETTING_TEXT:
      *(gchar **) to = g_strdup (value);
      return TRUE;
  }
  return FALSE;
}

/* The value where neither the file nor an option says one */
static void
set_fallback (const CoSetting * setting, gpointer to)
{
  if (setting->fallback)
    parse (setting, setting->fallback, to);
  else if (setting->type == CO_SETTING_INTEGER)
    *(gint64 *) to = setting->unset;
  else if (setting->type == CO_SETTING_NUMBER)
    *(gdouble *) to = setting->unset;
}

/* Python's str (None), for a number without a fallback */
static gboolean
is_none (const CoSetting * setting, const gchar * value)
{
  return setting->type == CO_SETTING_NUMBER && !setting->fallback
      && g_ascii_strcasecmp (value, "none") == 0;
}

/* nhead and num_heads are one hyper-parameter: two values cannot both be right. */
static gboolean
check_aliases (const CoSetting * setting, const CoCheckpoint * file,
    GError ** error)
{
  const gchar *value = co_checkpoint_get_metadata (file, setting->key);
  const gchar *other = setting->alias
      ? co_checkpoint_get_metadata (file, setting->alias) : NULL;
  gint64 a, b;

  if (!value || !other || (parse (setting, value, &a)
          && parse (setting, other, &b) && a == b))
    return TRUE;
  return co_fail (error, CO_ERROR_SETTING, co_checkpoint_get_name (file),
      "metadata says %s %s and %s %s: expected one number, for both mean the same; correct or remove one of them",
      setting->key, value, setting->alias, other);
}

/* Finds the value of row @i and its source. NULL: none; *where says the key in a message. */
static const gchar *
find_value (CoSettings * self, guint i, const CoCheckpoint * file,
    const CoOptions * options, const CoConfig * config, const gchar ** where)
{
  const CoSetting *setting = co_setting_get (i);
  const gchar *value = options ? co_options_get (options, setting->key) : NULL;

  self->sources[i] = CO_SOURCE_OPTION;
  *where = "option";
  if (value)
    return value;
  self->sources[i] = CO_SOURCE_FILE;
  *where = "metadata";
  value = co_metadata_get (file, setting);
  if (value)
    return value;
  self->sources[i] = config->keys[i] ? CO_SOURCE_CONFIG : CO_SOURCE_FAMILY;
  *where = "config.json's value";
  return config->values[i];
}

static gboolean
read_row (CoSettings * self, guint i, const CoCheckpoint * file,
    const CoOptions * options, const CoConfig * config, GError ** error)
{
  const CoSetting *setting = co_setting_get (i);
  gpointer to = (guint8 *) self + offsets[i];
  const gchar *where, *value = find_value (self, i, file, options, config, &where);

  if (self->sources[i] != CO_SOURCE_OPTION && !check_aliases (setting, file, error))
    return FALSE;
  if (!value || is_none (setting, value)) {
    self->sources[i] = CO_SOURCE_DEFAULT;
    set_fallback (setting, to);
  } else if (!parse (setting, value, to)) {
    g_autofree gchar *what = expected (setting);
    g_autofree gchar *found = co_quote (value);

    return co_fail (error, CO_ERROR_SETTING, co_checkpoint_get_name (file),
        "%s %s of %s: expected %s; correct it, or leave it out for the default",
        where, found, setting->key, what);
  }
  return TRUE;
}

gboolean
co_settings_read (CoSettings * self, const CoCheckpoint * file,
    const CoOptions * options, GError ** error)
{
  CoConfig config;
  gboolean ok;

  memset (self, 0, sizeof *self);
  if (!co_metadata_check_keys (file, error)
      || !co_config_read (&config, file, error))
    return FALSE;
  self->family = config.family;
  self->n_layers = config.n_layers;
  self->biases = config.biases;
  ok = TRUE;
  for (guint i = 0; ok && i < CO_N_ROWS; i++)
    ok = read_row (self, i, file, options, &config, error);
  co_config_clear (&config);
  if (!ok)
    co_settings_clear (self);
  return ok;
}

const gchar *
co_source_get_name (CoSource source)
{
  static const gchar *const names[] = {
    [CO_SOURCE_DEFAULT] = "assumed default",
    [CO_SOURCE_FAMILY] = "family",
    [CO_SOURCE_CONFIG] = "config",
    [CO_SOURCE_NAMES] = "tensor names",
    [CO_SOURCE_FILE] = "file",
    [CO_SOURCE_OPTION] = "option",
  };

  return names[source];
}

gchar *
co_settings_get_text (const CoSettings * self, guint row)
{
  const CoSetting *setting = co_setting_get (row);
  gconstpointer from = (const guint8 *) self + offsets[row];
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  if (!setting->fallback && self->sources[row] == CO_SOURCE_DEFAULT)
    return NULL;
  switch (setting->type) {
    case CO_SETTING_INTEGER:
      return g_strdup_printf ("%" G_GINT64_FORMAT, *(const gint64 *) from);
    case CO_SETTING_NUMBER:
      return g_strdup (g_ascii_formatd (number, sizeof number, "%.9g", *(const gdouble *) from));
    case CO_SETTING_BOOLEAN:
      return g_strdup (*(const gboolean *) from ? "true" : "false");
    case CO_SETTING_CHOICE:
      return g_strdup (setting->choices[*(const gint *) from].name);
    case CO_SETTING_TEXT:
      return g_strdup (*(gchar * const *) from);
  }
  return NULL;
}

gchar *
co_settings_to_string (const CoSettings * self)
{
  GString *s = g_string_new (NULL);
  gchar number[G_ASCII_DTOSTR_BUF_SIZE];

  for (guint i = 0; i < co_setting_count (); i++) {
    const CoSetting *setting = co_setting_get (i);
    gconstpointer from = (const guint8 *) self + offsets[i];

    switch (setting->type) {
      case CO_SETTING_INTEGER:
        g_string_append_printf (s, "%s=%" G_GINT64_FORMAT "\n", setting->key,
            *(const gint64 *) from);
        break;
      case CO_SETTING_NUMBER:
        g_string_append_printf (s, "%s=%s\n", setting->key,
            g_ascii_dtostr (number, sizeof number, *(const gdouble *) from));
        break;
      case CO_SETTING_TEXT:            /* labels; the parts that the others name */
        break;
      default:
        g_string_append_printf (s, "%s=%d\n", setting->key,
            *(const gint *) from);
    }
  }
  return g_string_free (s, FALSE);
}

void
co_settings_clear (CoSettings * self)
{
  for (guint i = 0; i < co_setting_count (); i++)
    if (co_setting_get (i)->type == CO_SETTING_TEXT)
      g_clear_pointer ((gchar **) ((guint8 *) self + offsets[i]), g_free);
}
