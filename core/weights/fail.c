/* libcontinual: errors about files
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fail.h"

gboolean
co_fail (GError ** error, CoError code, const gchar * file,
    const gchar * format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, CO_ERROR, code, "%s: %s", file, text);
  return FALSE;
}
