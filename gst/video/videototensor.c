/* gst-continual: video to vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-videototensor
 * @title: videototensor
 * @short_description: pixels to float32 vectors
 *
 * Turns each video frame into one vector of width * height * channels float32 values: (pixel * scale - mean) / std, as
 * ToTensor and Normalize of torchvision do. Grey video has one channel. All other video has three: red, green and blue,
 * whatever their order in memory; alpha is left out.
 *
 * A model takes frames of one size and format: convert and scale to them before this element.
 *
 * |[
 * gst-launch-1.0 -q v4l2src ! videoconvert ! videoscale ! video/x-raw,format=GRAY8,width=32,height=32 \
 *     ! videototensor mean=0.5 std=0.25 ! continualencoder model-path=motion.safetensors ! classlabeler ! fdsink
 * gst-launch-1.0 videotestsrc num-buffers=9 ! video/x-raw,format=RGB,width=32,height=24 \
 *     ! videototensor mean=0.485,0.456,0.406 std=0.229,0.224,0.225 ! filesink location=frames.f32
 * ]|
 */
#include "video/videototensor.h"

#include "elements.h"
#include "tensor/about.h"
#include "tensor/caps.h"
#include "tensor/pool.h"
#include "tensor/propertytable.h"
#include "tensor/vectorcaps.h"
#include "video/caps.h"
#include "video/pixels.h"

#define GST_CAT_DEFAULT element_debug (self)

struct _GstVideoToTensor
{
  GstBaseTransform parent;

  /* Under the object lock; constant between start and stop, so that the streaming thread reads them without it. */
  PixelLayout layout;
  gboolean luma;
  gdouble scale;
  gchar *mean, *std;
  gboolean started;

  /* From mean and std; set by start(). */
  gdouble means[3], stds[3];
  guint n_means, n_stds;

  /* Streaming thread only. */
  GstVideoInfo info;
  PixelTable table;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (VIDEO_COLOR_CAPS ";" VIDEO_GRAY_CAPS ";"
        VIDEO_LUMA_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));

G_DEFINE_TYPE (GstVideoToTensor, gst_video_to_tensor, GST_TYPE_BASE_TRANSFORM);
GST_ELEMENT_REGISTER_DEFINE (videototensor, "videototensor", GST_RANK_NONE,
    GST_TYPE_VIDEO_TO_TENSOR);

/* *INDENT-OFF* */
PROPERTY_ENUM (layout_enum, "GstVideoToTensorLayout",
  {PIXEL_LAYOUT_PLANAR, "Channels first, like a flattened PyTorch image: all red values, then all green, then all "
      "blue", "planar"},
  {PIXEL_LAYOUT_INTERLEAVED, "Channels innermost, as in NNStreamer: red, green and blue of each pixel",
      "interleaved"});

static const PropertyRow rows[] = {
  ROW_CHOICE (GstVideoToTensor, layout, READY, "layout", "Layout",
      "The order of the values in a vector", layout_enum, PIXEL_LAYOUT_PLANAR),
  ROW_BOOLEAN (GstVideoToTensor, luma, READY, "luma", "Luma",
      "Take video in YUV, and of it the luma as one grey channel: black is 0 and white 255, whatever range the caps say. "
      "(GRAY8 has no range: videoconvert of GStreamer 1.22 makes frames of 16 to 235 of a camera's)", FALSE),
  ROW_DOUBLE (GstVideoToTensor, scale, READY, "scale", "Scale",
      "Factor for the pixels, which are from 0 to 255, before mean and std apply. The default brings them to 0 to 1",
      -G_MAXFLOAT, G_MAXFLOAT, 1 / 255.0),
  ROW_TEXT (GstVideoToTensor, mean, READY, "mean", "Mean",
      "Subtracted after scaling: one number, or one for each of red, green and blue, separated by commas "
      "(0.485,0.456,0.406)", "0"),
  ROW_TEXT (GstVideoToTensor, std, READY, "std", "Standard deviation",
      "Divides the difference: one number, or one for each of red, green and blue, separated by commas "
      "(0.229,0.224,0.225)", "1"),
};
/* *INDENT-ON* */
static PROPERTY_TABLE (properties, rows);

static void
gst_video_to_tensor_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstVideoToTensor *self = GST_VIDEO_TO_TENSOR (object);

  if (!property_table_set (&properties, self, GST_ELEMENT (self),
          &self->started, value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_video_to_tensor_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GstVideoToTensor *self = GST_VIDEO_TO_TENSOR (object);

  if (!property_table_get (&properties, self, GST_ELEMENT (self), value,
          pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* Parses mean and std. NULL: they are valid. */
static gchar *
parse_numbers (GstVideoToTensor * self)
{
  gchar *why = NULL;

  self->n_means = pixel_numbers_parse ("mean", self->mean ? self->mean : "",
      self->means, &why);
  if (!self->n_means)
    return why;
  self->n_stds = pixel_numbers_parse ("std", self->std ? self->std : "",
      self->stds, &why);
  for (guint i = 0; i < self->n_stds; i++) {
    if (self->stds[i] == 0)
      return g_strdup_printf ("expected std to be other than 0, since values "
          "are divided by it, found \"%s\": write 1 to leave them", self->std);
  }
  return why;
}

static gboolean
gst_video_to_tensor_start (GstBaseTransform * trans)
{
  GstVideoToTensor *self = GST_VIDEO_TO_TENSOR (trans);
  gchar *why;

  GST_OBJECT_LOCK (self);
  why = parse_numbers (self);
  self->started = why == NULL;
  GST_OBJECT_UNLOCK (self);

  if (!why)
    return TRUE;
  property_post_error (GST_ELEMENT (self), why);
  g_free (why);
  return FALSE;
}

static gboolean
gst_video_to_tensor_stop (GstBaseTransform * trans)
{
  GstVideoToTensor *self = GST_VIDEO_TO_TENSOR (trans);

  GST_OBJECT_LOCK (self);
  self->started = FALSE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
get_luma (GstVideoToTensor * self)
{
  gboolean luma;

  GST_OBJECT_LOCK (self);
  luma = self->luma;
  GST_OBJECT_UNLOCK (self);
  return luma;
}

static GstCaps *
gst_video_to_tensor_transform_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps, GstCaps * filter)
{
  if (direction == GST_PAD_SRC)
    tensor_caps_refuse_untyped (GST_ELEMENT (trans), caps);
  return video_caps_transform (direction, get_luma (GST_VIDEO_TO_TENSOR (trans)),
      caps, filter);
}

/* Accepts everything: a CAPS event of other video, or of a size that downstream does not take, is refused with a reason. */
static gboolean
gst_video_to_tensor_accept_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps)
{
  return direction == GST_PAD_SINK || GST_BASE_TRANSFORM_CLASS
      (gst_video_to_tensor_parent_class)->accept_caps (trans, direction, caps);
}

/* Upstream gives no framerate: it is unknown. */
static GstCaps *
gst_video_to_tensor_fixate_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps, GstCaps * othercaps)
{
  othercaps = GST_BASE_TRANSFORM_CLASS
      (gst_video_to_tensor_parent_class)->fixate_caps (trans, direction, caps,
      othercaps);
  if (direction == GST_PAD_SINK && !gst_caps_is_empty (othercaps)
      && !gst_structure_has_field (gst_caps_get_structure (othercaps, 0),
          "framerate")) {
    othercaps = gst_caps_make_writable (othercaps);
    gst_caps_set_simple (othercaps, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
  }
  return othercaps;
}

/* NULL: @n numbers of @property suit @channels; one number is for all channels. */
static gchar *
check_channels (const gchar * property, guint n, guint channels,
    const GstVideoInfo * info)
{
  if (n == 1 || n == channels)
    return NULL;
  if (channels == 1)
    return g_strdup_printf ("expected one number as %s, since the video is %s, "
        "found %u: write one, or put videoconvert ! video/x-raw,format=RGB "
        "before", property, GST_VIDEO_INFO_NAME (info), n);
  return
      g_strdup_printf ("expected %u numbers or one as %s, since the video is "
      "%s, found %u: write one, or one for each of red, green and blue",
      channels, property, GST_VIDEO_INFO_NAME (info), n);
}

/* Before the base class negotiates: it gives no reasons. */
static gboolean
check_caps (GstVideoToTensor * self, const GstCaps * caps)
{
  GstVideoInfo info;
  GstCaps *downstream;
  gchar *why = NULL;
  guint channels;

  why = video_caps_explain (caps, get_luma (self), &info);
  if (!why) {
    channels = video_caps_get_channels (&info);
    downstream =
        gst_pad_peer_query_caps (GST_BASE_TRANSFORM_SRC_PAD (self), NULL);
    video_caps_check (&info, downstream, &why);
    gst_caps_unref (downstream);
    if (!why)
      why = check_channels ("mean", self->n_means, channels, &info);
    if (!why)
      why = check_channels ("std", self->n_stds, channels, &info);
  }
  if (!why)
    return TRUE;
  vector_caps_post_error (GST_ELEMENT (self), why, caps);
  g_free (why);
  return FALSE;
}

static gboolean
gst_video_to_tensor_sink_event (GstBaseTransform * trans, GstEvent * event)
{
  GstVideoToTensor *self = GST_VIDEO_TO_TENSOR (trans);
  GstCaps *caps;

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    if (!check_caps (self, caps)) {
      gst_event_unref (event);
      return FALSE;
    }
  }
  return GST_BASE_TRANSFORM_CLASS
      (gst_video_to_tensor_parent_class)->sink_event (trans, event);
}

static gboolean
gst_video_to_tensor_set_caps (GstBaseTransform * trans, GstCaps * in,
    GstCaps * out)
{
  GstVideoToTensor *self = GST_VIDEO_TO_TENSOR (trans);

  if (!gst_video_info_from_caps (&self->info, in))
    return FALSE;
  GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT " gives %" GST_PTR_FORMAT, in, out);
  pixel_table_fill (&self->table, video_caps_get_channels (&self->info),
      self->luma && self->info.colorimetry.range ==
      GST_VIDEO_COLOR_RANGE_16_235, self->scale, self->means, self->n_means, self->stds, self->n_stds);
  return TRUE;
}

/* A frame may be padded to any size, a vector is not. */
static gboolean
gst_video_to_tensor_transform_size (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps, gsize size, GstCaps * othercaps,
    gsize * othersize)
{
  GstVideoInfo info;

  if (!gst_video_info_from_caps (&info,
          direction == GST_PAD_SINK ? caps : othercaps))
    return FALSE;
  *othersize = direction == GST_PAD_SINK ?
      video_caps_get_size (&info) * sizeof (gfloat) :
      GST_VIDEO_INFO_SIZE (&info);
  return TRUE;
}

static gboolean
gst_video_to_tensor_propose_allocation (GstBaseTransform * trans,
    GstQuery * decide_query, GstQuery * query)
{
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  gst_query_add_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL);
  return GST_BASE_TRANSFORM_CLASS
      (gst_video_to_tensor_parent_class)->propose_allocation (trans,
      decide_query, query);
}

static gboolean
gst_video_to_tensor_decide_allocation (GstBaseTransform * trans,
    GstQuery * query)
{
  tensor_pool_require (query,
      video_caps_get_size (&GST_VIDEO_TO_TENSOR (trans)->info) *
      sizeof (gfloat));
  return GST_BASE_TRANSFORM_CLASS
      (gst_video_to_tensor_parent_class)->decide_allocation (trans, query);
}

static GstFlowReturn
gst_video_to_tensor_prepare_output_buffer (GstBaseTransform * trans,
    GstBuffer * in, GstBuffer ** out)
{
  return tensor_pool_check_room (GST_ELEMENT (trans),
      video_caps_get_size (&GST_VIDEO_TO_TENSOR (trans)->info) *
      sizeof (gfloat)) ? GST_BASE_TRANSFORM_CLASS
      (gst_video_to_tensor_parent_class)->prepare_output_buffer (trans, in,
      out) : GST_FLOW_ERROR;
}

/* Position of the picture in @frame: all of it, or the part in a GstVideoCropMeta. FALSE: an error was posted. */
static gboolean
find_picture (GstVideoToTensor * self, const GstVideoFrame * frame,
    GstBuffer * buffer, guint * x, guint * y)
{
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  const guint width = GST_VIDEO_INFO_WIDTH (&self->info);
  const guint height = GST_VIDEO_INFO_HEIGHT (&self->info);
  const guint in_width = GST_VIDEO_FRAME_WIDTH (frame);
  const guint in_height = GST_VIDEO_FRAME_HEIGHT (frame);
  const guint out_width = crop ? crop->width : in_width;
  const guint out_height = crop ? crop->height : in_height;

  *x = crop ? crop->x : 0;
  *y = crop ? crop->y : 0;
  if (out_width == width && out_height == height
      && *x <= in_width && out_width <= in_width - *x
      && *y <= in_height && out_height <= in_height - *y)
    return TRUE;

  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
      ("Expected a picture of %u x %u, as the caps say, found one of %u x %u at "
          "(%u, %u) in a frame of %u x %u: put a videoconvert and a videoscale "
          "before.", width, height, out_width, out_height, *x, *y, in_width,
          in_height), (NULL));
  return FALSE;
}

static GstFlowReturn
gst_video_to_tensor_transform (GstBaseTransform * trans, GstBuffer * in,
    GstBuffer * out)
{
  GstVideoToTensor *self = GST_VIDEO_TO_TENSOR (trans);
  const GstVideoMeta *meta = gst_buffer_get_video_meta (in);
  const guint width = GST_VIDEO_INFO_WIDTH (&self->info);
  const guint height = GST_VIDEO_INFO_HEIGHT (&self->info);
  GstVideoFrame frame;
  GstMapInfo map;
  gboolean ok;
  guint x, y;

  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT, in);
  if (meta && meta->format != GST_VIDEO_INFO_FORMAT (&self->info)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected frames of %s, as the caps say, found one whose meta says %s: "
            "put a videoconvert before.", GST_VIDEO_INFO_NAME (&self->info),
            gst_video_format_to_string (meta->format)), (NULL));
    return GST_FLOW_ERROR;
  }
  if (!gst_video_frame_map (&frame, &self->info, in, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected frames of %" G_GSIZE_FORMAT " bytes (%s, %u x %u), found a "
            "buffer of %" G_GSIZE_FORMAT " bytes, or one that can't be mapped: "
            "put a rawvideoparse or a videoconvert before.",
            GST_VIDEO_INFO_SIZE (&self->info),
            GST_VIDEO_INFO_NAME (&self->info), width, height,
            gst_buffer_get_size (in)), (NULL));
    return GST_FLOW_ERROR;
  }
  ok = find_picture (self, &frame, in, &x, &y);
  /* Buffers of downstream's pool may be larger. */
  gst_buffer_set_size (out,
      video_caps_get_size (&self->info) * sizeof (gfloat));
  if (ok && !gst_buffer_map (out, &map, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
        ("Expected writable memory from downstream's buffer pool, found none."),
        ("%" GST_PTR_FORMAT, out));
    ok = FALSE;
  }
  if (ok) {
    pixels_convert (&frame, x, y, width, height,
        video_caps_get_channels (&self->info), self->layout, &self->table,
        (gfloat *) map.data);
    gst_buffer_unmap (out, &map);
  }
  gst_video_frame_unmap (&frame);
  return ok ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static void
gst_video_to_tensor_finalize (GObject * object)
{
  property_table_clear (&properties, object);
  G_OBJECT_CLASS (gst_video_to_tensor_parent_class)->finalize (object);
}

static const ElementAbout about = {
  .name = "videototensor",
  .title = "Video to tensor",
  .classes = "Filter/Converter/Video/Tensor",
  .description = "Turns each video frame into one vector of float32 values, scaled as the model expects",
  .example = "v4l2src ! videoconvert ! videoscale ! video/x-raw,width=16,height=16 ! videototensor "
      "mean=0.5 std=0.25 ! fakesink",
  .page = "docs/videototensor.md",
};

static void
gst_video_to_tensor_class_init (GstVideoToTensorClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_video_to_tensor_set_property;
  object_class->get_property = gst_video_to_tensor_get_property;
  object_class->finalize = gst_video_to_tensor_finalize;
  property_table_install (&properties, object_class, 1);

  element_about (element_class, &about);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_video_to_tensor_start;
  trans_class->stop = gst_video_to_tensor_stop;
  trans_class->transform_caps = gst_video_to_tensor_transform_caps;
  trans_class->accept_caps = gst_video_to_tensor_accept_caps;
  trans_class->fixate_caps = gst_video_to_tensor_fixate_caps;
  trans_class->sink_event = gst_video_to_tensor_sink_event;
  trans_class->set_caps = gst_video_to_tensor_set_caps;
  trans_class->prepare_output_buffer =
      gst_video_to_tensor_prepare_output_buffer;
  trans_class->transform_size = gst_video_to_tensor_transform_size;
  trans_class->decide_allocation = gst_video_to_tensor_decide_allocation;
  trans_class->propose_allocation = gst_video_to_tensor_propose_allocation;
  trans_class->transform = gst_video_to_tensor_transform;
}

static void
gst_video_to_tensor_init (GstVideoToTensor * self)
{
  property_table_init (&properties, self);
}
