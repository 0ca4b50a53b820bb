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

/* All but the last belongs to the element's streaming thread. The buffer whose vectors are in work stays in the pad's queue
 * until the last of them is taken: so the element is asked as soon as the other pads have something for it. */
struct _GstContinualAttentionPad
{
  GstAggregatorPad parent;

  TensorInfo input;             /* dims[0] 0: no caps yet */
  GstSegment segment;           /* in time */
  gboolean begun;               /* a segment came */
  gboolean in_bytes;            /* upstream's segment counts bytes */
  ByteSegment bytes;
  guint32 stream_start;         /* seqnum of the stream that is running */

  GstBuffer *queued;            /* the head of the queue, or NULL */
  GstBuffer *buffer;            /* whole vectors of it, mapped, or NULL */
  GstMapInfo map;
  gsize n_steps, next_step;     /* vectors of each stream in it, and the next one */
  VectorTime time;              /* of all of it */
  GstClockTimeDiff last;        /* running time of the last vector taken; GST_CLOCK_STIME_NONE: none */
  GstClockTimeDiff spacing;     /* from the one before to it */
  GstClockTimeDiff expected;    /* running time of the next one; GST_CLOCK_STIME_NONE: not known */

  gint flushed;                 /* atomic */
  gint ended;                   /* atomic: another pad's end was the end of all */
};

/* A new run of the element. */
void attention_pad_start (AttentionPad * self);

void attention_pad_set_caps (AttentionPad * self, const TensorInfo * tensor);
void attention_pad_set_segment (AttentionPad * self,
    const GstSegment * segment);

/* Drops what is in work. */
void attention_pad_discard (AttentionPad * self);

/* Whether the pad was flushed since the last call, and drops what is in work then. */
gboolean attention_pad_check_flushed (AttentionPad * self);

/* Makes sure that something is in work, if something came. FALSE: *why (free it) says what is wrong with it. */
gboolean attention_pad_load (AttentionPad * self, gchar ** why);

/* After a load: what comes next. */
PadFront attention_pad_get_front (AttentionPad * self);

/* Whether the vector @i after the next one is in work, too. */
gboolean attention_pad_get_ahead (AttentionPad * self, gsize i,
    PadFront * front);

/* When the next thing began that came, loaded or not, in running time; none if there is none, or it has no time. */
GstClockTime attention_pad_get_begin (AttentionPad * self);

/* The next vectors; @time: of all of them. */
ModelRows attention_pad_get_rows (AttentionPad * self, VectorTime * time);

/* The time of a vector or a gap that is next. */
VectorTime attention_pad_get_time (AttentionPad * self);

/* Whether the vector that is next is the first of a buffer with the DISCONT flag. */
gboolean attention_pad_is_discont (AttentionPad * self);

/* Refuses what comes from now on as EOS, until a flush: from GStreamer 1.26 on the base class lets it wait. */
void attention_pad_end (AttentionPad * self);

/* Takes the next @n vectors, or the gap that is next. */
void attention_pad_skip (AttentionPad * self, gsize n);

G_END_DECLS
