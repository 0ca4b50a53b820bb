/* gst-continual: vectors of many streams in one buffer
 * SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-continualmux
 * @title: continualmux
 * @short_description: vectors of many streams in one buffer, for one model
 *
 * Collects the vectors of many streams for one continualencoder, so that one matrix product serves all streams. Each sink
 * pad is a slot, sink_0 to sink_(max-streams - 1). Vectors of C features that begin within half a vector of each other
 * become one buffer of dimensions C:1:S, S = max-streams, with one row for each slot. It has the time of the earliest
 * vector, in the segment of the first slot in use.
 *
 * A slot without a vector has a row of NaNs. An encoder then takes the stream as absent: its state does not change.
 * Streams can join and leave while others run. In a live pipeline the mux waits for other streams until a vector is
 * `latency` old; a vector that comes later is left out with a warning. Otherwise, as with files, it waits for all
 * streams, unless force-live is set.
 *
 * A new stream in a used slot, a flush of one pad, and a continual-reset event on one pad reset that stream only: before
 * its next vector, a continual-reset event with the field `stream` goes downstream.
 *
 * A stream of another width than the others' or the model's is refused alone: what feeds its pad fails, with a warning of
 * the mux that says why.
 *
 * To remove a stream, stop its elements, the source first, then release the pad.
 *
 * |[
 * gst-launch-1.0 continualmux name=m max-streams=2 latency=100000000 \
 *     ! continualencoder model-path=words.safetensors ! continualdemux name=d \
 *     alsasrc device=hw:0 ! audioconvert ! audioresample ! melspectrogram ! m.sink_0 \
 *     alsasrc device=hw:1 ! audioconvert ! audioresample ! melspectrogram ! m.sink_1 \
 *     d.src_0 ! queue ! classlabeler ! fdsink d.src_1 ! queue ! classlabeler ! fdsink
 * ]|
 */
#include "elements.h"
#include "mux/private.h"
#include "tensor/propertytable.h"

#define MOST_STREAMS 65536

/* *INDENT-OFF* */
static const PropertyRow rows[] = {
  ROW_UINT (GstContinualMux, max_streams, READY, "max-streams", "Max streams",
      "Number of slots: the streams in each buffer, used or not. A model downstream keeps a state for each",
      1, MOST_STREAMS, 16),
};
/* *INDENT-ON* */
static PROPERTY_TABLE (properties, rows);

/* After the rows of the table: a field of the base class. */
#define PROP_FORCE_LIVE (G_N_ELEMENTS (rows) + 1)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink_%u",
    GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));

G_DEFINE_TYPE (GstContinualMux, gst_continual_mux, GST_TYPE_AGGREGATOR);
GST_ELEMENT_REGISTER_DEFINE (continualmux, "continualmux", GST_RANK_NONE,
    GST_TYPE_CONTINUAL_MUX);

/* Under the object lock. */
static MuxPad *
find_pad (GstContinualMux * self, guint slot)
{
  for (GList * l = GST_ELEMENT (self)->sinkpads; l; l = l->next)
    if (((MuxPad *) l->data)->slot == slot)
      return l->data;
  return NULL;
}

/* Under the object lock. One more than the highest slot in use. */
static guint
count_slots (GstContinualMux * self)
{
  guint n = 0;

  for (GList * l = GST_ELEMENT (self)->sinkpads; l; l = l->next)
    n = MAX (n, ((MuxPad *) l->data)->slot + 1);
  return n;
}

/* Fewer slots than pads need are refused. */
static void
set_max_streams (GstContinualMux * self, const GValue * value,
    GParamSpec * pspec)
{
  const guint n = g_value_get_uint (value);
  gboolean running;
  guint used;

  GST_OBJECT_LOCK (self);
  running = self->started;
  used = count_slots (self);
  if (!running && n >= used)
    property_table_write (&properties, self, value, pspec);
  GST_OBJECT_UNLOCK (self);
  if (running)
    property_warn_running (GST_ELEMENT (self), pspec);
  else if (n < used)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("The property %s was not changed: expected at least %u, the slots in "
            "use, found %u: release pads before, or set more.", pspec->name,
            used, n), (NULL));
}

static void
gst_continual_mux_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (object);

  if (id == PROP_FORCE_LIVE)
    gst_aggregator_set_force_live (GST_AGGREGATOR (self),
        g_value_get_boolean (value));
  else
    set_max_streams (self, value, pspec);
}

static void
gst_continual_mux_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (object);

  if (id == PROP_FORCE_LIVE)
    g_value_set_boolean (value,
        gst_aggregator_get_force_live (GST_AGGREGATOR (self)));
  else if (!property_table_get (&properties, self, GST_ELEMENT (self), value,
          pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* sink_5 is slot 5. Without a number: the lowest free slot. */
static GstAggregatorPad *
gst_continual_mux_create_new_pad (GstAggregator * aggregator,
    GstPadTemplate * templ, const gchar * name, const GstCaps * caps)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);
  guint64 slot = 0;
  gboolean named = name && g_str_has_prefix (name, "sink_")
      && g_ascii_string_to_unsigned (name + 5, 10, 0, G_MAXUINT, &slot, NULL);
  gboolean taken;
  gchar *pad_name;
  MuxPad *pad;
  guint S;

  GST_OBJECT_LOCK (self);
  S = self->max_streams;
  while (!named && slot < S && find_pad (self, (guint) slot))
    slot++;
  /* Also by another spelling, such as sink_05 */
  taken = slot < S && find_pad (self, (guint) slot);
  GST_OBJECT_UNLOCK (self);
  if (slot >= S) {
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("Expected a free slot from 0 to %u, found %s: raise max-streams, or "
            "release a pad.", S - 1, named ? name : "none"), (NULL));
    return NULL;
  }
  if (taken) {
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("Expected one pad for slot %u, found %s requested beside the one that is "
            "there: request another slot, or release the pad before.",
            (guint) slot, name), (NULL));
    return NULL;
  }
  pad_name = g_strdup_printf ("sink_%u", (guint) slot);
  pad = g_object_new (GST_TYPE_CONTINUAL_MUX_PAD, "name", pad_name,
      "direction", GST_PAD_SINK, "template", templ, NULL);
  pad->slot = (guint) slot;
  g_free (pad_name);
  gst_pad_add_probe (GST_PAD (pad), GST_PAD_PROBE_TYPE_BUFFER, mux_check_buffer,
      self, NULL);
  return GST_AGGREGATOR_PAD (pad);
}

static gboolean
gst_continual_mux_start (GstAggregator * aggregator)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);

  GST_OBJECT_LOCK (self);
  self->started = TRUE;
  self->width = 0;
  for (GList * l = GST_ELEMENT (self)->sinkpads; l; l = l->next)
    mux_pad_start (l->data);
  GST_OBJECT_UNLOCK (self);
  mux_rounds_start (self);
  return TRUE;
}

static gboolean
gst_continual_mux_stop (GstAggregator * aggregator)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);

  mux_rounds_stop (self);
  GST_OBJECT_LOCK (self);
  self->started = FALSE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* As a live source, force-live gives nothing in PAUSED: there is no clock to time out by. A pipeline must not wait for it. */
static GstStateChangeReturn
gst_continual_mux_change_state (GstElement * element,
    GstStateChange transition)
{
  const GstStateChangeReturn ret = GST_ELEMENT_CLASS
      (gst_continual_mux_parent_class)->change_state (element, transition);

  return ret == GST_STATE_CHANGE_SUCCESS
      && GST_STATE_TRANSITION_NEXT (transition) == GST_STATE_PAUSED
      && gst_aggregator_get_force_live (GST_AGGREGATOR (element)) ?
      GST_STATE_CHANGE_NO_PREROLL : ret;
}

static const ElementAbout about = {
  .name = "continualmux",
  .title = "Continual mux",
  .classes = "Generic/Muxer",
  .description = "Puts the vectors of many streams side by side, for one continualencoder; streams join and "
      "leave while it runs",
  .example = "continualmux name=m max-streams=2 ! continualencoder model-path=words.safetensors ! fakesink"
      "  ONE ! m.  OTHER ! m.",
  .page = "docs/many-streams.md",
};

static void
gst_continual_mux_class_init (GstContinualMuxClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstAggregatorClass *aggregator_class = GST_AGGREGATOR_CLASS (klass);

  object_class->set_property = gst_continual_mux_set_property;
  object_class->get_property = gst_continual_mux_get_property;
  element_class->change_state = gst_continual_mux_change_state;
  property_table_install (&properties, object_class, 1);
  g_object_class_install_property (object_class, PROP_FORCE_LIVE,
      g_param_spec_boolean ("force-live", "Force live",
          "Wait no longer than latency for a stream even if no source is live, "
          "for example if vectors come over a network", FALSE, G_PARAM_READWRITE
          | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));

  element_about (element_class, &about);
  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &sink_template, GST_TYPE_CONTINUAL_MUX_PAD);
  gst_element_class_add_static_pad_template_with_gtype (element_class,
      &src_template, GST_TYPE_AGGREGATOR_PAD);
  gst_type_mark_as_plugin_api (GST_TYPE_CONTINUAL_MUX_PAD, 0);

  aggregator_class->create_new_pad = gst_continual_mux_create_new_pad;
  aggregator_class->start = gst_continual_mux_start;
  aggregator_class->stop = gst_continual_mux_stop;
  mux_rounds_class_init (aggregator_class);
  mux_negotiation_class_init (aggregator_class);
}

static void
gst_continual_mux_init (GstContinualMux * self)
{
  property_table_init (&properties, self);
  /* The mux waits for a silent pad only the first time. */
  gst_aggregator_set_ignore_inactive_pads (GST_AGGREGATOR (self), TRUE);
}
