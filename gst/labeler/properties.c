/* gst-continual: the properties of classlabeler
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/properties.h"

#include "tensor/media.h"

/* *INDENT-OFF* */
PROPERTY_ENUM (format_enum, "GstClassLabelerFormat",
  {LABELER_FORMAT_LINES, "SECONDS<tab>LABEL<tab>SCORE and a newline for each output", "lines"},
  {LABELER_FORMAT_TEXT, "The label alone, for textoverlay; empty below the threshold", "text"},
  {LABELER_FORMAT_JSON, "A JSON object and a newline for each output", "json"});

static const PropertyRow rows[] = {
  ROW_TEXT (LabelerSettings, labels_path, READY, "labels-path", "Labels path",
      "File with the names of the classes: one a line, or a JSON array of strings, in UTF-8. It wins over the labels "
      "of the model; without both, labels are numbers from 0", NULL),
  ROW_TEXT (LabelerSettings, ignore, READY, "ignore", "Ignore",
      "Labels that are never reported, separated by commas or as a JSON array: neither,silence. If one of them has "
      "the best score, no label is reported, as if all scores were below the threshold", NULL),
  ROW_BOOLEAN (LabelerSettings, softmax, READY, "softmax", "Softmax",
      "Turn scores into probabilities by a softmax: true for the logits of a linear head; false if the model ends in "
      "a softmax, or for raw scores. A tensor on video or audio whose name says that it holds probabilities is taken as "
      "it is", TRUE),
  ROW_DOUBLE (LabelerSettings, smoothing, READY, "smoothing", "Smoothing",
      "Exponential smoothing of the score of each label from buffer to buffer: y = smoothing * y + (1 - smoothing) * "
      "score, from the first score on. 0: none; 0.9 averages over about ten buffers", 0, 0.999999, 0),
  ROW_UINT (LabelerSettings, output.top_k, PLAYING, "top-k", "Top k",
      "Number of labels to write, best first, without labels below the threshold and ignored ones: further columns "
      "in lines, an array in json, lines with scores in text", 1, G_MAXINT, 1),
  ROW_DOUBLE (LabelerSettings, output.threshold, PLAYING, "threshold", "Threshold",
      "The least smoothed score to report, a probability if softmax is on. Below it nothing is written (an empty text "
      "with format=text)", -G_MAXDOUBLE, G_MAXDOUBLE, -G_MAXDOUBLE),
  ROW_CHOICE (LabelerSettings, output.format, PLAYING, "format", "Format",
      "Content of the buffers. SECONDS in lines is the stream time, or - if it is unknown; with several streams, the "
      "number of the stream follows", format_enum, LABELER_FORMAT_LINES),
  ROW_BOOLEAN (LabelerSettings, output.changes_only, PLAYING, "changes-only", "Changes only",
      "Report a label once when it has the best score and reaches the threshold, and again only after it fell below "
      "or another label won: one line for each word heard", FALSE),
  ROW_UINT64 (LabelerSettings, hold, READY, "hold", "Hold",
      "For subtitles: one buffer for each label, from its appearance until the later of this many nanoseconds and its last "
      "repetition, cut by the next label. 0: off", 0, G_MAXINT64, 0),
#ifdef HAVE_ANALYTICS
  ROW_TEXT (LabelerSettings, input_tensor, READY, "input-tensor", "Input tensor",
      "With video or audio: the name (id) of the tensor with the scores on each buffer (none: " MEDIA_VECTOR_ID ", or "
      MEDIA_LOGITS_ID ", or " MEDIA_PROBABILITIES_ID ")", NULL),
#endif
};
/* *INDENT-ON* */

PROPERTY_TABLE (labeler_properties, rows);
