/* gst-continual: the files of continualmux
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mux/continualmux.h"
#include "mux/pad.h"
#include "mux/times.h"
#include "tensor/about.h"

G_BEGIN_DECLS

#define GST_CAT_DEFAULT element_debug (self)

struct _GstContinualMux
{
  GstAggregator parent;

  /* Under the object lock; constant between start and stop, so that the streaming thread reads it without. */
  guint max_streams;
  gboolean started;

  guint width;                  /* values in a vector; 0: not known yet. Under the object lock */

  /* Streaming thread only, between start and stop. */
  MuxPad **pads;                /* (max_streams) the pads in this round, or NULL */
  MuxFront *fronts;               /* (max_streams) */
  gboolean *dirty;              /* (max_streams) vectors of the slot went downstream since its reset */
  MuxTimes *times;              /* for the demux */
  gboolean times_due;           /* push their event before the next buffer */
  GstClockTime last;            /* running time of the last round; GST_CLOCK_TIME_NONE: none */
  GstSegment segment;           /* of downstream; not in time: none yet */
  gboolean segment_due;         /* downstream does not have it yet */
  gboolean sought;              /* without a flush: there may be another one for it */
  guint32 segment_seqnum;       /* of the last segment that came */
};

/* rounds.c: which vectors match, and the output */
void mux_rounds_class_init (GstAggregatorClass * klass);

/* Allocates and frees the fields above. */
void mux_rounds_start (GstContinualMux * self);
void mux_rounds_stop (GstContinualMux * self);

/* segment.c: times downstream */
/* Before anything is sent: chooses the segment, if there is none. */
void mux_segment_update (GstContinualMux * self);
/* Before an event: the base class sends the segment with a buffer only. */
void mux_segment_push (GstContinualMux * self);
/* After a flush: there is no segment. */
void mux_segment_reset (GstContinualMux * self);
/* The time of the front of @slot in that segment. */
VectorTime mux_segment_get_time (GstContinualMux * self, guint slot);

/* negotiation.c: caps, buffer pools, events and queries */
void mux_negotiation_class_init (GstAggregatorClass * klass);

/* A probe of each sink pad, whose data is the mux: a buffer that does not fit its caps fails where it comes from. */
GstPadProbeReturn mux_check_buffer (GstPad * pad, GstPadProbeInfo * info,
    gpointer mux);

/* Pushes a continual-reset event for @slot. */
void mux_push_reset (GstContinualMux * self, guint slot,
    GstEventType event_type);

G_END_DECLS
