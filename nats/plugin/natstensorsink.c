/* gst-continual: buffers to a subject of NATS JetStream
 * SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-natstensorsink
 * @title: natstensorsink
 * @short_description: vectors or labels to NATS JetStream
 *
 * Publishes tensors, or the text of classlabeler, to a subject that a JetStream stream stores. Caps, running times, gaps, labels and
 * the begin and end of streams go in headers; natstensorsrc restores them, and continual-worker reads them.
 *
 * Each message is acknowledged by JetStream, one at a time: so the order is kept. Buffers that come meanwhile go together in the next
 * message. While the servers are away, up to max-bytes are collected, and then upstream waits: nothing is lost. An element message
 * `continual-nats` (fields `subject` and `connected`) tells of each loss and return of the connection.
 *
 * A STREAM_START, a seek, a flush and a `continual-reset` event begin a new stream: whoever keeps a state of it resets that.
 *
 * |[
 * gst-launch-1.0 autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! natstensorsink subject=continual.vectors.mic1
 * gst-launch-1.0 autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! continualencoder model-path=words.safetensors \
 *     ! classlabeler ! natstensorsink subject=labels.mic1
 * ]|
 */
#include "plugin/natstensorsink.h"

#include "plugin/connect.h"
#include "plugin/elements.h"
#include "plugin/outbox.h"
#include "tensor/about.h"
#include "tensor/events.h"
#include "tensor/propertytable.h"

#define GST_CAT_DEFAULT element_debug (self)

/* Microseconds that a stop without EOS waits for acknowledgements */
#define LINGER (2 * G_USEC_PER_SEC)

struct _GstNatsTensorSink
{
  GstBaseSink parent;

  /* Under the object lock; constant between start and stop, so that the streaming thread reads them without it. */
  gchar *servers, *credentials, *subject;
  guint max_bytes, labels_interval;
  gboolean started;

  /* Set by start(). */
  Link *link;
  Outbox *outbox;
  gsize most;                   /* bytes of a buffer */

  /* Streaming thread only. */
  GstSegment segment;           /* of the last SEGMENT event */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (NATS_CAPS));

G_DEFINE_TYPE (GstNatsTensorSink, gst_nats_tensor_sink, GST_TYPE_BASE_SINK);
GST_ELEMENT_REGISTER_DEFINE (natstensorsink, "natstensorsink", GST_RANK_NONE,
    GST_TYPE_NATS_TENSOR_SINK);

/* *INDENT-OFF* */
static const PropertyRow rows[] = {
  ROW_TEXT (GstNatsTensorSink, servers, READY, "servers", "Servers",
      "URLs of NATS servers, separated by commas: nats://[USER:PASSWORD@]HOST[:PORT], or tls://", LINK_DEFAULT_SERVERS),
  ROW_TEXT (GstNatsTensorSink, credentials, READY, "credentials", "Credentials",
      "A credentials file (.creds), for servers that want one", NULL),
  ROW_TEXT (GstNatsTensorSink, subject, READY, "subject", "Subject",
      "The subject to publish to. A JetStream stream must store it", NULL),
  ROW_UINT (GstNatsTensorSink, max_bytes, READY, "max-bytes", "Most bytes",
      "Bytes of buffers in a message, and of those that wait: where more come, upstream waits", 1, G_MAXINT, 262144),
  ROW_UINT (GstNatsTensorSink, labels_interval, READY, "labels-interval", "Labels interval",
      "Milliseconds after which the labels of the model are sent again, for receivers that start later. 0: at the begin of a "
      "stream only", 0, G_MAXUINT, 1000),
};
/* *INDENT-ON* */
static PROPERTY_TABLE (properties, rows);

static void
gst_nats_tensor_sink_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstNatsTensorSink *self = GST_NATS_TENSOR_SINK (object);

  if (!property_table_set (&properties, self, GST_ELEMENT (self),
          &self->started, value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_nats_tensor_sink_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GstNatsTensorSink *self = GST_NATS_TENSOR_SINK (object);

  if (!property_table_get (&properties, self, GST_ELEMENT (self), value,
          pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* From the thread of the outbox */
static void
on_news (OutboxNews news, const gchar * why, gpointer data)
{
  GstNatsTensorSink *self = data;

  if (news == OUTBOX_FAILED)
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, ("Subject %s: %s.", self->subject,
            why), (NULL));
  else if (news == OUTBOX_WAITING)
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
        ("Subject %s does not take messages, and is tried again: %s.",
            self->subject, why), (NULL));
  else
    GST_ELEMENT_INFO (self, RESOURCE, WRITE, ("Subject %s takes messages again.",
            self->subject), (NULL));
}

static gboolean
gst_nats_tensor_sink_start (GstBaseSink * base)
{
  GstNatsTensorSink *self = GST_NATS_TENSOR_SINK (base);
  g_autofree gchar *why = NULL;

  if (!link_subject_is_valid (self->subject)) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Expected a subject in UTF-8 without spaces, wildcards, quotes and backslashes, found %s: set the property subject, for example to "
            "continual.vectors.mic1.", self->subject ? self->subject : "none"), (NULL));
    return FALSE;
  }
  self->link = connect_element (GST_ELEMENT (self), self->servers, self->credentials, &why);
  if (!self->link) {
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE, ("%c%s.",
            g_ascii_toupper (why[0]), why + 1), (NULL));
    return FALSE;
  }
  self->most = link_get_max_payload (self->link);
  self->outbox = outbox_new (self->link, &(OutboxSettings) {
      self->subject, self->max_bytes, self->labels_interval * GST_MSECOND}, on_news, self);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  GST_OBJECT_LOCK (self);
  self->started = TRUE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_nats_tensor_sink_stop (GstBaseSink * base)
{
  GstNatsTensorSink *self = GST_NATS_TENSOR_SINK (base);

  if (!outbox_drain (self->outbox, LINGER))
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
        ("Subject %s: expected an acknowledgement of the last message, found none before the stop: it may be missing.",
            self->subject), (NULL));
  g_clear_pointer (&self->outbox, outbox_free);
  g_clear_pointer (&self->link, link_close);
  GST_OBJECT_LOCK (self);
  self->started = FALSE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_nats_tensor_sink_unlock (GstBaseSink * base)
{
  outbox_set_flushing (GST_NATS_TENSOR_SINK (base)->outbox, TRUE);
  return TRUE;
}

static gboolean
gst_nats_tensor_sink_unlock_stop (GstBaseSink * base)
{
  outbox_set_flushing (GST_NATS_TENSOR_SINK (base)->outbox, FALSE);
  return TRUE;
}

static gboolean
gst_nats_tensor_sink_set_caps (GstBaseSink * base, GstCaps * caps)
{
  g_autofree gchar *text = gst_caps_to_string (caps);

  outbox_set_caps (GST_NATS_TENSOR_SINK (base)->outbox, text);
  return TRUE;
}

static guint64
get_running_time (GstNatsTensorSink * self, GstClockTime time)
{
  return self->segment.format == GST_FORMAT_TIME
      && GST_CLOCK_TIME_IS_VALID (time) ?
      gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME, time) :
      TENSOR_TIME_NONE;
}

static guint64
get_duration (GstNatsTensorSink * self, GstClockTime duration)
{
  const gdouble rate = ABS (self->segment.rate);

  return !GST_CLOCK_TIME_IS_VALID (duration) || rate == 1.0 ? duration :
      (guint64) (duration / rate);
}

/* With the preroll lock, as render() and serialized events have it: gives it away while the element is PAUSED. */
static GstFlowReturn
push (GstNatsTensorSink * self, const TensorBuffer * buffer,
    gconstpointer data)
{
  GstFlowReturn res = GST_FLOW_OK;

  while (res == GST_FLOW_OK && !outbox_push (self->outbox, buffer, data))
    res = outbox_has_failed (self->outbox) ? GST_FLOW_ERROR :
        gst_base_sink_wait_preroll (GST_BASE_SINK (self));
  return res;
}

static GstFlowReturn
gst_nats_tensor_sink_render (GstBaseSink * base, GstBuffer * buffer)
{
  GstNatsTensorSink *self = GST_NATS_TENSOR_SINK (base);
  GstFlowReturn res;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("A buffer could not be read."), (NULL));
    return GST_FLOW_ERROR;
  }
  if (map.size > self->most) {
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE,
        ("Expected buffers of up to %" G_GSIZE_FORMAT " bytes, as the server takes, found one of %" G_GSIZE_FORMAT
            ": raise max_payload of the server, or send fewer vectors in a buffer.", self->most, map.size), (NULL));
    res = GST_FLOW_ERROR;
  } else if (map.size == 0) {
    res = GST_FLOW_OK;
  } else {
    res = push (self, &(TensorBuffer) {
          get_running_time (self, GST_BUFFER_PTS (buffer)),
          get_duration (self, GST_BUFFER_DURATION (buffer)), map.size,
          GST_BUFFER_IS_DISCONT (buffer)}, map.data);
  }
  gst_buffer_unmap (buffer, &map);
  return res;
}

static void
take_segment (GstNatsTensorSink * self, GstEvent * event)
{
  if (self->segment.format != GST_FORMAT_UNDEFINED
      && segment_event_jumps (event, &self->segment))
    outbox_begin_stream (self->outbox);
  gst_event_copy_segment (event, &self->segment);
}

static void
send_gap (GstNatsTensorSink * self, GstEvent * event)
{
  GstClockTime pts, duration;

  gst_event_parse_gap (event, &pts, &duration);
  push (self, &(TensorBuffer) {
        get_running_time (self, pts), get_duration (self, duration), 0, FALSE}, NULL);
}

/* Before EOS: everything is stored then. */
static void
finish (GstNatsTensorSink * self)
{
  GstFlowReturn res = GST_FLOW_OK;

  while (res == GST_FLOW_OK && !(outbox_end_stream (self->outbox)
          && outbox_drain (self->outbox, -1)))
    res = outbox_has_failed (self->outbox) ? GST_FLOW_ERROR :
        gst_base_sink_wait_preroll (GST_BASE_SINK (self));
}

static gboolean
gst_nats_tensor_sink_event (GstBaseSink * base, GstEvent * event)
{
  GstNatsTensorSink *self = GST_NATS_TENSOR_SINK (base);
  g_auto (GStrv) labels = NULL;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_FLUSH_STOP:
      outbox_begin_stream (self->outbox);
      break;
    case GST_EVENT_SEGMENT:
      take_segment (self, event);
      break;
    case GST_EVENT_GAP:
      send_gap (self, event);
      break;
    case GST_EVENT_EOS:
      finish (self);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_event_has_name (event, RESET_EVENT_NAME))
        outbox_begin_stream (self->outbox);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
      if ((labels = labels_event_parse (event)))
        outbox_set_labels (self->outbox, labels);
      break;
    default:
      break;
  }
  return GST_BASE_SINK_CLASS (gst_nats_tensor_sink_parent_class)->event (base,
      event);
}

static void
gst_nats_tensor_sink_finalize (GObject * object)
{
  property_table_clear (&properties, object);
  G_OBJECT_CLASS (gst_nats_tensor_sink_parent_class)->finalize (object);
}

static const ElementAbout about = {
  .name = "natstensorsink",
  .title = "Tensors to NATS",
  .classes = "Sink/Network",
  .description = "Publishes vectors, or labels, to a subject of NATS JetStream, in order and acknowledged",
  .example = "autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! natstensorsink subject=continual.vectors.mic1",
  .page = "docs/cluster.md",
};

static void
gst_nats_tensor_sink_class_init (GstNatsTensorSinkClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *sink_class = GST_BASE_SINK_CLASS (klass);

  object_class->set_property = gst_nats_tensor_sink_set_property;
  object_class->get_property = gst_nats_tensor_sink_get_property;
  object_class->finalize = gst_nats_tensor_sink_finalize;
  property_table_install (&properties, object_class, 1);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  element_about (element_class, &about);
  sink_class->start = gst_nats_tensor_sink_start;
  sink_class->stop = gst_nats_tensor_sink_stop;
  sink_class->unlock = gst_nats_tensor_sink_unlock;
  sink_class->unlock_stop = gst_nats_tensor_sink_unlock_stop;
  sink_class->set_caps = gst_nats_tensor_sink_set_caps;
  sink_class->render = gst_nats_tensor_sink_render;
  sink_class->event = gst_nats_tensor_sink_event;
}

static void
gst_nats_tensor_sink_init (GstNatsTensorSink * self)
{
  property_table_init (&properties, self);
  /* Vectors are sent when they come. */
  gst_base_sink_set_sync (GST_BASE_SINK (self), FALSE);
}
