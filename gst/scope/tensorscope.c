/* gst-continual: tensors as pictures
 * SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-tensorscope
 * @title: tensorscope
 * @short_description: shows vectors, scores and attention weights as video
 *
 * Draws tensors: mel frames that scroll by, a bar for each class, or attention weights over the window. The frames have a
 * rate of their own, which downstream chooses: slow vectors stay, fast ones share a frame.
 *
 * |[
 * gst-launch-1.0 autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! tensorscope ! videoconvert ! autovideosink
 * ]|
 */
#include "scope/private.h"

#include "elements.h"
#include "tensor/events.h"
#include "tensor/pool.h"
#include "tensor/propertytable.h"
#include "tensor/vectorcaps.h"

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE "; " TENSOR_CAPS_NAME
        ", format=(string)static, num_tensors=(int)2, types=(string)\"float32,float32\""));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (SCOPE_VIDEO_CAPS));

G_DEFINE_TYPE (GstTensorScope, gst_tensor_scope, GST_TYPE_BASE_TRANSFORM);
GST_ELEMENT_REGISTER_DEFINE (tensorscope, "tensorscope", GST_RANK_NONE,
    GST_TYPE_TENSOR_SCOPE);

static const ScopeStyle *const styles[] = {
  [SCOPE_WATERFALL] = &scope_waterfall,
  [SCOPE_SCORES] = &scope_scores,
  [SCOPE_LINES] = &scope_lines,
  [SCOPE_ATTENTION] = &scope_attention,
};

/* *INDENT-OFF* */
PROPERTY_ENUM (style_enum, "GstTensorScopeStyle",
  {SCOPE_WATERFALL, "Each vector is a column, the newest at the right, its first value at the bottom", "waterfall"},
  {SCOPE_SCORES, "A bar for each value of the newest vector, with the model's labels or numbers", "scores"},
  {SCOPE_LINES, "A line for each value over the last vectors, with the labels over them", "lines"},
  {SCOPE_ATTENTION, "Attention weights over the window, the newest at the right, heads side by side: the second tensor "
      "of continualencoder attention-weights=heads or mean. Several positions are rows", "attention"});

PROPERTY_ENUM (colormap_enum, "GstTensorScopeColormap",
  {SCOPE_COLORMAP_COLOR, "From violet over blue and green to yellow, ever lighter", "color"},
  {SCOPE_COLORMAP_GRAY, "From black to white", "gray"});

static const PropertyRow rows[] = {
  ROW_CHOICE (ScopeSettings, style, READY, "style", "Style",
      "What is drawn", style_enum, SCOPE_WATERFALL),
  ROW_UINT (ScopeSettings, history, READY, "history", "History",
      "style=waterfall and lines: the number of vectors that are shown", 1, SCOPE_MAX_SIDE, 320),
  ROW_BOOLEAN (ScopeSettings, softmax, READY, "softmax", "Softmax",
      "Show the softmax of each vector, from 0 to 1: for the logits of a linear head (not for style=attention)", FALSE),
  ROW_DOUBLE (ScopeSettings, look.min, PLAYING, "min", "Minimum",
      "The value that has the first colour, or no length. By default the least of the last vectors (about a thousand); 0 "
      "for probabilities and attention weights", -G_MAXFLOAT, G_MAXFLOAT, SCOPE_AUTO_MIN),
  ROW_DOUBLE (ScopeSettings, look.max, PLAYING, "max", "Maximum",
      "The value that has the last colour, or full length. By default the largest of the last vectors (about a thousand, 20 "
      "of attention weights); 1 for probabilities", -G_MAXFLOAT, G_MAXFLOAT, SCOPE_AUTO_MAX),
  ROW_CHOICE (ScopeSettings, look.colormap, PLAYING, "colormap", "Colormap",
      "Colours from min to max", colormap_enum, SCOPE_COLORMAP_COLOR),
};
/* *INDENT-ON* */
static PROPERTY_TABLE (properties, rows);

static void
gst_tensor_scope_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (object);

  if (!property_table_set (&properties, &self->settings, GST_ELEMENT (self),
          &self->started, value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_tensor_scope_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (object);

  if (!property_table_get (&properties, &self->settings, GST_ELEMENT (self),
          value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static gboolean
gst_tensor_scope_start (GstBaseTransform * trans)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (trans);
  g_autofree gchar *why = NULL;

  GST_OBJECT_LOCK (self);
  if (self->settings.look.min >= self->settings.look.max)
    why = g_strdup_printf ("expected min to be less than max, found %g and %g: "
        "leave one of them out", self->settings.look.min,
        self->settings.look.max);
  self->started = why == NULL;
  GST_OBJECT_UNLOCK (self);
  if (why) {
    property_post_error (GST_ELEMENT (self), why);
    return FALSE;
  }
  self->style = styles[self->settings.style];
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->clock = (FrameClock) { 0 };
  self->in_bytes = FALSE;
  self->expected = GST_CLOCK_TIME_NONE;
  self->discont = TRUE;
  self->warned = FALSE;
  return TRUE;
}

static gboolean
gst_tensor_scope_stop (GstBaseTransform * trans)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (trans);

  scope_flow_discard (self);
  g_clear_pointer (&self->picture, scope_picture_free);
  g_clear_pointer (&self->history, scope_history_free);
  g_clear_pointer (&self->labels, g_strfreev);
  self->input = (ScopeInput) { {{0}} };
  GST_OBJECT_LOCK (self);
  self->started = FALSE;
  self->latency = 0;
  self->byte_scale = (ByteScale) {.rate_d = 1 };
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static GstCaps *
gst_tensor_scope_transform_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps, GstCaps * filter)
{
  GstCaps *res = gst_static_pad_template_get_caps (direction == GST_PAD_SINK ?
      &src_template : &sink_template), *both;

  if (direction == GST_PAD_SINK)
    tensor_caps_refuse_untyped (GST_ELEMENT (trans), caps);
  if (!filter)
    return res;
  both = gst_caps_intersect_full (filter, res, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (res);
  return both;
}

/* Accepts everything: a CAPS event that does not fit is refused with a reason. */
static gboolean
gst_tensor_scope_accept_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps)
{
  return direction == GST_PAD_SINK || GST_BASE_TRANSFORM_CLASS
      (gst_tensor_scope_parent_class)->accept_caps (trans, direction, caps);
}

static GstCaps *
gst_tensor_scope_fixate_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps, GstCaps * othercaps)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (trans);
  g_autofree gchar *why = NULL;
  ScopeInput input = {.n_streams = 1 };

  if (direction == GST_PAD_SRC)
    return GST_BASE_TRANSFORM_CLASS (gst_tensor_scope_parent_class)->fixate_caps
        (trans, direction, caps, othercaps);
  scope_input_parse (&input, self->style, caps, tensor_scope_get_length (self), &why);
  return scope_caps_fixate (othercaps, input.n_streams);
}

/* NULL: the picture has room for what is shown. */
static gchar *
check_room (const GstTensorScope * self, const ScopeInput * input,
    const GstVideoInfo * info)
{
  g_autofree gchar *dims = NULL;
  guint width, height;

  scope_picture_get_least_size (self->style, input->dims, input->n_streams,
      &width, &height);
  if (width <= (guint) info->width && height <= (guint) info->height)
    return NULL;
  dims = tensor_dims_to_string (input->tensor.dims);
  return g_strdup_printf ("expected a picture of at least %u x %u pixels, since "
      "dimensions are %s, found %d x %d: make it larger, as by "
      "video/x-raw,width=%u,height=%u behind", width, height, dims, info->width,
      info->height, MAX (width, 320), MAX (height, 16));
}

/* FALSE: an error was posted. */
static gboolean
make_picture (GstTensorScope * self)
{
  const ScopeInput *input = &self->input;

  g_clear_pointer (&self->picture, scope_picture_free);
  if (!self->history)
    self->history = scope_history_new (input->n_streams,
        (gsize) input->dims[0] * input->dims[1] * input->dims[2],
        tensor_scope_get_length (self));
  if (self->history)
    self->picture = scope_picture_new (self->style, input->dims,
        input->n_streams, self->info.width, self->info.height, self->history);
  self->labels_checked = FALSE;
  self->dirty = TRUE;
  if (self->picture)
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
      ("Expected memory for a picture of %d x %d pixels and what it shows, found "
          "none: make it smaller, or lower history.", self->info.width,
          self->info.height), (NULL));
  return FALSE;
}

static gboolean
is_same (const ScopeInput * a, const ScopeInput * b)
{
  return a->n_streams == b->n_streams && a->dims[0] == b->dims[0]
      && a->dims[1] == b->dims[1] && a->dims[2] == b->dims[2];
}

static void
set_latency (GstTensorScope * self, GstClockTime latency)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->latency != latency;
  self->latency = latency;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
}

static gboolean
gst_tensor_scope_set_caps (GstBaseTransform * trans, GstCaps * in,
    GstCaps * out)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (trans);
  g_autofree gchar *why = NULL;
  ScopeInput input;
  GstVideoInfo info;

  if (!scope_input_parse (&input, self->style, in, tensor_scope_get_length (self), &why)
      || !gst_video_info_from_caps (&info, out))
    return FALSE;
  why = check_room (self, &input, &info);
  if (why) {
    vector_caps_post_error (GST_ELEMENT (self), why, out);
    return FALSE;
  }
  if (!is_same (&input, &self->input)) {
    g_clear_pointer (&self->picture, scope_picture_free);
    g_clear_pointer (&self->history, scope_history_free);
    scope_flow_clear (self);
  }
  GST_INFO_OBJECT (self, "draws %" GST_PTR_FORMAT " as %" GST_PTR_FORMAT, in, out);
  self->input = input;
  self->info = info;
  scope_flow_update_byte_scale (self);
  frame_clock_set_framerate (&self->clock, info.fps_n, info.fps_d);
  set_latency (self, frame_clock_get_spacing (&self->clock));
  return make_picture (self);
}

static gboolean
gst_tensor_scope_decide_allocation (GstBaseTransform * trans,
    GstQuery * query)
{
  tensor_pool_require (query,
      GST_VIDEO_INFO_SIZE (&GST_TENSOR_SCOPE (trans)->info));
  return GST_BASE_TRANSFORM_CLASS
      (gst_tensor_scope_parent_class)->decide_allocation (trans, query);
}

/* A frame waits until it ends. */
static void
add_latency (GstTensorScope * self, GstQuery * query)
{
  GstClockTime own;

  GST_OBJECT_LOCK (self);
  own = self->latency;
  GST_OBJECT_UNLOCK (self);
  latency_query_add (query, own);
}

static gboolean
gst_tensor_scope_query (GstBaseTransform * trans, GstPadDirection direction,
    GstQuery * query)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (trans);
  ByteScale scale;

  if (direction == GST_PAD_SRC
      && (GST_QUERY_TYPE (query) == GST_QUERY_DURATION
          || GST_QUERY_TYPE (query) == GST_QUERY_SEEKING)) {
    scale = byte_scale_read (&self->byte_scale, self);
    if (byte_scale_answer (&scale, query, trans->sinkpad))
      return TRUE;
  }
  if (!GST_BASE_TRANSFORM_CLASS (gst_tensor_scope_parent_class)->query (trans,
          direction, query))
    return FALSE;
  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    add_latency (self, query);
  return TRUE;
}

static gboolean
gst_tensor_scope_src_event (GstBaseTransform * trans, GstEvent * event)
{
  GstTensorScope *self = GST_TENSOR_SCOPE (trans);
  const ByteScale scale = byte_scale_read (&self->byte_scale, self);
  GstEvent *seek;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEEK && scale.size) {
    seek = byte_scale_convert_seek (&scale, event);
    gst_event_unref (event);
    if (!seek)
      return FALSE;
    event = seek;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_tensor_scope_parent_class)->src_event
      (trans, event);
}

static void
gst_tensor_scope_finalize (GObject * object)
{
  byte_segment_clear (&GST_TENSOR_SCOPE (object)->bytes);
  G_OBJECT_CLASS (gst_tensor_scope_parent_class)->finalize (object);
}

static const ElementAbout about = {
  .name = "tensorscope",
  .title = "Tensor scope",
  .classes = "Filter/Converter/Tensor/Video",
  .description = "Shows tensors as video: mel frames that scroll by, scores of classes, or attention weights",
  .example = "autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! tensorscope ! videoconvert ! autovideosink",
  .page = "docs/tensorscope.md",
};

static void
gst_tensor_scope_class_init (GstTensorScopeClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_tensor_scope_set_property;
  object_class->get_property = gst_tensor_scope_get_property;
  object_class->finalize = gst_tensor_scope_finalize;
  property_table_install (&properties, object_class, 1);

  element_about (element_class, &about);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_tensor_scope_start;
  trans_class->stop = gst_tensor_scope_stop;
  trans_class->transform_caps = gst_tensor_scope_transform_caps;
  trans_class->accept_caps = gst_tensor_scope_accept_caps;
  trans_class->fixate_caps = gst_tensor_scope_fixate_caps;
  trans_class->set_caps = gst_tensor_scope_set_caps;
  trans_class->decide_allocation = gst_tensor_scope_decide_allocation;
  trans_class->query = gst_tensor_scope_query;
  trans_class->src_event = gst_tensor_scope_src_event;
  scope_flow_class_init (klass);
}

static void
gst_tensor_scope_init (GstTensorScope * self)
{
  property_table_init (&properties, &self->settings);
  byte_segment_init (&self->bytes);
  self->byte_scale.rate_d = 1;
}
