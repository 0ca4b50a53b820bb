/* gst-continual: rounds of vectors that match, one of each stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mux/private.h"

#include <string.h>

#include "tensor/absent.h"
#include "tensor/pool.h"
#include "tensor/tally.h"

/* Pause before the next look at the pads if there is nothing to wait for */
#define IDLE_TIME (10 * G_TIME_SPAN_MILLISECOND)

/* The vectors of one buffer, at most one of each stream. */
typedef struct
{
  GstClockTime begin, duration; /* of the earliest vector; may be GST_CLOCK_TIME_NONE */
  GstClockTime end;             /* vectors that begin up to this time take part */
} Round;

void
mux_rounds_start (GstContinualMux * self)
{
  self->pads = g_new0 (MuxPad *, self->max_streams);
  self->fronts = g_new0 (MuxFront, self->max_streams);
  self->dirty = g_new0 (gboolean, self->max_streams);
  self->times = mux_times_new ();
  self->times_due = TRUE;
  self->last = GST_CLOCK_TIME_NONE;
  self->segment_seqnum = GST_SEQNUM_INVALID;
  mux_segment_reset (self);
}

void
mux_rounds_stop (GstContinualMux * self)
{
  g_clear_pointer (&self->pads, g_free);
  g_clear_pointer (&self->fronts, g_free);
  g_clear_pointer (&self->dirty, g_free);
  g_clear_pointer (&self->times, mux_times_unref);
}

static void
hold_pads (GstContinualMux * self)
{
  GST_OBJECT_LOCK (self);
  for (GList * l = GST_ELEMENT (self)->sinkpads; l; l = l->next) {
    MuxPad *pad = l->data;

    self->pads[pad->slot] = gst_object_ref (pad);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
release_pads (GstContinualMux * self)
{
  for (guint s = 0; s < self->max_streams; s++)
    gst_clear_object (&self->pads[s]);
}

/* Drops a vector that is too late; posts a warning for the 1st, the 10th, ... of a stream. */
static void
drop_late (GstContinualMux * self, MuxPad * pad, const MuxFront * front)
{
  if (tally_is_told (++pad->n_late))
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("Expected the vectors of stream %u in time, found one of %"
            GST_TIME_FORMAT " after the others had gone on: it is left out. "
            "That makes %" G_GUINT64_FORMAT "; raise latency, or correct the "
            "stream's times (a pad offset).", pad->slot,
            GST_TIME_ARGS (front->begin), pad->n_late), (NULL));
  mux_pad_skip (pad);
}

static gboolean
is_late (const GstContinualMux * self, const MuxPad * pad, const MuxFront * front)
{
  if (!GST_CLOCK_TIME_IS_VALID (front->begin))
    return FALSE;
  return (GST_CLOCK_TIME_IS_VALID (self->last) && front->begin < self->last)
      || (GST_CLOCK_TIME_IS_VALID (pad->late_until)
      && front->begin <= pad->late_until);
}

/* Reads the fronts of all pads. GST_FLOW_OK: none was dropped. */
static GstFlowReturn
look (GstContinualMux * self)
{
  GstFlowReturn ret = GST_FLOW_OK;
  g_autofree gchar *why = NULL;

  for (guint s = 0; s < self->max_streams; s++) {
    MuxPad *pad = self->pads[s];
    MuxFront *front = &self->fronts[s];

    front->type = MUX_FRONT_END;
    if (!pad)
      continue;
    if (vector_pad_check_flushed (&pad->parent))
      pad->reset_due |= self->dirty[s];
    *front = mux_pad_peek (pad, &why);
    switch (front->type) {
      case MUX_FRONT_INVALID:
        /* Such as bytes at the end of a file that are no whole vector: the others go on. */
        GST_ELEMENT_WARNING (self, STREAM, FORMAT,
            ("Stream %u: %s. It is left out.", s, why), (NULL));
        g_clear_pointer (&why, g_free);
        vector_pad_discard (&pad->parent);
        gst_aggregator_pad_drop_buffer (GST_AGGREGATOR_PAD (pad));
        ret = GST_AGGREGATOR_FLOW_NEED_DATA;
        break;
      case MUX_FRONT_OUTSIDE:
        mux_pad_skip (pad);
        ret = GST_AGGREGATOR_FLOW_NEED_DATA;
        break;
      case MUX_FRONT_VECTOR:
        /* It came before others of the width that downstream has now. */
        if (pad->parent.input.dims[0] != self->width) {
          mux_pad_skip (pad);
          ret = GST_AGGREGATOR_FLOW_NEED_DATA;
          break;
        }
        if (is_late (self, pad, front)) {
          drop_late (self, pad, front);
          ret = GST_AGGREGATOR_FLOW_NEED_DATA;
        }
        break;
      default:
        break;
    }
  }
  return ret;
}

static guint
count (const GstContinualMux * self, MuxFrontType type)
{
  guint n = 0;

  for (guint s = 0; s < self->max_streams; s++)
    n += self->fronts[s].type == type;
  return n;
}

/* The front of @type that begins first; max_streams: none. Fronts without a time sort last. */
static guint
find_first (const GstContinualMux * self, MuxFrontType type)
{
  guint first = self->max_streams;

  for (guint s = 0; s < self->max_streams; s++)
    if (self->fronts[s].type == type && (first == self->max_streams
            || self->fronts[s].begin < self->fronts[first].begin))
      first = s;
  return first;
}

/* Vectors match if they begin within half a vector of the earliest one. */
static Round
find_round (const GstContinualMux * self, guint first)
{
  Round round = { self->fronts[first].begin, self->fronts[first].duration };
  GstClockTime least = GST_CLOCK_TIME_NONE;

  for (guint s = 0; s < self->max_streams; s++)
    if (self->fronts[s].type == MUX_FRONT_VECTOR)
      least = MIN (least, self->fronts[s].duration);
  round.end = round.begin;
  if (GST_CLOCK_TIME_IS_VALID (least)
      && GST_CLOCK_TIME_IS_VALID (round.begin))
    round.end += least / 2;
  return round;
}

static gboolean
takes_part (const MuxFront * front, const Round * round)
{
  return front->type == MUX_FRONT_VECTOR
      && (!GST_CLOCK_TIME_IS_VALID (front->begin) || front->begin <= round->end);
}

static GstClockTime
end_of_gap (const MuxFront * gap)
{
  return GST_CLOCK_TIME_IS_VALID (gap->begin)
      && GST_CLOCK_TIME_IS_VALID (gap->duration) ?
      gap->begin + gap->duration : gap->begin;
}

/* Drops gaps that are over at @until. TRUE: at least one. */
static gboolean
drop_gaps (GstContinualMux * self, GstClockTime until)
{
  gboolean dropped = FALSE;

  for (guint s = 0; s < self->max_streams; s++) {
    const MuxFront *front = &self->fronts[s];

    if (front->type != MUX_FRONT_GAP)
      continue;
    /* A gap without a time is always over. */
    if (GST_CLOCK_TIME_IS_VALID (front->begin) && end_of_gap (front) > until)
      continue;
    mux_pad_skip (self->pads[s]);
    dropped = TRUE;
  }
  return dropped;
}

/* All streams have gaps: pushes a GAP event. */
static void
pass_gap (GstContinualMux * self, guint first)
{
  const MuxFront *gap = &self->fronts[first];
  VectorTime time;

  if (GST_CLOCK_TIME_IS_VALID (gap->begin)
      && gst_pad_has_current_caps (GST_AGGREGATOR_SRC_PAD (self))) {
    mux_segment_update (self);
    mux_segment_push (self);
    time = mux_segment_get_time (self, first);
    gst_pad_push_event (GST_AGGREGATOR_SRC_PAD (self),
        gst_event_new_gap (time.pts, time.duration));
  }
  mux_pad_skip (self->pads[first]);
}

/* Writes the rows of @round; other streams are absent. */
static void
fill (GstContinualMux * self, const Round * round, gfloat * rows /* (S, C) */ )
{
  const guint C = self->width;

  for (guint s = 0; s < self->max_streams; s++) {
    gfloat *row = rows + (gsize) s * C;

    if (!takes_part (&self->fronts[s], round)) {
      row_set_absent (row, C);
      continue;
    }
    mux_pad_read (self->pads[s], row);
    row_keep_present (row, C);
    mux_pad_skip (self->pads[s]);
    self->dirty[s] = TRUE;
  }
}

static void
push_resets (GstContinualMux * self)
{
  for (guint s = 0; s < self->max_streams; s++) {
    if (!self->pads[s] || !self->pads[s]->reset_due)
      continue;
    mux_push_reset (self, s, GST_EVENT_CUSTOM_DOWNSTREAM);
    self->pads[s]->reset_due = FALSE;
    self->dirty[s] = FALSE;
  }
}

/* Stores the times of rows that differ from @first, the time of the buffer, for the demux. */
static void
note_times (GstContinualMux * self, const Round * round,
    const VectorTime * first)
{
  if (self->times_due)
    gst_pad_push_event (GST_AGGREGATOR_SRC_PAD (self),
        mux_times_event_new (self->times));
  self->times_due = FALSE;
  if (!GST_CLOCK_TIME_IS_VALID (round->begin))
    return;
  mux_times_begin (self->times, first->pts);
  for (guint s = 0; s < self->max_streams; s++) {
    const MuxFront *front = &self->fronts[s];
    VectorTime time;

    if (!takes_part (front, round) || !GST_CLOCK_TIME_IS_VALID (front->begin))
      continue;
    time = mux_segment_get_time (self, s);
    if (time.pts != first->pts || time.duration != first->duration)
      mux_times_add (self->times, s, &time);
  }
}

static GstFlowReturn
push_round (GstContinualMux * self, const Round * round, guint first)
{
  GstAggregator *aggregator = GST_AGGREGATOR (self);
  GstSegment *segment = &GST_AGGREGATOR_PAD (aggregator->srcpad)->segment;
  GstBufferPool *pool;
  GstBuffer *buffer;
  GstFlowReturn ret;
  VectorTime time;
  GstMapInfo map;

  mux_segment_update (self);
  time = mux_segment_get_time (self, first);
  push_resets (self);
  note_times (self, round, &time);
  pool = gst_aggregator_get_buffer_pool (aggregator);
  if (!pool)
    return GST_FLOW_NOT_NEGOTIATED;
  ret = tensor_pool_acquire (pool, GST_ELEMENT (self),
      (gsize) self->width * self->max_streams * sizeof (gfloat), &buffer, &map);
  if (ret != GST_FLOW_OK)
    return ret;
  fill (self, round, (gfloat *) map.data);
  gst_buffer_unmap (buffer, &map);

  GST_BUFFER_PTS (buffer) = time.pts;
  GST_BUFFER_DURATION (buffer) = time.duration;
  if (GST_CLOCK_TIME_IS_VALID (round->begin)) {
    self->last = round->begin;
    GST_OBJECT_LOCK (self);
    segment->position = time.pts;
    GST_OBJECT_UNLOCK (self);
  }
  /* The base class sends it with the buffer. */
  self->segment_due = FALSE;
  /* Later vectors of pads that had none are too late for this round. */
  for (guint s = 0; s < self->max_streams; s++)
    if (self->fronts[s].type == MUX_FRONT_NONE)
      self->pads[s]->late_until = round->end;
  GST_LOG_OBJECT (self, "a round from slot %u on: %" GST_PTR_FORMAT, first,
      buffer);
  return gst_aggregator_finish_buffer (aggregator, buffer);
}

/* The segment ended on every pad that has not ended altogether. FALSE: it did not. */
static gboolean
finish_segment (GstContinualMux * self)
{
  GstEvent *event;
  gboolean any = FALSE;

  for (guint s = 0; s < self->max_streams; s++)
    any |= self->pads[s] && vector_pad_is_done (&self->pads[s]->parent);
  if (!any || count (self, MUX_FRONT_NONE) > 0)
    return FALSE;
  for (guint s = 0; s < self->max_streams; s++)
    if (self->pads[s])
      vector_pad_finish_segment (&self->pads[s]->parent);
  event = gst_event_new_segment_done (GST_FORMAT_TIME,
      GST_AGGREGATOR_PAD (GST_AGGREGATOR_SRC_PAD (self))->segment.position);
  if (self->segment_seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (event, self->segment_seqnum);
  gst_pad_push_event (GST_AGGREGATOR_SRC_PAD (self), event);
  return TRUE;
}

static GstFlowReturn
do_round (GstContinualMux * self)
{
  GstFlowReturn ret = look (self);
  guint first;
  Round round;

  if (ret != GST_FLOW_OK)
    return ret;
  first = find_first (self, MUX_FRONT_VECTOR);
  if (first < self->max_streams) {
    round = find_round (self, first);
    /* A vector after a gap that is over may take part. */
    if (drop_gaps (self, round.end))
      return GST_AGGREGATOR_FLOW_NEED_DATA;
    ret = push_round (self, &round, first);
    /* A gap as long as the round is over. If one thread feeds all streams, it may be blocked until the gap leaves. */
    if (GST_CLOCK_TIME_IS_VALID (round.begin)
        && GST_CLOCK_TIME_IS_VALID (round.duration))
      drop_gaps (self, round.end + round.duration);
    return ret;
  }
  first = find_first (self, MUX_FRONT_GAP);
  if (first < self->max_streams)
    pass_gap (self, first);
  else if (finish_segment (self))
    return GST_AGGREGATOR_FLOW_NEED_DATA;
  else if (count (self, MUX_FRONT_NONE) == 0)
    return GST_FLOW_EOS;
  else
    /* All pads that ever had data are at EOS. The base class does not wait for the others, and would call aggregate()
     * again at once. */
    g_usleep (IDLE_TIME);
  return GST_AGGREGATOR_FLOW_NEED_DATA;
}

static GstFlowReturn
aggregate (GstAggregator * aggregator, gboolean timeout)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);
  GstFlowReturn ret;

  hold_pads (self);
  ret = do_round (self);
  release_pads (self);
  return ret;
}

/* The base class waits for other pads until the earliest vector or gap is `latency` old. */
static GstClockTime
get_next_time (GstAggregator * aggregator)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);
  GstClockTime next = GST_CLOCK_TIME_NONE;

  hold_pads (self);
  for (guint s = 0; s < self->max_streams; s++)
    if (self->pads[s])
      next = MIN (next, vector_pad_get_begin (&self->pads[s]->parent));
  release_pads (self);
  return next;
}

static GstFlowReturn
flush (GstAggregator * aggregator)
{
  GstContinualMux *self = GST_CONTINUAL_MUX (aggregator);

  /* Downstream was flushed, too, and has reset all streams. */
  self->last = GST_CLOCK_TIME_NONE;
  mux_segment_reset (self);
  mux_times_discard (self->times);
  memset (self->dirty, 0, self->max_streams * sizeof *self->dirty);
  return GST_FLOW_OK;
}

void
mux_rounds_class_init (GstAggregatorClass * klass)
{
  klass->aggregate = aggregate;
  klass->get_next_time = get_next_time;
  klass->flush = flush;
}
