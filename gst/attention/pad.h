/* gst-continual: an input of continualattention, as vectors in running time
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstaggregator.h>

#include "attention/match.h"
#include "tensor/bytesegment.h"
#include "host/stream.h"
#include "tensor/caps.h"

G_BEGIN_DECLS

#define ATTENTION_TYPE_PAD (attention_pad_get_type ())
G_DECLARE_FINAL_TYPE (GstContinualAttentionPad, attention_pad, ATTENTION, PAD,
    GstAggregatorPad)
typedef GstContinualAttentionPad AttentionPad;

/* Streaming thread of the element only, but for the atomic fields. The buffer that is being processed stays in the queue
 * of the pad until its last vector is taken: so the base class calls aggregate() as soon as the other pads have data. */
struct _GstContinualAttentionPad
{
  GstAggregatorPad parent;

  TensorInfo input;             /* dims[0] 0: no caps yet */
  GstSegment segment;           /* in time */
  gboolean begun;               /* a segment came */
  gboolean in_bytes;            /* the segment of upstream counts bytes */
  ByteSegment bytes;
  guint32 stream_start;         /* seqnum of the current stream */

  GstBuffer *queued;            /* the first buffer of the queue, or NULL */
  GstBuffer *buffer;            /* whole vectors from it, mapped, or NULL */
  GstMapInfo map;
  gsize n_steps, next_step;     /* vectors of each stream in buffer, and the next one */
  VectorTime time;              /* of all of it */
  GstClockTimeDiff last;        /* running time of the last vector taken; GST_CLOCK_STIME_NONE: none */
  GstClockTimeDiff spacing;     /* from the vector before to that one */
  GstClockTimeDiff expected;    /* running time of the next one; GST_CLOCK_STIME_NONE: not known */

  gint flushed;                 /* atomic */
  gint ended;                   /* atomic: the stream ended, since another pad did */
};

/* At the start of the element. */
void attention_pad_start (AttentionPad * self);

void attention_pad_set_caps (AttentionPad * self, const TensorInfo * tensor);
void attention_pad_set_segment (AttentionPad * self,
    const GstSegment * segment);

/* Drops the buffer that is being processed, and what is known of time. */
void attention_pad_discard (AttentionPad * self);

/* TRUE: the pad was flushed since the last call. Then discards. */
gboolean attention_pad_check_flushed (AttentionPad * self);

/* Takes the first buffer of the queue, if none is being processed. FALSE: *why (free it) says what is wrong with it. */
gboolean attention_pad_load (AttentionPad * self, gchar ** why);

/* After a load: the next vector, gap or end. */
PadFront attention_pad_get_front (AttentionPad * self);

/* Vector @i after the next one. FALSE: it is not in the buffer that is being processed. */
gboolean attention_pad_get_ahead (AttentionPad * self, gsize i,
    PadFront * front);

/* Running time of the first entry in the queue, loaded or not; none: the queue is empty, or the time is not known. */
GstClockTime attention_pad_get_begin (AttentionPad * self);

/* The vectors of the buffer, from the next one on; *time: of the whole buffer. */
ModelRows attention_pad_get_rows (AttentionPad * self, VectorTime * time);

/* Time of the next vector or gap. */
VectorTime attention_pad_get_time (AttentionPad * self);

/* TRUE: the next vector is the first of a buffer with the DISCONT flag. */
gboolean attention_pad_is_discont (AttentionPad * self);

/* Ends the stream: later buffers return GST_FLOW_EOS until a flush. (From GStreamer 1.26 on the base class would block
 * them.) */
void attention_pad_end (AttentionPad * self);

/* Removes the next @n vectors, or the next gap. */
void attention_pad_skip (AttentionPad * self, gsize n);

G_END_DECLS
