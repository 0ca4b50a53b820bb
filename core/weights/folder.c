/* libcontinual: a checkpoint in a folder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "folder.h"

#include <string.h>

#include "fail.h"
#include "index.h"
#include "json.h"
#include "quote.h"
#include "table.h"

#define CONFIG "config.json"
#define SINGLE "model.safetensors"
#define INDEX "model.safetensors.index.json"
#define SUFFIX ".safetensors"

#define MAX_CONFIG (1 << 20)
#define MAX_INDEX (1 << 24)     /* some 150000 tensors */
#define MAX_LISTED 8            /* names in a message */

#define SAVE_AGAIN "copy the folder again, or save it again with save_pretrained()"

/* A file that was read, or found absent. */
typedef struct
{
  gchar *path;
  gboolean absent;
  CoFileStamp stamp;
} Seen;

typedef struct
{
  CoFolder folder;
  const gchar *path;
  gchar *name;                  /* of the folder in messages */
  GArray *seen;                 /* of Seen */
  CoIndex index;
} Reader;

static void
clear_seen (gpointer data)
{
  g_free (((Seen *) data)->path);
}

/* Takes @path. */
static void
add_seen (Reader * self, gchar * path, const CoFileStamp * stamp)
{
  Seen seen = {.path = path,.absent = stamp == NULL };

  if (stamp)
    seen.stamp = *stamp;
  g_array_append_val (self->seen, seen);
}

/* The first file that is not as it was seen, or NULL. */
static const gchar *
find_changed (const Reader * self)
{
  for (guint i = 0; i < self->seen->len; i++) {
    const Seen *seen = &g_array_index (self->seen, Seen, i);

    if (seen->absent ? !co_file_is_absent (seen->path)
        : !co_file_is_unchanged (seen->path, &seen->stamp))
      return seen->path;
  }
  return NULL;
}

/* Reads a text of at most @max_size bytes. *@bytes is NULL if the folder has none of that name. */
static gboolean
read_text (Reader * self, const gchar * file, gsize max_size, GBytes ** bytes,
    GError ** error)
{
  g_autofree gchar *path = g_build_filename (self->path, file, NULL);
  CoFileStamp stamp;

  *bytes = NULL;
  if (co_file_is_absent (path)) {
    add_seen (self, g_steal_pointer (&path), NULL);
    return TRUE;
  }
  *bytes = co_file_read_path (path, max_size, &stamp, error);
  if (*bytes == NULL)
    return FALSE;
  add_seen (self, g_steal_pointer (&path), &stamp);
  return TRUE;
}

static gboolean
read_config (Reader * self, GError ** error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autofree gchar *name = NULL;
  const gchar *text;
  gsize size;
  json_t *root;

  if (!read_text (self, CONFIG, MAX_CONFIG, &bytes, error))
    return FALSE;
  if (bytes == NULL)
    return TRUE;
  text = g_bytes_get_data (bytes, &size);
  name = g_build_filename (self->name, CONFIG, NULL);
  root = co_json_parse (text, size, name, "a configuration", SAVE_AGAIN, error);
  if (root == NULL)
    return FALSE;
  json_decref (root);
  self->folder.config = g_strndup (text, size);
  return TRUE;
}

/* Stops at @max names; the order is the file system's. */
static GPtrArray *
list_files (const gchar * path, const gchar * suffix, guint max)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  const gchar *name;

  while (dir && names->len < max && (name = g_dir_read_name (dir))) {
    if (g_str_has_suffix (name, suffix))
      g_ptr_array_add (names, g_strdup (name));
  }
  return names;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar * const *) a, *(const gchar * const *) b);
}

static gboolean
fail_no_weights (const Reader * self, GError ** error)
{
  g_autoptr (GPtrArray) names = list_files (self->path, "", 1000);
  g_autoptr (GString) found = g_string_new (NULL);

  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < MIN (names->len, MAX_LISTED); i++) {
    g_autofree gchar *name = g_filename_display_name (names->pdata[i]);
    g_autofree gchar *quoted = co_quote (name);

    g_string_append_printf (found, "%s%s", i ? ", " : "", quoted);
  }
  if (names->len > MAX_LISTED)
    g_string_append (found, " and others");
  return co_fail (error, CO_ERROR_NOT_FOUND, self->name, "expected a folder "
      "with " SINGLE " or " INDEX ", found %s; save the model with "
      "save_pretrained() or examples/export.py, or give the path of a "
      ".safetensors file", found->len ? found->str : "an empty folder");
}

/* Checks that all shards are there before the first is read: they may be large. */
static gboolean
check_shards (const Reader * self, GError ** error)
{
  for (guint i = 0; i < self->index.shards->len; i++) {
    const gchar *file = self->index.shards->pdata[i];
    g_autofree gchar *path = g_build_filename (self->path, file, NULL);
    g_autofree gchar *quoted = NULL;
    g_autoptr (GError) why = NULL;
    CoFileStamp stamp;

    if (co_file_stat (path, &stamp, &why))
      continue;
    if (why->code != CO_ERROR_NOT_FOUND) {
      g_propagate_error (error, g_steal_pointer (&why));
      return FALSE;
    }
    quoted = co_quote (file);
    return co_fail (error, CO_ERROR_NOT_FOUND, self->name, "expected the shard "
        "%s, which " INDEX " names, found none; copy it into the folder, or "
        "save the model again", quoted);
  }
  return TRUE;
}

/* @name: of a tensor that @file contains. */
static gboolean
check_place (const Reader * self, const gchar * name, const gchar * file,
    GError ** error)
{
  const gchar *place = co_table_lookup (self->index.weight_map, name);
  g_autofree gchar *tensor = NULL, *shard = NULL, *other = NULL;

  if (place && strcmp (place, file) == 0)
    return TRUE;
  tensor = co_quote (name);
  shard = co_quote (file);
  other = place ? co_quote (place) : g_strdup ("no shard");
  return co_fail (error, CO_ERROR_CORRUPT, self->name, "tensor %s: expected it "
      "in %s, as " INDEX " says, found it in %s; " SAVE_AGAIN, tensor, other,
      shard);
}

/* Checks that the index names the tensors of @shard, and adds them to @found. */
static gboolean
check_content (const Reader * self, const CoSafetensors * shard,
    const gchar * file, GArray * found, GError ** error)
{
  const GArray *buffers = co_safetensors_get_buffers (shard);
  gsize n = co_safetensors_get_n_tensors (shard);

  for (gsize i = 0; i < n + buffers->len; i++) {
    const gchar *name = i < n ? co_safetensors_get_tensor (shard, i)->name
        : co_table_get (buffers, i - n)->key;

    if (!check_place (self, name, file, error))
      return FALSE;
    co_table_add (found, name, file);
  }
  return TRUE;
}

/* Checks that the index names no other tensors than those @found. */
static gboolean
check_complete (const Reader * self, GArray * found, GError ** error)
{
  co_table_sort (found);
  for (guint i = 0; i < self->index.weight_map->len; i++) {
    const CoPair *pair = co_table_get (self->index.weight_map, i);
    g_autofree gchar *tensor = NULL, *file = NULL;

    if (co_table_lookup (found, pair->key))
      continue;
    tensor = co_quote (pair->key);
    file = co_quote (pair->value);
    return co_fail (error, CO_ERROR_CORRUPT, self->name, "tensor %s: expected "
        "it in %s, as " INDEX " says, found none of that name; " SAVE_AGAIN,
        tensor, file);
  }
  return TRUE;
}

static void
add_metadata (GArray * all, const GArray * table)
{
  for (guint i = 0; i < table->len; i++)
    co_table_add (all, co_table_get (table, i)->key,
        co_table_get (table, i)->value);
}

/* Merges @all, the metadata of every file, which may not contradict each other. */
static gboolean
merge_metadata (Reader * self, GArray * all, GError ** error)
{
  co_table_sort (all);
  for (guint i = 0; i < all->len; i++) {
    const CoPair *pair = co_table_get (all, i);
    const CoPair *next = i + 1 < all->len ? co_table_get (all, i + 1) : NULL;
    g_autofree gchar *key = NULL, *value = NULL, *other = NULL;

    if (next == NULL || strcmp (pair->key, next->key) != 0) {
      co_table_add (self->folder.metadata, pair->key, pair->value);
      continue;
    }
    if (strcmp (pair->value, next->value) == 0)
      continue;
    key = co_quote (pair->key);
    value = co_quote (pair->value);
    other = co_quote (next->value);
    return co_fail (error, CO_ERROR_CORRUPT, self->name, "metadata %s: "
        "expected the same value in all shards and the index, found %s and %s; "
        "save the model again", key, value, other);
  }
  return TRUE;
}

static CoSafetensors *
read_weights (Reader * self, const gchar * file, GError ** error)
{
  g_autofree gchar *path = g_build_filename (self->path, file, NULL);
  CoFileStamp stamp;
  CoSafetensors *shard = co_safetensors_load_stamped (path, &stamp, error);

  if (shard == NULL)
    return NULL;
  add_seen (self, g_steal_pointer (&path), &stamp);
  g_ptr_array_add (self->folder.shards, shard);
  return shard;
}

static gboolean
read_shards (Reader * self, GError ** error)
{
  g_autoptr (GArray) found = co_table_new ();
  g_autoptr (GArray) metadata = co_table_new ();

  if (!check_shards (self, error))
    return FALSE;
  add_metadata (metadata, self->index.metadata);
  for (guint i = 0; i < self->index.shards->len; i++) {
    const gchar *file = self->index.shards->pdata[i];
    const CoSafetensors *shard = read_weights (self, file, error);

    if (shard == NULL || !check_content (self, shard, file, found, error))
      return FALSE;
    add_metadata (metadata, co_safetensors_get_metadata_table (shard));
  }
  return check_complete (self, found, error)
      && merge_metadata (self, metadata, error);
}

/* A single file beside an index is one of its shards, or left from another save: then nobody can tell which of both is
 * meant. */
static gboolean
check_single (const Reader * self, GError ** error)
{
  const GPtrArray *shards = self->index.shards;
  gboolean named = FALSE;

  for (guint i = 0; i < shards->len; i++)
    named |= strcmp (shards->pdata[i], SINGLE) == 0;
  return named || co_fail (error, CO_ERROR_CORRUPT, self->name, "expected "
      "either " SINGLE " or " INDEX " with its shards, found both, of two "
      "models; delete the one that is out of date");
}

static gboolean
read_index (Reader * self, GBytes * bytes, GError ** error)
{
  g_autofree gchar *name = g_build_filename (self->name, INDEX, NULL);
  gsize size;
  const gchar *text = g_bytes_get_data (bytes, &size);

  return co_index_parse (&self->index, text, size, name, error);
}

static gboolean
read_files (Reader * self, GError ** error)
{
  g_autofree gchar *single = g_build_filename (self->path, SINGLE, NULL);
  g_autoptr (GBytes) index = NULL;
  const CoSafetensors *file;
  gboolean has_single = !co_file_is_absent (single);

  if (!read_config (self, error)
      || !read_text (self, INDEX, MAX_INDEX, &index, error))
    return FALSE;
  if (!has_single)
    add_seen (self, g_strdup (single), NULL);
  if (index)
    return read_index (self, index, error)
        && (!has_single || check_single (self, error))
        && read_shards (self, error);
  if (!has_single)
    return fail_no_weights (self, error);
  file = read_weights (self, SINGLE, error);
  if (file == NULL)
    return FALSE;
  add_metadata (self->folder.metadata,
      co_safetensors_get_metadata_table (file));
  return TRUE;
}

gboolean
co_folder_read (CoFolder * self, const gchar * path, GError ** error)
{
  g_autofree gchar *name = g_filename_display_name (path);
  g_autoptr (GArray) seen = g_array_new (FALSE, FALSE, sizeof (Seen));
  g_autoptr (GError) why = NULL;
  Reader reader = {.path = path,.name = name,.seen = seen };
  const gchar *changed;
  gboolean ok;

  g_array_set_clear_func (seen, clear_seen);
  reader.folder.shards = g_ptr_array_new_with_free_func
      ((GDestroyNotify) co_safetensors_unref);
  reader.folder.metadata = co_table_new ();
  ok = read_files (&reader, &why);
  co_index_clear (&reader.index);

  /* Files of two saves may not fit together, and may even seem to: either way this is the reason. */
  changed = find_changed (&reader);
  if (changed) {
    g_autofree gchar *file = g_path_get_basename (changed);
    g_autofree gchar *quoted = co_quote (file);

    ok = co_fail (error, CO_ERROR_READ, name, "the folder changed while it was "
        "read (%s); try again when it is complete (save into another folder "
        "and rename that: no reader then sees half of it)", quoted);
  } else if (!ok) {
    g_propagate_error (error, g_steal_pointer (&why));
  }
  if (!ok)
    co_folder_clear (&reader.folder);
  *self = reader.folder;
  return ok;
}

void
co_folder_clear (CoFolder * self)
{
  g_clear_pointer (&self->shards, g_ptr_array_unref);
  g_clear_pointer (&self->metadata, g_array_unref);
  g_clear_pointer (&self->config, g_free);
}

/* Adds @file and its stamp to @sum. FALSE: it cannot be examined. */
static gboolean
add_identity (GChecksum * sum, const gchar * folder, const gchar * file)
{
  g_autofree gchar *path = g_build_filename (folder, file, NULL);
  g_autofree gchar *text = NULL;
  CoFileStamp stamp;

  if (co_file_is_absent (path))
    text = g_strdup ("absent");
  else if (co_file_stat (path, &stamp, NULL))
    text = co_file_stamp_to_string (&stamp);
  else
    return FALSE;
  g_checksum_update (sum, (const guchar *) file, strlen (file) + 1);
  g_checksum_update (sum, (const guchar *) text, strlen (text) + 1);
  return TRUE;
}

gchar *
co_folder_identity (const gchar * path)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree gchar *index = g_build_filename (path, INDEX, NULL);
  g_autoptr (GPtrArray) names = NULL;

  if (!add_identity (sum, path, CONFIG) || !add_identity (sum, path, SINGLE)
      || !add_identity (sum, path, INDEX))
    return NULL;
  if (!co_file_is_absent (index)) {
    names = list_files (path, SUFFIX, G_MAXUINT);
    g_ptr_array_sort (names, compare_names);
    for (guint i = 0; i < names->len; i++) {
      if (!add_identity (sum, path, names->pdata[i]))
        return NULL;
    }
  }
  return g_strconcat ("folder:", g_checksum_get_string (sum), NULL);
}
