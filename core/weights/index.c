/* libcontinual: the index of a checkpoint in shards
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "index.h"

#include <string.h>

#include "fail.h"
#include "json.h"
#include "quote.h"
#include "table.h"

#define SUFFIX ".safetensors"
#define SAVE_AGAIN "copy the folder again, or save it again with save_pretrained()"

#define corrupt(error, file, ...) \
  co_fail (error, CO_ERROR_CORRUPT, file, __VA_ARGS__)

/* The names come from the file: a path could name anything on this machine. */
static gboolean
is_plain_name (const gchar * name)
{
  return strpbrk (name, "/\\") == NULL && strlen (name) > strlen (SUFFIX)
      && g_str_has_suffix (name, SUFFIX);
}

static gboolean
parse_weight_map (GArray * weight_map, json_t * object, const gchar * file,
    GError ** error)
{
  g_autofree gchar *found = NULL;
  const char *name;
  json_t *value;

  if (!json_is_object (object) || json_object_size (object) == 0) {
    found = co_json_describe (object);
    return corrupt (error, file, "expected `weight_map`, an object of tensor "
        "names and file names, found %s; " SAVE_AGAIN, found);
  }
  json_object_foreach (object, name, value) {
    if (!json_is_string (value) || !is_plain_name (json_string_value (value))) {
      g_autofree gchar *quoted = co_quote (name);

      found = co_json_describe (value);
      return corrupt (error, file, "weight_map: expected tensor %s in a file "
          "of this folder, by its plain name NAME" SUFFIX ", found %s; "
          SAVE_AGAIN, quoted, found);
    }
    co_table_add (weight_map, name, json_string_value (value));
  }
  co_table_sort (weight_map);
  return TRUE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar * const *) a, *(const gchar * const *) b);
}

/* The distinct values of @weight_map. */
static GPtrArray *
list_shards (const GArray * weight_map)
{
  g_autoptr (GPtrArray) all = g_ptr_array_sized_new (weight_map->len);
  GPtrArray *shards = g_ptr_array_new ();

  for (guint i = 0; i < weight_map->len; i++)
    g_ptr_array_add (all, co_table_get (weight_map, i)->value);
  g_ptr_array_sort (all, compare_names);
  for (guint i = 0; i < all->len; i++) {
    if (i == 0 || strcmp (all->pdata[i], all->pdata[i - 1]) != 0)
      g_ptr_array_add (shards, all->pdata[i]);
  }
  return shards;
}

/* huggingface_hub writes the aliases of shared tensors here. Other values, such as the number total_size, say nothing
 * about the model. */
static void
read_metadata (GArray * metadata, json_t * object)
{
  const char *key;
  json_t *value;

  json_object_foreach (object, key, value) {
    if (json_is_string (value))
      co_table_add (metadata, key, json_string_value (value));
  }
  co_table_sort (metadata);
}

gboolean
co_index_parse (CoIndex * self, const gchar * text, gsize size,
    const gchar * file, GError ** error)
{
  json_t *root =
      co_json_parse (text, size, file, "an index", SAVE_AGAIN, error);
  gboolean ok;

  if (root == NULL)
    return FALSE;
  self->weight_map = co_table_new ();
  self->metadata = co_table_new ();
  self->shards = NULL;
  ok = parse_weight_map (self->weight_map,
      json_object_get (root, "weight_map"), file, error);
  if (ok) {
    self->shards = list_shards (self->weight_map);
    read_metadata (self->metadata, json_object_get (root, "metadata"));
  } else {
    co_index_clear (self);
  }
  json_decref (root);
  return ok;
}

void
co_index_clear (CoIndex * self)
{
  g_clear_pointer (&self->shards, g_ptr_array_unref);
  g_clear_pointer (&self->weight_map, g_array_unref);
  g_clear_pointer (&self->metadata, g_array_unref);
}
