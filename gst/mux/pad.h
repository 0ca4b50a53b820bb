/* gst-continual: sink pad of continualmux
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tensor/vectorpad.h"

G_BEGIN_DECLS

#define GST_TYPE_CONTINUAL_MUX_PAD (gst_continual_mux_pad_get_type ())
G_DECLARE_FINAL_TYPE (GstContinualMuxPad, gst_continual_mux_pad, GST,
    CONTINUAL_MUX_PAD, GstContinualVectorPad)
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

/* The first entry in the queue of a pad; GST_CLOCK_TIME_NONE: not known. */
typedef struct
{
  MuxFrontType type;
  GstClockTime begin, duration; /* in running time */
  VectorTime time;              /* in the segment of the pad */
} MuxFront;

/* Streaming thread of the element only, but for slot, known, counts_bytes and n_refused. */
struct _GstContinualMuxPad
{
  GstContinualVectorPad parent;

  guint slot;                   /* constant */
  TensorInfo known;             /* what its next buffers are, under the object lock of the element; dims[0] 0: no caps, or refused */
  gboolean counts_bytes;        /* so does the segment of its next buffers: only for the thread that feeds the pad */
  guint64 n_refused;            /* caps, segments and buffers; only for the thread that feeds the pad */
  gboolean sought;              /* the next segment is that of a seek, not of a new stream */
  gboolean reset_due;           /* the stream is reset before its next vector */
  GstClockTime late_until;      /* end of the last round without this pad; GST_CLOCK_TIME_NONE: none */
  guint64 n_late;
};

/* At the start of the element. */
void mux_pad_start (MuxPad * self);

/* The next vector, gap or end. MUX_FRONT_INVALID: *why (free it). */
MuxFront mux_pad_peek (MuxPad * self, gchar ** why);

/* Copies the next vector (peek returned MUX_FRONT_VECTOR). */
void mux_pad_read (MuxPad * self, gfloat * row /* (C) */ );

/* Removes the next vector or gap. */
void mux_pad_skip (MuxPad * self);

G_END_DECLS
