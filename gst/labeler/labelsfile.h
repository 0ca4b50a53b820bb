/* gst-continual: lists of labels, from files and from properties
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Reads one label a line, or a JSON array of strings. Free with g_strfreev(). NULL: a GST_RESOURCE_ERROR or
 * GST_STREAM_ERROR for an error message. */
gchar **labels_file_read (const gchar * path, GError ** error);

/* Parses a,b or ["a","b"]. An empty text gives an empty list. Free with g_strfreev(). NULL: broken JSON, with a
 * GST_RESOURCE_ERROR. */
gchar **labels_list_parse (const gchar * text, GError ** error);

G_END_DECLS
