/* gst-continual: text, JSON and message of a recognised label
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/report.h"

#include <jansson.h>

/* What moves a terminal's cursor, begins a line, or turns the direction of what follows: C0 and C1 controls, separators of
 * lines and paragraphs, and marks of bidirectional text (UAX #9) */
static gboolean
is_mark (gunichar c)
{
  return g_unichar_iscntrl (c) || c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e)
      || (c >= 0x2066 && c <= 0x2069);
}

/* A space in place of each mark */
static void
append_label (GString * out, const gchar * label)
{
  for (const gchar * c = label; *c; c = g_utf8_next_char (c)) {
    const gunichar code = g_utf8_get_char (c);

    g_string_append_unichar (out, is_mark (code) ? ' ' : code);
  }
}

/* The same JSON, with marks as \\uXXXX. They can be in strings only. */
static void
append_json (GString * out, const gchar * json)
{
  for (const gchar * c = json; *c; c = g_utf8_next_char (c)) {
    const gunichar code = g_utf8_get_char (c);

    if (is_mark (code))
      g_string_append_printf (out, "\\u%04x", code);
    else
      g_string_append_unichar (out, code);
  }
}

/* Not printf(), which may write 0,930 in some locales. */
static void
append_score (GString * out, gdouble score)
{
  gchar text[64];

  g_string_append (out, g_ascii_formatd (text, sizeof text, "%.3f", score));
}

static void
append_seconds (GString * out, GstClockTime time)
{
  guint64 ms;

  if (!GST_CLOCK_TIME_IS_VALID (time)) {
    g_string_append_c (out, '-');
    return;
  }
  ms = (time + GST_MSECOND / 2) / GST_MSECOND;
  g_string_append_printf (out, "%" G_GUINT64_FORMAT ".%03u", ms / 1000,
      (guint) (ms % 1000));
}

void
label_report_append_line (const LabelReport * report, GString * out)
{
  append_seconds (out, report->times.stream_time);
  if (report->stream >= 0)
    g_string_append_printf (out, "\t%d", report->stream);
  for (guint i = 0; i < report->n_top; i++) {
    g_string_append_c (out, '\t');
    append_label (out, report->labels[report->top[i]]);
    g_string_append_c (out, '\t');
    append_score (out, report->scores[report->top[i]]);
  }
  g_string_append_c (out, '\n');
}

void
label_report_append_text (const LabelReport * report, GString * out)
{
  for (guint i = 0; i < report->n_top; i++) {
    if (i)
      g_string_append_c (out, '\n');
    if (report->stream >= 0)
      g_string_append_printf (out, "%d: ", report->stream);
    append_label (out, report->labels[report->top[i]]);
    if (report->several) {
      g_string_append_c (out, ' ');
      append_score (out, report->scores[report->top[i]]);
    }
  }
}

static void
set_label (json_t * object, const LabelReport * report, guint i)
{
  json_object_set_new (object, "label", json_string (report->labels[i]));
  json_object_set_new (object, "index", json_integer (i));
  json_object_set_new (object, "score", json_real (report->scores[i]));
}

static void
set_time (json_t * object, const gchar * key, GstClockTime time)
{
  json_object_set_new (object, key, GST_CLOCK_TIME_IS_VALID (time) ?
      json_integer ((json_int_t) time) : json_null ());
}

void
label_report_append_json (const LabelReport * report, GString * out)
{
  json_t *object = json_object ();
  gchar *text;

  set_label (object, report, report->top[0]);
  set_time (object, "timestamp", report->times.timestamp);
  set_time (object, "stream-time", report->times.stream_time);
  set_time (object, "running-time", report->times.running_time);
  set_time (object, "duration", report->times.duration);
  if (report->stream >= 0)
    json_object_set_new (object, "stream", json_integer (report->stream));
  if (report->several) {
    json_t *top = json_array ();

    for (guint i = 0; i < report->n_top; i++) {
      json_t *item = json_object ();

      set_label (item, report, report->top[i]);
      json_array_append_new (top, item);
    }
    json_object_set_new (object, "top", top);
  }
  text = json_dumps (object, JSON_COMPACT | JSON_REAL_PRECISION (9));
  append_json (out, text);
  g_string_append_c (out, '\n');
  free (text);
  json_decref (object);
}

gchar *
label_report_to_text (const LabelReport * report, LabelerFormat format)
{
  static void (*const append[]) (const LabelReport *, GString *) = {
    [LABELER_FORMAT_LINES] = label_report_append_line,
    [LABELER_FORMAT_TEXT] = label_report_append_text,
    [LABELER_FORMAT_JSON] = label_report_append_json,
  };
  GString *out = g_string_new (NULL);

  append[format] (report, out);
  return g_string_free (out, FALSE);
}

LabelReport *
label_report_copy (const LabelReport * report)
{
  const gsize n = report->n_labels;
  LabelReport *copy = g_memdup2 (report, sizeof *report);

  copy->labels = (const gchar * const *) g_strdupv ((gchar **) report->labels);
  copy->scores = g_memdup2 (report->scores, n * sizeof *report->scores);
  copy->top = g_memdup2 (report->top, report->n_top * sizeof *report->top);
  return copy;
}

void
label_report_free (LabelReport * report)
{
  g_strfreev ((gchar **) report->labels);
  g_free ((gdouble *) report->scores);
  g_free ((guint *) report->top);
  g_free (report);
}

GstStructure *
label_report_to_structure (const LabelReport * report)
{
  guint best = report->top[0];
  GstStructure *s = gst_structure_new ("class-label",
      "label", G_TYPE_STRING, report->labels[best],
      "index", G_TYPE_INT, (gint) best,
      "score", G_TYPE_DOUBLE, report->scores[best],
      "timestamp", G_TYPE_UINT64, report->times.timestamp,
      "stream-time", G_TYPE_UINT64, report->times.stream_time,
      "running-time", G_TYPE_UINT64, report->times.running_time,
      "duration", G_TYPE_UINT64, report->times.duration, NULL);

  if (report->stream >= 0)
    gst_structure_set (s, "stream", G_TYPE_INT, report->stream, NULL);
  return s;
}
