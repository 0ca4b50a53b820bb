/* gst-continual: scores to labels
 * SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * SECTION:element-classlabeler
 *
 * Turns the class scores of a model into labels: text, JSON lines and messages on the bus.
 *
 * |[
 * gst-launch-1.0 -q autoaudiosrc ! audioconvert ! audioresample ! melspectrogram \
 *     ! continualencoder model-path=words.safetensors \
 *     ! classlabeler changes-only=true threshold=0.8 ignore=neither ! fdsink
 * ]|
 */

#include "labeler/private.h"

#include <string.h>

#include "elements.h"
#include "labeler/labelsfile.h"
#include "tensor/events.h"
#include "tensor/mediacaps.h"
#include "tensor/vectorcaps.h"

#define TEXT_CAPS "text/x-raw, format=(string)utf8"

/* tensordecodebin looks for the field `tensors` in the first structure only. */
static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (MEDIA_CAPS_WITH (MEDIA_VECTOR_ID) MEDIA_CAPS_WITH (MEDIA_LOGITS_ID)
        MEDIA_CAPS_WITH (MEDIA_PROBABILITIES_ID) TENSOR_CAPS_TEMPLATE MEDIA_CAPS_TOO));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (TEXT_CAPS MEDIA_CAPS_TOO));

G_DEFINE_TYPE (GstClassLabeler, gst_class_labeler, GST_TYPE_BASE_TRANSFORM);
GST_ELEMENT_REGISTER_DEFINE (classlabeler, "classlabeler", MEDIA_DECODER_RANK,
    GST_TYPE_CLASS_LABELER);

static void
gst_class_labeler_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstClassLabeler *self = GST_CLASS_LABELER (object);

  if (!property_table_set (&labeler_properties, &self->settings,
          GST_ELEMENT (self), &self->running, value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_class_labeler_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * pspec)
{
  GstClassLabeler *self = GST_CLASS_LABELER (object);

  if (!property_table_get (&labeler_properties, &self->settings,
          GST_ELEMENT (self), value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
set_running (GstClassLabeler * self, gboolean running)
{
  GST_OBJECT_LOCK (self);
  self->running = running;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
gst_class_labeler_stop (GstBaseTransform * trans)
{
  GstClassLabeler *self = GST_CLASS_LABELER (trans);

  class_labeler_unprepare (self);
  class_labeler_hold_clear (self);
  g_clear_pointer (&self->file_labels, g_strfreev);
  g_clear_pointer (&self->event_labels, g_strfreev);
  g_clear_pointer (&self->ignore_list, g_strfreev);
  memset (&self->info, 0, sizeof self->info);
  self->n_refused = 0;
  set_running (self, FALSE);
  return TRUE;
}

static gboolean
gst_class_labeler_start (GstBaseTransform * trans)
{
  GstClassLabeler *self = GST_CLASS_LABELER (trans);
  const LabelerSettings *set = &self->settings;
  GError *error = NULL;

  set_running (self, TRUE);
  class_labeler_hold_clear (self);
  self->ignore_list = labels_list_parse (set->ignore ? set->ignore : "",
      &error);
  if (self->ignore_list && set->labels_path && *set->labels_path)
    self->file_labels = labels_file_read (set->labels_path, &error);
  if (!error)
    return TRUE;

  gst_class_labeler_stop (trans);
  gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
      error->domain, error->code, g_strdup (error->message), NULL, __FILE__,
      GST_FUNCTION, __LINE__);
  g_error_free (error);
  return FALSE;
}

static GstCaps *
gst_class_labeler_transform_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps, GstCaps * filter)
{
  /* Media passes, with labels as metadata. */
  GstCaps *res = media_caps_select (caps);

  if (gst_caps_is_any (caps) || gst_caps_get_size (res) < gst_caps_get_size (caps))
    res = gst_caps_merge (gst_caps_from_string (direction == GST_PAD_SINK ?
            TEXT_CAPS : TENSOR_CAPS_TEMPLATE), res);
  if (direction == GST_PAD_SINK)
    tensor_caps_refuse_untyped (GST_ELEMENT (trans), caps);
  if (filter) {
    GstCaps *both = gst_caps_intersect_full (filter, res,
        GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (res);
    res = both;
  }
  return res;
}

/* While it runs, accepts everything: a CAPS event that does not fit is refused with a reason. Before, it says what fits:
 * tensordecodebin asks. */
static gboolean
gst_class_labeler_accept_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps)
{
  GstClassLabeler *self = GST_CLASS_LABELER (trans);
  g_autofree gchar *why = NULL;
  gboolean running;

  if (direction == GST_PAD_SRC)
    return GST_BASE_TRANSFORM_CLASS (gst_class_labeler_parent_class)->accept_caps
        (trans, direction, caps);
  GST_OBJECT_LOCK (self);
  running = self->running;
  GST_OBJECT_UNLOCK (self);
  return running || !media_caps_check (caps)
      || class_labeler_check_media (self, caps, &why);
}

/* Before the base class negotiates: it gives no reasons. */
static gboolean
check_caps (GstClassLabeler * self, GstEvent * event)
{
  g_autofree gchar *why = NULL;
  TensorInfo info;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  if (media_caps_check (caps) ? class_labeler_check_media (self, caps, &why) :
      tensor_caps_parse (caps, &info, &why))
    return TRUE;
  vector_caps_post_error (GST_ELEMENT (self), why, caps);
  return FALSE;
}

static gboolean
gst_class_labeler_set_caps (GstBaseTransform * trans, GstCaps * in,
    GstCaps * out)
{
  GstClassLabeler *self = GST_CLASS_LABELER (trans);
  TensorInfo info;

  self->media = media_caps_check (in);
  gst_base_transform_set_passthrough (trans, self->media);
  if (self->media)
    return !self->settings.hold || class_labeler_hold_check (self, 1);
  if (!tensor_caps_parse (in, &info, NULL))
    return FALSE;
  if (info.dims[3] != 1) {
    gchar *dims = tensor_dims_to_string (info.dims);

    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected dimensions LABELS, LABELS:POSITIONS or "
            "LABELS:POSITIONS:STREAMS, found %s: reshape the tensor.", dims),
        (NULL));
    g_free (dims);
    return FALSE;
  }
  if (self->settings.hold && !class_labeler_hold_check (self, info.dims[2]))
    return FALSE;
  if (memcmp (info.dims, self->info.dims, sizeof info.dims) != 0)
    class_labeler_unprepare (self);
  self->info = info;
  GST_INFO_OBJECT (self, "%u scores of %u streams, hold %" GST_TIME_FORMAT,
      info.dims[0], info.dims[2], GST_TIME_ARGS (self->settings.hold));
  return TRUE;
}

static void
reset (GstClassLabeler * self, gint stream)
{
  if (self->scores)
    label_scores_reset (self->scores, stream);
  if (stream <= 0)
    label_cue_renew (&self->cue);
}

static void
take_labels (GstClassLabeler * self, GstEvent * event)
{
  g_auto (GStrv) labels = labels_event_parse (event);

  if (!labels) {
    GST_ELEMENT_WARNING (self, STREAM, DECODE,
        ("Expected labels in UTF-8 in the event " LABELS_EVENT_NAME ", found "
            "others: the event is ignored; repair what sends it."),
        ("%" GST_PTR_FORMAT, event));
    return;
  }
  if (self->event_labels && g_strv_equal ((const gchar * const *) labels,
          (const gchar * const *) self->event_labels))
    return;
  g_strfreev (self->event_labels);
  self->event_labels = labels[0] ? g_steal_pointer (&labels) : NULL;
  if (!self->file_labels)
    class_labeler_unprepare (self);
}

static gboolean
gst_class_labeler_sink_event (GstBaseTransform * trans, GstEvent * event)
{
  GstClassLabeler *self = GST_CLASS_LABELER (trans);
  gint stream = -1;

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, event);
  if (self->settings.hold && !(event = class_labeler_hold_event (self, event)))
    return TRUE;
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      if (!check_caps (self, event)) {
        gst_event_unref (event);
        return FALSE;
      }
      break;
    case GST_EVENT_SEGMENT:
      if (segment_event_jumps (event, &trans->segment))
        reset (self, -1);
      break;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_FLUSH_STOP:
      reset (self, -1);
      break;
    default:
      if (!GST_EVENT_IS_SERIALIZED (event))
        break;
      if (gst_event_has_name (event, LABELS_EVENT_NAME)) {
        take_labels (self, event);
      } else if (gst_event_has_name (event, RESET_EVENT_NAME)) {
        gst_structure_get_int (gst_event_get_structure (event), "stream",
            &stream);
        reset (self, stream);
      }
      break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_class_labeler_parent_class)->sink_event
      (trans, event);
}

/* Positions of each stream in a buffer of @size bytes; 0: an error was posted. */
static guint
count_positions (GstClassLabeler * self, gsize size)
{
  const guint *dims = self->info.dims;
  gsize one = (gsize) dims[0] * dims[2] * sizeof (gfloat);
  gchar *text;

  if (size > 0 && size % one == 0 && size / one <= dims[1])
    return (guint) (size / one);

  text = tensor_dims_to_string (dims);
  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
      ("Expected buffers of %" G_GSIZE_FORMAT " bytes for dimensions %s, or a "
          "shorter one of whole vectors of %" G_GSIZE_FORMAT " bytes, found %"
          G_GSIZE_FORMAT " bytes: correct the caps.", one * dims[1], text,
          one, size), (NULL));
  g_free (text);
  return 0;
}

static GstFlowReturn
label_and_hold (GstClassLabeler * self, const gfloat * data /* (1, N, D) */ ,
    guint n_positions, const LabelTimes * times, const LabelerOutput * set)
{
  LabelReport report = {.times = *times };
  gboolean changed;
  const gint label = class_labeler_score (self, 0, data, n_positions,
      self->settings.softmax, set, &report, &changed);

  return class_labeler_hold_row (self, MAX (label, LABELER_NO_LABEL), &report,
      set->format);
}

static gboolean
gst_class_labeler_query (GstBaseTransform * trans, GstPadDirection direction,
    GstQuery * query)
{
  GstClassLabeler *self = GST_CLASS_LABELER (trans);

  if (!GST_BASE_TRANSFORM_CLASS (gst_class_labeler_parent_class)->query (trans,
          direction, query))
    return FALSE;
  if (direction == GST_PAD_SRC && GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    class_labeler_hold_add_latency (self, query);
  return TRUE;
}

static GstFlowReturn
gst_class_labeler_generate_output (GstBaseTransform * trans, GstBuffer ** out)
{
  GstClassLabeler *self = GST_CLASS_LABELER (trans);
  GstBuffer *in = g_steal_pointer (&trans->queued_buf);
  GstFlowReturn ret = GST_FLOW_ERROR;
  LabelerOutput set;
  LabelTimes times;
  GstMapInfo map;
  guint n_positions;
  gchar *text;

  *out = NULL;
  if (!in)
    return GST_FLOW_OK;

  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT, in);
  GST_OBJECT_LOCK (self);
  set = self->settings.output;
  GST_OBJECT_UNLOCK (self);

#ifdef HAVE_ANALYTICS
  if (self->media)
    return class_labeler_label_media (self, in, &set, out);
#endif
  n_positions = count_positions (self, gst_buffer_get_size (in));
  if (n_positions == 0 || (!self->scores && !class_labeler_prepare (self)))
    goto done;
  if (!gst_buffer_map (in, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("Expected readable memory, found a buffer that can't be mapped: put "
            "an element that copies to system memory before this one."), (NULL));
    goto done;
  }
  times = class_labeler_get_times (self, in);
  if (self->settings.hold) {
    ret = label_and_hold (self, (const gfloat *) map.data, n_positions, &times,
        &set);
    gst_buffer_unmap (in, &map);
    goto done;
  }
  text = class_labeler_label (self, (const gfloat *) map.data, n_positions,
      self->settings.softmax, &times, &set, NULL);
  gst_buffer_unmap (in, &map);
  ret = GST_FLOW_OK;

  if (text) {
    *out = class_labeler_wrap (text);
    gst_buffer_copy_into (*out, in, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  } else if (GST_CLOCK_TIME_IS_VALID (times.timestamp)) {
    gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (trans),
        gst_event_new_gap (times.timestamp, times.duration));
  }
done:
  gst_buffer_unref (in);
  return ret;
}

static void
gst_class_labeler_finalize (GObject * object)
{
  GstClassLabeler *self = GST_CLASS_LABELER (object);

  property_table_clear (&labeler_properties, &self->settings);
  G_OBJECT_CLASS (gst_class_labeler_parent_class)->finalize (object);
}

static void
gst_class_labeler_init (GstClassLabeler * self)
{
  property_table_init (&labeler_properties, &self->settings);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), FALSE);
}

static const ElementAbout about = {
  .name = "classlabeler",
  .title = "Class labeler",
  .classes = "Filter/Analyzer/Converter/Text/Tensordecoder",
  .description = "Turns the class scores of a model into labels: text, subtitles, JSON lines and messages on "
      "the bus",
  .example = "SOURCE ! continualencoder model-path=words.safetensors ! classlabeler changes-only=true "
      "threshold=0.8 ! fdsink",
  .page = "docs/classlabeler.md",
};

static void
gst_class_labeler_class_init (GstClassLabelerClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_class_labeler_set_property;
  object_class->get_property = gst_class_labeler_get_property;
  object_class->finalize = gst_class_labeler_finalize;
  property_table_install (&labeler_properties, object_class, 1);

  element_about (element_class, &about);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_class_labeler_start;
  trans_class->stop = gst_class_labeler_stop;
  trans_class->transform_caps = gst_class_labeler_transform_caps;
  trans_class->accept_caps = gst_class_labeler_accept_caps;
  trans_class->set_caps = gst_class_labeler_set_caps;
  trans_class->query = gst_class_labeler_query;
  trans_class->sink_event = gst_class_labeler_sink_event;
  trans_class->generate_output = gst_class_labeler_generate_output;
}
