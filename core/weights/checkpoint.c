/* libcontinual: a trained model's tensors, metadata and configuration
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint.h"

#include "alias.h"
#include "folder.h"
#include "table.h"

struct _CoCheckpoint
{
  gatomicrefcount ref_count;
  gchar *name;
  CoFolder folder;              /* its shards own names and data of the tensors */
  GArray *tensors;              /* of CoTensor, sorted by name */
  GArray *buffers;              /* table: name and dtype of integer and boolean tensors */
  GArray *aliases;              /* table: alias, name; owns the aliases' names */
  const gchar **metadata_keys;
  gsize n_bytes;
};

static void
add_shard (CoCheckpoint * self, const CoSafetensors * shard)
{
  const GArray *buffers = co_safetensors_get_buffers (shard);

  for (gsize i = 0; i < co_safetensors_get_n_tensors (shard); i++)
    g_array_append_vals (self->tensors, co_safetensors_get_tensor (shard, i),
        1);
  for (guint i = 0; i < buffers->len; i++)
    co_table_add (self->buffers, co_table_get (buffers, i)->key,
        co_table_get (buffers, i)->value);
  self->n_bytes += co_safetensors_get_n_bytes (shard);
}

/* Takes the content of @folder. */
static CoCheckpoint *
checkpoint_new (CoFolder folder, const gchar * name, GError ** error)
{
  g_autoptr (CoCheckpoint) self = g_new0 (CoCheckpoint, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->name = g_strdup (name);
  self->folder = folder;
  self->tensors = g_array_new (FALSE, FALSE, sizeof (CoTensor));
  self->buffers = co_table_new ();
  self->aliases = co_table_new ();
  for (guint i = 0; i < folder.shards->len; i++)
    add_shard (self, folder.shards->pdata[i]);
  co_tensors_sort (self->tensors);
  co_table_sort (self->buffers);
  if (!co_aliases_resolve (self->tensors, self->buffers, folder.metadata,
          self->aliases, name, error))
    return NULL;

  self->metadata_keys = g_new0 (const gchar *, folder.metadata->len + 1);
  for (guint i = 0; i < folder.metadata->len; i++)
    self->metadata_keys[i] = co_table_get (folder.metadata, i)->key;
  return g_steal_pointer (&self);
}

/* Takes @file. */
static CoCheckpoint *
checkpoint_new_single (CoSafetensors * file, GError ** error)
{
  const GArray *metadata = co_safetensors_get_metadata_table (file);
  CoFolder folder = { 0 };

  folder.shards = g_ptr_array_new_with_free_func
      ((GDestroyNotify) co_safetensors_unref);
  g_ptr_array_add (folder.shards, file);
  folder.metadata = co_table_new ();
  for (guint i = 0; i < metadata->len; i++)
    co_table_add (folder.metadata, co_table_get (metadata, i)->key,
        co_table_get (metadata, i)->value);
  return checkpoint_new (folder, co_safetensors_get_name (file), error);
}

CoCheckpoint *
co_checkpoint_load (const gchar * path, GError ** error)
{
  CoSafetensors *file;
  CoFolder folder;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
    g_autofree gchar *name = g_filename_display_name (path);

    if (!co_folder_read (&folder, path, error))
      return NULL;
    return checkpoint_new (folder, name, error);
  }
  file = co_safetensors_load (path, error);
  return file ? checkpoint_new_single (file, error) : NULL;
}

CoCheckpoint *
co_checkpoint_load_bytes (GBytes * bytes, const gchar * name, GError ** error)
{
  CoSafetensors *file;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  file = co_safetensors_load_bytes (bytes, name, error);
  return file ? checkpoint_new_single (file, error) : NULL;
}

CoCheckpoint *
co_checkpoint_ref (CoCheckpoint * self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
co_checkpoint_unref (CoCheckpoint * self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->metadata_keys);
  g_array_unref (self->tensors);
  g_array_unref (self->buffers);
  g_array_unref (self->aliases);
  co_folder_clear (&self->folder);
  g_free (self->name);
  g_free (self);
}

gsize
co_checkpoint_get_n_tensors (const CoCheckpoint * self)
{
  return self->tensors->len;
}

const CoTensor *
co_checkpoint_get_tensor (const CoCheckpoint * self, gsize index)
{
  g_return_val_if_fail (index < self->tensors->len, NULL);

  return &g_array_index (self->tensors, CoTensor, index);
}

const CoTensor *
co_checkpoint_lookup (const CoCheckpoint * self, const gchar * name)
{
  return co_tensors_lookup (self->tensors, name);
}

const gchar *
co_checkpoint_get_buffer_dtype (const CoCheckpoint * self, const gchar * name)
{
  return co_table_lookup (self->buffers, name);
}

const gchar *
co_checkpoint_get_metadata (const CoCheckpoint * self, const gchar * key)
{
  return co_table_lookup (self->folder.metadata, key);
}

const gchar *const *
co_checkpoint_get_metadata_keys (const CoCheckpoint * self)
{
  return self->metadata_keys;
}

const gchar *
co_checkpoint_get_config (const CoCheckpoint * self)
{
  return self->folder.config;
}

const gchar *
co_checkpoint_get_name (const CoCheckpoint * self)
{
  return self->name;
}

gsize
co_checkpoint_get_n_bytes (const CoCheckpoint * self)
{
  return self->n_bytes;
}

gchar *
co_checkpoint_identity (const gchar * path)
{
  CoFileStamp stamp;

  g_return_val_if_fail (path != NULL, NULL);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return co_folder_identity (path);
  return co_file_stat (path, &stamp, NULL)
      ? co_file_stamp_to_string (&stamp) : NULL;
}
