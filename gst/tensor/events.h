/* gst-continual: events and queries between the elements
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Every element that keeps a state of a stream resets it. An int field `stream` gives the stream; without it, or with -1:
 * all streams. */
#define RESET_EVENT_NAME "continual-reset"

/* The labels of a model: sent by the element that runs it, read by classlabeler. Sticky, so that an element that is
 * linked later gets it, too. A structure of this name with a field "labels": a GST_TYPE_ARRAY of strings, one per score
 * (gdppay cannot send a G_TYPE_STRV). An empty array revokes the labels of an earlier model. */
#define LABELS_EVENT_NAME "continual-labels"

GstEvent *labels_event_new (const gchar * const *labels);

/* The labels, NULL-terminated; free them with g_strfreev(). NULL: another event, or the labels are missing or not valid
 * UTF-8. */
gchar **labels_event_parse (GstEvent * event);

/* TRUE: the SEGMENT event @next leads to another position than @last: a seek, or a jump of the source. Another base alone is
 * that of a pad offset, with which the event comes again. */
gboolean segment_event_jumps (GstEvent * next, const GstSegment * last);

/* A SEGMENT event of @segment with the seqnum of @event; takes @event. */
GstEvent *segment_event_replace (GstEvent * event, const GstSegment * segment);

/* Adds @own, the latency of an element, to the answer of @query. */
void latency_query_add (GstQuery * query, GstClockTime own);

G_END_DECLS
