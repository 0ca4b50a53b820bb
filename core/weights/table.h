/* libcontinual: sorted tables of strings
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A GArray of CoPair, sorted by key. Files choose the keys: a hash table with a known hash function, such as GLib's,
 * takes quadratic time for keys that collide. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *key, *value;           /* owned by the table */
} CoPair;

GArray *co_table_new (void);
/* Copies both strings. Sort the table before the next lookup. */
void co_table_add (GArray * self, const gchar * key, const gchar * value);
void co_table_sort (GArray * self);
const CoPair *co_table_get (const GArray * self, gsize index);
/* The value of @key, or NULL. */
const gchar *co_table_lookup (const GArray * self, const gchar * key);

G_END_DECLS
