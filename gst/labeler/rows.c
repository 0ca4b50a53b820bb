/* gst-continual: from rows of scores to text, messages and metadata
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/private.h"

#include <string.h>

#include "labeler/classes.h"
#include "tensor/mediacaps.h"
#include "tensor/tally.h"
#include "tensor/vectorcaps.h"

void
class_labeler_unprepare (GstClassLabeler * self)
{
  g_clear_pointer (&self->scores, label_scores_free);
  g_clear_pointer (&self->labels, g_strfreev);
  g_clear_pointer (&self->ignored, g_free);
  label_cue_renew (&self->cue);
}

/* NULL: there is no room for them. */
static gchar **
number_labels (guint n)
{
  gchar **labels = g_try_new0 (gchar *, (gsize) n + 1);

  for (guint i = 0; labels && i < n; i++)
    labels[i] = g_strdup_printf ("%u", i);
  return labels;
}

gboolean
class_labeler_prepare (GstClassLabeler * self)
{
  guint n = self->info.dims[0];
  gchar **given = self->file_labels ? self->file_labels : self->event_labels;

  if (given && g_strv_length (given) != n) {
    gchar *dims = tensor_dims_to_string (self->info.dims);

    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected as many scores as there are labels in %s, %u, found %u "
            "scores (dimensions %s): give the labels of this model, one for "
            "each of its outputs.",
            self->file_labels ? self->settings.labels_path : "the model",
            g_strv_length (given), n, dims), (NULL));
    g_free (dims);
    return FALSE;
  }

  self->labels = given ? g_strdupv (given) : number_labels (n);
  self->ignored = g_try_new0 (gboolean, n);
  self->scores = label_scores_new (n, self->info.dims[2]);
  if (!self->labels || !self->ignored || !self->scores) {
    class_labeler_unprepare (self);
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("Expected room for %u scores of each of %u streams, found less: use "
            "fewer streams.", n, self->info.dims[2]), (NULL));
    return FALSE;
  }
  for (guint k = 0; self->ignore_list[k]; k++) {
    gboolean known = FALSE;

    for (guint i = 0; i < n; i++) {
      if (strcmp (self->labels[i], self->ignore_list[k]) == 0)
        known = self->ignored[i] = TRUE;
    }
    if (!known)
      GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
          ("Expected a label in the property ignore, found \"%s\", which is "
              "none of the %u: correct its spelling.", self->ignore_list[k], n),
          (NULL));
  }
  GST_INFO_OBJECT (self, "%u labels from %s", n, self->file_labels ?
      self->settings.labels_path : given ? "the model" : "nowhere: numbers");
  return TRUE;
}

LabelTimes
class_labeler_get_times (GstClassLabeler * self, GstBuffer * buf)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  LabelTimes t = { GST_BUFFER_PTS (buf), GST_BUFFER_DURATION (buf),
    GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE
  };

  if (segment->format == GST_FORMAT_TIME
      && GST_CLOCK_TIME_IS_VALID (t.timestamp)) {
    t.stream_time =
        gst_segment_to_stream_time (segment, GST_FORMAT_TIME, t.timestamp);
    t.running_time =
        gst_segment_to_running_time (segment, GST_FORMAT_TIME, t.timestamp);
  }
  return t;
}

static void
warn_refused (GstClassLabeler * self, guint stream)
{
  const guint64 n = ++self->n_refused;

  if (tally_is_told (n))
    GST_ELEMENT_WARNING (self, STREAM, DECODE,
        ("Expected scores that are numbers, found a NaN or an infinity in "
            "stream %u: the row is left out. That makes %" G_GUINT64_FORMAT
            "; repair what makes the scores.", stream, n), (NULL));
}

gint
class_labeler_score (GstClassLabeler * self, guint s,
    const gfloat * data /* (S, N, D) */ , guint n_positions,
    gboolean softmax, const LabelerOutput * set, LabelReport * report,
    gboolean * changed)
{
  const guint n_labels = self->info.dims[0], n_streams = self->info.dims[2];
  const gfloat *row = data + ((gsize) s * n_positions + n_positions - 1)
      * n_labels;
  gint label;

  switch (label_scores_push (self->scores, s, row, softmax,
          self->settings.smoothing)) {
    case LABEL_ROW_SCORED:
      break;
    case LABEL_ROW_ABSENT:
      /* With one stream, nobody is absent. */
      if (n_streams == 1)
        warn_refused (self, s);
      return LABELER_NO_ROW;
    case LABEL_ROW_INVALID:
      warn_refused (self, s);
      return LABELER_NO_ROW;
  }
  label = label_scores_show (self->scores, s, set->threshold, self->ignored,
      changed);
  if (label < 0)
    return LABELER_NO_LABEL;
  GST_LOG_OBJECT (self, "stream %u: \"%s\" has %g", s, self->labels[label],
      label_scores_get (self->scores, s, (guint) label));
  report->stream = n_streams > 1 ? (gint) s : -1;
  report->labels = (const gchar * const *) self->labels;
  report->scores = self->scores->smoothed + (gsize) s * n_labels;
  report->n_labels = n_labels;
  report->top = label_scores_top (self->scores, s, set->top_k,
      set->threshold, self->ignored, &report->n_top);
  report->several = set->top_k > 1;
  if (*changed || !set->changes_only)
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_element (GST_OBJECT (self),
            label_report_to_structure (report)));
  return label;
}

gchar *
class_labeler_label (GstClassLabeler * self, const gfloat * data /* (S, N, D) */ ,
    guint n_positions, gboolean softmax, const LabelTimes * times,
    const LabelerOutput * set, GstBuffer * media)
{
  GString *out = g_string_new (NULL);
  gboolean report_due = FALSE;  /* with format=text, an empty text clears the display */

  for (guint s = 0; s < self->info.dims[2]; s++) {
    LabelReport report = {.times = *times };
    gboolean changed;
    const gint label = class_labeler_score (self, s, data, n_positions,
        softmax, set, &report, &changed);

    if (label == LABELER_NO_ROW)
      continue;
    if (changed || !set->changes_only)
      report_due = TRUE;
    if (label == LABELER_NO_LABEL)
      continue;

    if (media) {
      classes_add (media, &report);
    } else if (set->format == LABELER_FORMAT_TEXT) {
      if (out->len)
        g_string_append_c (out, '\n');
      label_report_append_text (&report, out);
    } else if (changed || !set->changes_only) {
      if (set->format == LABELER_FORMAT_JSON)
        label_report_append_json (&report, out);
      else
        label_report_append_line (&report, out);
    }
  }
  if (!report_due || media || (set->format != LABELER_FORMAT_TEXT && !out->len)) {
    g_string_free (out, TRUE);
    return NULL;
  }
  return g_string_free (out, FALSE);
}

GstBuffer *
class_labeler_wrap (gchar * text)
{
  const gsize len = strlen (text);

  return gst_buffer_new_wrapped_full (0, text, len + 1, 0, len, text, g_free);
}

#ifdef HAVE_ANALYTICS
/* @ids: room for two */
static const gchar *const *
get_input_ids (const GstClassLabeler * self, const gchar ** ids)
{
  static const gchar *const known[] = {
    MEDIA_VECTOR_ID, MEDIA_LOGITS_ID, MEDIA_PROBABILITIES_ID, NULL
  };
  const gchar *name = self->settings.input_tensor;

  ids[0] = name;
  ids[1] = NULL;
  return name && *name ? ids : known;
}

gboolean
class_labeler_check_media (const GstClassLabeler * self, const GstCaps * caps,
    gchar ** why)
{
  g_autofree gchar *id = NULL;
  const gchar *ids[2];

  return media_caps_find_tensor (caps, get_input_ids (self, ids), 0, &id,
      why) == MEDIA_TENSOR_FOUND;
}

GstFlowReturn
class_labeler_label_media (GstClassLabeler * self, GstBuffer * buffer,
    const LabelerOutput * set, GstBuffer ** out)
{
  LabelTimes times = class_labeler_get_times (self, buffer);
  g_autofree gchar *why = NULL;
  g_autoptr (GstBuffer) scores = NULL;
  const gchar *ids[2];
  MediaTensor tensor;
  gboolean softmax;
  GstMapInfo map;

  switch (media_tensor_find (buffer, get_input_ids (self, ids), 0, &tensor,
          &why)) {
    case MEDIA_TENSOR_FOUND:
      scores = gst_buffer_ref (tensor.data);
      break;
    case MEDIA_TENSOR_NONE:
      *out = buffer;
      return GST_FLOW_OK;
    default:
      vector_caps_post_error (GST_ELEMENT (self), why, NULL);
      gst_buffer_unref (buffer);
      return GST_FLOW_ERROR;
  }
  if (self->info.dims[0] != tensor.width)
    class_labeler_unprepare (self);
  self->info.dims[0] = (guint) tensor.width;
  self->info.dims[1] = (guint) (tensor.n / tensor.width);
  self->info.dims[2] = self->info.dims[3] = 1;
  if ((!self->scores && !class_labeler_prepare (self))
      || !gst_buffer_map (scores, &map, GST_MAP_READ)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  softmax = self->settings.softmax
      && !g_str_equal (tensor.id, MEDIA_PROBABILITIES_ID);
  *out = gst_buffer_make_writable (buffer);
  class_labeler_label (self, (const gfloat *) map.data, self->info.dims[1],
      softmax, &times, set, *out);
  gst_buffer_unmap (scores, &map);
  return GST_FLOW_OK;
}
#endif
