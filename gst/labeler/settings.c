/* gst-continual: the properties of classlabeler
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/settings.h"

#include "analytics/media.h"

enum
{
  PROP_LABELS_PATH = 1,
  PROP_IGNORE,
  PROP_SOFTMAX,
  PROP_SMOOTHING,
  PROP_TOP_K,
  PROP_THRESHOLD,
  PROP_FORMAT,
  PROP_CHANGES_ONLY,
  PROP_INPUT_TENSOR,
};

GType
labeler_format_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {LABELER_FORMAT_LINES,
          "SECONDS<tab>LABEL<tab>SCORE and a newline for each output",
        "lines"},
    {LABELER_FORMAT_TEXT,
          "The label alone, for textoverlay; empty below the threshold",
        "text"},
    {LABELER_FORMAT_JSON, "A JSON object and a newline for each output",
        "json"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type)) {
    GType t = g_enum_register_static ("GstClassLabelerFormat", values);
    g_once_init_leave (&type, t);
  }
  return (GType) type;
}

void
labeler_settings_init (LabelerSettings * self)
{
  self->labels_path = NULL;
  self->ignore = NULL;
  self->input_tensor = g_strdup (MEDIA_OUTPUT_TENSOR);
  self->softmax = TRUE;
  self->smoothing = 0;
  self->output.top_k = 1;
  self->output.threshold = -G_MAXDOUBLE;
  self->output.format = LABELER_FORMAT_LINES;
  self->output.changes_only = FALSE;
}

void
labeler_settings_clear (LabelerSettings * self)
{
  g_free (self->labels_path);
  g_free (self->ignore);
  g_free (self->input_tensor);
}

void
labeler_settings_set (LabelerSettings * self, guint id, const GValue * value)
{
  switch (id) {
    case PROP_LABELS_PATH:
      g_free (self->labels_path);
      self->labels_path = g_value_dup_string (value);
      break;
    case PROP_IGNORE:
      g_free (self->ignore);
      self->ignore = g_value_dup_string (value);
      break;
    case PROP_INPUT_TENSOR:
      g_free (self->input_tensor);
      self->input_tensor = g_value_dup_string (value);
      break;
    case PROP_SOFTMAX:
      self->softmax = g_value_get_boolean (value);
      break;
    case PROP_SMOOTHING:
      self->smoothing = g_value_get_double (value);
      break;
    case PROP_TOP_K:
      self->output.top_k = g_value_get_uint (value);
      break;
    case PROP_THRESHOLD:
      self->output.threshold = g_value_get_double (value);
      break;
    case PROP_FORMAT:
      self->output.format = g_value_get_enum (value);
      break;
    case PROP_CHANGES_ONLY:
      self->output.changes_only = g_value_get_boolean (value);
      break;
    default:
      g_assert_not_reached ();
  }
}

void
labeler_settings_get (const LabelerSettings * self, guint id, GValue * value)
{
  switch (id) {
    case PROP_LABELS_PATH:
      g_value_set_string (value, self->labels_path);
      break;
    case PROP_IGNORE:
      g_value_set_string (value, self->ignore);
      break;
    case PROP_INPUT_TENSOR:
      g_value_set_string (value, self->input_tensor);
      break;
    case PROP_SOFTMAX:
      g_value_set_boolean (value, self->softmax);
      break;
    case PROP_SMOOTHING:
      g_value_set_double (value, self->smoothing);
      break;
    case PROP_TOP_K:
      g_value_set_uint (value, self->output.top_k);
      break;
    case PROP_THRESHOLD:
      g_value_set_double (value, self->output.threshold);
      break;
    case PROP_FORMAT:
      g_value_set_enum (value, self->output.format);
      break;
    case PROP_CHANGES_ONLY:
      g_value_set_boolean (value, self->output.changes_only);
      break;
    default:
      g_assert_not_reached ();
  }
}

void
labeler_settings_install (GObjectClass * klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const GParamFlags ready = flags | GST_PARAM_MUTABLE_READY;
  const GParamFlags playing = flags | GST_PARAM_MUTABLE_PLAYING;

  g_object_class_install_property (klass, PROP_LABELS_PATH,
      g_param_spec_string ("labels-path", "Labels path",
          "A file with the names of the classes, one a line or a JSON array of "
          "strings, in UTF-8, for models that don't bring their own. It wins "
          "over what the model says; without both, labels are numbers from 0",
          NULL, ready));
  g_object_class_install_property (klass, PROP_IGNORE,
      g_param_spec_string ("ignore", "Ignore",
          "Labels never to report, separated by commas or as a JSON array: "
          "neither,silence. When one of them scores best, that is as if "
          "nothing had reached the threshold", NULL, ready));
  g_object_class_install_property (klass, PROP_SOFTMAX,
      g_param_spec_boolean ("softmax", "Softmax",
          "Turn scores into probabilities by a softmax: true for the logits "
          "that a linear head gives, false if the model ends in a softmax or "
          "if raw scores are wanted", TRUE, ready));
  g_object_class_install_property (klass, PROP_SMOOTHING,
      g_param_spec_double ("smoothing", "Smoothing",
          "Exponential smoothing of each label's score from buffer to buffer: "
          "y = smoothing * y + (1 - smoothing) * score, from the first score "
          "on. 0: none; 0.9 averages over about ten buffers", 0,
          0.999999, 0, ready));
  g_object_class_install_property (klass, PROP_TOP_K,
      g_param_spec_uint ("top-k", "Top k",
          "How many of the best labels to write, best first, those under the "
          "threshold and ignored ones left out: further columns in lines, an "
          "array in json, lines with scores in text", 1, G_MAXINT, 1, playing));
  g_object_class_install_property (klass, PROP_THRESHOLD,
      g_param_spec_double ("threshold", "Threshold",
          "The least smoothed score to report, a probability if softmax is on. "
          "Below it nothing is written (an empty text with format=text)",
          -G_MAXDOUBLE, G_MAXDOUBLE, -G_MAXDOUBLE, playing));
  g_object_class_install_property (klass, PROP_FORMAT,
      g_param_spec_enum ("format", "Format",
          "What the buffers hold. SECONDS in lines are stream time, and - if "
          "that is unknown; with several streams the number of the stream "
          "follows", labeler_format_get_type (),
          LABELER_FORMAT_LINES, playing));
  g_object_class_install_property (klass, PROP_CHANGES_ONLY,
      g_param_spec_boolean ("changes-only", "Changes only",
          "Report a label once when it wins with a score that reaches the "
          "threshold, and again only after it fell below or another one won: "
          "one line for each word heard", FALSE, playing));
#ifdef HAVE_ANALYTICS
  g_object_class_install_property (klass, PROP_INPUT_TENSOR,
      g_param_spec_string ("input-tensor", "Input tensor",
          "With video or audio: the name (id) of the tensor on each buffer that "
          "holds the scores; none: the first", MEDIA_OUTPUT_TENSOR, ready));
#endif
}
