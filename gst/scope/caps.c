/* gst-continual: caps of tensors that are shown, and of the picture
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/caps.h"

#include "tensor/vectorcaps.h"

#define WIDTH 640
#define HEIGHT 240
#define STREAM_HEIGHT 120
/* Bytes of vectors that are kept */
#define MOST_MEMORY ((gsize) 256 << 20)

/* The caps of tensor @which of two. NULL: @caps are of one. */
static GstCaps *
copy_single (const GstCaps * caps, guint which)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const gchar *dims = gst_structure_get_string (s, "dimensions");
  const gchar *types = gst_structure_get_string (s, "types");
  g_auto (GStrv) sizes = g_strsplit (dims ? dims : "", ",", -1);
  g_auto (GStrv) names = g_strsplit (types ? types : "", ",", -1);
  GstCaps *res;
  gint n;

  if (!gst_structure_get_int (s, "num_tensors", &n) || n != 2
      || g_strv_length (sizes) != 2 || g_strv_length (names) != 2)
    return NULL;
  res = gst_caps_copy (caps);
  gst_caps_set_simple (res, "num_tensors", G_TYPE_INT, 1, "dimensions",
      G_TYPE_STRING, sizes[which], "types", G_TYPE_STRING,
      g_strstrip (names[which]), NULL);
  return res;
}

static gsize
count_bytes (const TensorInfo * tensor)
{
  return (gsize) tensor->dims[0] * tensor->dims[1] * tensor->dims[2] *
      tensor->dims[3] * sizeof (gfloat);
}

static gboolean
parse_tensors (ScopeInput * self, const ScopeStyle * style,
    const GstCaps * caps, gchar ** why)
{
  g_autoptr (GstCaps) first = NULL;
  g_autoptr (GstCaps) last = NULL;
  TensorInfo other;

  if (gst_caps_is_fixed (caps)) {
    first = copy_single (caps, 0);
    last = copy_single (caps, 1);
  }
  if (!first) {
    if (!tensor_caps_parse (caps, &self->tensor, why))
      return FALSE;
    self->size = count_bytes (&self->tensor);
    self->shorter = !style->weights;
    return TRUE;
  }
  if (!tensor_caps_parse (style->weights ? last : first, &self->tensor, why)
      || !tensor_caps_parse (style->weights ? first : last, &other, why))
    return FALSE;
  /* Each fits into memory, both need not. */
  if (!g_size_checked_add (&self->size, count_bytes (&self->tensor),
          count_bytes (&other))) {
    *why = g_strdup ("expected tensors that fit into memory, found larger "
        "ones: make the sizes smaller");
    return FALSE;
  }
  self->skip = style->weights ? count_bytes (&other) : 0;
  return TRUE;
}

static gboolean
check_dims (const ScopeInput * self, const ScopeStyle * style, guint history,
    gchar ** why)
{
  const guint *dims = self->dims;
  const guint64 values = (guint64) dims[0] * dims[1] * dims[2] *
      self->n_streams;
  g_autofree gchar *found = tensor_dims_to_string (self->tensor.dims);
  guint width = 0, height = 0;

  if (!style->weights && self->tensor.dims[3] != 1) {
    *why = g_strdup_printf ("expected dimensions %s, found %s: reshape the "
        "tensor", style->dims, found);
    return FALSE;
  }
  if (style->get_cells)
    style->get_cells (dims, history, &width, &height);
  if (width > SCOPE_MAX_SIDE || height > SCOPE_MAX_SIDE) {
    *why = g_strdup_printf ("expected at most %d values side by side, found "
        "dimensions %s: there are not as many pixels; show a part of the "
        "tensor", SCOPE_MAX_SIDE, found);
    return FALSE;
  }
  if (values > MOST_MEMORY / sizeof (gfloat) / history) {
    *why = g_strdup_printf ("expected vectors to show of at most %"
        G_GSIZE_FORMAT " bytes, found %u of dimensions %s: lower history, or "
        "show fewer streams", MOST_MEMORY, history, found);
    return FALSE;
  }
  return TRUE;
}

gboolean
scope_input_parse (ScopeInput * self, const ScopeStyle * style,
    const GstCaps * caps, guint history, gchar ** why)
{
  ScopeInput res = {.timed = style->timed };
  const guint *dims = res.tensor.dims;

  if (!parse_tensors (&res, style, caps, why))
    return FALSE;
  res.dims[0] = dims[0];
  res.dims[1] = style->weights ? dims[1] : 1;
  res.dims[2] = style->weights ? dims[2] : 1;
  res.n_streams = style->weights ? dims[3] : dims[2];
  if (!check_dims (&res, style, history, why))
    return FALSE;
  *self = res;
  return TRUE;
}

gboolean
scope_input_check_size (const ScopeInput * self, gsize size, gchar ** why)
{
  g_autofree gchar *dims = NULL;

  if (self->shorter)
    return vector_caps_check_size (&self->tensor, size, why);
  if (size == self->size)
    return TRUE;
  dims = tensor_dims_to_string (self->tensor.dims);
  *why = g_strdup_printf ("expected buffers of %" G_GSIZE_FORMAT " bytes, since "
      "the dimensions are %s%s, found one of %" G_GSIZE_FORMAT " bytes: correct "
      "the dimensions, or the source of the buffers", self->size, dims,
      self->size > count_bytes (&self->tensor) ? " and those of another tensor" :
      "", size);
  return FALSE;
}

gsize
scope_input_count (const ScopeInput * self, gsize size)
{
  return self->timed ? MIN (size, count_bytes (&self->tensor)) /
      ((gsize) self->dims[0] * self->n_streams * sizeof (gfloat)) : 1;
}

gboolean
scope_input_read (const ScopeInput * self, GstBuffer * buffer, gsize i,
    gfloat * rows)
{
  const gsize width = (gsize) self->dims[0] * self->dims[1] * self->dims[2];
  const gsize bytes = width * sizeof (gfloat);
  const gsize shown = self->shorter ? gst_buffer_get_size (buffer) :
      count_bytes (&self->tensor);
  /* Vectors of a stream in the buffer; of positions, the newest is shown. */
  const gsize n = shown / bytes / self->n_streams;
  const gsize at = self->timed ? i : n - 1;

  for (guint s = 0; s < self->n_streams; s++)
    if (gst_buffer_extract (buffer, self->skip + (s * n + at) * bytes,
            rows + s * width, bytes) != bytes)
      return FALSE;
  return TRUE;
}

ByteScale
scope_input_get_scale (const ScopeInput * self)
{
  ByteScale scale = {.size = self->size,.rate_n = self->tensor.fps_n,.rate_d =
        self->tensor.fps_d
  };

  return self->timed && !self->skip && self->shorter ?
      byte_scale_new (&self->tensor) : scale;
}

GstCaps *
scope_caps_fixate (GstCaps * video, guint n_streams)
{
  const gint height = (gint) MIN (MAX ((guint64) n_streams * STREAM_HEIGHT,
          HEIGHT), SCOPE_MAX_SIDE);
  GstStructure *s;

  if (gst_caps_is_empty (video))
    return video;
  video = gst_caps_make_writable (gst_caps_truncate (video));
  s = gst_caps_get_structure (video, 0);
  gst_structure_fixate_field_nearest_int (s, "width", WIDTH);
  gst_structure_fixate_field_nearest_int (s, "height", height);
  gst_structure_fixate_field_nearest_fraction (s, "framerate", 25, 1);
  if (gst_structure_has_field (s, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction (s, "pixel-aspect-ratio", 1, 1);
  return gst_caps_fixate (video);
}
