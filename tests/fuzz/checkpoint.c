/* libcontinual: any bytes are a shard index and a config.json, with all that they say in them, or refused
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The input is the index, a NUL, and config.json; either may be empty, and is then no file. The shards beside them are
 * sound: what bytes are a shard is the target `safetensors`'s. */
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <weights/checkpoint.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 * data, size_t size);

static const gchar *const names[] = { "config.json",
  "model.safetensors.index.json", "model.safetensors", "s1.safetensors",
  "s2.safetensors"
};

static gchar *folder;
static gchar *paths[G_N_ELEMENTS (names)];

static void
clean_up (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_remove (paths[i]);
  g_rmdir (folder);
}

/* Without data there is no file. */
static void
write_file (const gchar * path, gconstpointer data, gsize size)
{
  gint fd;

  if (size == 0) {
    g_remove (path);
    return;
  }
  fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  g_assert (fd >= 0);
  g_assert (write (fd, data, size) == (gssize) size);
  close (fd);
}

/* @members: of the header; all tensors together are of 8 bytes. */
static void
write_shard (const gchar * path, const gchar * members)
{
  g_autofree gchar *header = g_strdup_printf ("{%s}", members);
  guint64 length = GUINT64_TO_LE ((guint64) strlen (header));
  g_autoptr (GString) file = g_string_new (NULL);

  g_string_append_len (file, (const gchar *) &length, sizeof length);
  g_string_append (file, header);
  g_string_append_len (file, "\0\0\0\0\0\0\0\0", 8);
  write_file (path, file->str, file->len);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_log_set_always_fatal (G_LOG_LEVEL_MASK);
  json_object_seed (1);
  folder = g_dir_make_tmp ("continual-fuzz-XXXXXX", NULL);
  g_assert (folder);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    paths[i] = g_build_filename (folder, names[i], NULL);
  atexit (clean_up);
  write_shard (paths[3],
      "\"a.w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
      "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},"
      "\"__metadata__\":{\"k\":\"v\"}");
  write_shard (paths[4],
      "\"n\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}");
  return 0;
}

static void
check_whole (const CoCheckpoint * whole)
{
  const gchar *const *keys = co_checkpoint_get_metadata_keys (whole);
  const gchar *config = co_checkpoint_get_config (whole);
  const gsize n = co_checkpoint_get_n_tensors (whole);

  /* An index may name the shard without floats only. */
  g_assert (co_checkpoint_get_n_bytes (whole) == (n > 0 ? 8 : 0));
  g_assert (n != 1);
  for (gsize i = 0; i < n; i++) {
    const CoTensor *tensor = co_checkpoint_get_tensor (whole, i);

    g_assert (tensor->n_elements == 1 && tensor->data[0] == 0);
    g_assert (co_checkpoint_lookup (whole, tensor->name) == tensor);
    g_assert (!co_checkpoint_get_buffer_dtype (whole, tensor->name));
    g_assert (i == 0 || strcmp (tensor->name,
            co_checkpoint_get_tensor (whole, i - 1)->name) > 0);
  }
  for (gsize i = 0; keys[i]; i++) {
    g_assert (co_checkpoint_get_metadata (whole, keys[i]));
    g_assert (i == 0 || strcmp (keys[i - 1], keys[i]) < 0);
  }
  if (config) {
    json_t *root = json_loads (config, JSON_REJECT_DUPLICATES, NULL);

    g_assert (json_is_object (root));
    json_decref (root);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 * data, size_t size)
{
  const guint8 *nul = size ? memchr (data, '\0', size) : NULL;
  const gsize n_index = nul ? (gsize) (nul - data) : size;
  g_autofree gchar *before = NULL, *after = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (CoCheckpoint) whole = NULL;

  write_file (paths[1], data, n_index);
  write_file (paths[0], nul ? nul + 1 : NULL, nul ? size - n_index - 1 : 0);
  if (n_index)
    g_remove (paths[2]);
  else
    write_shard (paths[2],
        "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}");
  before = co_checkpoint_identity (folder);
  whole = co_checkpoint_load (folder, &error);
  after = co_checkpoint_identity (folder);
  g_assert (before && strcmp (before, after) == 0);
  g_assert ((whole != NULL) == (error == NULL));
  if (whole) {
    check_whole (whole);
  } else {
    /* A name may be that of a shard that is not there. */
    g_assert (g_error_matches (error, CO_ERROR, CO_ERROR_CORRUPT)
        || g_error_matches (error, CO_ERROR, CO_ERROR_NOT_FOUND)
        || g_error_matches (error, CO_ERROR, CO_ERROR_READ));
    g_assert (g_utf8_validate (error->message, -1, NULL));
  }
  return 0;
}
