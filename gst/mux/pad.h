/* gst-continual: an input of continualmux, vector by vector
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
  MUX_FRONT_NONE,                /* nothing came yet */
  MUX_FRONT_VECTOR,
  MUX_FRONT_GAP,                 /* no vector begins before its end */
  MUX_FRONT_OUTSIDE,             /* a vector that is no part of the segment */
  MUX_FRONT_INVALID,             /* a buffer that is no whole vectors */
  MUX_FRONT_END                  /* nothing more will come */
} MuxFrontType;

/* What an input gives next, in running time; GST_CLOCK_TIME_NONE: not known. */
typedef struct
{
  MuxFrontType type;
  GstClockTime begin, duration;
} MuxFront;

/* All but the slot and the flag belongs to the element's streaming thread. */
struct _GstContinualMuxPad
{
  GstAggregatorPad parent;

  guint slot;                   /* never changes */
  TensorInfo input;             /* dims[0] 0: no caps yet */
  guint32 stream_start;         /* seqnum of the stream that is running; GST_SEQNUM_INVALID: none */
  GstBuffer *buffer;            /* whose vectors are in work, or NULL */
  gsize next;                   /* of its vectors */
  gboolean reset_due;           /* its stream begins anew with its next vector */
  GstClockTime late_until;      /* went without this input; GST_CLOCK_TIME_NONE: none */
  guint64 n_late;

  gint flushed;                 /* atomic */
};

/* A new run of the element. */
void mux_pad_start (MuxPad * self);

MuxFront mux_pad_peek (MuxPad * self);

/* The next vector, which is there. FALSE: it can't be mapped. */
gboolean mux_pad_read (MuxPad * self, gfloat * row /* (C) */ );

/* What is wrong with an invalid one; free it. */
gchar *mux_pad_explain (MuxPad * self);

/* Takes what is next. */
void mux_pad_skip (MuxPad * self);

G_END_DECLS
