/* gst-continual: caps, buffer pools, latency and seeks of a continualfilter
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder/filter.h"

#include "host/caps.h"
#include "host/output.h"
#include "tensor/events.h"
#include "tensor/pool.h"
#include "tensor/vectorcaps.h"

static GstBaseTransformClass *parent_class;

static gchar *
check_next (GstContinualFilter * self, const CoModelInfo * next)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  GstCaps *in = gst_pad_get_current_caps (trans->sinkpad), *out, *possible;
  g_autofree gchar *id = NULL;
  TensorInfo tensor;
  gchar *why = NULL;

  if (!in)
    return NULL;
  if (media_caps_check (in)) {
    if (filter_media_check_caps (&self->media, next, in, &id, &why))
      why = NULL;
    gst_caps_unref (in);
    return why;
  }
  if (vector_caps_read (in, next->n_inputs, "vectors", &tensor, &why)) {
    out = attention_weights_add_to_caps (self->host.weights, next,
        model_caps_to_src (next, in));
    possible = gst_pad_peer_query_caps (trans->srcpad, out);
    if (gst_caps_is_empty (possible))
      why = model_caps_explain_refused (next);
    gst_caps_unref (out);
    gst_caps_unref (possible);
  }
  gst_caps_unref (in);
  return why;
}

static GstCaps *
transform_caps (GstBaseTransform * trans, GstPadDirection direction,
    GstCaps * caps, GstCaps * filter)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);
  CoModel *model = model_host_ref_model (&self->host);
  const CoModelInfo *info = model ? co_model_get_info (model) : NULL;
  const AttentionWeights weights = model_host_get_weights (&self->host);
  GstCaps *res;

  if (direction == GST_PAD_SINK) {
    res = attention_weights_add_to_caps (weights, info,
        model_caps_to_src (info, caps));
  } else {
    GstCaps *outputs =
        attention_weights_drop_from_caps (weights, gst_caps_copy (caps));

    res = model_caps_to_sink (info, outputs);
    gst_caps_unref (outputs);
  }
  res = gst_caps_merge (res, filter_media_transform_caps (&self->media,
          &self->host, info, direction, caps));

  if (direction == GST_PAD_SINK)
    tensor_caps_refuse_untyped (GST_ELEMENT (trans), caps);
  if (filter) {
    GstCaps *both =
        gst_caps_intersect_full (filter, res, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (res);
    res = both;
    if (info && direction == GST_PAD_SRC)
      res = model_caps_prefer_fitting (info, res);
  }
  if (model)
    co_model_unref (model);
  return res;
}

/* Upstream gives no framerate: it is unknown. */
static GstCaps *
fixate_caps (GstBaseTransform * trans, GstPadDirection direction,
    GstCaps * caps, GstCaps * othercaps)
{
  othercaps = parent_class->fixate_caps (trans, direction, caps, othercaps);
  if (direction == GST_PAD_SINK && !gst_caps_is_empty (othercaps)
      && !media_caps_check (othercaps)
      && !gst_structure_has_field (gst_caps_get_structure (othercaps, 0),
          "framerate")) {
    othercaps = gst_caps_make_writable (othercaps);
    gst_caps_set_simple (othercaps, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
  }
  return othercaps;
}

/* Accepts everything: a CAPS event that disagrees with the model is then refused with an error message that says why. */
static gboolean
accept_caps (GstBaseTransform * trans, GstPadDirection direction,
    GstCaps * caps)
{
  return direction == GST_PAD_SINK
      || parent_class->accept_caps (trans, direction, caps);
}

gboolean
filter_check_caps (GstContinualFilter * self, GstCaps * caps)
{
  CoModel *model = model_host_ref_model (&self->host);
  g_autofree gchar *why = NULL, *id = NULL;
  const CoModelInfo *info;
  TensorInfo tensor;
  gboolean ok;

  if (!model)
    return FALSE;
  info = co_model_get_info (model);
  if (media_caps_check (caps))
    ok = filter_media_check_caps (&self->media, info, caps, &id, &why);
  else
    ok = vector_caps_read (caps, info->n_inputs, "vectors", &tensor, &why);
  co_model_unref (model);
  if (!ok && !self->caps_refused)
    vector_caps_post_error (GST_ELEMENT (self), why, caps);
  self->caps_refused = !ok;
  return ok;
}

void
filter_set_vector_duration (GstContinualFilter * self,
    GstClockTime duration)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->vector_duration != duration;
  self->vector_duration = duration;
  GST_OBJECT_UNLOCK (self);
  if (changed && model_host_get_delay (&self->host) > 0)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_latency (GST_OBJECT (self)));
}

void
filter_update_byte_scale (GstContinualFilter * self)
{
  ByteScale scale = {.rate_d = 1 };

  if (self->input.dims[0]) {
    scale = byte_scale_new (&self->input);
    byte_segment_set_scale (&self->bytes, &scale);
  }
  byte_scale_publish (&self->byte_scale, self, &scale, self->in_bytes);
}

gboolean
filter_choose_media_tensor (GstContinualFilter * self,
    const CoModelInfo * info, const GstCaps * caps)
{
  g_autofree gchar *why = NULL;

  g_clear_pointer (&self->media.listed, g_free);
  return filter_media_check_caps (&self->media, info, caps,
      &self->media.listed, &why);
}

/* Each buffer carries one vector. */
static gboolean
read_media (GstContinualFilter * self, const CoModelInfo * info,
    const GstCaps * caps, TensorInfo * tensor)
{
  *tensor = (TensorInfo) { {(guint) info->n_inputs, 1, 1, 1}, 0, 1 };
  gst_structure_get_fraction (gst_caps_get_structure (caps, 0), "framerate",
      &tensor->fps_n, &tensor->fps_d);
  return filter_choose_media_tensor (self, info, caps);
}

static gboolean
set_caps (GstBaseTransform * trans, GstCaps * incaps, GstCaps * outcaps)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);
  CoModel *model = model_host_ref_model (&self->host);
  g_autofree gchar *why = NULL;
  TensorInfo tensor;
  gboolean ok = model != NULL;

  self->media.active = ok && media_caps_check (incaps);
  /* The same buffers leave: upstream may ask downstream for memory. */
  gst_base_transform_set_passthrough (trans, self->media.active);
  if (self->media.active)
    ok = read_media (self, co_model_get_info (model), incaps, &tensor);
  else if (ok)
    ok = vector_caps_read (incaps, co_model_get_info (model)->n_inputs,
        "vectors", &tensor, &why);

  if (ok) {
    self->input = tensor;
    ok = model_host_set_n_streams (&self->host, tensor.dims[2]);
    filter_update_byte_scale (self);
    filter_set_vector_duration (self, vector_caps_get_duration (&tensor));
    GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT " gives %" GST_PTR_FORMAT,
        incaps, outcaps);
  }
  if (model)
    co_model_unref (model);
  return ok;
}

static gboolean
decide_allocation (GstBaseTransform * trans, GstQuery * query)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);

  tensor_pool_require (query, model_host_get_output_size (&self->host));
  return parent_class->decide_allocation (trans, query);
}

static void
add_latency (GstContinualFilter * self, GstQuery * query)
{
  GstClockTime own = model_host_get_delay (&self->host);

  GST_OBJECT_LOCK (self);
  own *= GST_CLOCK_TIME_IS_VALID (self->vector_duration) ?
      self->vector_duration : 0;
  GST_OBJECT_UNLOCK (self);
  latency_query_add (query, own);
}

static gboolean
query (GstBaseTransform * trans, GstPadDirection direction, GstQuery * query)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);
  ByteScale scale;

  if (direction == GST_PAD_SRC
      && (GST_QUERY_TYPE (query) == GST_QUERY_DURATION
          || GST_QUERY_TYPE (query) == GST_QUERY_SEEKING)) {
    scale = byte_scale_read (&self->byte_scale, self);
    if (byte_scale_answer (&scale, query, trans->sinkpad))
      return TRUE;
  }
  if (!parent_class->query (trans, direction, query))
    return FALSE;
  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    add_latency (self, query);
  return TRUE;
}

static gboolean
src_event (GstBaseTransform * trans, GstEvent * event)
{
  GstContinualFilter *self = GST_CONTINUAL_FILTER (trans);
  ByteScale scale;
  GstEvent *seek;
  gdouble rate;

  if (GST_EVENT_TYPE (event) != GST_EVENT_SEEK)
    return parent_class->src_event (trans, event);
  gst_event_parse_seek (event, &rate, NULL, NULL, NULL, NULL, NULL, NULL);
  if (rate < 0) {
    GST_WARNING_OBJECT (self, "expected a seek that plays forwards, found one "
        "of rate %g: attention over past vectors can't run backwards", rate);
    gst_event_unref (event);
    return FALSE;
  }
  scale = byte_scale_read (&self->byte_scale, self);
  seek = byte_scale_convert_seek (&scale, event);
  if (seek) {
    gst_event_unref (event);
    event = seek;
  }
  return parent_class->src_event (trans, event);
}

void
filter_negotiation_class_init (GstContinualFilterClass * klass)
{
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  parent_class = g_type_class_peek_parent (klass);
  trans_class->transform_caps = transform_caps;
  trans_class->fixate_caps = fixate_caps;
  trans_class->accept_caps = accept_caps;
  trans_class->set_caps = set_caps;
  trans_class->decide_allocation = decide_allocation;
  trans_class->query = query;
  trans_class->src_event = src_event;
  klass->check_next = check_next;
}
