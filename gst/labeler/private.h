/* gst-continual: what the files of classlabeler share
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
  gboolean running;             /* from start() to stop(): all but settings.output is frozen */
  LabelerSettings settings;     /* the streaming thread copies .output for each buffer */

  /* Under the stream lock of the sink pad; start() and stop() run while the pads are inactive. */
  gchar **file_labels, **event_labels;  /* NULL: none */
  gchar **ignore_list;
  TensorInfo info;
  gboolean media;               /* buffers of video or audio carry the scores, and then the labels */

  /* Made by class_labeler_prepare(), NULL after caps or labels changed. */
  LabelScores *scores;
  gchar **labels;               /* (D) */
  gboolean *ignored;            /* (D) */
  guint n_refused;              /* rows, since the last good one */
};

/* Which name is whose: those of the file, those that came with the stream, or numbers. FALSE: an error was posted. */
gboolean class_labeler_prepare (GstClassLabeler * self);

/* Caps or labels changed: the next buffer prepares anew. */
void class_labeler_unprepare (GstClassLabeler * self);

LabelTimes class_labeler_get_times (GstClassLabeler * self, GstBuffer * buf);

/* Takes in the newest position of each stream. NULL: there is nothing to say, or it was added to @media, which must be
 * writable. */
gchar *class_labeler_label (GstClassLabeler * self,
    const gfloat * data /* (S, N, D) */ , guint n_positions,
    const LabelTimes * times, const LabelerOutput * set, GstBuffer * media);

#ifdef HAVE_ANALYTICS
/* The scores are a tensor of (D) or (N, D) that @buffer carries. Takes it. */
GstFlowReturn class_labeler_label_media (GstClassLabeler * self,
    GstBuffer * buffer, const LabelerOutput * set, GstBuffer ** out);
#endif

G_END_DECLS
