/* libcontinual: tensors by their names without wrappers and prefix
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "settings/settings.h"

G_BEGIN_DECLS

typedef struct
{
  const CoTensor *tensor;
  gchar *name;                  /* relative to the prefix, without wrappers */
} CoNamed;

/* @name without the wrappers' parts, which may be anywhere in it */
gchar *co_name_strip (const gchar * name);

/* The tensors under the prefix that run: sorted by name, no name twice. Sets the setting `prefix` if the family of
 * config.json has a usual one and nothing says another. *@usual: whether it is that one.
 *
 * Returns: CoNamed, or NULL with CO_ERROR_MODEL if two tensors have one name without wrappers, or CO_ERROR_SETTING if no
 * tensor is under the prefix. */
GArray *co_named_find (const CoCheckpoint * file, CoSettings * settings,
    gboolean * usual, GError ** error);

/* The last part of "a.b.c", and what is before it: "a.b", or "" */
const gchar *co_name_last (const gchar * path);
gchar *co_name_parent (const gchar * path);
/* The last part as a number; -1: it is none. */
gint64 co_name_number (const gchar * path);
/* Whether @name is @path or begins with "@path."; "" is the begin of every name. */
gboolean co_name_is_under (const gchar * name, const gchar * path);
/* Whether @name is @end or ends with ".@end". */
gboolean co_name_ends (const gchar * name, const gchar * end);
/* "a.b", or the one that is not "" */
gchar *co_name_join (const gchar * a, const gchar * b);

G_END_DECLS
