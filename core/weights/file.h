/* libcontinual: reading a file that others may be writing
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/error.h>

G_BEGIN_DECLS

/* Which file this is, and which version of it. */
typedef struct
{
  guint64 device, inode, size;
  gint64 mtime, mtime_nsec;
} CoFileStamp;

/* Opens a regular file, and nothing else; never blocks. Returns: a descriptor to close(), or -1 with
 * CO_ERROR_NOT_FOUND or CO_ERROR_READ. */
gint co_file_open (const gchar * path, CoFileStamp * stamp, GError ** error);

/* The whole content, or NULL with CO_ERROR_READ: also when @path no longer is what @stamp says. */
GBytes *co_file_read (gint fd, const gchar * path, const CoFileStamp * stamp,
    GError ** error);

/* co_file_open() and co_file_read(). */
GBytes *co_file_read_path (const gchar * path, GError ** error);

G_END_DECLS
