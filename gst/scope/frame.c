/* gst-continual: tensorscope: from what is known to a frame
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/private.h"

#include "tensor/pool.h"

static gdouble
choose (gdouble set, gdouble automatic, gdouble usual, gdouble known)
{
  return set != automatic ? set : isnan (usual) ? known : usual;
}

static ScopeScale
get_scale (const GstTensorScope * self, const ScopeLook * look)
{
  const gboolean softmax = self->settings.softmax && !self->style->weights;
  const ScopeRange *range = &self->range;

  return (ScopeScale) {
  choose (look->min, SCOPE_AUTO_MIN, softmax ? 0 : self->style->least,
        range->known ? range->min : 0),
        choose (look->max, SCOPE_AUTO_MAX, softmax ? 1 : self->style->most,
        range->known ? range->max : 0),
        scope_colormap_get (look->colormap)};
}

static void
draw (GstTensorScope * self)
{
  ScopeLook look;
  ScopeScale scale;

  GST_OBJECT_LOCK (self);
  look = self->settings.look;
  GST_OBJECT_UNLOCK (self);
  if (!self->dirty && look.min == self->drawn.min
      && look.max == self->drawn.max && look.colormap == self->drawn.colormap)
    return;
  scale = get_scale (self, &look);
  scope_picture_draw (self->picture, &scale);
  self->drawn = look;
  self->dirty = FALSE;
}

GstFlowReturn
scope_make_frame (GstTensorScope * self, const VectorTime * time, GstBuffer ** out)
{
  GstBufferPool *pool =
      gst_base_transform_get_buffer_pool (GST_BASE_TRANSFORM (self));
  GstVideoFrame frame;
  GstFlowReturn ret;
  GstMapInfo map;

  if (!pool)
    return GST_FLOW_FLUSHING;
  ret = tensor_pool_acquire (pool, GST_ELEMENT (self),
      GST_VIDEO_INFO_SIZE (&self->info), out, &map);
  if (ret != GST_FLOW_OK)
    return ret;
  gst_buffer_unmap (*out, &map);
  if (!gst_video_frame_map (&frame, &self->info, *out, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
        ("Expected a frame of %s from downstream's buffer pool, found another "
            "one: put a videoconvert behind.",
            GST_VIDEO_INFO_NAME (&self->info)), ("%" GST_PTR_FORMAT, *out));
    gst_clear_buffer (out);
    return GST_FLOW_ERROR;
  }
  draw (self);
  scope_picture_copy (self->picture, GST_VIDEO_FRAME_PLANE_DATA (&frame, 0),
      GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0));
  gst_video_frame_unmap (&frame);
  GST_BUFFER_PTS (*out) = time->pts;
  GST_BUFFER_DURATION (*out) = time->duration;
  if (self->discont)
    GST_BUFFER_FLAG_SET (*out, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
  return GST_FLOW_OK;
}
