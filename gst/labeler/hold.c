/* gst-continual: labels as subtitles: one buffer for each, from its appearance to its end
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labeler/private.h"

#include "tensor/events.h"
#include "tensor/tally.h"

static void
forget (GstClassLabeler * self)
{
  label_cue_clear (&self->cue);
  self->told = FALSE;
  g_clear_pointer (&self->cue_report, label_report_free);
}

void
class_labeler_hold_clear (GstClassLabeler * self)
{
  forget (self);
  self->n_unordered = 0;
}

static void
push_gap (GstClassLabeler * self, GstClockTime time, GstClockTime duration)
{
  self->told = TRUE;
  gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self),
      gst_event_new_gap (time, duration));
}

/* What was shown during @span */
static GstFlowReturn
push_cue (GstClassLabeler * self, const LabelSpan * span)
{
  g_autoptr (LabelReport) report = g_steal_pointer (&self->cue_report);
  GstBuffer *buffer;

  report->times.duration = span->end - span->begin;
  buffer = class_labeler_wrap (label_report_to_text (report,
          self->cue_format));
  GST_BUFFER_PTS (buffer) = span->begin;
  GST_BUFFER_DURATION (buffer) = report->times.duration;
  GST_DEBUG_OBJECT (self, "\"%s\" is over: %" GST_TIME_FORMAT " to %"
      GST_TIME_FORMAT, report->labels[report->top[0]],
      GST_TIME_ARGS (span->begin), GST_TIME_ARGS (span->end));
  return gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), buffer);
}

/* Ends what is shown, at @limit at the latest, and in the segment. */
static void
close_cue (GstClassLabeler * self, GstClockTime limit)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  LabelSpan span;

  /* GST_CLOCK_TIME_NONE, no stop, is the largest number. */
  if (label_cue_close (&self->cue, MIN (limit, segment->stop), &span))
    push_cue (self, &span);
}

/* @time to @time + @duration has @label, of @report, or LABEL_CUE_NONE. */
static GstFlowReturn
take (GstClassLabeler * self, gint label, const LabelReport * report,
    LabelerFormat format, GstClockTime time, GstClockTime duration)
{
  GstClockTime shown = time;
  GstFlowReturn ret = GST_FLOW_OK;
  gboolean began;
  LabelSpan span;

  if (label_cue_take (&self->cue, label, time, duration, self->settings.hold,
          &began, &span)) {
    ret = push_cue (self, &span);
    shown = MAX (time, span.end);
  }
  if (began) {
    self->cue_report = label_report_copy (report);
    self->cue_format = format;
    /* A sink prerolls, though the text comes later. */
    if (!self->told)
      push_gap (self, time, 0);
  } else if (self->cue.label == LABEL_CUE_NONE) {
    if (!GST_CLOCK_TIME_IS_VALID (duration))
      push_gap (self, shown, duration);
    else if (shown < time + duration)
      push_gap (self, shown, time + duration - shown);
  }
  return ret;
}

static gboolean
is_ordered (GstClassLabeler * self, GstClockTime time)
{
  if (!GST_CLOCK_TIME_IS_VALID (self->cue.time) || time > self->cue.time)
    return TRUE;
  if (tally_is_told (++self->n_unordered))
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("Expected times that go forwards, since hold is set, found scores at %"
            GST_TIME_FORMAT " after those at %" GST_TIME_FORMAT
            ": they begin and end no text. That makes %" G_GUINT64_FORMAT
            "; correct the times of the source, or set hold=0.",
            GST_TIME_ARGS (time), GST_TIME_ARGS (self->cue.time),
            self->n_unordered), (NULL));
  return FALSE;
}

GstFlowReturn
class_labeler_hold_row (GstClassLabeler * self, gint label,
    const LabelReport * report, LabelerFormat format)
{
  const LabelTimes *times = &report->times;

  if (!GST_CLOCK_TIME_IS_VALID (times->timestamp)
      || GST_BASE_TRANSFORM (self)->segment.format != GST_FORMAT_TIME) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected scores with times, since hold is set, found a buffer "
            "without: give the caps of the source a framerate, or set hold=0."),
        (NULL));
    return GST_FLOW_ERROR;
  }
  if (!is_ordered (self, times->timestamp))
    return GST_FLOW_OK;
  return take (self, label, report, format, times->timestamp,
      times->duration);
}

gboolean
class_labeler_hold_check (GstClassLabeler * self, guint n_streams)
{
  if (self->media) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected tensors, since hold is set, found video or audio, whose "
            "buffers get their labels as metadata: set hold=0."), (NULL));
    return FALSE;
  }
  if (n_streams > 1) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected the scores of one stream, since hold is set and a text "
            "shows one label at a time, found %u streams: put a "
            "continualdemux before and a classlabeler for each stream, or set "
            "hold=0.", n_streams), (NULL));
    return FALSE;
  }
  return TRUE;
}

/* Whether positions in @a and @b are the same times. */
static gboolean
is_same_time (const GstSegment * a, const GstSegment * b)
{
  return a->format == b->format && a->rate == b->rate
      && a->applied_rate == b->applied_rate && a->base == b->base
      && a->offset == b->offset && a->start == b->start && a->time == b->time;
}

/* The next segment's times begin where it is on in running time: nothing of this one is shown longer. */
static void
take_segment (GstClassLabeler * self, GstEvent * event)
{
  const GstSegment *old = &GST_BASE_TRANSFORM (self)->segment;
  GstClockTime limit = GST_CLOCK_TIME_NONE;
  const GstSegment *next;

  gst_event_parse_segment (event, &next);
  if (is_same_time (old, next))
    return;
  if (old->format == GST_FORMAT_TIME && next->format == GST_FORMAT_TIME)
    limit = gst_segment_position_from_running_time (old, GST_FORMAT_TIME,
        next->base);
  close_cue (self, limit);
  forget (self);
}

/* A pause in the scores is time without a label. */
static GstEvent *
take_gap (GstClassLabeler * self, GstEvent * event)
{
  const GstClockTime newest = self->cue.time;
  GstClockTime time, duration;

  gst_event_parse_gap (event, &time, &duration);
  if (self->cue.label == LABEL_CUE_NONE || time <= self->cue.time) {
    self->told = TRUE;
    return event;
  }
  take (self, LABEL_CUE_NONE, NULL, 0, time, duration);
  /* Scores may have the time of a gap that is a point. */
  if (!GST_CLOCK_TIME_IS_VALID (duration) || duration == 0)
    self->cue.time = newest;
  gst_event_unref (event);
  return NULL;
}

/* Text comes now and then. */
static GstEvent *
mark_sparse (GstEvent * event)
{
  GstStreamFlags flags;

  event = gst_event_make_writable (event);
  gst_event_parse_stream_flags (event, &flags);
  gst_event_set_stream_flags (event, flags | GST_STREAM_FLAG_SPARSE);
  return event;
}

GstEvent *
class_labeler_hold_event (GstClassLabeler * self, GstEvent * event)
{
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
      close_cue (self, 0);
      forget (self);
      return mark_sparse (event);
    case GST_EVENT_FLUSH_STOP:
      forget (self);
      return event;
    case GST_EVENT_SEGMENT:
      take_segment (self, event);
      return event;
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_EOS:
      close_cue (self, GST_CLOCK_TIME_NONE);
      return event;
    case GST_EVENT_GAP:
      return take_gap (self, event);
    default:
      return event;
  }
}

void
class_labeler_hold_add_latency (GstClassLabeler * self, GstQuery * query)
{
  GstClockTime hold;

  GST_OBJECT_LOCK (self);
  hold = self->settings.hold;
  GST_OBJECT_UNLOCK (self);
  latency_query_add (query, hold);
}
