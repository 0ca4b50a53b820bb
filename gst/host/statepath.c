/* gst-continual: the file that a state path leads to
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/statepath.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elements.h"

#define GST_CAT_DEFAULT continual_debug
#define MOST_LINKS 40           /* as Linux follows */

/* Files that elements have: from real paths to what state_path_claim() returned */
static GMutex lock;
static GHashTable *claimed;     /* under lock */

static gboolean
fail (GError ** error, gint code, const gchar * path, const gchar * why)
{
  g_set_error (error, G_FILE_ERROR, code,
      "expected state-path to be a regular file of this element, or none yet, found '%s', which %s", path, why);
  return FALSE;
}

static gchar *
follow_links (const gchar * path, GError ** error)
{
  g_autofree gchar *res = g_strdup (path);

  for (guint i = 0; g_file_test (res, G_FILE_TEST_IS_SYMLINK); i++) {
    g_autofree gchar *folder = g_path_get_dirname (res);
    g_autofree gchar *target = g_file_read_link (res, error);

    if (!target)
      return NULL;
    if (i == MOST_LINKS) {
      fail (error, G_FILE_ERROR_LOOP, path, "is a symbolic link to itself: correct it");
      return NULL;
    }
    g_free (res);
    res = g_path_is_absolute (target) ? g_steal_pointer (&target) : g_build_filename (folder, target, NULL);
  }
  return g_steal_pointer (&res);
}

/* One name for each file, which need not exist */
static gchar *
get_key (const gchar * file)
{
  g_autofree gchar *folder = g_path_get_dirname (file);
  g_autofree gchar *name = g_path_get_basename (file);
  gchar *real = realpath (folder, NULL);
  gchar *res = real ? g_build_filename (real, name, NULL) : g_canonicalize_filename (file, NULL);

  free (real);
  return res;
}

static gboolean
same_file (const struct stat *a, const gchar * path)
{
  struct stat b;

  return stat (path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* Whether @file is @model, or a file of that folder */
static gboolean
is_of_model (const gchar * file, const struct stat *info, const gchar * model)
{
  g_autofree gchar *folder = g_path_get_dirname (file);
  struct stat outer;

  if (same_file (info, model))
    return TRUE;
  return (g_str_has_suffix (file, ".safetensors") || g_str_has_suffix (file, ".json"))
      && stat (folder, &outer) == 0 && same_file (&outer, model);
}

/* Nothing is opened: to open a FIFO or a device may wait, or do something. */
static gboolean
check (const gchar * path, const gchar * file, const gchar * model,
    GError ** error)
{
  struct stat info;

  if (stat (file, &info) != 0)
    return TRUE;
  if (!S_ISREG (info.st_mode))
    return fail (error, G_FILE_ERROR_INVAL, path, S_ISDIR (info.st_mode) ? "is a folder: add a file name" :
        "is a device, a FIFO or a socket: name another file");
  if (model && is_of_model (file, &info, model))
    return fail (error, G_FILE_ERROR_INVAL, path, "is a file of the model: name another file");
  return TRUE;
}

gchar *
state_path_claim (const gchar * path, const gchar * model, GError ** error)
{
  g_autofree gchar *file = follow_links (path, error);
  g_autofree gchar *key = file ? get_key (file) : NULL;
  gboolean ok;

  if (!file || !check (path, file, model, error))
    return NULL;
  g_mutex_lock (&lock);
  if (!claimed)
    claimed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  ok = !g_hash_table_contains (claimed, key);
  if (ok)
    g_hash_table_insert (claimed, g_steal_pointer (&key), file);
  g_mutex_unlock (&lock);
  if (!ok) {
    fail (error, G_FILE_ERROR_EXIST, path, "another element of this process writes: give each a file of its own");
    return NULL;
  }
  return g_steal_pointer (&file);
}

static gboolean
is_file (gpointer key, gpointer value, gpointer file)
{
  return value == file;
}

void
state_path_release (gchar * file)
{
  if (!file)
    return;
  g_mutex_lock (&lock);
  g_hash_table_foreach_remove (claimed, is_file, file);
  g_mutex_unlock (&lock);
  g_free (file);
}

gboolean
state_path_write (const gchar * file, GBytes * content, GError ** error)
{
  struct stat before, after;
  const gboolean exists = stat (file, &before) == 0;

  if (!check (file, file, NULL, error))
    return FALSE;
  if (!g_file_set_contents_full (file, g_bytes_get_data (content, NULL), (gssize) g_bytes_get_size (content),
          G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, exists ? before.st_mode & 0777 : 0666, error))
    return FALSE;
  if (!exists || stat (file, &after) != 0)
    return TRUE;
  if ((before.st_uid != after.st_uid || before.st_gid != after.st_gid)
      && chown (file, before.st_uid, before.st_gid) != 0)
    GST_WARNING ("%s: the owner was not kept: %s; run as the owner of the file, or in a group of the folder", file,
        g_strerror (errno));
  if ((before.st_mode & 0777) != (after.st_mode & 0777))
    g_chmod (file, before.st_mode & 0777);
  return TRUE;
}
