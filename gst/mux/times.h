/* gst-continual: when each row of a buffer really was
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tensor/vectorclock.h"

G_BEGIN_DECLS

/* A sticky event with the string field `id`: what a continualdemux finds the times of its continualmux by. */
#define TIMES_EVENT_NAME "continual-times"

/**
 * MuxTimes: the times of rows that differ from their buffer's
 *
 * A buffer has one time and its rows up to S, half a vector apart. What lies between mux and demux keeps the buffer's,
 * so the others go past it: in this process only, found by a name that no other process has.
 */
typedef struct _MuxTimes MuxTimes;

MuxTimes *mux_times_new (void);
/* The one of an event; NULL: it is not of this process, or gone. */
MuxTimes *mux_times_find (GstEvent * event);
void mux_times_unref (MuxTimes * self);

GstEvent *mux_times_event_new (MuxTimes * self);

/* A buffer begins: later than all before it. */
void mux_times_begin (MuxTimes * self, GstClockTime pts);
void mux_times_add (MuxTimes * self, guint slot, const VectorTime * time);
void mux_times_discard (MuxTimes * self);

/* FALSE: it is the buffer's own, or too long ago. */
gboolean mux_times_get (MuxTimes * self, GstClockTime pts, guint slot,
    VectorTime * time);

G_END_DECLS
