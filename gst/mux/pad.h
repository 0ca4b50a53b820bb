/* gst-continual: sink pad of continualmux
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstaggregator.h>

#include "tensor/caps.h"

G_BEGIN_DECLS

#define GST_TYPE_CONTINUAL_MUX_PAD (gst_continual_mux_pad_get_type ())
G_DECLARE_FINAL_TYPE (GstContinualMuxPad, gst_continual_mux_pad, GST,
    CONTINUAL_MUX_PAD, GstAggregatorPad)
typedef GstContinualMuxPad MuxPad;

typedef enum
{
  MUX_FRONT_NONE,               /* the queue is empty */
  MUX_FRONT_VECTOR,
  MUX_FRONT_GAP,                /* no vector begins before its end */
  MUX_FRONT_OUTSIDE,            /* a vector outside the segment */
  MUX_FRONT_INVALID,            /* a buffer of other than whole vectors, or before caps */
  MUX_FRONT_END                 /* no more vectors will come */
} MuxFrontType;

/* The first entry in the queue of a pad, in running time; GST_CLOCK_TIME_NONE: not known. */
typedef struct
{
  MuxFrontType type;
  GstClockTime begin, duration;
} MuxFront;

/* Streaming thread of the element only, but for slot and flushed. input: also under the object lock of the element. */
struct _GstContinualMuxPad
{
  GstAggregatorPad parent;

  guint slot;                   /* constant */
  TensorInfo input;             /* dims[0] 0: no caps yet */
  guint32 stream_start;         /* seqnum of the current stream; GST_SEQNUM_INVALID: none */
  GstBuffer *buffer;            /* the first of the queue, or NULL */
  gsize next;                   /* vector in buffer */
  gboolean reset_due;           /* the stream is reset before its next vector */
  GstClockTime late_until;      /* end of the last round without this pad; GST_CLOCK_TIME_NONE: none */
  guint64 n_late;

  gint flushed;                 /* atomic */
};

/* At the start of the element. */
void mux_pad_start (MuxPad * self);

/* The next vector, gap or end. */
MuxFront mux_pad_peek (MuxPad * self);

/* Copies the next vector (peek returned MUX_FRONT_VECTOR). FALSE: the buffer cannot be mapped. */
gboolean mux_pad_read (MuxPad * self, gfloat * row /* (C) */ );

/* Error text for MUX_FRONT_INVALID; free it. */
gchar *mux_pad_explain (MuxPad * self);

/* Removes the next vector or gap. */
void mux_pad_skip (MuxPad * self);

G_END_DECLS
