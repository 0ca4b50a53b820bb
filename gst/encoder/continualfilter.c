/* gst-continual: the base of the elements that run a model on every vector of one input
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder/filter.h"

#include "host/properties.h"

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE MEDIA_CAPS_TOO));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE_WITH_WEIGHTS MEDIA_CAPS_TOO));

G_DEFINE_ABSTRACT_TYPE (GstContinualFilter, gst_continual_filter,
    GST_TYPE_BASE_TRANSFORM);

static void
gst_continual_filter_add_stats (GstContinualFilter * self, GstStructure * stats)
{
  GstElement *element = GST_ELEMENT (self);
  GstClock *clock = gst_element_get_clock (element);
  GstClockTime now = clock ? gst_clock_get_time (clock) : GST_CLOCK_TIME_NONE;
  GstClockTime backlog = 0, newest;
  guint64 missed;

  GST_OBJECT_LOCK (self);
  newest = self->newest;
  missed = self->missed;
  GST_OBJECT_UNLOCK (self);
  if (GST_CLOCK_TIME_IS_VALID (now) && GST_CLOCK_TIME_IS_VALID (newest)
      && now > newest + gst_element_get_base_time (element))
    backlog = now - gst_element_get_base_time (element) - newest;
  gst_structure_set (stats, "missed", G_TYPE_UINT64, missed,
      "backlog", G_TYPE_UINT64, backlog, NULL);
  g_clear_pointer (&clock, gst_object_unref);
}

static void
gst_continual_filter_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (object);

  if (!property_table_set (&filter_media_properties, &self->media,
          GST_ELEMENT (self), &self->host.started, value, pspec)
      && !model_host_set_property (&self->host, value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_continual_filter_get_property (GObject * object, guint id,
    GValue * value, GParamSpec * pspec)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (object);

  if (!property_table_get (&filter_media_properties, &self->media,
          GST_ELEMENT (self), value, pspec)
      && !model_host_get_property (&self->host, value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  if (g_str_equal (pspec->name, "stats"))
    GST_CONTINUAL_FILTER_GET_CLASS (self)->add_stats (self,
        g_value_get_boxed (value));
}

void
filter_install_properties (GObjectClass * klass, ModelElement kind)
{
  klass->set_property = gst_continual_filter_set_property;
  klass->get_property = gst_continual_filter_get_property;
  property_table_install (&filter_media_properties, klass,
      model_host_class_init (klass, kind));
}

static gboolean
gst_continual_filter_start (GstBaseTransform * trans)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);

  if (!model_host_start (&self->host))
    return FALSE;
  GST_OBJECT_LOCK (self);
  self->vector_duration = self->newest = GST_CLOCK_TIME_NONE;
  self->missed = 0;
  self->byte_scale.size = 0;
  GST_OBJECT_UNLOCK (self);
  self->input.dims[0] = 0;
  self->expected = GST_CLOCK_TIME_NONE;
  self->caps_refused = self->in_bytes = self->begun = self->done = FALSE;
  self->bytes.scale.size = 0;
  self->stream_start = GST_SEQNUM_INVALID;
  self->media.active = self->media.warned = FALSE;
  return TRUE;
}

static gboolean
gst_continual_filter_stop (GstBaseTransform * trans)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);

  filter_discard (self);
  model_host_stop (&self->host);
  return TRUE;
}

static void
gst_continual_filter_finalize (GObject * object)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (object);

  byte_segment_clear (&self->bytes);
  filter_media_clear (&self->media);
  model_host_clear (&self->host);
  G_OBJECT_CLASS (gst_continual_filter_parent_class)->finalize (object);
}

static void
gst_continual_filter_class_init (GstContinualFilterClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->finalize = gst_continual_filter_finalize;

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_continual_filter_start;
  trans_class->stop = gst_continual_filter_stop;
  klass->add_stats = gst_continual_filter_add_stats;
  filter_negotiation_class_init (klass);
  filter_flow_class_init (klass);
  gst_type_mark_as_plugin_api (GST_TYPE_CONTINUAL_FILTER, 0);
}

static void
gst_continual_filter_init (GstContinualFilter * self)
{
  /* The caps of media that leaves list more tensors. */
  gst_base_transform_set_prefer_passthrough (GST_BASE_TRANSFORM (self), FALSE);
  byte_segment_init (&self->bytes);
  filter_media_init (&self->media);
  self->vector_duration = GST_CLOCK_TIME_NONE;
}
