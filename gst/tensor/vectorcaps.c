/* gst-continual: tensors that are vectors in time
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/vectorcaps.h"

#include "tensor/about.h"

#define GST_CAT_DEFAULT element_debug (element)

GstCaps *
vector_caps_new (gsize width)
{
  const guint dims[4] = { width, 1, 1, 1 };

  return gst_caps_merge (tensor_caps_new (dims, 0, 0),
      gst_caps_from_string (TENSOR_CAPS_TEMPLATE));
}

gboolean
vector_caps_read (const GstCaps * caps, gsize width, const gchar * what,
    TensorInfo * tensor, gchar ** why)
{
  g_autofree gchar *found = NULL;

  if (!tensor_caps_parse (caps, tensor, why))
    return FALSE;
  if (tensor->dims[0] == width && tensor->dims[3] == 1)
    return TRUE;
  found = tensor_dims_to_string (tensor->dims);
  *why = g_strdup_printf ("expected dimensions %" G_GSIZE_FORMAT ", %"
      G_GSIZE_FORMAT ":T or %" G_GSIZE_FORMAT ":T:S, since the model takes %s "
      "of %" G_GSIZE_FORMAT " values (T vectors in time, S streams), "
      "found %s: give it the features that it was trained on, or another model",
      width, width, width, what, width, found);
  return FALSE;
}

gboolean
vector_caps_check_size (const TensorInfo * tensor, gsize size, gchar ** why)
{
  const gsize vector = tensor->dims[0] * tensor->dims[2] * sizeof (gfloat);
  const gsize whole = vector * tensor->dims[1];
  g_autofree gchar *dims = NULL;

  if (size > 0 && size % vector == 0 && size <= whole)
    return TRUE;
  dims = tensor_dims_to_string (tensor->dims);
  *why = g_strdup_printf ("expected buffers of %" G_GSIZE_FORMAT " bytes as "
      "dimensions=(string)%s say, or of fewer whole vectors (%" G_GSIZE_FORMAT
      " bytes each), found one of %" G_GSIZE_FORMAT " bytes: correct the "
      "dimensions, or the source of the buffers", whole, dims, vector, size);
  return FALSE;
}

gboolean
vector_caps_accept (GstQuery * query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_ACCEPT_CAPS)
    return FALSE;
  gst_query_set_accept_caps_result (query, TRUE);
  return TRUE;
}

GstClockTime
vector_caps_get_duration (const TensorInfo * tensor)
{
  return tensor->fps_n ? gst_util_uint64_scale (1, GST_SECOND * tensor->fps_d,
      (guint64) tensor->fps_n * tensor->dims[1]) : GST_CLOCK_TIME_NONE;
}

void
vector_caps_post_error (GstElement * element, const gchar * why,
    const GstCaps * caps)
{
  GST_ELEMENT_ERROR (element, STREAM, FORMAT, ("%c%s.",
          g_ascii_toupper (why[0]), why + 1), ("caps %" GST_PTR_FORMAT, caps));
}

gboolean
vector_caps_require (GstElement * element, GstPad * sinkpad)
{
  if (gst_pad_has_current_caps (sinkpad))
    return TRUE;
  GST_ELEMENT_ERROR (element, STREAM, FORMAT,
      ("Expected caps that say what the buffers hold, found none: put them "
          "before this element, for example " TENSOR_CAPS_NAME
          ",format=static,num_tensors=1,types=float32,"
          "dimensions=(string)64,framerate=100/1."), (NULL));
  return FALSE;
}
