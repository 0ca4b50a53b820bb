/* gst-continual: tensors that caps of video and audio list (GStreamer 1.28)
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/mediacaps.h"

#ifdef HAVE_TENSOR_CAPS

#define FIELD "tensors"
#define GROUPS "tensorgroups"

static void
set_dims (GstStructure * tensor, gsize n_dims, const gsize * dims)
{
  GValue array = G_VALUE_INIT, dim = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (gsize i = 0; i < n_dims; i++) {
    g_value_init (&dim, G_TYPE_INT);
    g_value_set_int (&dim, (gint) MIN (dims[i], G_MAXINT));
    gst_value_array_append_and_take_value (&array, &dim);
  }
  gst_structure_take_value (tensor, "dims", &array);
}

/* A group of one tensor: {(GstCaps)[tensor/strided, ...]} */
static void
set_group (GstStructure * groups, const gchar * id, gsize n_dims,
    const gsize * dims)
{
  GstStructure *tensor = gst_structure_new ("tensor/strided",
      "tensor-id", G_TYPE_STRING, id, "dims-order", G_TYPE_STRING, "row-major",
      "type", G_TYPE_STRING, "float32", NULL);
  GValue list = G_VALUE_INIT, one = G_VALUE_INIT;

  set_dims (tensor, n_dims, dims);
  g_value_init (&one, GST_TYPE_CAPS);
  g_value_take_boxed (&one, gst_caps_new_full (tensor, NULL));
  g_value_init (&list, GST_TYPE_UNIQUE_LIST);
  gst_value_unique_list_append_and_take_value (&list, &one);
  gst_structure_take_value (groups, id, &list);
}

/* A copy of what @s lists, NULL: nothing. */
static GstStructure *
copy_groups (const GstStructure * s)
{
  const GValue *value = gst_structure_get_value (s, FIELD);

  return value && GST_VALUE_HOLDS_STRUCTURE (value)
      && gst_value_get_structure (value) ?
      gst_structure_copy (gst_value_get_structure (value)) : NULL;
}

static void
take_groups (GstStructure * s, GstStructure * groups)
{
  if (groups && gst_structure_n_fields (groups) > 0)
    gst_structure_set (s, FIELD, GST_TYPE_STRUCTURE, groups, NULL);
  else
    gst_structure_remove_field (s, FIELD);
  g_clear_pointer (&groups, gst_structure_free);
}

GstCaps *
media_caps_add_tensor (GstCaps * media, const gchar * id, gsize n_dims,
    const gsize * dims)
{
  media = gst_caps_make_writable (media);
  for (guint i = 0; i < gst_caps_get_size (media); i++) {
    GstStructure *s = gst_caps_get_structure (media, i);
    GstStructure *groups = copy_groups (s);

    if (!groups)
      groups = gst_structure_new_empty (GROUPS);
    set_group (groups, id, n_dims, dims);
    take_groups (s, groups);
  }
  return media;
}

GstCaps *
media_caps_drop_tensor (GstCaps * media, const gchar * id)
{
  media = gst_caps_make_writable (media);
  for (guint i = 0; i < gst_caps_get_size (media); i++) {
    GstStructure *s = gst_caps_get_structure (media, i);
    GstStructure *groups = copy_groups (s);

    if (!groups)
      continue;
    gst_structure_remove_field (groups, id);
    take_groups (s, groups);
  }
  return media;
}

/* ---- reading ---- */

typedef struct
{
  const gchar *id;              /* of the tensor to find; NULL: any */
  gsize n;                      /* its values; 0: any number */
  const gchar *found;           /* borrowed from the caps */
  GString *listed;              /* every tensor, for a message */
} Search;

/* Whether the dims are those of @n values; a dimension of 0 is one that the caps leave open. FALSE as well: unreadable. */
static gboolean
check_dims (const GValue * dims, gsize n, gboolean * one_large)
{
  const guint n_dims = gst_value_array_get_size (dims);
  gboolean open = FALSE;
  guint n_large = 0;
  gsize product = 1;

  for (guint i = 0; i < n_dims; i++) {
    const GValue *dim = gst_value_array_get_value (dims, i);
    const gint size = G_VALUE_HOLDS_INT (dim) ? g_value_get_int (dim) : 0;

    if (size <= 0)
      open = TRUE;
    else if (!g_size_checked_mul (&product, product, (gsize) size))
      return FALSE;
    n_large += size != 1;
  }
  *one_large = n_large < 2;
  return n == 0 || (open ? n % product == 0 : n == product);
}

static void
describe (const GstStructure * tensor, GString * to)
{
  const GValue *dims = gst_structure_get_value (tensor, "dims");
  const gchar *id = gst_structure_get_string (tensor, "tensor-id");
  const gchar *type = gst_structure_get_string (tensor, "type");
  g_autofree gchar *text = dims ? gst_value_serialize (dims) : NULL;

  g_string_append_printf (to, "%s\"%s\" (%s %s)", to->len ? ", " : "",
      id ? id : "", text ? text : "?", type ? type : "of another type");
}

static void
look_at_tensor (const GstStructure * tensor, Search * search)
{
  const gchar *id = gst_structure_get_string (tensor, "tensor-id");
  const gchar *type = gst_structure_get_string (tensor, "type");
  const gchar *order = gst_structure_get_string (tensor, "dims-order");
  const GValue *dims = gst_structure_get_value (tensor, "dims");
  gboolean one_large = TRUE;

  describe (tensor, search->listed);
  if (search->found || !id || (search->id && !g_str_equal (id, search->id)))
    return;
  if (type && !g_str_equal (type, "float32"))
    return;
  if (dims && GST_VALUE_HOLDS_ARRAY (dims)
      && !check_dims (dims, search->n, &one_large))
    return;
  if (one_large || !order || g_str_equal (order, "row-major"))
    search->found = id;
}

static void
look_at_group (const GValue * group, Search * search)
{
  if (!GST_VALUE_HOLDS_UNIQUE_LIST (group))
    return;
  for (guint i = 0; i < gst_value_unique_list_get_size (group); i++) {
    const GValue *value = gst_value_unique_list_get_value (group, i);
    const GstCaps *caps = GST_VALUE_HOLDS_CAPS (value) ?
        gst_value_get_caps (value) : NULL;

    for (guint k = 0; caps && k < gst_caps_get_size (caps); k++)
      look_at_tensor (gst_caps_get_structure (caps, k), search);
  }
}

static gboolean
look_at_groups (const GstStructure * groups, const gchar * id, Search * search)
{
  search->id = id;
  g_string_truncate (search->listed, 0);
  for (gint i = 0; i < gst_structure_n_fields (groups); i++)
    look_at_group (gst_structure_get_value (groups,
            gst_structure_nth_field_name (groups, (guint) i)), search);
  return search->found != NULL;
}

MediaTensorResult
media_caps_find_tensor (const GstCaps * media, const gchar * const *ids,
    gsize n, gchar ** id, gchar ** why)
{
  GstStructure *groups = copy_groups (gst_caps_get_structure (media, 0));
  g_autoptr (GString) listed = g_string_new (NULL);
  Search search = {.n = n,.listed = listed };

  *id = NULL;
  if (!groups)
    return MEDIA_TENSOR_FOUND;
  if (!ids)
    look_at_groups (groups, NULL, &search);
  for (; ids && *ids && !search.found; ids++)
    look_at_groups (groups, *ids, &search);
  if (search.found)
    *id = g_strdup (search.found);
  else if (n)
    *why = g_strdup_printf ("expected a tensor of %" G_GSIZE_FORMAT " float32 "
        "values on each buffer, found caps with %s: set input-tensor to the "
        "right one, or use a model that fits", n, listed->str);
  else
    *why = g_strdup_printf ("expected a tensor of float32 scores on each "
        "buffer, found caps with %s: set input-tensor to the right one",
        listed->str);
  gst_structure_free (groups);
  return search.found ? MEDIA_TENSOR_FOUND : MEDIA_TENSOR_MISFIT;
}

#endif
