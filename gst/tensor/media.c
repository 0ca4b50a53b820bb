/* gst-continual: tensors and classes on buffers of video and audio
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/media.h"

static gboolean
is_media (const GstStructure * s)
{
#ifdef HAVE_ANALYTICS
  return gst_structure_has_name (s, "video/x-raw")
      || gst_structure_has_name (s, "audio/x-raw");
#else
  return FALSE;
#endif
}

GstCaps *
media_caps_select (const GstCaps * caps)
{
  GstCaps *res = gst_caps_new_empty ();

  if (gst_caps_is_any (caps)) {
    gst_caps_unref (res);
    return gst_caps_from_string (MEDIA_CAPS);
  }
  for (guint i = 0; i < gst_caps_get_size (caps); i++)
    if (is_media (gst_caps_get_structure (caps, i)))
      gst_caps_append (res, gst_caps_copy_nth (caps, i));
  return res;
}

gboolean
media_caps_check (const GstCaps * caps)
{
  return gst_caps_get_size (caps) > 0
      && is_media (gst_caps_get_structure (caps, 0));
}

#ifdef HAVE_ANALYTICS

/* Row-major. If at most one dimension is larger than 1, column-major is the same. */
static gboolean
is_in_order (const GstTensor * t)
{
  guint n_large = 0;

  for (gsize i = 0; i < t->num_dims; i++)
    n_large += t->dims[i] > 1;
  return t->layout == GST_TENSOR_LAYOUT_CONTIGUOUS
      && (t->dims_order == GST_TENSOR_DIM_ORDER_ROW_MAJOR || n_large < 2);
}

static gboolean
read_tensor (const GstTensor * t, gsize n, MediaTensor * tensor)
{
  tensor->data = t->data;
  tensor->id = t->id ? g_quark_to_string (t->id) : "";
  tensor->n = 1;
  tensor->width = t->num_dims ? t->dims[t->num_dims - 1] : 1;
  for (gsize i = 0; i < t->num_dims; i++)
    if (!g_size_checked_mul (&tensor->n, tensor->n, t->dims[i]))
      return FALSE;
  return t->data_type == GST_TENSOR_DATA_TYPE_FLOAT32 && is_in_order (t)
      && tensor->n > 0 && (n == 0 || tensor->n == n)
      && tensor->n <= gst_buffer_get_size (t->data) / sizeof (gfloat);
}

/* Appends: "boxes" (1x4 float32) */
static void
describe (const GstTensor * t, GString * to)
{
  g_string_append_printf (to, "%s\"%s\" (", to->len ? ", " : "",
      t->id ? g_quark_to_string (t->id) : "");
  for (gsize i = 0; i < t->num_dims; i++)
    g_string_append_printf (to, "%s%" G_GSIZE_FORMAT, i ? "x" : "", t->dims[i]);
  g_string_append (to, t->data_type == GST_TENSOR_DATA_TYPE_FLOAT32 ?
      is_in_order (t) ? " float32)" : " float32 by columns)" :
      " of another type)");
}

static gboolean
is_named (const GstTensor * t, const gchar * id)
{
  return t->id && g_str_equal (g_quark_to_string (t->id), id);
}

typedef struct
{
  const gchar *id;              /* NULL: any */
  gsize n;                      /* values; 0: any number */
  MediaTensor *tensor;
  gboolean found;
  GString *misfits;             /* of that name */
} Search;

static void
look_at_tensor (const GstTensor * t, Search * search)
{
  if (search->found || (search->id && !is_named (t, search->id)))
    return;
  search->found = read_tensor (t, search->n, search->tensor);
  if (!search->found)
    describe (t, search->misfits);
}

static void
look_at_tensor_metas (GstBuffer * buffer, Search * search)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
              GST_TENSOR_META_API_TYPE))) {
    GstTensorMeta *tensors = (GstTensorMeta *) meta;

    for (gsize i = 0; i < tensors->num_tensors; i++)
      look_at_tensor (gst_tensor_meta_get (tensors, i), search);
  }
}

#if GST_CHECK_VERSION (1, 28, 0)
static void
look_at_relation_metas (GstBuffer * buffer, Search * search)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
              GST_ANALYTICS_RELATION_META_API_TYPE))) {
    GstAnalyticsRelationMeta *relations = (GstAnalyticsRelationMeta *) meta;
    GstAnalyticsTensorMtd mtd;
    gpointer next = NULL;

    while (gst_analytics_relation_meta_iterate (relations, &next,
            gst_analytics_tensor_mtd_get_mtd_type (), &mtd))
      look_at_tensor (gst_analytics_tensor_mtd_get_tensor (&mtd), search);
  }
}
#else
#define look_at_relation_metas(buffer, search) ((void) 0)
#endif

static gboolean
look_for (GstBuffer * buffer, const gchar * id, Search * search)
{
  search->id = id;
  look_at_tensor_metas (buffer, search);
  look_at_relation_metas (buffer, search);
  return search->found || search->misfits->len;
}

MediaTensorResult
media_tensor_find (GstBuffer * buffer, const gchar * const *ids, gsize n,
    MediaTensor * tensor, gchar ** why)
{
  g_autoptr (GString) misfits = g_string_new (NULL);
  Search search = {.n = n,.tensor = tensor,.misfits = misfits };

  if (!ids)
    look_for (buffer, NULL, &search);
  while (ids && *ids && !look_for (buffer, *ids, &search))
    ids++;
  if (search.found)
    return MEDIA_TENSOR_FOUND;
  if (!misfits->len)
    return MEDIA_TENSOR_NONE;
  if (n)
    *why = g_strdup_printf ("expected a tensor of %" G_GSIZE_FORMAT " float32 "
        "values on each buffer, found %s: set input-tensor to the right one, "
        "or use a model that fits", n, misfits->str);
  else
    *why = g_strdup_printf ("expected a tensor of float32 scores on each "
        "buffer, found %s: set input-tensor to the right one", misfits->str);
  return MEDIA_TENSOR_MISFIT;
}

gboolean
media_tensor_exists (GstBuffer * buffer, const gchar * id)
{
  g_autoptr (GString) misfits = g_string_new (NULL);
  MediaTensor tensor;
  Search search = {.tensor = &tensor,.misfits = misfits };

  return look_for (buffer, id, &search);
}

GstTensor *
media_tensor_new (const gchar * id, gfloat * values, gsize n_dims,
    const gsize * dims)
{
  GstTensor *tensor = gst_tensor_alloc (n_dims);
  gsize n = 1;

  for (gsize i = 0; i < n_dims; i++)
    n *= tensor->dims[i] = dims[i];
  tensor->id = g_quark_from_string (id);
  tensor->layout = GST_TENSOR_LAYOUT_CONTIGUOUS;
  tensor->data_type = GST_TENSOR_DATA_TYPE_FLOAT32;
  tensor->dims_order = GST_TENSOR_DIM_ORDER_ROW_MAJOR;
  tensor->data = gst_buffer_new_wrapped (values, n * sizeof *values);
  return tensor;
}

void
media_tensors_add (GstBuffer * buffer, GstTensor ** tensors, guint n)
{
  GstTensor **copy = g_memdup2 (tensors, n * sizeof *tensors);
  /* In GStreamer 1.26, gst_buffer_add_tensor_meta() returns the meta of another element if there is one. */
  GstMeta *meta = gst_buffer_add_meta (buffer, GST_TENSOR_META_INFO, NULL);

  gst_tensor_meta_set ((GstTensorMeta *) meta, n, copy);
}

#endif
