/* gst-continual: events and queries between the elements
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/events.h"

GstEvent *
labels_event_new (const gchar * const *labels)
{
  GValue array = G_VALUE_INIT, label = G_VALUE_INIT;
  GstStructure *s;

  g_return_val_if_fail (labels != NULL, NULL);

  s = gst_structure_new_empty (LABELS_EVENT_NAME);
  g_value_init (&array, GST_TYPE_ARRAY);
  for (; *labels; labels++) {
    g_value_init (&label, G_TYPE_STRING);
    g_value_set_string (&label, *labels);
    gst_value_array_append_and_take_value (&array, &label);
  }
  gst_structure_take_value (s, "labels", &array);
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, s);
}

static gchar **
copy_array (const GValue * array)
{
  const guint n = gst_value_array_get_size (array);
  GStrv labels = g_new0 (gchar *, n + 1);

  for (guint i = 0; i < n; i++) {
    const GValue *label = gst_value_array_get_value (array, i);

    if (!G_VALUE_HOLDS_STRING (label) || !g_value_get_string (label)) {
      g_strfreev (labels);
      return NULL;
    }
    labels[i] = g_value_dup_string (label);
  }
  return labels;
}

gchar **
labels_event_parse (GstEvent * event)
{
  const GValue *value;
  g_auto (GStrv) labels = NULL;

  if (!gst_event_has_name (event, LABELS_EVENT_NAME))
    return NULL;
  value = gst_structure_get_value (gst_event_get_structure (event), "labels");
  if (value && GST_VALUE_HOLDS_ARRAY (value))
    labels = copy_array (value);
  else if (value && G_VALUE_HOLDS (value, G_TYPE_STRV))
    labels = g_value_dup_boxed (value);
  for (guint i = 0; labels && labels[i]; i++)
    if (!g_utf8_validate (labels[i], -1, NULL))
      return NULL;
  return g_steal_pointer (&labels);
}

gboolean
segment_event_jumps (GstEvent * next, const GstSegment * last)
{
  const GstSegment *segment;

  gst_event_parse_segment (next, &segment);
  return segment->format != last->format || segment->start != last->start
      || segment->offset != last->offset;
}

GstEvent *
segment_event_replace (GstEvent * event, const GstSegment * segment)
{
  GstEvent *res = gst_event_new_segment (segment);

  gst_event_set_seqnum (res, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return res;
}

void
latency_query_add (GstQuery * query, GstClockTime own)
{
  GstClockTime min, max;
  gboolean live;

  gst_query_parse_latency (query, &live, &min, &max);
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += own;
  gst_query_set_latency (query, live, min + own, max);
}
