/* gst-continual: what the files of continualmux share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mux/continualmux.h"
#include "mux/pad.h"
#include "mux/times.h"

G_BEGIN_DECLS

struct _GstContinualMux
{
  GstAggregator parent;

  /* Under the object lock; not changed between start and stop. */
  guint max_streams;
  gboolean started;

  guint width;                  /* values in a vector; 0: not known yet. Under the object lock */

  /* The streaming thread's, between start and stop. */
  MuxPad **pads;                /* (max_streams) those of this round, or NULL */
  MuxFront *fronts;               /* (max_streams) */
  gboolean *dirty;              /* (max_streams) its state downstream is not fresh */
  MuxTimes *times;              /* for the demux */
  gboolean times_due;           /* their event, before the next buffer */
  GstClockTime last;            /* running time of the last round; GST_CLOCK_TIME_NONE: none */
};

/* Rounds: what belongs together, and what comes out. */
void mux_rounds_class_init (GstAggregatorClass * klass);

/* Takes a run's memory, or gives it back. */
void mux_rounds_start (GstContinualMux * self);
void mux_rounds_stop (GstContinualMux * self);

/* Caps, memory, events and queries. */
void mux_negotiation_class_init (GstAggregatorClass * klass);

/* Tells downstream that @slot begins anew. */
void mux_push_reset (GstContinualMux * self, guint slot,
    GstEventType event_type);

G_END_DECLS
