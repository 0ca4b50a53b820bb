/* libcontinual: hyper-parameters that override those of a file
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/settings.h"
#include <string.h>

struct _CoOptions
{
  GTree *values;                /* key to value, sorted */
};

static gint
compare_keys (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (a, b);
}

G_DEFINE_BOXED_TYPE (CoOptions, co_options, co_options_copy, co_options_free)

CoOptions *
co_options_new (void)
{
  CoOptions *self = g_new0 (CoOptions, 1);

  self->values = g_tree_new_full (compare_keys, NULL, NULL, g_free);
  return self;
}

static gboolean
copy_value (gpointer key, gpointer value, gpointer to)
{
  g_tree_insert (to, key, g_strdup (value));
  return FALSE;
}

CoOptions *
co_options_copy (const CoOptions * self)
{
  CoOptions *copy = co_options_new ();

  g_tree_foreach (self->values, copy_value, copy->values);
  return copy;
}

void
co_options_free (CoOptions * self)
{
  if (!self)
    return;
  g_tree_unref (self->values);
  g_free (self);
}

static gboolean
fail_unknown (const gchar * key, GError ** error)
{
  g_autoptr (GString) known = g_string_new (NULL);
  g_autofree gchar *found = g_utf8_make_valid (key, -1);

  for (guint i = 0; i < co_setting_count (); i++)
    g_string_append_printf (known, "%s%s", i ? ", " : "", co_setting_get (i)->key);
  g_set_error (error, CO_ERROR, CO_ERROR_SETTING,
      "there is no hyper-parameter '%s'; there are %s", found, known->str);
  return FALSE;
}

gboolean
co_options_set (CoOptions * self, const gchar * key, const gchar * value,
    GError ** error)
{
  const CoSetting *setting;

  g_return_val_if_fail (self != NULL && key != NULL, FALSE);

  setting = co_setting_find (key);
  if (!setting)
    return fail_unknown (key, error);
  if (value)
    g_tree_insert (self->values, (gpointer) setting->key, g_strdup (value));
  else
    g_tree_remove (self->values, setting->key);
  return TRUE;
}

const gchar *
co_options_get (const CoOptions * self, const gchar * key)
{
  return g_tree_lookup (self->values, key);
}

static gboolean
append_value (gpointer key, gpointer value, gpointer to)
{
  g_autofree gchar *escaped = g_strescape (value, NULL);

  g_string_append_printf (to, "%s=%s\n", (gchar *) key, escaped);
  return FALSE;
}

gchar *
co_options_to_string (const CoOptions * self)
{
  GString *s = g_string_new (NULL);

  if (self)
    g_tree_foreach (self->values, append_value, s);
  return g_string_free (s, FALSE);
}
