/* libcontinual: tensors by their names without wrappers and prefix
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/tensors.h"
#include "weights/fail.h"
#include "weights/quote.h"
#include <string.h>

/* Modules that hold one other and change nothing: DataParallel and its like, torch.compile(), activation checkpoints, FSDP,
 * DeepSpeed; co.Lambda and co.Residual. */
static const gchar *const wrappers[] = {
  "module", "_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module", "_forward_module", "fn", NULL
};

static gboolean
part_is (const gchar * part, const gchar * end, const gchar * word)
{
  return strlen (word) == (gsize) (end - part)
      && memcmp (part, word, end - part) == 0;
}

static gboolean
is_wrapper (const gchar * part, const gchar * end)
{
  for (gsize i = 0; wrappers[i]; i++)
    if (part_is (part, end, wrappers[i]))
      return TRUE;
  return FALSE;
}

/* @table: also removes `pe`, in which RecyclingPositionalEncoding keeps its table and which may be the table itself. At the
 * begin of a name it is no wrapper. */
static gchar *
strip (const gchar * name, gboolean table)
{
  GString *s = g_string_sized_new (strlen (name) + 1);
  const gchar *part = name, *end;

  for (; part; part = *end ? end + 1 : NULL) {
    end = strchrnul (part, '.');
    if (is_wrapper (part, end) || (table && part > name
            && part_is (part, end, "pe")))
      continue;
    /* continual-inference's feed-forward is the branch `1` of its residual. */
    if (part_is (part, end, "_ff_block")) {
      if (*end && part_is (end + 1, strchrnul (end + 1, '.'), "1"))
        end += strlen (".1");
      continue;
    }
    if (s->len)
      g_string_append_c (s, '.');
    g_string_append_len (s, part, end - part);
  }
  return g_string_free (s, FALSE);
}

gchar *
co_name_strip (const gchar * name)
{
  return strip (name, TRUE);
}

const gchar *
co_name_last (const gchar * path)
{
  const gchar *dot = strrchr (path, '.');

  return dot ? dot + 1 : path;
}

gchar *
co_name_parent (const gchar * path)
{
  const gchar *last = co_name_last (path);

  return last == path ? g_strdup ("") : g_strndup (path, last - path - 1);
}

gint64
co_name_number (const gchar * path)
{
  guint64 n;

  return g_ascii_string_to_unsigned (co_name_last (path), 10, 0, G_MAXINT32, &n,
      NULL) ? (gint64) n : -1;
}

gboolean
co_name_ends (const gchar * name, const gchar * end)
{
  const gsize n = strlen (name), n_end = strlen (end);

  return g_str_has_suffix (name, end) && (n == n_end || name[n - n_end - 1] == '.');
}

gboolean
co_name_is_under (const gchar * name, const gchar * path)
{
  const gsize n = strlen (path);

  return n == 0 || (strncmp (name, path, n) == 0 && (name[n] == '.' || name[n] == '\0'));
}

gchar *
co_name_join (const gchar * a, const gchar * b)
{
  return *a && *b ? g_strconcat (a, ".", b, NULL) : g_strdup (*a ? a : b);
}

static void
named_clear (gpointer data)
{
  g_free (((CoNamed *) data)->name);
}

static gint
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (((const CoNamed *) a)->name, ((const CoNamed *) b)->name);
}

static gboolean
any_under (const GArray * named, const gchar * path)
{
  for (guint i = 0; i < named->len; i++) {
    const gchar *name = g_array_index (named, CoNamed, i).name;

    if (co_name_is_under (name, path) && strlen (name) > strlen (path))
      return TRUE;
  }
  return FALSE;
}

/* The first parts of all names, for a message */
static gchar *
first_parts (const GArray * named)
{
  GString *s = g_string_new (NULL);
  g_autofree gchar *last = NULL;
  gsize n = 0;

  for (guint i = 0; i < named->len; i++) {
    const gchar *name = g_array_index (named, CoNamed, i).name;
    g_autofree gchar *first = g_strndup (name, strcspn (name, "."));
    g_autofree gchar *quoted = co_quote (first);

    if (g_strcmp0 (first, last) == 0)
      continue;
    if (++n > 10) {
      g_string_append (s, ", …");
      break;
    }
    g_string_append_printf (s, "%s%s", s->len ? ", " : "", quoted);
    g_free (last);
    last = g_steal_pointer (&first);
  }
  return g_string_free (s, FALSE);
}

/* The family's usual prefix under which there are tensors; "": there are none under any. */
static const gchar *
usual_prefix (const CoFamily * family, const GArray * named)
{
  for (gsize i = 0; family && family->prefixes[i]; i++)
    if (any_under (named, family->prefixes[i]))
      return family->prefixes[i];
  return "";
}

static gboolean
is_usual (const CoFamily * family, const gchar * prefix)
{
  return family && g_strv_contains (family->prefixes, prefix);
}

/* The prefix without wrappers and a final dot, or NULL with an error. */
static gchar *
find_prefix (const CoCheckpoint * file, CoSettings * settings,
    const GArray * named, GError ** error)
{
  g_autofree gchar *prefix = NULL;

  if (!settings->prefix) {
    const gchar *usual = usual_prefix (settings->family, named);

    if (*usual) {
      settings->prefix = g_strdup (usual);
      settings->sources[CO_ROW_prefix] = CO_SOURCE_FAMILY;
    }
    return g_strdup (usual);
  }
  prefix = strip (settings->prefix, FALSE);
  if (g_str_has_suffix (prefix, "."))
    prefix[strlen (prefix) - 1] = '\0';
  if (!any_under (named, prefix)) {
    g_autofree gchar *quoted = co_quote (settings->prefix);
    g_autofree gchar *found = first_parts (named);

    co_fail (error, CO_ERROR_SETTING, co_checkpoint_get_name (file),
        "no tensor is under the prefix %s: expected the begin of the names of the part to run, found tensors under %s; "
        "correct prefix", quoted, *found ? found : "no name, for there are none");
    return NULL;
  }
  return g_steal_pointer (&prefix);
}

/* Whether the family says that tensor @name, relative to the prefix, is not of the part that runs */
static gboolean
is_not_run (const CoFamily * family, const gchar * name)
{
  for (gsize i = 0; family && family->not_run[i]; i++) {
    const gchar *entry = family->not_run[i];

    if (g_str_has_prefix (entry, "*.") ? g_str_has_suffix (name, entry + 1) : co_name_is_under (name, entry))
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_distinct (const GArray * named, const CoCheckpoint * file,
    GError ** error)
{
  for (guint i = 1; i < named->len; i++) {
    const CoNamed *a = &g_array_index (named, CoNamed, i - 1), *b = a + 1;

    if (g_str_equal (a->name, b->name)) {
      g_autofree gchar *one = co_quote (a->tensor->name), *other = co_quote (b->tensor->name);

      return co_fail (error, CO_ERROR_MODEL, co_checkpoint_get_name (file),
          "tensors %s and %s have one name without wrappers (module, _orig_mod, fn and their like): expected one of them; "
          "save the state dict of the module that runs, or say with `prefix` which part that is", one, other);
    }
  }
  return TRUE;
}

GArray *
co_named_find (const CoCheckpoint * file, CoSettings * settings,
    gboolean * usual, GError ** error)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (CoNamed));
  GArray *self;
  g_autofree gchar *prefix = NULL;
  gsize skip;

  g_array_set_clear_func (all, named_clear);
  for (gsize i = 0; i < co_checkpoint_get_n_tensors (file); i++) {
    const CoTensor *tensor = co_checkpoint_get_tensor (file, i);

    g_array_append_val (all, ((CoNamed) {
          tensor, strip (tensor->name, FALSE)}));
  }
  g_array_sort (all, by_name);
  prefix = find_prefix (file, settings, all, error);
  if (!prefix)
    return NULL;
  *usual = is_usual (settings->family, prefix);
  skip = *prefix ? strlen (prefix) + 1 : 0;
  self = g_array_new (FALSE, FALSE, sizeof (CoNamed));
  g_array_set_clear_func (self, named_clear);
  for (guint i = 0; i < all->len; i++) {
    const CoNamed *n = &g_array_index (all, CoNamed, i);

    if (co_name_is_under (n->name, prefix) && strlen (n->name) >= skip
        && !is_not_run (settings->family, n->name + skip))
      g_array_append_val (self, ((CoNamed) {
            n->tensor, strip (n->name + skip, TRUE)}));
  }
  g_array_sort (self, by_name);
  if (!check_distinct (self, file, error))
    g_clear_pointer (&self, g_array_unref);
  return self;
}
