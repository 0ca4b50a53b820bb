/* libcontinual: reading a file that others may be writing
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/error.h>

G_BEGIN_DECLS

/* Identifies a file and its version. */
typedef struct
{
  guint64 device, inode, size;
  gint64 mtime, mtime_nsec;     /* last change of the content; writers can set it */
  gint64 ctime, ctime_nsec;     /* last change of content or inode */
} CoFileStamp;

/* The stamp of a regular file, which is not opened. Errors: CO_ERROR_NOT_FOUND, CO_ERROR_READ. */
gboolean co_file_stat (const gchar * path, CoFileStamp * stamp,
    GError ** error);

/* Opens a regular file, without blocking. Directories, FIFOs, sockets and devices are refused, and not opened.
 * Returns: a descriptor to close(), or -1 with CO_ERROR_NOT_FOUND or CO_ERROR_READ. */
gint co_file_open (const gchar * path, CoFileStamp * stamp, GError ** error);

/* Reads the whole file that co_file_open() opened.
 * Returns: NULL with CO_ERROR_READ if reading fails, or if @path has another stamp afterwards. */
GBytes *co_file_read (gint fd, const gchar * path, const CoFileStamp * stamp,
    GError ** error);

/* co_file_open() and co_file_read() of a file of at most @max_size bytes; a larger one is CO_ERROR_CORRUPT. */
GBytes *co_file_read_path (const gchar * path, guint64 max_size,
    CoFileStamp * stamp, GError ** error);

/* TRUE if @path has @stamp now. */
gboolean co_file_is_unchanged (const gchar * path, const CoFileStamp * stamp);
/* TRUE if nothing is called @path: no file, no folder, no symbolic link. */
gboolean co_file_is_absent (const gchar * path);

/* Equal for equal stamps only. */
gchar *co_file_stamp_to_string (const CoFileStamp * stamp);

G_END_DECLS
