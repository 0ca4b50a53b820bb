/* libcontinual: finding the layers among the tensors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/layers.h"
#include "weights/fail.h"
#include <string.h>

static gint
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (a, b);
}

/* Which layer's tensor that is and which one of it: "2.layers.0" of "2.layers.0.norm1.weight"; NULL if of none. */
static gchar *
find_layer (const CoScheme * scheme, const gchar * name, CoRole * role)
{
  const gsize n = strlen (name);

  for (const CoSchemeName * s = scheme->names; s->suffix; s++) {
    const gsize n_suffix = strlen (s->suffix);

    if (n < n_suffix || memcmp (name + n - n_suffix, s->suffix, n_suffix) != 0)
      continue;
    *role = s->role;
    if (n == n_suffix)
      return g_strdup ("");
    if (name[n - n_suffix - 1] == '.' && n > n_suffix + 1)
      return g_strndup (name, n - n_suffix - 1);
  }
  return NULL;
}

static void
layer_clear (gpointer data)
{
  g_free (((CoLayerParts *) data)->path);
}

static CoLayerParts *
add_layer (GArray * layers, const gchar * path)
{
  g_array_append_val (layers, ((CoLayerParts) {
        .path = g_strdup (path)}));
  return &g_array_index (layers, CoLayerParts, layers->len - 1);
}

/* A norm1 or a linear1 without an attention is of no layer. */
static void
match (CoLayers * self, const CoScheme * scheme, const GArray * named)
{
  g_autoptr (GTree) paths = g_tree_new_full (compare, NULL, g_free, NULL);      /* to the layer's index + 1 */
  CoRole role;

  *self = (CoLayers) {.scheme = scheme,.layers = g_array_new (FALSE, TRUE, sizeof (CoLayerParts)),
    .rest = g_array_new (FALSE, FALSE, sizeof (CoNamed))
  };
  g_array_set_clear_func (self->layers, layer_clear);
  for (guint i = 0; i < named->len; i++) {
    g_autofree gchar *path = find_layer (scheme, g_array_index (named, CoNamed, i).name, &role);

    if (path && role < CO_ROLE_NORM1_WEIGHT && !g_tree_lookup (paths, path)) {
      add_layer (self->layers, path);
      g_tree_insert (paths, g_steal_pointer (&path), GUINT_TO_POINTER (self->layers->len));
    }
  }
  for (guint i = 0; i < named->len; i++) {
    const CoNamed *n = &g_array_index (named, CoNamed, i);
    g_autofree gchar *path = find_layer (scheme, n->name, &role);
    const guint index = path ? GPOINTER_TO_UINT (g_tree_lookup (paths, path)) : 0;

    if (index)
      g_array_index (self->layers, CoLayerParts, index - 1).tensors[role] = n->tensor;
    else
      g_array_append_val (self->rest, *n);
  }
}

static gboolean
has_attention (const CoLayerParts * layer)
{
  return layer->tensors[CO_ROLE_IN_WEIGHT] || layer->tensors[CO_ROLE_Q_WEIGHT];
}

/* Whether each layer has an attention, and feed-forward unless the scheme is bare */
static gboolean
plausible (const CoLayers * self)
{
  for (guint i = 0; i < self->layers->len; i++) {
    const CoLayerParts *layer = &g_array_index (self->layers, CoLayerParts, i);

    if (!has_attention (layer) || (!self->scheme->bare
            && !layer->tensors[CO_ROLE_LINEAR1_WEIGHT]))
      return FALSE;
  }
  return TRUE;
}

/* By what is before the last part of a name, then by its number. Longer lists come after shorter ones: any order does. */
static gint
by_list (gconstpointer a, gconstpointer b)
{
  const gchar *one = ((const CoLayerParts *) a)->path, *other = ((const CoLayerParts *) b)->path;
  const gsize list = co_name_last (one) - one, other_list = co_name_last (other) - other;
  const gint order = list == other_list ? memcmp (one, other, list) : list < other_list ? -1 : 1;
  const gint64 n = co_name_number (one), m = co_name_number (other);

  return order ? order : n < m ? -1 : n > m ? 1 : strcmp (one, other);
}

void
co_layers_clear (CoLayers * self)
{
  g_clear_pointer (&self->layers, g_array_unref);
  g_clear_pointer (&self->rest, g_array_unref);
}

/* Of equals the first whose layers are whole. Others count as well, so that what they lack is named. */
void
co_layers_find (CoLayers * self, const GArray * named)
{
  *self = (CoLayers) { 0 };
  for (gsize i = 0; co_schemes[i]; i++) {
    CoLayers found;

    match (&found, co_schemes[i], named);
    if (found.layers->len > 0 && (!self->scheme || found.rest->len < self->rest->len
            || (found.rest->len == self->rest->len && !plausible (self) && plausible (&found)))) {
      co_layers_clear (self);
      *self = found;
    } else {
      co_layers_clear (&found);
    }
  }
  if (self->scheme)
    g_array_sort (self->layers, by_list);
}

static gboolean
is_list (const gchar * path)
{
  static const gchar *const lists[] = { "layers", "blocks", "layer", "h", NULL };

  return g_strv_contains (lists, co_name_last (path));
}

gboolean
co_layers_check_lists (const GArray * layers, const CoModules * modules,
    const gchar * prefix, const CoCheckpoint * file, GError ** error)
{
  g_autofree gchar *last = NULL;
  gint64 expected = 0;
  gboolean checked = FALSE;

  for (guint i = 0; i < layers->len; i++) {
    const gchar *path = g_array_index (layers, CoLayerParts, i).path;
    const gint64 n = co_name_number (path);
    g_autofree gchar *list = co_name_parent (path), *full = co_name_join (prefix, list);

    if (g_strcmp0 (list, last) != 0) {
      checked = is_list (full) && !co_modules_has_child (modules, list);
      expected = 0;
    }
    if (checked && n >= 0 && n != expected) {
      g_autofree gchar *found = co_name_join (prefix, path);

      return co_fail (error, CO_ERROR_MODEL, co_checkpoint_get_name (file),
          "layer '%s.%" G_GINT64_FORMAT "' is missing: expected the layers of '%s' from 0 on without a gap, found '%s' %s; "
          "save the whole state dict, with all its shards", full, expected, full, found,
          expected ? "behind the one before" : "first");
    }
    expected = n + 1;
    g_free (last);
    last = g_steal_pointer (&list);
  }
  return TRUE;
}
