/* gst-continual: times of the rows of a buffer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tensor/vectorclock.h"

G_BEGIN_DECLS

/* A sticky event with the string field `id`, by which a continualdemux finds the times of its continualmux. */
#define TIMES_EVENT_NAME "continual-times"

/**
 * MuxTimes: times of rows that differ from the time of their buffer
 *
 * A buffer has one time, but its rows have up to S times, up to half a vector apart. Elements between mux and demux keep
 * only the time of the buffer. So the times of the rows go through this object: only within a process, by a unique id.
 * Thread-safe, and shared by reference counts.
 */
typedef struct _MuxTimes MuxTimes;

MuxTimes *mux_times_new (void);
/* A reference to the times of an event; NULL: of another process, or freed. */
MuxTimes *mux_times_find (GstEvent * event);
void mux_times_unref (MuxTimes * self);

GstEvent *mux_times_event_new (MuxTimes * self);

/* Starts a buffer, whose PTS is later than that of all before. */
void mux_times_begin (MuxTimes * self, GstClockTime pts);
/* Stores the time of a row of that buffer. */
void mux_times_add (MuxTimes * self, guint slot, const VectorTime * time);
/* After a flush: drops all times. */
void mux_times_discard (MuxTimes * self);

/* FALSE: the row has the time of the buffer, or the buffer is too old. */
gboolean mux_times_get (MuxTimes * self, GstClockTime pts, guint slot,
    VectorTime * time);

G_END_DECLS
