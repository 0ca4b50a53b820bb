/* gst-continual: caps, buffer pools and events of continualmux
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mux/private.h"

#include "tensor/events.h"
#include "tensor/pool.h"
#include "tensor/tally.h"
#include "tensor/vectorcaps.h"

static GstAggregatorClass *parent_class;

void
mux_push_reset (GstContinualMux * self, guint slot, GstEventType event_type)
{
  gst_pad_push_event (GST_AGGREGATOR_SRC_PAD (self),
      gst_event_new_custom (event_type, gst_structure_new (RESET_EVENT_NAME,
              "stream", G_TYPE_INT, (gint) slot, NULL)));
}

/* Width of the vectors of all streams but that of @pad; 0: not known yet. */
static guint
get_width (GstContinualMux * self, MuxPad * pad)
{
  guint width = 0;

  GST_OBJECT_LOCK (self);
  for (GList * l = GST_ELEMENT (self)->sinkpads; l; l = l->next) {
    MuxPad *other = l->data;

    if (other != pad && other->known.dims[0])
      width = other->known.dims[0];
  }
  GST_OBJECT_UNLOCK (self);
  return width;
}

/* Framerate of vectors, if all streams have the same; else 0/1. */
static void
get_framerate (GstContinualMux * self, gint * n, gint * d)
{
  gboolean first = TRUE;

  *n = 0;
  *d = 1;
  GST_OBJECT_LOCK (self);
  for (GList * l = GST_ELEMENT (self)->sinkpads; l; l = l->next) {
    const TensorInfo *in = &((MuxPad *) l->data)->known;
    gint pad_n, pad_d;

    if (!in->dims[0])
      continue;
    /* That of upstream counts buffers of T vectors. */
    if (!gst_util_fraction_multiply (in->fps_n, in->fps_d, (gint) in->dims[1],
            1, &pad_n, &pad_d))
      pad_n = 0;
    if (!first && gst_util_fraction_compare (*n, *d, pad_n, pad_d) != 0)
      pad_n = 0;
    *n = pad_n;
    *d = pad_n ? pad_d : 1;
    first = FALSE;
    if (!pad_n)
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

/* Only the stream of @pad ends: whatever feeds it gets an error, and the others go on. */
static void
refuse (GstContinualMux * self, MuxPad * pad, const gchar * why,
    const GstCaps * caps)
{
  /* Whoever ignores that may push again and again. */
  if (!tally_is_told (++pad->n_refused))
    return;
  GST_ELEMENT_WARNING (self, STREAM, FORMAT,
      ("Stream %u is refused, the others go on: %s.", pad->slot, why),
      ("caps %" GST_PTR_FORMAT, caps));
}

/* The width that downstream takes, such as a model; 0: it names none, or several. */
static guint
get_model_width (GstContinualMux * self)
{
  GstCaps *caps = gst_pad_peer_query_caps (GST_AGGREGATOR_SRC_PAD (self), NULL);
  guint64 width = 0;

  for (guint i = 0; !gst_caps_is_any (caps) && i < gst_caps_get_size (caps); i++) {
    const gchar *dims = gst_structure_get_string (gst_caps_get_structure (caps,
            i), "dimensions");
    const guint64 found = dims ? g_ascii_strtoull (dims, NULL, 10) : width;

    if (width && found != width)
      break;
    width = found;
  }
  gst_caps_unref (caps);
  return (guint) MIN (width, G_MAXUINT);
}

/* NULL, and *tensor; else why the caps of @pad are refused, free it. */
static gchar *
check_caps (GstContinualMux * self, MuxPad * pad, const GstCaps * caps,
    TensorInfo * tensor)
{
  const guint others = get_width (self, pad);
  const guint width = others ? others : get_model_width (self);
  g_autofree gchar *found = NULL;
  gchar *why = NULL;

  if (!tensor_caps_parse (caps, tensor, &why))
    return why;
  if (tensor->dims[2] == 1 && tensor->dims[3] == 1
      && (!width || tensor->dims[0] == width))
    return NULL;
  found = tensor_dims_to_string (tensor->dims);
  return width ? g_strdup_printf ("expected dimensions %u or %u:T as %s, found "
      "%s: give all streams the same features", width, width,
      others ? "the other streams have" : "what comes after takes",
      found) : g_strdup_printf ("expected dimensions C or C:T, one "
      "stream of vectors, found %s: split it before", found);
}

/* Streams may begin at the same time: the width is that of the first one here. FALSE: another stream has another. */
static gboolean
claim (GstContinualMux * self, MuxPad * pad, const TensorInfo * tensor)
{
  gboolean ok = TRUE;

  GST_OBJECT_LOCK (self);
  for (GList * l = GST_ELEMENT (self)->sinkpads; l; l = l->next) {
    MuxPad *other = l->data;

    if (other != pad && other->known.dims[0]
        && other->known.dims[0] != tensor->dims[0])
      ok = FALSE;
  }
  if (ok)
    pad->known = *tensor;
  else
    pad->known.dims[0] = 0;
  GST_OBJECT_UNLOCK (self);
  return ok;
}

/* In the thread that feeds @pad */
static GstFlowReturn
accept_caps (GstContinualMux * self, MuxPad * pad, GstEvent * event)
{
  g_autofree gchar *why = NULL;
  TensorInfo tensor;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  do
    why = check_caps (self, pad, caps, &tensor);
  while (!why && !claim (self, pad, &tensor));
  if (!why)
    return GST_FLOW_OK;
  refuse (self, pad, why, caps);
  GST_OBJECT_LOCK (self);
  pad->known.dims[0] = 0;
  GST_OBJECT_UNLOCK (self);
  return GST_FLOW_NOT_NEGOTIATED;
}

static GstFlowReturn
accept_segment (GstContinualMux * self, MuxPad * pad, GstEvent * event)
{
  g_autofree gchar *why = NULL;
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  pad->counts_bytes = segment->format != GST_FORMAT_TIME;
  if (segment->rate > 0)
    return GST_FLOW_OK;
  why = g_strdup_printf ("expected a segment that plays forwards, found one of "
      "rate %g: a model behind can't run backwards; seek with a positive rate",
      segment->rate);
  refuse (self, pad, why, NULL);
  return GST_FLOW_ERROR;
}

/* What is refused here fails where it comes from: that stream alone ends. */
static GstFlowReturn
sink_event_pre_queue (GstAggregator * aggregator, GstAggregatorPad * aggpad,
    GstEvent * event)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);
  MuxPad *pad = GST_CONTINUAL_MUX_PAD (aggpad);
  GstFlowReturn ret = GST_FLOW_OK;

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS)
    ret = accept_caps (self, pad, event);
  else if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    ret = accept_segment (self, pad, event);
  if (ret == GST_FLOW_OK)
    return vector_pad_pre_queue (parent_class, &pad->parent, event);
  gst_event_unref (event);
  return ret;
}

GstPadProbeReturn
mux_check_buffer (GstPad * sinkpad, GstPadProbeInfo * info, gpointer data)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (data);
  MuxPad *pad = GST_CONTINUAL_MUX_PAD (sinkpad);
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autofree gchar *why = NULL;

  if (pad->counts_bytes && pad->known.dims[0])
    return GST_PAD_PROBE_OK;
  if (!pad->known.dims[0])
    why = g_strdup ("expected caps that say what the buffers hold, found none: "
        "put them before this element");
  else if (vector_caps_check_size (&pad->known, gst_buffer_get_size (buffer), &why))
    return GST_PAD_PROBE_OK;
  refuse (self, pad, why, NULL);
  gst_buffer_unref (buffer);
  GST_PAD_PROBE_INFO_DATA (info) = NULL;
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = pad->known.dims[0] ? GST_FLOW_ERROR :
      GST_FLOW_NOT_NEGOTIATED;
  return GST_PAD_PROBE_HANDLED;
}

static gboolean
take_caps (GstContinualMux * self, MuxPad * pad, GstCaps * caps)
{
  TensorInfo tensor;

  if (!tensor_caps_parse (caps, &tensor, NULL))
    return FALSE;
  GST_OBJECT_LOCK (self);
  self->width = tensor.dims[0];
  GST_OBJECT_UNLOCK (self);
  vector_pad_set_caps (&pad->parent, &tensor);
  gst_pad_mark_reconfigure (GST_AGGREGATOR_SRC_PAD (self));
  return TRUE;
}

static void
take_segment (GstContinualMux * self, MuxPad * pad, GstEvent * event)
{
  /* Another position in the file is another stream. */
  if (vector_pad_jumps (&pad->parent, event)) {
    pad->reset_due |= self->dirty[pad->slot];
    self->sought |= pad->sought;
  }
  vector_pad_set_segment (&pad->parent, event);
  pad->sought = TRUE;
  self->segment_seqnum = gst_event_get_seqnum (event);
}

static gboolean
sink_event (GstAggregator * aggregator, GstAggregatorPad * aggpad,
    GstEvent * event)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);
  MuxPad *pad = GST_CONTINUAL_MUX_PAD (aggpad);
  guint32 seqnum = gst_event_get_seqnum (event);
  gboolean ok;
  GstCaps *caps;

  GST_DEBUG_OBJECT (self, "%s: %" GST_PTR_FORMAT, GST_PAD_NAME (pad), event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      /* A new link repeats the event of the same stream. */
      if (pad->parent.stream_start != seqnum)
        pad->reset_due |= self->dirty[pad->slot];
      pad->sought = pad->parent.stream_start == seqnum;
      pad->parent.stream_start = seqnum;
      break;
    case GST_EVENT_SEGMENT_DONE:
      vector_pad_set_done (&pad->parent);
      gst_event_unref (event);
      return TRUE;
    case GST_EVENT_SEGMENT:
      take_segment (self, pad, event);
      event = vector_pad_take_segment (&pad->parent, event);
      break;
    case GST_EVENT_GAP:
      event = vector_pad_take_gap (&pad->parent, event);
      if (!event)
        return TRUE;
      break;
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      ok = take_caps (self, pad, caps);
      gst_event_unref (event);
      return ok;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
      if (!gst_event_has_name (event, RESET_EVENT_NAME))
        break;
      if (GST_EVENT_IS_SERIALIZED (event))
        pad->reset_due = TRUE;
      else
        mux_push_reset (self, pad->slot, GST_EVENT_TYPE (event));
      gst_event_unref (event);
      return TRUE;
    default:
      break;
  }
  return parent_class->sink_event (aggregator, aggpad, event);
}

static gboolean
sink_query (GstAggregator * aggregator, GstAggregatorPad * aggpad,
    GstQuery * query)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);
  GstCaps *filter, *caps, *both;
  guint width;

  if (vector_caps_accept (query))
    return TRUE;
  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return parent_class->sink_query (aggregator, aggpad, query);

  gst_query_parse_caps (query, &filter);
  if (filter)
    tensor_caps_refuse_untyped (GST_ELEMENT (self), filter);
  width = get_width (self, GST_CONTINUAL_MUX_PAD (aggpad));
  caps = width ? vector_caps_new (width) :
      gst_pad_get_pad_template_caps (GST_PAD (aggpad));
  both = filter ? gst_caps_intersect_full (filter, caps,
      GST_CAPS_INTERSECT_FIRST) : gst_caps_ref (caps);
  gst_query_set_caps_result (query, both);
  gst_caps_unref (caps);
  gst_caps_unref (both);
  return TRUE;
}

/* Of files that count bytes, the first one answers. */
static gboolean
src_query (GstAggregator * aggregator, GstQuery * query)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);
  g_autoptr (GPtrArray) pads = g_ptr_array_new_with_free_func (gst_object_unref);

  if (GST_QUERY_TYPE (query) != GST_QUERY_DURATION
      && GST_QUERY_TYPE (query) != GST_QUERY_SEEKING)
    return parent_class->src_query (aggregator, query);
  GST_OBJECT_LOCK (self);
  for (GList * l = GST_ELEMENT (self)->sinkpads; l; l = l->next)
    g_ptr_array_add (pads, gst_object_ref (l->data));
  GST_OBJECT_UNLOCK (self);
  for (guint i = 0; i < pads->len; i++)
    if (vector_pad_answer (pads->pdata[i], query))
      return TRUE;
  return parent_class->src_query (aggregator, query);
}

static GstFlowReturn
update_src_caps (GstAggregator * aggregator, GstCaps * downstream,
    GstCaps ** res)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);
  const guint dims[4] = { self->width, 1, self->max_streams, 1 };
  GstCaps *caps;
  gint n, d;

  if (!self->width)
    return GST_AGGREGATOR_FLOW_NEED_DATA;
  get_framerate (self, &n, &d);
  caps = tensor_caps_new (dims, n, d);
  *res = gst_caps_intersect_full (caps, downstream, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (caps);
  if (gst_caps_is_empty (*res)) {
    g_autofree gchar *ours = tensor_dims_to_string (dims);
    g_autofree gchar *theirs = gst_caps_to_string (downstream);

    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected what comes after to take dimensions %s (%u values of %u "
            "streams) at %d/%d a second, found that it takes %s: set "
            "max-streams to what it expects.", ours, self->width,
            self->max_streams, n, d, theirs), (NULL));
    return GST_FLOW_NOT_NEGOTIATED;
  }
  GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT, *res);
  return GST_FLOW_OK;
}

static gboolean
decide_allocation (GstAggregator * aggregator, GstQuery * query)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);

  tensor_pool_require (query,
      (gsize) self->width * self->max_streams * sizeof (gfloat));
  return tensor_pool_configure (query);
}

void
mux_negotiation_class_init (GstAggregatorClass * klass)
{
  parent_class = g_type_class_peek_parent (klass);
  klass->sink_event_pre_queue = sink_event_pre_queue;
  klass->sink_event = sink_event;
  klass->sink_query = sink_query;
  klass->src_query = src_query;
  klass->update_src_caps = update_src_caps;
  klass->decide_allocation = decide_allocation;
}
