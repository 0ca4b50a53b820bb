/* gst-continual: an input of an aggregator, as vectors in running time
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstaggregator.h>

#include "tensor/bytesegment.h"
#include "tensor/padfront.h"
#include "tensor/vectorcaps.h"

G_BEGIN_DECLS

#define VECTOR_TYPE_PAD (vector_pad_get_type ())
#define VECTOR_PAD(object) (G_TYPE_CHECK_INSTANCE_CAST ((object), VECTOR_TYPE_PAD, VectorPad))
typedef struct _VectorPad GstContinualVectorPad, VectorPad;
typedef struct
{
  GstAggregatorPadClass parent;
} GstContinualVectorPadClass;

GType vector_pad_get_type (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstContinualVectorPad, gst_object_unref)

/* Streaming thread of the element only, but for the atomic fields. The buffer that is being processed stays in the queue
 * of the pad until its last vector is taken: so the base class calls aggregate() as soon as the other pads have data. */
struct _VectorPad
{
  GstAggregatorPad parent;

  TensorInfo input;             /* dims[0] 0: no caps yet */
  GstSegment segment;           /* in time */
  GstSegment upstream;          /* as it came */
  gboolean over;                /* it ended, with a SEGMENT_DONE event */
  gboolean begun;               /* a segment came */
  gboolean in_bytes;            /* the segment of upstream counts bytes */
  ByteSegment bytes;
  guint32 stream_start;         /* seqnum of the current stream */
  gboolean gap_due;             /* that which pre_queue() put behind a SEGMENT_DONE event */
  gboolean gap_again;           /* it was replaced, and the base class will give the old one again */
  guint n_done, n_finished;     /* segments that ended on this pad, and for the element: see vector_pad_is_done() */

  GstBuffer *queued;            /* the first buffer of the queue, or NULL */
  GstBuffer *buffer;            /* whole vectors from it, mapped, or NULL */
  GstMapInfo map;
  gsize n_steps, next_step;     /* vectors of each stream in buffer, and the next one */
  VectorTime time;              /* of all of it */
  GstClockTimeDiff last;        /* running time of the last vector taken; GST_CLOCK_STIME_NONE: none */
  GstClockTimeDiff spacing;     /* from the vector before to that one */
  GstClockTimeDiff expected;    /* running time of the next one; GST_CLOCK_STIME_NONE: not known */

  gulong probe;                 /* at the other end of the link */
  ByteScale byte_scale;         /* under the object lock; of size 0: upstream counts time */

  gint flushed;                 /* atomic */
  gint ended;                   /* atomic: the stream ended, since another pad did */
};

/* At the start of the element. */
void vector_pad_start (VectorPad * self);

void vector_pad_set_caps (VectorPad * self, const TensorInfo * tensor);
/* TRUE: the SEGMENT event @event begins another stream: its position is not that of the last segment. */
gboolean vector_pad_jumps (const VectorPad * self, GstEvent * event);
void vector_pad_set_segment (VectorPad * self, GstEvent * event);

/* For sink_event_pre_queue(): as that of the base class, @parent. Behind a SEGMENT_DONE event comes a gap, at which the pad
 * ends: the base class waits for nothing then. */
GstFlowReturn vector_pad_pre_queue (GstAggregatorClass * parent,
    VectorPad * self, GstEvent * event);
/* A SEGMENT_DONE event came: no vector of the segment does. */
void vector_pad_set_done (VectorPad * self);
/* The event for the base class in place of a GAP event, which is taken; NULL: none. */
GstEvent *vector_pad_take_gap (VectorPad * self, GstEvent * event);
/* The event for the base class in place of the SEGMENT event that was set, which is taken: in time. */
GstEvent *vector_pad_take_segment (VectorPad * self, GstEvent * event);
/* TRUE: the segment ended, and the element did not finish it yet. Its front is FRONT_END then. */
gboolean vector_pad_is_done (const VectorPad * self);
/* The element has finished the segment, on every pad: where it ends later it is over already. */
void vector_pad_finish_segment (VectorPad * self);

/* Drops the buffer that is being processed, and what is known of time. */
void vector_pad_discard (VectorPad * self);

/* TRUE: the pad was flushed since the last call. Then discards. */
gboolean vector_pad_check_flushed (VectorPad * self);

/* Takes the first buffer of the queue, if none is being processed. FALSE: *why (free it) says what is wrong with it. */
gboolean vector_pad_load (VectorPad * self, gchar ** why);

/* After a load: the next vector, gap or end. */
PadFront vector_pad_get_front (VectorPad * self);

/* Vector @i after the next one. FALSE: it is not in the buffer that is being processed. */
gboolean vector_pad_get_ahead (VectorPad * self, gsize i,
    PadFront * front);

/* Running time of the first entry in the queue, loaded or not; none: the queue is empty, or the time is not known. */
GstClockTime vector_pad_get_begin (VectorPad * self);

/* TRUE: the next vector begins before the segment or after its stop. */
gboolean vector_pad_is_outside (VectorPad * self);

/* Answers a query for the duration or the seekable range, in time, of a stream that counts bytes. From any thread. */
gboolean vector_pad_answer (VectorPad * self, GstQuery * query);

/* The vectors of the buffer, from the next one on; *time: of the whole buffer. */
VectorRows vector_pad_get_rows (VectorPad * self, VectorTime * time);

/* Time of the next vector or gap. */
VectorTime vector_pad_get_time (VectorPad * self);

/* TRUE: the next vector is the first of a buffer with the DISCONT flag. */
gboolean vector_pad_is_discont (VectorPad * self);

/* Ends the stream: later buffers return GST_FLOW_EOS until a flush. (From GStreamer 1.26 on the base class would block
 * them.) */
void vector_pad_end (VectorPad * self);

/* Removes the next @n vectors, or the next gap. */
void vector_pad_skip (VectorPad * self, gsize n);

G_END_DECLS
