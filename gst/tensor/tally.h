/* gst-continual: which of many equal warnings are posted
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether to post the @n-th warning of a kind (from 1 on): the 1st, the 10th, the 100th, and so on. */
static inline gboolean
tally_is_told (guint64 n)
{
  guint64 worth = 1;

  while (worth < n)
    worth *= 10;
  return n == worth;
}

G_END_DECLS
