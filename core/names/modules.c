/* libcontinual: tensors beside the layers, by module
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "names/modules.h"
#include <string.h>

static gint
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  return strcmp (a, b);
}

static void
module_clear (gpointer data)
{
  g_free (((CoModule *) data)->part.name);
}

CoModule *
co_modules_find (const CoModules * self, const gchar * name,
    gboolean is_tensor)
{
  const guint i = GPOINTER_TO_UINT (g_tree_lookup (is_tensor ? self->tensors : self->modules, name));

  return i ? &g_array_index (self->list, CoModule, i - 1) : NULL;
}

static CoModule *
add (CoModules * self, const gchar * name, gboolean is_tensor)
{
  g_array_append_val (self->list, ((CoModule) {
        .part = {.name = g_strdup (name)},.is_tensor = is_tensor}));
  g_tree_insert (is_tensor ? self->tensors : self->modules, g_strdup (name), GUINT_TO_POINTER (self->list->len));
  return &g_array_index (self->list, CoModule, self->list->len - 1);
}

/* Where a module keeps the tensor that it calls @name; NULL: it is no such name. */
static const CoTensor **
member (CoPart * part, const gchar * name, const gchar * gain)
{
  if (g_str_equal (name, "weight") || g_str_equal (name, "pattern") || g_strcmp0 (name, gain) == 0)
    return &part->weight;
  if (g_str_equal (name, "bias"))
    return &part->bias;
  if (g_str_equal (name, "running_mean"))
    return &part->running_mean;
  return g_str_equal (name, "running_var") ? &part->running_var : NULL;
}

void
co_modules_group (CoModules * self, const GArray * rest, const gchar * gain)
{
  CoPart none;

  self->list = g_array_new (FALSE, TRUE, sizeof (CoModule));
  g_array_set_clear_func (self->list, module_clear);
  self->modules = g_tree_new_full (compare, NULL, g_free, NULL);
  self->tensors = g_tree_new_full (compare, NULL, g_free, NULL);
  for (guint i = 0; i < rest->len; i++) {
    const CoNamed *n = &g_array_index (rest, CoNamed, i);
    const gchar *last = co_name_last (n->name);
    g_autofree gchar *parent = co_name_parent (n->name);
    const CoTensor **place = NULL;

    if (member (&none, last, gain)) {
      CoModule *module = co_modules_find (self, parent, FALSE);

      if (!module)
        module = add (self, parent, FALSE);
      place = member (&module->part, last, gain);
    }
    /* A module with a weight and a pattern: the second is by itself. */
    if (!place || *place)
      place = &add (self, n->name, TRUE)->part.weight;
    *place = n->tensor;
  }
}

void
co_modules_clear (CoModules * self)
{
  g_clear_pointer (&self->list, g_array_unref);
  g_clear_pointer (&self->modules, g_tree_unref);
  g_clear_pointer (&self->tensors, g_tree_unref);
}

gboolean
co_modules_has_child (const CoModules * self, const gchar * path)
{
  for (guint i = 0; i < self->list->len; i++) {
    const gchar *name = g_array_index (self->list, CoModule, i).part.name;
    g_autofree gchar *parent = co_name_parent (name);

    if (*name && g_str_equal (parent, path))
      return TRUE;
  }
  return FALSE;
}

const CoTensor *
co_module_tensor (const CoModule * self)
{
  const CoPart *p = &self->part;

  return p->weight ? p->weight : p->bias ? p->bias : p->running_mean ? p->running_mean : p->running_var;
}
