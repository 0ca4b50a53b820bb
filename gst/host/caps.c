/* gst-continual: caps of the inputs and outputs of a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/caps.h"

/* FALSE: @s allows any dimensions. Dimensions that cannot be parsed are 0. */
static gboolean
get_dims (const GstStructure * s, guint dims[4])
{
  const GValue *dimensions = gst_structure_get_value (s, "dimensions");
  TensorInfo tensor;
  GstStructure *bare;
  GstCaps *caps;
  gboolean ok;

  if (!dimensions || !gst_value_is_fixed (dimensions))
    return FALSE;
  caps = gst_caps_from_string (TENSOR_CAPS_TEMPLATE);
  bare = gst_caps_get_structure (caps, 0);
  gst_structure_set_value (bare, "dimensions", dimensions);
  ok = tensor_caps_parse (caps, &tensor, NULL);
  gst_caps_unref (caps);
  for (guint i = 0; i < 4; i++)
    dims[i] = ok ? tensor.dims[i] : 0;
  return TRUE;
}

typedef struct
{
  guint64 n, d;
} Ratio;

static gboolean multiply (const GValue * in, Ratio by, GValue * out);

static gboolean
multiply_fraction (const GValue * in, Ratio by, GValue * out)
{
  gint n, d;

  if (!gst_util_fraction_multiply (gst_value_get_fraction_numerator (in),
          gst_value_get_fraction_denominator (in), (gint) by.n, (gint) by.d, &n, &d))
    return FALSE;
  g_value_init (out, GST_TYPE_FRACTION);
  gst_value_set_fraction (out, n, d);
  return TRUE;
}

static gboolean
multiply_range (const GValue * in, Ratio by, GValue * out)
{
  GValue min = G_VALUE_INIT, max = G_VALUE_INIT;
  const gboolean ok =
      multiply_fraction (gst_value_get_fraction_range_min (in), by, &min)
      && multiply_fraction (gst_value_get_fraction_range_max (in), by, &max);

  if (ok) {
    g_value_init (out, GST_TYPE_FRACTION_RANGE);
    gst_value_set_fraction_range (out, &min, &max);
  }
  if (G_IS_VALUE (&min))
    g_value_unset (&min);
  if (G_IS_VALUE (&max))
    g_value_unset (&max);
  return ok;
}

static gboolean
multiply_list (const GValue * in, Ratio by, GValue * out)
{
  g_value_init (out, GST_TYPE_LIST);
  for (guint i = 0; i < gst_value_list_get_size (in); i++) {
    GValue one = G_VALUE_INIT;

    if (!multiply (gst_value_list_get_value (in, i), by, &one)) {
      g_value_unset (out);
      return FALSE;
    }
    gst_value_list_append_and_take_value (out, &one);
  }
  return TRUE;
}

/* FALSE: *out, a framerate of @in times @by, would overflow. */
static gboolean
multiply (const GValue * in, Ratio by, GValue * out)
{
  if (GST_VALUE_HOLDS_FRACTION (in))
    return multiply_fraction (in, by, out);
  if (GST_VALUE_HOLDS_FRACTION_RANGE (in))
    return multiply_range (in, by, out);
  return GST_VALUE_HOLDS_LIST (in) && multiply_list (in, by, out);
}

/* Sets framerate to @in times @by in all of @caps, unless it overflows: then it stays open. */
static void
set_framerate (GstCaps * caps, const GValue * in, Ratio by)
{
  GValue out = G_VALUE_INIT;

  if (!in || by.n > G_MAXINT || by.d > G_MAXINT)
    return;
  if (by.n == by.d) {
    g_value_init (&out, G_VALUE_TYPE (in));
    g_value_copy (in, &out);
  } else if (!multiply (in, by, &out)) {
    return;
  }
  gst_caps_set_value (caps, "framerate", &out);
  g_value_unset (&out);
}

static GstCaps *
template_caps (void)
{
  return gst_caps_from_string (TENSOR_CAPS_TEMPLATE);
}

static gboolean
is_tensors (const GstCaps * caps)
{
  GstCaps *tmpl = template_caps ();
  gboolean res = gst_caps_can_intersect (caps, tmpl);

  gst_caps_unref (tmpl);
  return res;
}

static gboolean
fits (const CoModelInfo * info, const guint dims[4])
{
  return dims[0] == info->n_inputs && dims[3] == 1;
}

typedef GstCaps *(*TransformDims) (const CoModelInfo * info,
    const guint dims[4], const GValue * framerate);

/* Caps of the output for a tensor of @dims. A tensor that does not fit the model is not excluded here: it is refused,
 * with a reason, when its CAPS event comes. */
static GstCaps *
dims_to_src (const CoModelInfo * info, const guint dims[4],
    const GValue * framerate)
{
  const guint out[4] = { info->n_outputs, info->n_positions, dims[2], 1 };
  GstCaps *caps = tensor_caps_new (out, 0, 0);

  /* A buffer of T vectors gives T outputs, or every K-th of them. */
  set_framerate (caps, framerate, (Ratio) {
      dims[1], info->answer_interval});
  return caps;
}

/* Caps of the input for an output of @dims, one vector in each buffer; NULL: not an output of the model. */
static GstCaps *
dims_to_sink (const CoModelInfo * info, const guint dims[4],
    const GValue * framerate)
{
  const guint in[4] = { info->n_inputs, 1, dims[2], 1 };
  GstCaps *caps;

  if (dims[0] != info->n_outputs || dims[1] != info->n_positions
      || dims[3] != 1)
    return NULL;
  caps = tensor_caps_new (in, 0, 0);
  set_framerate (caps, framerate, (Ratio) {
      info->answer_interval, 1});
  return caps;
}

/* @open: the dimensions of one pad do not determine those of the other. */
static GstCaps *
transform (const CoModelInfo * info, const GstCaps * caps, const guint any[4],
    TransformDims transform_dims, gboolean open)
{
  GstCaps *res;

  if (!info)
    return gst_caps_is_any (caps) || is_tensors (caps) ? template_caps () :
        gst_caps_new_empty ();
  res = gst_caps_new_empty ();
  if (gst_caps_is_any (caps))
    return gst_caps_merge (transform_dims (info, any, NULL), template_caps ());
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *s = gst_caps_get_structure (caps, i);
    gboolean known;
    guint dims[4];
    GstCaps *one = gst_caps_copy_nth (caps, i), *other;
    gboolean ours = is_tensors (one);

    gst_caps_unref (one);
    if (!ours)
      continue;
    known = get_dims (s, dims);
    other = transform_dims (info, known ? dims : any,
        gst_structure_get_value (s, "framerate"));
    if (other)
      res = gst_caps_merge (res, other);
    open = open || !known;
  }
  if (open && !gst_caps_is_empty (res))
    res = gst_caps_merge (res, template_caps ());
  return res;
}

GstCaps *
model_caps_to_src (const CoModelInfo * info, const GstCaps * caps)
{
  const guint any[4] = { info ? info->n_inputs : 1, 1, 1, 1 };

  return transform (info, caps, any, dims_to_src, FALSE);
}

GstCaps *
model_caps_to_sink (const CoModelInfo * info, const GstCaps * caps)
{
  const guint any[4] = { info ? info->n_outputs : 1,
    info ? info->n_positions : 1, 1, 1
  };

  return transform (info, caps, any, dims_to_sink, TRUE);
}

GstCaps *
model_caps_prefer_fitting (const CoModelInfo * info, GstCaps * caps)
{
  GstCaps *res = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    guint dims[4];

    if (!get_dims (gst_caps_get_structure (caps, i), dims)
        || fits (info, dims))
      gst_caps_append (res, gst_caps_copy_nth (caps, i));
  }
  if (gst_caps_is_empty (res)) {
    gst_caps_unref (res);
    return caps;
  }
  gst_caps_unref (caps);
  return res;
}

gchar *
model_caps_explain_refused (const CoModelInfo * next)
{
  return g_strdup_printf ("expected outputs that downstream takes, found "
      "vectors of %" G_GSIZE_FORMAT ": correct the caps after this element",
      next->n_outputs);
}
