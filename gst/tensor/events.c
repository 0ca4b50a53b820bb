/* gst-continual: events that the elements send one another
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/events.h"

GstEvent *
labels_event_new (const gchar * const *labels)
{
  g_return_val_if_fail (labels != NULL, NULL);

  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
      gst_structure_new (LABELS_EVENT_NAME, "labels", G_TYPE_STRV, labels,
          NULL));
}

const gchar *const *
labels_event_parse (GstEvent * event)
{
  const GValue *value;
  const gchar *const *labels;

  if (!gst_event_has_name (event, LABELS_EVENT_NAME))
    return NULL;
  value = gst_structure_get_value (gst_event_get_structure (event), "labels");
  if (!value || !G_VALUE_HOLDS (value, G_TYPE_STRV))
    return NULL;
  labels = g_value_get_boxed (value);
  if (!labels)
    return NULL;
  for (guint i = 0; labels[i]; i++)
    if (!g_utf8_validate (labels[i], -1, NULL))
      return NULL;
  return labels;
}
