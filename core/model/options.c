/* libcontinual: hyper-parameters that win over what a model file says
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/settings.h"
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

gboolean
co_options_set (CoOptions * self, const gchar * key, const gchar * value,
    GError ** error)
{
  const gchar *name;

  g_return_val_if_fail (self != NULL && key != NULL, FALSE);

  name = co_settings_find_key (key, error);
  if (!name)
    return FALSE;
  if (value)
    g_tree_insert (self->values, (gpointer) name, g_strdup (value));
  else
    g_tree_remove (self->values, name);
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
