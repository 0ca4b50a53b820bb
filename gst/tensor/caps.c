/* gst-continual: other/tensors caps, as NNStreamer spells them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/caps.h"

#include "tensor/about.h"

#define GST_CAT_DEFAULT element_debug (element)

/* NNStreamer's limit on the number of dimensions of a tensor */
#define MAX_RANK 16

gchar *
tensor_dims_to_string (const guint dims[4])
{
  GString *s = g_string_new (NULL);
  guint rank = 4;

  while (rank > 1 && dims[rank - 1] == 1)
    rank--;
  for (guint i = 0; i < rank; i++)
    g_string_append_printf (s, i ? ":%u" : "%u", dims[i]);
  return g_string_free (s, FALSE);
}

static void
append_spelling (GstCaps * caps, const GValue * dimensions, gint fps_n,
    gint fps_d)
{
  GstStructure *s = gst_structure_new (TENSOR_CAPS_NAME,
      "format", G_TYPE_STRING, "static",
      "num_tensors", G_TYPE_INT, 1,
      "types", G_TYPE_STRING, "float32", NULL);

  gst_structure_set_value (s, "dimensions", dimensions);
  if (fps_d)
    gst_structure_set (s, "framerate", GST_TYPE_FRACTION, fps_n, fps_d, NULL);
  gst_caps_append_structure (caps, s);
}

GstCaps *
tensor_caps_new (const guint dims[4], gint fps_n, gint fps_d)
{
  GstCaps *caps = gst_caps_new_empty ();
  GValue value = G_VALUE_INIT;
  guint rank = 1;

  for (guint i = 0; i < 4; i++) {
    g_return_val_if_fail (dims[i] > 0, caps);
    if (dims[i] > 1)
      rank = i + 1;
  }

  g_value_init (&value, G_TYPE_STRING);
  for (guint n = 4; n >= rank; n--) {
    GString *s = g_string_new (NULL);

    for (guint i = 0; i < n; i++)
      g_string_append_printf (s, i ? ":%u" : "%u", dims[i]);
    g_value_take_string (&value, g_string_free (s, FALSE));
    append_spelling (caps, &value, fps_n, fps_d);
  }
  g_value_unset (&value);

  /* gst-launch makes this of an untyped dimensions=64. */
  if (rank == 1 && dims[0] <= G_MAXINT) {
    g_value_init (&value, G_TYPE_INT);
    g_value_set_int (&value, (gint) dims[0]);
    append_spelling (caps, &value, fps_n, fps_d);
    g_value_unset (&value);
  }
  return caps;
}

/* For example "(string)dynamic"; "none" without a value. */
static gchar *
describe (const GValue * value)
{
  gchar *text, *res;

  if (!value)
    return g_strdup ("none");
  if (G_VALUE_HOLDS_STRING (value))
    return g_strdup_printf ("(string)%s", g_value_get_string (value));
  text = gst_value_serialize (value);
  res = g_strdup_printf ("(%s)%s", G_VALUE_TYPE_NAME (value),
      text ? text : "?");
  g_free (text);
  return res;
}

static gboolean
expect_string (const GstStructure * s, const gchar * field,
    const gchar * expected, const gchar * advice, gchar ** why)
{
  const GValue *value = gst_structure_get_value (s, field);
  gchar *found;

  if (value && G_VALUE_HOLDS_STRING (value)
      && g_strcmp0 (g_value_get_string (value), expected) == 0)
    return TRUE;

  found = describe (value);
  *why = g_strdup_printf ("expected %s=(string)%s, found %s: %s",
      field, expected, found, advice);
  g_free (found);
  return FALSE;
}

static gboolean
parse_dim_string (const gchar * text, guint dims[4], gchar ** why)
{
  gchar **parts = g_strsplit (text, ":", -1);
  guint n = g_strv_length (parts);
  guint64 size, bytes = sizeof (gfloat);
  gboolean ok = FALSE;

  if (n == 0 || n > MAX_RANK) {
    *why = g_strdup_printf ("expected 1 to %d sizes in dimensions, found %u "
        "in \"%s\": write for example dimensions=(string)64:16",
        MAX_RANK, n, text);
    goto out;
  }
  for (guint i = 0; i < n; i++) {
    if (!g_ascii_string_to_unsigned (g_strstrip (parts[i]), 10, 1, G_MAXUINT,
            &size, NULL)) {
      *why = g_strdup_printf ("expected sizes from 1 to %u separated by "
          "colons, innermost first, in dimensions, found \"%s\": write for "
          "example dimensions=(string)64:16", G_MAXUINT, text);
      goto out;
    }
    if (i >= 4 && size != 1) {
      *why = g_strdup_printf ("expected at most 4 sizes (features, vectors, "
          "streams) in dimensions, found \"%s\": reshape the tensor; only "
          "trailing 1s may follow", text);
      goto out;
    }
    if (bytes > G_MAXSSIZE / size) {
      *why = g_strdup_printf ("expected a tensor that fits into memory, found "
          "dimensions \"%s\": make the sizes smaller", text);
      goto out;
    }
    bytes *= size;
    if (i < 4)
      dims[i] = (guint) size;
  }
  ok = TRUE;
out:
  g_strfreev (parts);
  return ok;
}

static gboolean
parse_dimensions (const GValue * value, guint dims[4], gchar ** why)
{
  gchar *found;

  dims[0] = dims[1] = dims[2] = dims[3] = 1;

  if (value && G_VALUE_HOLDS_STRING (value) && g_value_get_string (value))
    return parse_dim_string (g_value_get_string (value), dims, why);

  if (value && G_VALUE_HOLDS_INT (value) && g_value_get_int (value) > 0) {
    dims[0] = (guint) g_value_get_int (value);
    return TRUE;
  }

  found = describe (value);
  *why = g_strdup_printf ("expected dimensions as a string of sizes, "
      "innermost first, or one positive int, found %s: write for example "
      "dimensions=(string)64:16", found);
  g_free (found);
  return FALSE;
}

/* NULL: @caps have no flag set as dimensions. Else an error text. */
static gchar *
refuse_flag_set (const GstCaps * caps)
{
  const GValue *value;
  gchar *found, *why;

  if (gst_caps_is_any (caps) || gst_caps_is_empty (caps))
    return NULL;
  value = gst_structure_get_value (gst_caps_get_structure (caps, 0),
      "dimensions");
  if (!value || !GST_VALUE_HOLDS_FLAG_SET (value))
    return NULL;
  found = describe (value);
  why = g_strdup_printf ("expected dimensions as a string, found %s, the "
      "flag set that GStreamer makes of an untyped dimensions=64:16: write "
      "dimensions=(string)64:16 with your sizes", found);
  g_free (found);
  return why;
}

/* The elements that make tensors of what came instead */
static const gchar *
find_converter (const GstStructure * s)
{
  if (gst_structure_has_name (s, "audio/x-raw"))
    return "put melspectrogram before, with the settings that the model was "
        "trained on, behind audioconvert ! audioresample";
  if (gst_structure_has_name (s, "video/x-raw"))
    return "put videototensor before, behind videoconvert ! videoscale and a "
        "capsfilter with format, width and height";
  if (g_str_has_prefix (gst_structure_get_name (s), "audio/")
      || g_str_has_prefix (gst_structure_get_name (s), "video/"))
    return "put decodebin before, then a converter to tensors (melspectrogram "
        "or videototensor)";
  return "convert the stream to tensors first";
}

gboolean
tensor_caps_refuse_untyped (GstElement * element, const GstCaps * caps)
{
  gchar *why = refuse_flag_set (caps);

  if (!why)
    return FALSE;
  GST_ELEMENT_ERROR (element, STREAM, FORMAT, ("%c%s.",
          g_ascii_toupper (why[0]), why + 1), (NULL));
  g_free (why);
  return TRUE;
}

gboolean
tensor_caps_parse (const GstCaps * caps, TensorInfo * info, gchar ** why)
{
  const GstStructure *s;
  const GValue *value;
  TensorInfo res = { {1, 1, 1, 1}, 0, 1 };
  gchar *unused = NULL, *found;
  gint num_tensors;
  gboolean ok = FALSE;

  g_return_val_if_fail (GST_IS_CAPS (caps), FALSE);
  g_return_val_if_fail (info != NULL, FALSE);

  if (!why)
    why = &unused;

  /* First, since a flag set is not fixed either. */
  *why = refuse_flag_set (caps);
  if (*why)
    goto out;

  if (!gst_caps_is_fixed (caps)) {
    found = gst_caps_to_string (caps);
    *why = g_strdup_printf ("expected fixed %s caps, found %s: put a "
        "capsfilter with a single value for each field before this element",
        TENSOR_CAPS_NAME, found);
    g_free (found);
    goto out;
  }
  s = gst_caps_get_structure (caps, 0);

  if (!gst_structure_has_name (s, TENSOR_CAPS_NAME)) {
    *why = g_strdup_printf ("expected %s, found %s: %s", TENSOR_CAPS_NAME,
        gst_structure_get_name (s), find_converter (s));
    goto out;
  }
  if (!expect_string (s, "format", "static",
          "write format=(string)static", why))
    goto out;
  if (!gst_structure_get_int (s, "num_tensors", &num_tensors)
      || num_tensors != 1) {
    found = describe (gst_structure_get_value (s, "num_tensors"));
    *why = g_strdup_printf ("expected num_tensors=(int)1, found %s: pass one "
        "tensor in a buffer (demultiplex or merge several before)", found);
    g_free (found);
    goto out;
  }
  if (!expect_string (s, "types", "float32",
          "convert the values to float32, for example by tensor_transform "
          "mode=typecast option=float32 of NNStreamer", why))
    goto out;
  if (!parse_dimensions (gst_structure_get_value (s, "dimensions"), res.dims,
          why))
    goto out;

  value = gst_structure_get_value (s, "framerate");
  if (value && (!gst_structure_get_fraction (s, "framerate", &res.fps_n,
              &res.fps_d) || res.fps_n < 0)) {
    found = describe (value);
    *why = g_strdup_printf ("expected framerate as a fraction from 0/1 on, "
        "found %s: write for example framerate=(fraction)100/1, or leave it "
        "out if unknown", found);
    g_free (found);
    goto out;
  }
  *info = res;
  ok = TRUE;
out:
  g_free (unused);
  return ok;
}
