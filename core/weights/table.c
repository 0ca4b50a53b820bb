/* libcontinual: sorted tables of strings
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include <string.h>

static void
clear_pair (gpointer data)
{
  CoPair *pair = data;

  g_free (pair->key);
  g_free (pair->value);
}

static gint
compare_keys (gconstpointer a, gconstpointer b)
{
  return strcmp (((const CoPair *) a)->key, ((const CoPair *) b)->key);
}

GArray *
co_table_new (void)
{
  GArray *self = g_array_new (FALSE, FALSE, sizeof (CoPair));

  g_array_set_clear_func (self, clear_pair);
  return self;
}

void
co_table_add (GArray * self, const gchar * key, const gchar * value)
{
  const CoPair pair = { g_strdup (key), g_strdup (value) };

  g_array_append_val (self, pair);
}

void
co_table_sort (GArray * self)
{
  g_array_sort (self, compare_keys);
}

const CoPair *
co_table_get (const GArray * self, gsize index)
{
  return &g_array_index (self, CoPair, index);
}

const gchar *
co_table_lookup (const GArray * self, const gchar * key)
{
  const CoPair wanted = {.key = (gchar *) key };
  guint index;

  if (!g_array_binary_search ((GArray *) self, &wanted, compare_keys, &index))
    return NULL;
  return co_table_get (self, index)->value;
}
