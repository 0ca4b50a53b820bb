/* libcontinual: names of tensors that share their data
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "alias.h"

#include <string.h>

#include "fail.h"
#include "quote.h"
#include "table.h"

static gint
compare_tensors (gconstpointer a, gconstpointer b)
{
  return strcmp (((const CoTensor *) a)->name, ((const CoTensor *) b)->name);
}

void
co_tensors_sort (GArray * tensors)
{
  g_array_sort (tensors, compare_tensors);
}

const CoTensor *
co_tensors_lookup (const GArray * tensors, const gchar * name)
{
  const CoTensor wanted = {.name = name };
  guint index;

  if (!g_array_binary_search ((GArray *) tensors, &wanted, compare_tensors,
          &index))
    return NULL;
  return &g_array_index (tensors, CoTensor, index);
}

/* What follows the last dot: the name of a parameter in its module. */
static const gchar *
get_last_part (const gchar * name)
{
  const gchar *dot = strrchr (name, '.');

  return dot ? dot + 1 : name;
}

static gint
compare_parts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar * const *) a, *(const gchar * const *) b);
}

/* The last parts of all tensors' names, sorted: a GArray of const gchar *. */
static GArray *
list_last_parts (const GArray * tensors)
{
  const gchar *const common[] = { "weight", "bias" };
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (const gchar *));

  g_array_append_vals (parts, common, G_N_ELEMENTS (common));
  for (guint i = 0; i < tensors->len; i++) {
    const gchar *part =
        get_last_part (g_array_index (tensors, CoTensor, i).name);

    g_array_append_val (parts, part);
  }
  g_array_sort (parts, compare_parts);
  return parts;
}

/* TRUE if @name looks like a tensor's: words with dots between them, of which the last is a parameter's name. */
static gboolean
is_like_tensor (const gchar * name, const GArray * parts)
{
  const gchar *part = get_last_part (name);

  if (strchr (name, '.') == NULL)
    return FALSE;
  for (const gchar * c = name; *c; c++) {
    if (!g_ascii_isalnum (*c) && *c != '_' && *c != '.')
      return FALSE;
  }
  return g_array_binary_search ((GArray *) parts, &part, compare_parts, NULL);
}

static gboolean
fail_missing (const CoPair * pair, const gchar * file, GError ** error)
{
  g_autofree gchar *key = co_quote (pair->key);
  g_autofree gchar *value = co_quote (pair->value);

  return co_fail (error, CO_ERROR_CORRUPT, file, "metadata %s: expected the "
      "tensor %s, which has the data of both, found none of that name; save "
      "all of the model with safetensors.torch.save_model(), or leave this key "
      "out of the metadata", key, value);
}

typedef struct
{
  const GArray *tensors, *buffers, *parts;
  const gchar *file;
} Names;

/* Finds the tensor, or the dtype of the buffer, of which @pair is an alias; neither, if it is other metadata. */
static gboolean
find_target (const Names * self, const CoPair * pair, const CoTensor ** tensor,
    const gchar ** dtype, GError ** error)
{
  *tensor = NULL;
  *dtype = NULL;
  if (!strchr (pair->key, '.') || co_tensors_lookup (self->tensors, pair->key)
      || co_table_lookup (self->buffers, pair->key))
    return TRUE;
  *tensor = co_tensors_lookup (self->tensors, pair->value);
  *dtype = co_table_lookup (self->buffers, pair->value);
  return *tensor || *dtype || !is_like_tensor (pair->key, self->parts)
      || !is_like_tensor (pair->value, self->parts)
      || fail_missing (pair, self->file, error);
}

static void
append_buffers (GArray * buffers, const GArray * more)
{
  for (guint i = 0; i < more->len; i++)
    co_table_add (buffers, co_table_get (more, i)->key,
        co_table_get (more, i)->value);
  co_table_sort (buffers);
}

gboolean
co_aliases_resolve (GArray * tensors, GArray * buffers, GArray * metadata,
    GArray * aliases, const gchar * file, GError ** error)
{
  g_autoptr (GArray) new_tensors = g_array_new (FALSE, FALSE,
      sizeof (CoTensor));
  g_autoptr (GArray) new_buffers = co_table_new ();
  g_autoptr (GArray) parts = list_last_parts (tensors);
  const Names names = { tensors, buffers, parts, file };
  guint n_kept = 0;

  for (guint i = 0; i < metadata->len; i++) {
    CoPair *pair = &g_array_index (metadata, CoPair, i);
    const CoPair moved = *pair;
    const CoTensor *tensor;
    const gchar *dtype;

    if (!find_target (&names, pair, &tensor, &dtype, error))
      return FALSE;
    if (tensor) {
      CoTensor alias = *tensor;

      co_table_add (aliases, pair->key, pair->value);
      alias.name = co_table_get (aliases, aliases->len - 1)->key;
      g_array_append_val (new_tensors, alias);
    } else if (dtype) {
      co_table_add (new_buffers, pair->key, dtype);
    } else {
      *pair = g_array_index (metadata, CoPair, n_kept);
      g_array_index (metadata, CoPair, n_kept++) = moved;
    }
  }

  g_array_set_size (metadata, n_kept);
  g_array_append_vals (tensors, new_tensors->data, new_tensors->len);
  co_tensors_sort (tensors);
  append_buffers (buffers, new_buffers);
  return TRUE;
}
