/* libcontinual: words that were meant
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings/near.h"
#include <string.h>

/* Longer words are never near. */
#define MAX_LENGTH 64

static gchar
fold (gchar c)
{
  return c == '-' ? '_' : g_ascii_tolower (c);
}

gboolean
co_is_near (const gchar * a, const gchar * b, guint n)
{
  const gsize n_a = strlen (a), n_b = strlen (b);
  guint rows[3][MAX_LENGTH + 1];        /* of the last letters of a; [1] and [2] those before */
  guint *row = rows[0], *before = rows[1], *two_before = rows[2];

  if (n_a > MAX_LENGTH || n_b > MAX_LENGTH || MAX (n_a, n_b) - MIN (n_a, n_b) > n)
    return FALSE;
  for (gsize j = 0; j <= n_b; j++)
    row[j] = j;
  for (gsize i = 1; i <= n_a; i++) {
    guint *spent = two_before;

    two_before = before;
    before = row;
    row = spent;
    row[0] = i;
    for (gsize j = 1; j <= n_b; j++) {
      const gchar x = fold (a[i - 1]), y = fold (b[j - 1]);

      row[j] = MIN (MIN (before[j], row[j - 1]) + 1, before[j - 1] + (x != y));
      if (i > 1 && j > 1 && x == fold (b[j - 2]) && y == fold (a[i - 2]))
        row[j] = MIN (row[j], two_before[j - 2] + 1);
    }
  }
  return row[n_b] <= n;
}
