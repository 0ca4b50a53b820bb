/* gst-continual: buffers from a subject of NATS JetStream
 * SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-natstensorsrc
 * @title: natstensorsrc
 * @short_description: vectors or labels from NATS JetStream
 *
 * Gives what natstensorsink or continual-worker published to a subject: buffers with their caps and times, gaps, labels, and a
 * STREAM_START for each stream that begins. Every message comes once and in order.
 *
 * The times of buffers are the running times of the sender. The element is live: the segment of each stream maps the time of its
 * first buffer to the moment when it comes. Sinks that synchronise wait `latency` longer, so that a message that takes longer
 * than the first one is not late.
 *
 * With `durable`, JetStream remembers how far this reader came: after a restart it continues behind the last message whose buffers
 * were all taken downstream. That one message may come again.
 *
 * |[
 * gst-launch-1.0 -q natstensorsrc subject=continual.outputs.mic1 ! classlabeler ! fdsink sync=false
 * gst-launch-1.0 natstensorsrc subject=continual.vectors.mic1 durable=archive start=all ! filesink location=mic1.f32
 * ]|
 */
#include "plugin/natstensorsrc.h"

#include <string.h>

#include "common/message.h"
#include "common/reader.h"
#include "plugin/connect.h"
#include "plugin/elements.h"
#include "tensor/about.h"
#include "tensor/caps.h"
#include "tensor/events.h"
#include "tensor/propertytable.h"

#define GST_CAT_DEFAULT element_debug (self)

/* Messages that are on their way, or not acknowledged, at most */
#define BATCH 64
#define WINDOW 1024
/* Microseconds */
#define WAIT_TIME (100 * 1000)

struct _GstNatsTensorSrc
{
  GstPushSrc parent;

  /* Under the object lock; constant between start and stop, so that the streaming thread reads them without it. */
  gchar *servers, *credentials, *subject, *durable;
  ReaderStart begin;
  guint latency;                /* ms */
  gboolean eos_at_end;
  gboolean started;

  /* Set by start(). */
  Link *link;
  Reader *reader;

  GMutex lock;                  /* guards, with `changed`: */
  GCond changed;
  gboolean arrived, flushing;

  /* Streaming thread only, from start(). */
  TensorMessage *message;       /* being given; NULL: none */
  guint next;                   /* its next buffer */
  gsize offset;                 /* in its data */
  gchar *stream, *caps;         /* as they were last sent downstream */
  guint64 index;                /* of the next message */
  gboolean segment_due, discont, ended;
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (NATS_CAPS));

G_DEFINE_TYPE (GstNatsTensorSrc, gst_nats_tensor_src, GST_TYPE_PUSH_SRC);
GST_ELEMENT_REGISTER_DEFINE (natstensorsrc, "natstensorsrc", GST_RANK_NONE,
    GST_TYPE_NATS_TENSOR_SRC);

/* *INDENT-OFF* */
PROPERTY_ENUM (start_enum, "GstNatsTensorSrcStart",
  {READER_NEW, "The next message", "new"},
  {READER_LAST, "The last message", "last"},
  {READER_ALL, "The oldest message that the stream has", "all"});

static const PropertyRow rows[] = {
  ROW_TEXT (GstNatsTensorSrc, servers, READY, "servers", "Servers",
      "URLs of NATS servers, separated by commas: nats://[USER:PASSWORD@]HOST[:PORT], or tls://", LINK_DEFAULT_SERVERS),
  ROW_TEXT (GstNatsTensorSrc, credentials, READY, "credentials", "Credentials",
      "A credentials file (.creds), for servers that want one", NULL),
  ROW_TEXT (GstNatsTensorSrc, subject, READY, "subject", "Subject",
      "The subject to read, of one stream. A JetStream stream must store it", NULL),
  ROW_TEXT (GstNatsTensorSrc, durable, READY, "durable", "Durable",
      "The name under which JetStream remembers how far this reader came. None: it begins anew each time", NULL),
  ROW_CHOICE (GstNatsTensorSrc, begin, READY, "start", "Start",
      "Where to begin, unless JetStream knows the durable name already", start_enum, READER_NEW),
  ROW_UINT (GstNatsTensorSrc, latency, READY, "latency", "Latency",
      "Milliseconds by which a message may take longer than the first one of its stream", 0, G_MAXINT, 200),
  ROW_BOOLEAN (GstNatsTensorSrc, eos_at_end, READY, "eos-at-end", "EOS at end",
      "Send EOS where the sender's stream ended. Otherwise its next stream is waited for", FALSE),
};
/* *INDENT-ON* */
static PROPERTY_TABLE (properties, rows);

static void
gst_nats_tensor_src_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstNatsTensorSrc *self = GST_NATS_TENSOR_SRC (object);

  if (!property_table_set (&properties, self, GST_ELEMENT (self),
          &self->started, value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_nats_tensor_src_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GstNatsTensorSrc *self = GST_NATS_TENSOR_SRC (object);

  if (!property_table_get (&properties, self, GST_ELEMENT (self), value,
          pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* From a thread of the NATS library */
static void
on_arrived (gpointer data)
{
  GstNatsTensorSrc *self = data;

  g_mutex_lock (&self->lock);
  self->arrived = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
fail_to_open (GstNatsTensorSrc * self, const gchar * why)
{
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ, ("%c%s.",
          g_ascii_toupper (why[0]), why + 1), (NULL));
}

static void
close_all (GstNatsTensorSrc * self)
{
  g_clear_pointer (&self->reader, reader_close);
  g_clear_pointer (&self->link, link_close);
  g_clear_pointer (&self->message, tensor_message_free);
  g_clear_pointer (&self->stream, g_free);
  g_clear_pointer (&self->caps, g_free);
}

static gboolean
is_name (const gchar * name)
{
  return *name && !strpbrk (name, " .*>\t\r\n/\\");
}

static gboolean
gst_nats_tensor_src_start (GstBaseSrc * base)
{
  GstNatsTensorSrc *self = GST_NATS_TENSOR_SRC (base);
  g_autofree gchar *why = NULL, *stream = NULL;

  if (!link_subject_is_valid (self->subject)
      || (self->durable && !is_name (self->durable))) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Expected a subject in UTF-8 without spaces, wildcards, quotes and backslashes, and no durable or one without spaces and any of .*>/\\, found subject %s, durable %s: "
            "set the property subject, for example to continual.outputs.mic1.",
            self->subject ? self->subject : "none", self->durable ? self->durable : "none"), (NULL));
    return FALSE;
  }
  self->link = connect_element (GST_ELEMENT (self), self->servers, self->credentials, &why);
  if (self->link)
    stream = link_find_stream (self->link, self->subject, &why);
  if (stream)
    self->reader = reader_open (self->link, &(ReaderSettings) {
        stream, self->subject, self->durable, self->begin, WINDOW, BATCH},
        on_arrived, self, &why);
  if (!self->reader) {
    fail_to_open (self, why);
    close_all (self);
    return FALSE;
  }
  self->ended = FALSE;
  GST_OBJECT_LOCK (self);
  self->started = TRUE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_nats_tensor_src_stop (GstBaseSrc * base)
{
  GstNatsTensorSrc *self = GST_NATS_TENSOR_SRC (base);

  close_all (self);
  GST_OBJECT_LOCK (self);
  self->started = FALSE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
set_flushing (GstNatsTensorSrc * self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

static gboolean
gst_nats_tensor_src_unlock (GstBaseSrc * base)
{
  set_flushing (GST_NATS_TENSOR_SRC (base), TRUE);
  return TRUE;
}

static gboolean
gst_nats_tensor_src_unlock_stop (GstBaseSrc * base)
{
  set_flushing (GST_NATS_TENSOR_SRC (base), FALSE);
  return TRUE;
}

/* FALSE: flushing */
static gboolean
wait_for_message (GstNatsTensorSrc * self, ReaderItem * item)
{
  for (;;) {
    const gint64 until = g_get_monotonic_time () + WAIT_TIME;
    gboolean flushing;

    if (reader_next (self->reader, item))
      return TRUE;
    g_mutex_lock (&self->lock);
    while (!self->arrived && !self->flushing
        && g_cond_wait_until (&self->changed, &self->lock, until));
    self->arrived = FALSE;
    flushing = self->flushing;
    g_mutex_unlock (&self->lock);
    if (flushing)
      return FALSE;
  }
}

/* NULL: *why (free it). */
static TensorMessage *
read_message (const GstNatsTensorSrc * self, natsMsg * msg, gchar ** why)
{
  g_autoptr (TensorMessage) message = tensor_message_read (msg, why);
  GstCaps *caps, *known;
  gboolean ok;

  if (!message || !message->caps || g_strcmp0 (message->caps, self->caps) == 0)
    return g_steal_pointer (&message);
  known = gst_static_pad_template_get_caps (&src_template);
  caps = gst_caps_from_string (message->caps);
  ok = caps && gst_caps_is_fixed (caps) && gst_caps_is_subset (caps, known);
  gst_clear_caps (&caps);
  gst_caps_unref (known);
  if (ok)
    return g_steal_pointer (&message);
  *why = g_strdup_printf ("header Continual-Caps: expected fixed caps of tensors or text, found \"%s\": send it with natstensorsink, or as "
      "docs/cluster.md says", message->caps);
  return NULL;
}

/* All spellings of the caps of a tensor: a capsfilter downstream may have any. */
static GstCaps *
spell (const GstCaps * caps)
{
  g_autofree gchar *why = NULL;
  TensorInfo tensor;

  if (tensor_caps_parse (caps, &tensor, &why))
    return tensor_caps_new (tensor.dims, tensor.fps_n, tensor.fps_d);
  return gst_caps_copy (caps);
}

/* FALSE: downstream does not take them. */
static gboolean
send_caps (GstNatsTensorSrc * self, const gchar * text)
{
  GstCaps *caps, *spelled, *possible;
  gboolean ok;

  if (!text || g_strcmp0 (text, self->caps) == 0)
    return TRUE;
  caps = gst_caps_from_string (text);
  spelled = spell (caps);
  possible = gst_pad_peer_query_caps (GST_BASE_SRC_PAD (self), spelled);
  if (!gst_caps_is_empty (possible)) {
    gst_caps_unref (caps);
    caps = gst_caps_fixate (gst_caps_ref (possible));
  }
  gst_caps_unref (possible);
  gst_caps_unref (spelled);
  ok = gst_base_src_set_caps (GST_BASE_SRC (self), caps);
  gst_caps_unref (caps);
  if (ok) {
    g_free (self->caps);
    self->caps = g_strdup (text);
  }
  return ok;
}

static void
begin_stream (GstNatsTensorSrc * self)
{
  GstPad *pad = GST_BASE_SRC_PAD (self);
  const TensorMessage *m = self->message;
  gchar *id = gst_pad_create_stream_id (pad, GST_ELEMENT (self), m->stream);
  GstEvent *event = gst_event_new_stream_start (id);

  gst_event_set_group_id (event, gst_util_group_id_next ());
  gst_pad_push_event (pad, event);
  g_free (id);
  g_free (self->stream);
  self->stream = g_strdup (m->stream);
  self->segment_due = TRUE;
  self->discont = TRUE;
}

static void
check_order (GstNatsTensorSrc * self)
{
  const TensorMessage *m = self->message;

  if (g_strcmp0 (self->stream, m->stream) == 0 && m->index != self->index) {
    GST_ELEMENT_WARNING (self, STREAM, DECODE,
        ("Subject %s: expected message %" G_GUINT64_FORMAT " of its stream, found %" G_GUINT64_FORMAT
            ": what is between was not stored, or was removed before it was read.", self->subject, self->index, m->index), (NULL));
    self->discont = TRUE;
  }
  self->index = m->index + 1;
}

/* The next message, and what it says before its buffers. A message that cannot be read is told and skipped. */
static GstFlowReturn
take_message (GstNatsTensorSrc * self)
{
  g_autofree gchar *why = NULL;
  ReaderItem item;

  if (!wait_for_message (self, &item))
    return GST_FLOW_FLUSHING;
  self->message = read_message (self, item.msg, &why);
  natsMsg_Destroy (item.msg);
  self->next = 0;
  self->offset = 0;
  if (!self->message) {
    GST_ELEMENT_WARNING (self, STREAM, DECODE, ("Subject %s, message %"
            G_GUINT64_FORMAT ": %s.", self->subject, item.sequence, why), (NULL));
    reader_acknowledge (self->reader, FALSE);
    return GST_FLOW_OK;
  }
  check_order (self);
  if (g_strcmp0 (self->stream, self->message->stream) != 0)
    begin_stream (self);
  if (!send_caps (self, self->message->caps))
    return GST_FLOW_NOT_NEGOTIATED;
  if (self->message->labels)
    gst_pad_push_event (GST_BASE_SRC_PAD (self),
        labels_event_new ((const gchar * const *) self->message->labels));
  return GST_FLOW_OK;
}

static GstClockTime
get_running_time (GstNatsTensorSrc * self)
{
  GstClock *clock = gst_element_get_clock (GST_ELEMENT (self));
  GstClockTime now = 0, base = gst_element_get_base_time (GST_ELEMENT (self));

  if (clock) {
    now = gst_clock_get_time (clock);
    gst_object_unref (clock);
  }
  return now > base ? now - base : 0;
}

/* The time of the first buffer of a stream is now. */
static void
send_segment (GstNatsTensorSrc * self, const TensorBuffer * first)
{
  GstSegment segment;

  if (!self->segment_due)
    return;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  if (first->pts != TENSOR_TIME_NONE)
    segment.start = segment.time = segment.position = first->pts;
  segment.base = get_running_time (self);
  gst_base_src_new_segment (GST_BASE_SRC (self), &segment);
  self->segment_due = FALSE;
}

static void
finish_message (GstNatsTensorSrc * self)
{
  self->ended = self->message->end && self->eos_at_end;
  g_clear_pointer (&self->message, tensor_message_free);
  reader_acknowledge (self->reader, FALSE);
}

/* @b: not a gap */
static GstBuffer *
make_buffer (GstNatsTensorSrc * self, const TensorBuffer * b)
{
  GstBuffer *buffer = gst_buffer_new_memdup (self->message->data->data +
      self->offset, b->size);

  self->offset += b->size;
  GST_BUFFER_PTS (buffer) = b->pts;
  GST_BUFFER_DURATION (buffer) = b->duration;
  if (b->discont || self->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
  return buffer;
}

static GstFlowReturn
gst_nats_tensor_src_create (GstPushSrc * push, GstBuffer ** buffer)
{
  GstNatsTensorSrc *self = GST_NATS_TENSOR_SRC (push);

  for (;;) {
    const TensorBuffer *b;

    if (self->ended) {
      self->ended = FALSE;
      return GST_FLOW_EOS;
    }
    if (!self->message) {
      const GstFlowReturn res = take_message (self);

      if (res != GST_FLOW_OK)
        return res;
      continue;
    }
    if (self->next == self->message->buffers->len) {
      finish_message (self);
      continue;
    }
    b = &g_array_index (self->message->buffers, TensorBuffer, self->next++);
    send_segment (self, b);
    if (b->size > 0) {
      *buffer = make_buffer (self, b);
      return GST_FLOW_OK;
    }
    if (b->pts != TENSOR_TIME_NONE)
      gst_pad_push_event (GST_BASE_SRC_PAD (self), gst_event_new_gap (b->pts, b->duration));
  }
}

static gboolean
gst_nats_tensor_src_query (GstBaseSrc * base, GstQuery * query)
{
  GstNatsTensorSrc *self = GST_NATS_TENSOR_SRC (base);

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS (gst_nats_tensor_src_parent_class)->query (base,
        query);
  GST_OBJECT_LOCK (self);
  gst_query_set_latency (query, TRUE, self->latency * GST_MSECOND,
      GST_CLOCK_TIME_NONE);
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_nats_tensor_src_is_seekable (GstBaseSrc * base)
{
  return FALSE;
}

/* Caps are those of the messages. */
static gboolean
gst_nats_tensor_src_negotiate (GstBaseSrc * base)
{
  return TRUE;
}

static void
gst_nats_tensor_src_finalize (GObject * object)
{
  GstNatsTensorSrc *self = GST_NATS_TENSOR_SRC (object);

  property_table_clear (&properties, self);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (gst_nats_tensor_src_parent_class)->finalize (object);
}

static const ElementAbout about = {
  .name = "natstensorsrc",
  .title = "Tensors from NATS",
  .classes = "Source/Network",
  .description = "Reads vectors, or labels, from a subject of NATS JetStream, in order and each once",
  .example = "natstensorsrc subject=continual.outputs.mic1 ! classlabeler ! fdsink sync=false",
  .page = "docs/cluster.md",
};

static void
gst_nats_tensor_src_class_init (GstNatsTensorSrcClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *src_class = GST_BASE_SRC_CLASS (klass);

  object_class->set_property = gst_nats_tensor_src_set_property;
  object_class->get_property = gst_nats_tensor_src_get_property;
  object_class->finalize = gst_nats_tensor_src_finalize;
  property_table_install (&properties, object_class, 1);
  element_about (element_class, &about);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  src_class->start = gst_nats_tensor_src_start;
  src_class->stop = gst_nats_tensor_src_stop;
  src_class->unlock = gst_nats_tensor_src_unlock;
  src_class->unlock_stop = gst_nats_tensor_src_unlock_stop;
  src_class->query = gst_nats_tensor_src_query;
  src_class->is_seekable = gst_nats_tensor_src_is_seekable;
  src_class->negotiate = gst_nats_tensor_src_negotiate;
  GST_PUSH_SRC_CLASS (klass)->create = gst_nats_tensor_src_create;
}

static void
gst_nats_tensor_src_init (GstNatsTensorSrc * self)
{
  property_table_init (&properties, self);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}
