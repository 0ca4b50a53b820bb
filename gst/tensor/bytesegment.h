/* gst-continual: vectors and times from a stream that counts bytes
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstadapter.h>

#include "tensor/caps.h"
#include "tensor/vectorclock.h"

G_BEGIN_DECLS

/* Relation of bytes, units and times. A unit is the least that can be processed: a vector of one stream, or a whole
 * buffer of several streams. */
typedef struct
{
  gsize size;                   /* bytes of a unit; 0: not known yet */
  guint64 rate_n, rate_d;       /* units per second; 0/1: not known */
} ByteScale;

/* For the tensors that caps describe. */
ByteScale byte_scale_new (const TensorInfo * tensor);

/* Start time of unit @i; none without a rate. */
GstClockTime byte_scale_get_time (const ByteScale * self, guint64 i);
/* The unit at @time; 0 without a rate. */
guint64 byte_scale_get_unit (const ByteScale * self, GstClockTime time);

/* Converts a seek in time to a seek in bytes, to whole units. NULL: impossible, or not in time. */
GstEvent *byte_scale_convert_seek (const ByteScale * self, GstEvent * seek);
/* A SEGMENT_DONE event in bytes as one in time; takes @event. */
GstEvent *byte_scale_convert_done (const ByteScale * self, GstEvent * event);
/* Answers a query for the duration or the seekable range in time by asking @upstream about bytes. */
gboolean byte_scale_answer (const ByteScale * self, GstQuery * query,
    GstPad * upstream);

/* What other threads convert by: @self is @scale while the stream counts bytes, else of size 0. Both take the object lock of
 * @owner, a GstObject. */
void byte_scale_publish (ByteScale * self, gpointer owner,
    const ByteScale * scale, gboolean in_bytes);
ByteScale byte_scale_read (const ByteScale * self, gpointer owner);

/* Cuts a stream of bytes, in buffers of any size, into units and computes their times. */
typedef struct
{
  GstAdapter *adapter;
  ByteScale scale;
  gsize skip;                   /* bytes before the first whole unit */
  guint64 next;                 /* unit, counted from the start of the file */
  guint64 base;                 /* the unit from which times are counted, and its time */
  GstClockTime base_time;
} ByteSegment;

void byte_segment_init (ByteSegment * self);
void byte_segment_clear (ByteSegment * self);

/* New caps: the next units have @scale. Their times follow those of the last unit. */
void byte_segment_set_scale (ByteSegment * self, const ByteScale * scale);

/* Starts a segment that is not in time. *time: the same segment in time. Drops the bytes that are left. */
void byte_segment_begin (ByteSegment * self, const GstSegment * segment,
    GstSegment * time);

void byte_segment_push (ByteSegment * self, GstBuffer * buffer);

/* Up to @max whole units and their time; NULL: no whole unit. */
GstBuffer *byte_segment_take (ByteSegment * self, gsize max,
    VectorTime * time);

/* At the end of the stream: the bytes of an incomplete unit and its time; NULL: none. */
GstBuffer *byte_segment_take_rest (ByteSegment * self, VectorTime * time);

G_END_DECLS
