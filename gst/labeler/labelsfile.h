/* gst-continual: lists of labels, from files and from properties
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Reads one label a line, or a JSON array of strings. NULL: the error is a GST_RESOURCE_ERROR or
 * GST_STREAM_ERROR, ready for the bus. Free with g_strfreev(). */
gchar **labels_file_read (const gchar * path, GError ** error);

/* "a,b" or ["a","b"]. An empty text gives an empty list; NULL with a GST_RESOURCE_ERROR for broken JSON. */
gchar **labels_list_parse (const gchar * text, GError ** error);

G_END_DECLS
