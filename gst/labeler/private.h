/* gst-continual: the files of classlabeler
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "labeler/classlabeler.h"
#include "labeler/report.h"
#include "labeler/scores.h"
#include "labeler/properties.h"
#include "tensor/caps.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (class_labeler_debug);

struct _GstClassLabeler
{
  GstBaseTransform parent;

  /* Under the object lock. */
  gboolean running;             /* from start() to stop(): only settings.output may change */
  LabelerSettings settings;     /* the streaming thread copies settings.output for each buffer */

  /* Under the stream lock of the sink pad; start() and stop() run while the pads are inactive. */
  gchar **file_labels, **event_labels;  /* NULL: none */
  gchar **ignore_list;
  TensorInfo info;
  gboolean media;               /* buffers of video or audio carry the scores, and get the labels */

  /* Streaming thread: set by class_labeler_prepare(), NULL after caps or labels changed. */
  LabelScores *scores;
  gchar **labels;               /* (D) */
  gboolean *ignored;            /* (D) */
  guint64 n_refused;            /* rows refused since the start */
};

/* Chooses the labels: those of the file, those of the model (event), or numbers. FALSE: an error was posted. */
gboolean class_labeler_prepare (GstClassLabeler * self);

/* Call it when caps or labels change: the next buffer calls class_labeler_prepare(). */
void class_labeler_unprepare (GstClassLabeler * self);

LabelTimes class_labeler_get_times (GstClassLabeler * self, GstBuffer * buf);

/* Processes the scores of the newest position of each stream, and posts messages. Returns the text for a buffer; NULL:
 * nothing to report, or the labels were added to @media (writable; NULL: none). */
gchar *class_labeler_label (GstClassLabeler * self,
    const gfloat * data /* (S, N, D) */ , guint n_positions,
    gboolean softmax, const LabelTimes * times, const LabelerOutput * set,
    GstBuffer * media);

#ifdef HAVE_ANALYTICS
/* Whether the caps of media do not exclude that buffers carry scores. FALSE: *why (free it). */
gboolean class_labeler_check_media (const GstClassLabeler * self,
    const GstCaps * caps, gchar ** why);

/* The same for a buffer of media, which is consumed; its scores are a tensor (D) or (N, D) on it. */
GstFlowReturn class_labeler_label_media (GstClassLabeler * self,
    GstBuffer * buffer, const LabelerOutput * set, GstBuffer ** out);
#else
#define class_labeler_check_media(self, caps, why) TRUE
#endif

G_END_DECLS
