/* libcontinual: reading a file that others may be writing
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The content is copied, never mapped: a mapping raises SIGBUS when the file is truncated, and changes when the file
 * is written. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

static void
stamp_from_stat (CoFileStamp * stamp, const struct stat *st)
{
  stamp->device = st->st_dev;
  stamp->inode = st->st_ino;
  stamp->size = st->st_size;
  stamp->mtime = st->st_mtim.tv_sec;
  stamp->mtime_nsec = st->st_mtim.tv_nsec;
  stamp->ctime = st->st_ctim.tv_sec;
  stamp->ctime_nsec = st->st_ctim.tv_nsec;
}

static gboolean
stamp_equal (const CoFileStamp * a, const CoFileStamp * b)
{
  return a->device == b->device && a->inode == b->inode && a->size == b->size
      && a->mtime == b->mtime && a->mtime_nsec == b->mtime_nsec
      && a->ctime == b->ctime && a->ctime_nsec == b->ctime_nsec;
}

G_GNUC_PRINTF (4, 5)
static void
fail (GError ** error, CoError code, const gchar * path,
    const gchar * format, ...)
{
  g_autofree gchar *name = g_filename_display_name (path);
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  co_fail (error, code, name, "%s", text);
}

static void
fail_errno (GError ** error, const gchar * path, gint err)
{
  if (err == ENOENT || err == ENOTDIR)
    fail (error, CO_ERROR_NOT_FOUND, path,
        "expected a file, found none; check the path");
  else
    fail (error, CO_ERROR_READ, path,
        "expected a readable file, found an error: %s; check the path and its permissions",
        g_strerror (err));
}

static void
fail_changed (GError ** error, const gchar * path)
{
  fail (error, CO_ERROR_READ, path,
      "the file changed while it was read; try again when it is complete (write it under another "
      "name and rename it, and no reader ever sees half of it)");
}

static gboolean
check_regular (const struct stat *st, const gchar * path, GError ** error)
{
  const gchar *found = "something else";

  if (S_ISREG (st->st_mode))
    return TRUE;
  if (S_ISDIR (st->st_mode))
    found = "a directory";
  else if (S_ISFIFO (st->st_mode))
    found = "a FIFO";
  else if (S_ISSOCK (st->st_mode))
    found = "a socket";
  else if (S_ISCHR (st->st_mode) || S_ISBLK (st->st_mode))
    found = "a device";
  fail (error, CO_ERROR_READ, path,
      "expected a regular file, found %s; give the path of a file", found);
  return FALSE;
}

gboolean
co_file_stat (const gchar * path, CoFileStamp * stamp, GError ** error)
{
  struct stat st;

  if (stat (path, &st) != 0) {
    fail_errno (error, path, errno);
    return FALSE;
  }
  if (!check_regular (&st, path, error))
    return FALSE;
  stamp_from_stat (stamp, &st);
  return TRUE;
}

gint
co_file_open (const gchar * path, CoFileStamp * stamp, GError ** error)
{
  struct stat st;
  gint fd;

  /* Opening a FIFO wakes its writer, and opening a device may have any effect: check first. */
  if (!co_file_stat (path, stamp, error))
    return -1;

  fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    fail_errno (error, path, errno);
    return -1;
  }
  if (fstat (fd, &st) != 0) {
    fail_errno (error, path, errno);
    close (fd);
    return -1;
  }
  if (!check_regular (&st, path, error)) {
    close (fd);
    return -1;
  }
  stamp_from_stat (stamp, &st);
  return fd;
}

/* Returns: the number of bytes read, up to @size; -1 with errno. */
static gssize
read_fully (gint fd, guint8 * data, gsize size)
{
  gsize done = 0;

  while (done < size) {
    gssize n = pread (fd, data + done, MIN (size - done, 1 << 30), done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    done += n;
  }
  return done;
}

gboolean
co_file_is_unchanged (const gchar * path, const CoFileStamp * stamp)
{
  struct stat st;
  CoFileStamp now;

  if (stat (path, &st) != 0)
    return FALSE;
  stamp_from_stat (&now, &st);
  return stamp_equal (stamp, &now);
}

GBytes *
co_file_read (gint fd, const gchar * path, const CoFileStamp * stamp,
    GError ** error)
{
  g_autofree guint8 *data = NULL;
  gssize n;

  if (stamp->size <= G_MAXSSIZE)
    data = g_try_malloc (MAX (stamp->size, 1));
  if (data == NULL) {
    fail (error, CO_ERROR_READ, path,
        "expected a file that fits in memory, found %" G_GUINT64_FORMAT
        " bytes; check that this is the file you mean", stamp->size);
    return NULL;
  }

  n = read_fully (fd, data, stamp->size);
  if (n < 0) {
    fail_errno (error, path, errno);
    return NULL;
  }
  if ((guint64) n != stamp->size || !co_file_is_unchanged (path, stamp)) {
    fail_changed (error, path);
    return NULL;
  }
  return g_bytes_new_take (g_steal_pointer (&data), n);
}

GBytes *
co_file_read_path (const gchar * path, guint64 max_size, CoFileStamp * stamp,
    GError ** error)
{
  GBytes *bytes = NULL;
  gint fd = co_file_open (path, stamp, error);

  if (fd < 0)
    return NULL;
  if (stamp->size > max_size)
    fail (error, CO_ERROR_CORRUPT, path, "expected at most %" G_GUINT64_FORMAT
        " bytes, found %" G_GUINT64_FORMAT "; check that this is the file you "
        "mean", max_size, stamp->size);
  else
    bytes = co_file_read (fd, path, stamp, error);
  close (fd);
  return bytes;
}

gboolean
co_file_is_absent (const gchar * path)
{
  struct stat st;

  return lstat (path, &st) != 0 && errno == ENOENT;
}

gchar *
co_file_stamp_to_string (const CoFileStamp * stamp)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%"
      G_GUINT64_FORMAT ":%" G_GINT64_FORMAT ".%09" G_GINT64_FORMAT ":%"
      G_GINT64_FORMAT ".%09" G_GINT64_FORMAT, stamp->device, stamp->inode,
      stamp->size, stamp->mtime, stamp->mtime_nsec, stamp->ctime,
      stamp->ctime_nsec);
}
