/* libcontinual: quoting a file's strings in messages
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quote.h"

#define MAX_CHARS 120

gchar *
co_quote (const gchar * text)
{
  GString *quoted = g_string_new ("'");
  gsize n_chars = 0;

  for (const gchar * p = text; *p != '\0'; n_chars++) {
    gunichar c = g_utf8_get_char_validated (p, -1);

    if (n_chars == MAX_CHARS) {
      g_string_append (quoted, "...");
      break;
    }
    if (c == (gunichar) - 1 || c == (gunichar) - 2) {
      g_string_append_printf (quoted, "\\x%02x", (guchar) * p);
      p++;
      continue;
    }
    if (g_unichar_isprint (c))
      g_string_append_unichar (quoted, c);
    else
      g_string_append_printf (quoted, "\\u%04x", c);
    p = g_utf8_next_char (p);
  }
  g_string_append_c (quoted, '\'');
  return g_string_free (quoted, FALSE);
}

gchar *
co_shape_to_string (const gsize * dims, gsize n, const gchar * zero)
{
  GString *s = g_string_new ("(");

  for (gsize i = 0; i < n; i++)
    if (zero && dims[i] == 0)
      g_string_append_printf (s, "%s%s", i ? ", " : "", zero);
    else
      g_string_append_printf (s, "%s%" G_GSIZE_FORMAT, i ? ", " : "", dims[i]);
  g_string_append (s, ")");
  return g_string_free (s, FALSE);
}
