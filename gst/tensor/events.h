/* gst-continual: events that the elements send one another
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Read by whoever keeps something of a stream: forget it. An int field `stream` says whose; without, or -1: everybody's. */
#define RESET_EVENT_NAME "continual-reset"

/* The class names of a model. Sent by the element that runs a model, read by the one that names its scores. Sticky: whoever is linked
 * later gets it, too. A structure of this name with a field "labels", a GST_TYPE_ARRAY of strings, one per score, which
 * gdppay can send where it can't a G_TYPE_STRV; an empty one takes back what an earlier model's event said. */
#define LABELS_EVENT_NAME "continual-labels"

GstEvent *labels_event_new (const gchar * const *labels);

/* The labels, NULL-terminated, to be freed with g_strfreev(); NULL if it is another event, or if they are missing or not
 * valid UTF-8. */
gchar **labels_event_parse (GstEvent * event);

G_END_DECLS
