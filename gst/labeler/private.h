/* gst-continual: the files of classlabeler
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "labeler/classlabeler.h"
#include "labeler/cue.h"
#include "labeler/report.h"
#include "labeler/scores.h"
#include "labeler/properties.h"
#include "tensor/about.h"
#include "tensor/caps.h"

G_BEGIN_DECLS

#define GST_CAT_DEFAULT element_debug (self)

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

  /* Streaming thread, while settings.hold is not 0 */
  LabelCue cue;
  LabelReport *cue_report;      /* of the label that is shown, or NULL */
  LabelerFormat cue_format;
  gboolean told;                /* downstream had a GAP event since the last flush, stream or segment */
  guint64 n_unordered;          /* rows since the start whose times go backwards */
};

/* Chooses the labels: those of the file, those of the model (event), or numbers. FALSE: an error was posted. */
gboolean class_labeler_prepare (GstClassLabeler * self);

/* Call it when caps or labels change: the next buffer calls class_labeler_prepare(). */
void class_labeler_unprepare (GstClassLabeler * self);

LabelTimes class_labeler_get_times (GstClassLabeler * self, GstBuffer * buf);

/* The label of the newest of @n_positions of stream @s; posts its message. *report, whose times are set, holds it until the
 * next call. LABELER_NO_LABEL: ignored, or below the threshold. LABELER_NO_ROW: the row was left out. */
#define LABELER_NO_LABEL LABEL_CUE_NONE
#define LABELER_NO_ROW (-2)
gint class_labeler_score (GstClassLabeler * self, guint s,
    const gfloat * data /* (S, N, D) */ , guint n_positions,
    gboolean softmax, const LabelerOutput * set, LabelReport * report,
    gboolean * changed);

/* The same for every stream. Returns the text for a buffer; NULL: nothing to report, or the labels were added to @media
 * (writable; NULL: none). */
gchar *class_labeler_label (GstClassLabeler * self,
    const gfloat * data /* (S, N, D) */ , guint n_positions,
    gboolean softmax, const LabelTimes * times, const LabelerOutput * set,
    GstBuffer * media);

/* A buffer of @text, which it owns, without times */
GstBuffer *class_labeler_wrap (gchar * text);

/* The following are for settings.hold > 0. */

/* FALSE: an error was posted. */
gboolean class_labeler_hold_check (GstClassLabeler * self, guint n_streams);

/* Nothing is shown, and nothing was warned of. */
void class_labeler_hold_clear (GstClassLabeler * self);

/* A vector with the times of @report has @label. Pushes the text that is over then, or that nothing is shown. */
GstFlowReturn class_labeler_hold_row (GstClassLabeler * self, gint label,
    const LabelReport * report, LabelerFormat format);

/* Before @event goes on. Returns what goes on, or NULL. */
GstEvent *class_labeler_hold_event (GstClassLabeler * self, GstEvent * event);

void class_labeler_hold_add_latency (GstClassLabeler * self, GstQuery * query);

#ifdef HAVE_ANALYTICS
/* Whether the caps of media do not exclude that buffers carry scores. FALSE: *why (free it). */
gboolean class_labeler_check_media (const GstClassLabeler * self,
    const GstCaps * caps, gchar ** why);

/* The same for a buffer of media, which is consumed; its scores are a tensor (D) or (N, D) on it. */
GstFlowReturn class_labeler_label_media (GstClassLabeler * self,
    GstBuffer * buffer, const LabelerOutput * set, GstBuffer ** out);
#else
static inline gboolean
class_labeler_check_media (const GstClassLabeler * self, const GstCaps * caps,
    gchar ** why)
{
  return TRUE;
}
#endif

G_END_DECLS
