/* gst-continual: caps of video and of vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/caps.h"

#include "tensor/caps.h"

static const struct
{
  const gchar *caps;
  guint channels;
  gboolean luma;
} kinds[] = {
  {VIDEO_COLOR_CAPS, 3, FALSE},
  {VIDEO_GRAY_CAPS, 1, FALSE},
  {VIDEO_LUMA_CAPS, 1, TRUE},
};

gchar *
video_caps_explain (const GstCaps * caps, gboolean luma, GstVideoInfo * info)
{
  const gchar *expected = luma ? "a YUV format such as I420, since luma is set" :
      "RGB or GRAY8";
  gchar *found, *why = NULL;
  gboolean known = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstCaps *kind = gst_caps_from_string (kinds[i].caps);

    known = known || (kinds[i].luma == luma
        && gst_caps_can_intersect (caps, kind));
    gst_caps_unref (kind);
  }
  if (known && gst_video_info_from_caps (info, caps))
    return NULL;
  if (gst_video_info_from_caps (info, caps)
      && GST_VIDEO_INFO_FORMAT (info) != GST_VIDEO_FORMAT_ENCODED)
    return g_strdup_printf ("expected video in %s, found %s: put "
        "videoconvert before", expected, GST_VIDEO_INFO_NAME (info));
  found = gst_caps_to_string (caps);
  why = g_strdup_printf ("expected raw video in %s, found %s: put "
      "decodebin ! videoconvert before", expected, found);
  g_free (found);
  return why;
}

guint
video_caps_get_channels (const GstVideoInfo * info)
{
  return GST_VIDEO_INFO_IS_RGB (info) ? 3 : 1;
}

/* 0: too many. */
static guint
get_size (guint width, guint height, guint channels)
{
  guint64 pixels = (guint64) width * height;

  return pixels > G_MAXUINT / (sizeof (gfloat) * channels) ? 0 :
      (guint) pixels * channels;
}

guint
video_caps_get_size (const GstVideoInfo * info)
{
  return get_size (GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
      video_caps_get_channels (info));
}

static GstCaps *
new_vectors (guint size)
{
  const guint dims[4] = { size, 1, 1, 1 };

  return size ? tensor_caps_new (dims, 0, 0) :
      gst_caps_from_string (TENSOR_CAPS_TEMPLATE);
}

/* The vectors of the frames of @s, a structure of @video. */
static GstCaps *
video_to_vectors (GstCaps * video, const GstStructure * s, gboolean luma)
{
  GstCaps *res = gst_caps_new_empty ();
  gint width = 0, height = 0;
  gboolean known = gst_structure_get_int (s, "width", &width)
      && gst_structure_get_int (s, "height", &height);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstCaps *kind = gst_caps_from_string (kinds[i].caps);

    if (kinds[i].luma == luma && gst_caps_can_intersect (video, kind))
      res = gst_caps_merge (res, new_vectors (known ? get_size (width, height,
                  kinds[i].channels) : 0));
    gst_caps_unref (kind);
  }
  return res;
}

/* FALSE: @s has vectors of *size values (0: any). TRUE: it has other tensors. */
static gboolean
is_foreign (GstCaps * tensors, const GstStructure * s, guint * size)
{
  GstCaps *tmpl = gst_caps_from_string (TENSOR_CAPS_TEMPLATE), *both;
  const GValue *dimensions = gst_structure_get_value (s, "dimensions");
  TensorInfo info;
  gboolean ok = TRUE;

  *size = 0;
  both = gst_caps_intersect (tensors, tmpl);
  gst_caps_unref (tmpl);
  if (gst_caps_is_empty (both)) {
    ok = FALSE;
  } else if (dimensions && gst_value_is_fixed (dimensions)) {
    both = gst_caps_make_writable (both);
    gst_structure_remove_field (gst_caps_get_structure (both, 0),
        "framerate");
    ok = tensor_caps_parse (both, &info, NULL) && info.dims[1] == 1
        && info.dims[2] == 1 && info.dims[3] == 1;
    *size = info.dims[0];
  }
  gst_caps_unref (both);
  return !ok;
}

/* Frames whose vectors have @size values (0: any), as far as caps can express it. */
static GstCaps *
vectors_to_video (guint size, gboolean luma)
{
  GstCaps *res = gst_caps_new_empty ();

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    GstCaps *kind = gst_caps_from_string (kinds[i].caps);
    gint pixels = (gint) MIN (size / kinds[i].channels, (guint) G_MAXINT);

    if (kinds[i].luma != luma || size % kinds[i].channels) {
      gst_caps_unref (kind);
      continue;
    }
    if (size)
      gst_caps_set_simple (kind, "width", GST_TYPE_INT_RANGE, 1, MAX (pixels,
              2), "height", GST_TYPE_INT_RANGE, 1, MAX (pixels, 2), NULL);
    gst_caps_append (res, kind);
  }
  return res;
}

static GstCaps *
transform (GstPadDirection direction, gboolean luma, GstCaps * caps)
{
  GstCaps *res = gst_caps_new_empty ();

  if (gst_caps_is_any (caps)) {
    gst_caps_unref (res);
    return direction == GST_PAD_SINK ? new_vectors (0) :
        vectors_to_video (0, luma);
  }
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    GstStructure *s = gst_caps_get_structure (caps, i);
    const GValue *framerate = gst_structure_get_value (s, "framerate");
    GstCaps *one = gst_caps_copy_nth (caps, i), *other = NULL;
    guint size;

    if (direction == GST_PAD_SINK)
      other = video_to_vectors (one, s, luma);
    else if (!is_foreign (one, s, &size))
      other = vectors_to_video (size, luma);
    gst_caps_unref (one);
    if (!other)
      continue;
    if (framerate)
      gst_caps_set_value (other, "framerate", framerate);
    res = gst_caps_merge (res, other);
  }
  return res;
}

GstCaps *
video_caps_transform (GstPadDirection direction, gboolean luma, GstCaps * caps,
    GstCaps * filter)
{
  GstCaps *res = transform (direction, luma, caps), *both;

  if (!filter)
    return res;
  both = gst_caps_intersect_full (filter, res, GST_CAPS_INTERSECT_FIRST);
  if (gst_caps_is_empty (both) && direction == GST_PAD_SRC) {
    /* No format of upstream fits: accept all, so that the CAPS event comes and an error can name it. */
    gst_caps_unref (res);
    gst_caps_unref (both);
    res = vectors_to_video (0, luma);
    both = gst_caps_intersect_full (filter, res, GST_CAPS_INTERSECT_FIRST);
  }
  gst_caps_unref (res);
  return both;
}

/* The length of a vector that downstream names first; 0: it takes any. */
static guint
find_length (GstCaps * downstream)
{
  for (guint i = 0; i < gst_caps_get_size (downstream); i++) {
    GstCaps *one = gst_caps_copy_nth (downstream, i);
    guint size = 0;
    gboolean foreign =
        is_foreign (one, gst_caps_get_structure (downstream, i), &size);

    gst_caps_unref (one);
    if (!foreign && size)
      return size;
  }
  return 0;
}

/* Whether downstream takes vectors of @size. It may name lengths, and then leave dimensions open for chunks and streams
 * of such vectors. */
static gboolean
takes (GstCaps * downstream, guint size)
{
  GstCaps *vectors = new_vectors (size);
  gboolean named = FALSE, res = FALSE;

  for (guint i = 0; i < gst_caps_get_size (downstream); i++) {
    GstStructure *s = gst_caps_get_structure (downstream, i);
    GstCaps *one;

    named = named || gst_structure_has_field (s, "dimensions");
    if (named && !gst_structure_has_field (s, "dimensions"))
      continue;
    one = gst_caps_copy_nth (downstream, i);
    res = res || gst_caps_can_intersect (vectors, one);
    gst_caps_unref (one);
  }
  res = res || gst_caps_is_any (downstream);
  gst_caps_unref (vectors);
  return res;
}

/* "format=GRAY8,width=28,height=28": frames whose vectors have @length values, as close as possible to the proportions of
 * @info; NULL: there are none. */
static gchar *
propose_size (const GstVideoInfo * info, guint length)
{
  const gboolean grey = video_caps_get_channels (info) == 1 || length % 3;
  const guint pixels = grey ? length : length / 3;
  const gdouble ratio = (gdouble) GST_VIDEO_INFO_WIDTH (info) /
      GST_VIDEO_INFO_HEIGHT (info);
  gdouble best = G_MAXDOUBLE;
  guint width = 0;

  for (guint i = 1; (guint64) i * i <= pixels; i++) {
    const guint sides[2] = { i, pixels / i };

    for (guint k = 0; pixels % i == 0 && k < 2; k++) {
      const gdouble here = (gdouble) sides[k] / sides[!k];
      const gdouble off = MAX (here / ratio, ratio / here);

      if (off >= best)
        continue;
      best = off;
      width = sides[k];
    }
  }
  return width ? g_strdup_printf ("video/x-raw,format=%s,width=%u,height=%u",
      !GST_VIDEO_INFO_IS_RGB (info) ? GST_VIDEO_INFO_NAME (info) :
      grey ? "GRAY8" : "RGB", width, pixels / width) : NULL;
}

static gchar *
explain_size (const GstVideoInfo * info, guint size, GstCaps * downstream)
{
  const guint length = find_length (downstream);
  g_autofree gchar *proposal = length ? propose_size (info, length) : NULL;
  g_autofree gchar *caps = gst_caps_to_string (downstream);
  g_autofree gchar *found = length ? g_strdup_printf ("vectors of %u", length) :
      g_steal_pointer (&caps);

  return g_strdup_printf ("expected what comes after to take vectors of %u "
      "values, since the frames are %s of %d x %d, found that it takes %s: give "
      "size and format of the frames before, behind videoconvert ! videoscale, "
      "%s%s%s", size, GST_VIDEO_INFO_NAME (info), GST_VIDEO_INFO_WIDTH (info),
      GST_VIDEO_INFO_HEIGHT (info), found, proposal ? "for example as \"" :
      "by video/x-raw,format=,width=,height=", proposal ? proposal : "",
      proposal ? "\"" : "");
}

gboolean
video_caps_check (const GstVideoInfo * info, GstCaps * downstream,
    gchar ** why)
{
  guint size = video_caps_get_size (info);

  if (!size) {
    *why = g_strdup_printf ("expected frames of at most %u values, found %d x "
        "%d of %u each: scale them down with a videoscale before",
        (guint) (G_MAXUINT / sizeof (gfloat)), GST_VIDEO_INFO_WIDTH (info),
        GST_VIDEO_INFO_HEIGHT (info), video_caps_get_channels (info));
    return FALSE;
  }
  if (takes (downstream, size))
    return TRUE;
  *why = explain_size (info, size, downstream);
  return FALSE;
}
