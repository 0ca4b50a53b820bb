/* libcontinual: reading the hyper-parameters of one model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/settings.h"
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

gboolean
co_settings_read (CoSettings * self, const CoSafetensors * file,
    const CoOptions * options, GError ** error)
{
  memset (self, 0, sizeof *self);
  for (guint i = 0; i < co_setting_count (); i++) {
    const CoSetting *setting = co_setting_get (i);
    gpointer to = (guint8 *) self + offsets[i];
    const gchar *value = options ? co_options_get (options, setting->key) : NULL;
    gboolean from_file = value == NULL;

    if (from_file)
      value = co_safetensors_get_metadata (file, setting->key);
    if (!value && setting->alias)
      value = co_safetensors_get_metadata (file, setting->alias);
    if (!value || is_none (setting, value)) {
      set_fallback (setting, to);
    } else if (!parse (setting, value, to)) {
      g_autofree gchar *what = expected (setting);
      g_autofree gchar *found = g_utf8_make_valid (value, -1);

      g_set_error (error, CO_ERROR, CO_ERROR_SETTING,
          "%s: %s '%s' of %s: expected %s; correct it, or leave it out for the default",
          co_safetensors_get_name (file), from_file ? "metadata" : "option",
          found, setting->key, what);
      co_settings_clear (self);
      return FALSE;
    }
  }
  return TRUE;
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
      case CO_SETTING_TEXT:            /* labels, and names of parts */
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
