/* gst-continual: separates the streams of a continualmux
 * SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-continualdemux
 * @title: continualdemux
 * @short_description: separates the streams of a continualmux
 *
 * Takes buffers of several streams, dimensions D:N:S, and pushes each stream on its own pad: src_0 to src_(S-1) are the
 * slots of the continualmux, with buffers of dimensions D or D:N. They are request pads, also while the element runs;
 * streams without a pad are left out.
 *
 * A row whose values are all NaN becomes a GAP event: its stream was absent, or its window is not full yet. A
 * continual-reset event with the field `stream` goes to the pad of that stream only, without the field.
 *
 * |[
 * gst-launch-1.0 ... ! continualencoder model-path=words.safetensors ! continualdemux name=d \
 *     d.src_0 ! queue ! classlabeler ! fdsink d.src_1 ! queue ! classlabeler ! fdsink
 * ]|
 */
#include "mux/continualdemux.h"

#include <gst/base/gstflowcombiner.h>

#include "elements.h"
#include "mux/times.h"
#include "tensor/about.h"
#include "tensor/absent.h"
#include "tensor/caps.h"
#include "tensor/events.h"
#include "tensor/vectorcaps.h"

#define GST_CAT_DEFAULT element_debug (self)

struct _GstContinualDemuxPad
{
  GstPad parent;
  guint slot;
  gboolean released;            /* under lock of the element */
};

struct _GstContinualDemux
{
  GstElement parent;
  GstPad *sinkpad;

  GMutex lock;                  /* guards flows, and the combiner's use of the pads */
  GstFlowCombiner *flows;

  /* Streaming thread only. */
  TensorInfo input;             /* dims[0] 0: no caps yet */
  MuxTimes *times;              /* of the mux, or NULL */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src_%u",
    GST_PAD_SRC, GST_PAD_REQUEST, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));

G_DEFINE_TYPE (GstContinualDemuxPad, gst_continual_demux_pad, GST_TYPE_PAD);
G_DEFINE_TYPE (GstContinualDemux, gst_continual_demux, GST_TYPE_ELEMENT);
GST_ELEMENT_REGISTER_DEFINE (continualdemux, "continualdemux", GST_RANK_NONE,
    GST_TYPE_CONTINUAL_DEMUX);

static void
gst_continual_demux_pad_class_init (GstContinualDemuxPadClass * klass)
{
}

static void
gst_continual_demux_pad_init (GstContinualDemuxPad * self)
{
}

/* References to the current pads. */
static GPtrArray *
ref_pads (GstContinualDemux * self)
{
  GPtrArray *pads = g_ptr_array_new_with_free_func (gst_object_unref);

  GST_OBJECT_LOCK (self);
  for (GList * l = GST_ELEMENT (self)->srcpads; l; l = l->next)
    g_ptr_array_add (pads, gst_object_ref (l->data));
  GST_OBJECT_UNLOCK (self);
  return pads;
}

static GstFlowReturn
combine (GstContinualDemux * self, GstContinualDemuxPad * pad,
    GstFlowReturn ret)
{
  g_mutex_lock (&self->lock);
  /* A stream that leaves does not stop others, whatever its pad returned. */
  ret = pad->released ? GST_FLOW_OK :
      gst_flow_combiner_update_pad_flow (self->flows, GST_PAD (pad), ret);
  g_mutex_unlock (&self->lock);
  return ret;
}

/* Caps of one stream of @in. */
static GstCaps *
get_row_caps (const TensorInfo * in)
{
  const guint dims[4] = { in->dims[0], in->dims[1], 1, 1 };

  return tensor_caps_new (dims, in->fps_n, in->fps_d);
}

/* Pushes caps in the spelling that the peer prefers. */
static void
push_caps (GstContinualDemux * self, GstContinualDemuxPad * pad)
{
  GstCaps *ours = get_row_caps (&self->input), *both;

  both = gst_pad_peer_query_caps (GST_PAD (pad), ours);
  if (gst_caps_is_empty (both)) {
    GstCaps *any = gst_pad_peer_query_caps (GST_PAD (pad), NULL);
    g_autofree gchar *theirs = gst_caps_to_string (any);

    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected what comes after src_%u to take vectors of %u values, found "
            "that it takes %s: link it to something that does.", pad->slot,
            self->input.dims[0], theirs), ("%" GST_PTR_FORMAT, ours));
    gst_caps_unref (any);
    gst_caps_replace (&both, ours);
  }
  both = gst_caps_fixate (both);
  gst_pad_push_event (GST_PAD (pad), gst_event_new_caps (both));
  gst_caps_unref (both);
  gst_caps_unref (ours);
}

/* Pushes the row of one stream: @n_bytes of @buffer from @offset on. */
static GstFlowReturn
push_row (GstContinualDemux * self, GstContinualDemuxPad * pad,
    GstBuffer * buffer, const guint8 * data, gsize offset, gsize n_bytes)
{
  VectorTime time = { GST_BUFFER_PTS (buffer), GST_BUFFER_DURATION (buffer) };
  GstPad *srcpad = GST_PAD (pad);
  GstBuffer *row;

  if (gst_pad_check_reconfigure (srcpad))
    push_caps (self, pad);
  if (self->times)
    mux_times_get (self->times, time.pts, pad->slot, &time);
  if (row_is_absent ((const gfloat *) (data + offset), n_bytes / sizeof (gfloat))) {
    if (GST_CLOCK_TIME_IS_VALID (time.pts))
      gst_pad_push_event (srcpad, gst_event_new_gap (time.pts, time.duration));
    return GST_FLOW_OK;
  }
  /* Shares the memory of @buffer. */
  row = gst_buffer_copy_region (buffer, GST_BUFFER_COPY_FLAGS
      | GST_BUFFER_COPY_MEMORY, offset, n_bytes);
  GST_BUFFER_PTS (row) = time.pts;
  GST_BUFFER_DURATION (row) = time.duration;
  return gst_pad_push (srcpad, row);
}

static GstFlowReturn
push_rows (GstContinualDemux * self, GstBuffer * buffer, const guint8 * data)
{
  const guint S = self->input.dims[2];
  const gsize row = gst_buffer_get_size (buffer) / S;
  g_autoptr (GPtrArray) pads = ref_pads (self);
  GstFlowReturn ret = pads->len ? GST_FLOW_NOT_LINKED : GST_FLOW_OK;

  for (guint i = 0; i < pads->len; i++) {
    GstContinualDemuxPad *pad = pads->pdata[i];

    if (pad->slot >= S) {
      GST_ELEMENT_ERROR (self, STREAM, FORMAT,
          ("Expected pads up to src_%u, since %u streams come, found src_%u: "
              "raise max-streams of the continualmux.", S - 1, S, pad->slot),
          (NULL));
      return GST_FLOW_ERROR;
    }
    ret = combine (self, pad, push_row (self, pad, buffer, data,
            pad->slot * row, row));
    if (ret != GST_FLOW_OK && ret != GST_FLOW_NOT_LINKED)
      break;
  }
  return ret;
}

static GstFlowReturn
chain (GstPad * sinkpad, GstObject * parent, GstBuffer * buffer)
{
  GstContinualDemux *self = GST_CONTINUAL_DEMUX (parent);
  GstFlowReturn ret = GST_FLOW_ERROR;
  g_autofree gchar *why = NULL;
  GstMapInfo map;

  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT, buffer);
  if (!self->input.dims[0]) {
    ret = GST_FLOW_NOT_NEGOTIATED;
  } else if (!vector_caps_check_size (&self->input,
          gst_buffer_get_size (buffer), &why)) {
    vector_caps_post_error (GST_ELEMENT (self), why, NULL);
  } else if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("Expected a buffer in readable memory, found one that can't be "
            "mapped."), ("%" GST_PTR_FORMAT, buffer));
  } else {
    ret = push_rows (self, buffer, map.data);
    gst_buffer_unmap (buffer, &map);
  }
  gst_buffer_unref (buffer);
  return ret;
}

static gboolean
take_caps (GstContinualDemux * self, GstCaps * caps)
{
  g_autoptr (GPtrArray) pads = ref_pads (self);
  g_autofree gchar *why = NULL;
  TensorInfo tensor;

  if (tensor_caps_parse (caps, &tensor, &why) && tensor.dims[3] != 1)
    why = g_strdup ("expected dimensions D:N:S, found a fourth size: reshape "
        "the tensor");
  if (why) {
    vector_caps_post_error (GST_ELEMENT (self), why, caps);
    return FALSE;
  }
  self->input = tensor;
  GST_INFO_OBJECT (self, "%u streams on %u pads", tensor.dims[2], pads->len);
  for (guint i = 0; i < pads->len; i++)
    push_caps (self, pads->pdata[i]);
  return TRUE;
}

static GstEvent *
new_stream_start (GstContinualDemux * self, GstContinualDemuxPad * pad,
    GstEvent * event)
{
  gchar *id = gst_pad_create_stream_id_printf (GST_PAD (pad),
      GST_ELEMENT (self), "%u", pad->slot);
  GstEvent *res = gst_event_new_stream_start (id);
  GstStreamFlags flags;
  guint group;

  gst_event_set_seqnum (res, gst_event_get_seqnum (event));
  gst_event_parse_stream_flags (event, &flags);
  gst_event_set_stream_flags (res, flags);
  if (gst_event_parse_group_id (event, &group))
    gst_event_set_group_id (res, group);
  g_free (id);
  return res;
}

/* Takes the event. */
static gboolean
push_stream_start (GstContinualDemux * self, GstEvent * event)
{
  g_autoptr (GPtrArray) pads = ref_pads (self);

  for (guint i = 0; i < pads->len; i++)
    gst_pad_push_event (pads->pdata[i], new_stream_start (self,
            pads->pdata[i], event));
  gst_event_unref (event);
  return TRUE;
}

/* Takes the event, for one stream or for all. */
static gboolean
push_reset (GstContinualDemux * self, GstEvent * event)
{
  g_autoptr (GPtrArray) pads = ref_pads (self);
  gint stream = -1;

  gst_structure_get_int (gst_event_get_structure (event), "stream", &stream);
  for (guint i = 0; i < pads->len; i++) {
    GstContinualDemuxPad *pad = pads->pdata[i];

    if (stream < 0 || pad->slot == (guint) stream)
      gst_pad_push_event (GST_PAD (pad),
          gst_event_new_custom (GST_EVENT_TYPE (event),
              gst_structure_new_empty (RESET_EVENT_NAME)));
  }
  gst_event_unref (event);
  return TRUE;
}

static gboolean
sink_event (GstPad * sinkpad, GstObject * parent, GstEvent * event)
{
  GstContinualDemux *self = GST_CONTINUAL_DEMUX (parent);
  GstCaps *caps;
  gboolean ok;

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      return push_stream_start (self, event);
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      ok = take_caps (self, caps);
      gst_event_unref (event);
      return ok;
    case GST_EVENT_FLUSH_STOP:
      g_mutex_lock (&self->lock);
      gst_flow_combiner_reset (self->flows);
      g_mutex_unlock (&self->lock);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
    case GST_EVENT_CUSTOM_DOWNSTREAM_OOB:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      if (gst_event_has_name (event, RESET_EVENT_NAME))
        return push_reset (self, event);
      if (gst_event_has_name (event, TIMES_EVENT_NAME)) {
        g_clear_pointer (&self->times, mux_times_unref);
        self->times = mux_times_find (event);
        gst_event_unref (event);
        return TRUE;
      }
      break;
    default:
      break;
  }
  return gst_pad_event_default (sinkpad, parent, event);
}

static gboolean
sink_query (GstPad * sinkpad, GstObject * parent, GstQuery * query)
{
  return vector_caps_accept (query)
      || gst_pad_query_default (sinkpad, parent, query);
}

/* Gives a new pad the sticky events that came before it. */
static gboolean
copy_sticky (GstPad * sinkpad, GstEvent ** event, gpointer data)
{
  GstContinualDemuxPad *pad = data;
  GstContinualDemux *self = GST_CONTINUAL_DEMUX (GST_PAD_PARENT (sinkpad));
  GstEvent *copy;
  GstCaps *caps;
  TensorInfo tensor;

  switch (GST_EVENT_TYPE (*event)) {
    case GST_EVENT_CAPS:
      /* In any spelling: after linking, push_caps() uses that of the peer. */
      gst_event_parse_caps (*event, &caps);
      if (!tensor_caps_parse (caps, &tensor, NULL))
        return TRUE;
      caps = gst_caps_fixate (get_row_caps (&tensor));
      copy = gst_event_new_caps (caps);
      gst_caps_unref (caps);
      break;
    case GST_EVENT_STREAM_START:
      copy = new_stream_start (self, pad, *event);
      break;
    default:
      if (gst_event_has_name (*event, TIMES_EVENT_NAME))
        return TRUE;
      copy = gst_event_ref (*event);
      break;
  }
  gst_pad_store_sticky_event (GST_PAD (pad), copy);
  gst_event_unref (copy);
  return TRUE;
}

static GstPad *
gst_continual_demux_request_new_pad (GstElement * element,
    GstPadTemplate * templ, const gchar * name, const GstCaps * caps)
{
  GstContinualDemux *self = GST_CONTINUAL_DEMUX (element);
  guint64 slot = 0;
  gboolean named = name && g_str_has_prefix (name, "src_")
      && g_ascii_string_to_unsigned (name + 4, 10, 0, G_MAXUINT, &slot, NULL);
  g_autofree gchar *pad_name = NULL;
  GstContinualDemuxPad *pad;
  GstPad *other;

  for (;; slot++) {
    g_free (pad_name);
    pad_name = g_strdup_printf ("src_%u", (guint) slot);
    other = gst_element_get_static_pad (element, pad_name);
    if (!other)
      break;
    gst_object_unref (other);
    if (named)
      return NULL;
  }
  pad = g_object_new (GST_TYPE_CONTINUAL_DEMUX_PAD, "name", pad_name,
      "direction", GST_PAD_SRC, "template", templ, NULL);
  pad->slot = (guint) slot;
  gst_object_ref (pad);
  gst_pad_set_active (GST_PAD (pad), TRUE);
  g_mutex_lock (&self->lock);
  gst_flow_combiner_add_pad (self->flows, GST_PAD (pad));
  g_mutex_unlock (&self->lock);
  /* Before the streaming thread finds the pad and pushes caps on it, which must follow the STREAM_START event. */
  gst_pad_sticky_events_foreach (self->sinkpad, copy_sticky, pad);
  gst_element_add_pad (element, GST_PAD (pad));
  gst_object_unref (pad);
  return GST_PAD (pad);
}

static void
gst_continual_demux_release_pad (GstElement * element, GstPad * pad)
{
  GstContinualDemux *self = GST_CONTINUAL_DEMUX (element);

  g_mutex_lock (&self->lock);
  ((GstContinualDemuxPad *) pad)->released = TRUE;
  gst_flow_combiner_remove_pad (self->flows, pad);
  g_mutex_unlock (&self->lock);
  gst_pad_set_active (pad, FALSE);
  gst_element_remove_pad (element, pad);
}

static GstStateChangeReturn
gst_continual_demux_change_state (GstElement * element,
    GstStateChange transition)
{
  GstContinualDemux *self = GST_CONTINUAL_DEMUX (element);
  GstStateChangeReturn ret = GST_ELEMENT_CLASS
      (gst_continual_demux_parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    self->input.dims[0] = 0;
    g_clear_pointer (&self->times, mux_times_unref);
    gst_flow_combiner_reset (self->flows);
  }
  return ret;
}

static void
gst_continual_demux_finalize (GObject * object)
{
  GstContinualDemux *self = GST_CONTINUAL_DEMUX (object);

  g_clear_pointer (&self->times, mux_times_unref);
  gst_flow_combiner_unref (self->flows);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_continual_demux_parent_class)->finalize (object);
}

static const ElementAbout about = {
  .name = "continualdemux",
  .title = "Continual demux",
  .classes = "Generic/Demuxer",
  .description = "Separates the streams that a continualmux put side by side: each gets a pad of its own",
  .example = "MUX ! continualencoder model-path=words.safetensors ! continualdemux name=d  d.src_0 ! "
      "fakesink  d.src_1 ! fakesink",
  .page = "docs/many-streams.md",
};

static void
gst_continual_demux_class_init (GstContinualDemuxClass * klass)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_continual_demux_finalize;
  element_class->request_new_pad = gst_continual_demux_request_new_pad;
  element_class->release_pad = gst_continual_demux_release_pad;
  element_class->change_state = gst_continual_demux_change_state;

  element_about (element_class, &about);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &src_template, GST_TYPE_CONTINUAL_DEMUX_PAD);
  gst_type_mark_as_plugin_api (GST_TYPE_CONTINUAL_DEMUX_PAD, 0);
}

static void
gst_continual_demux_init (GstContinualDemux * self)
{
  g_mutex_init (&self->lock);
  self->flows = gst_flow_combiner_new ();
  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sinkpad, chain);
  gst_pad_set_event_function (self->sinkpad, sink_event);
  gst_pad_set_query_function (self->sinkpad, sink_query);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
}
