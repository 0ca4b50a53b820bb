/* gst-continual: vectors and times from a stream that counts bytes
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstadapter.h>

#include "tensor/caps.h"
#include "tensor/vectorclock.h"

G_BEGIN_DECLS

/* How bytes, units and times relate. A unit is the least that can go in: a vector or, of several streams, a buffer. */
typedef struct
{
  gsize size;                   /* bytes of a unit; 0: not known yet */
  guint64 rate_n, rate_d;       /* units per second; 0/1: not known */
} ByteScale;

/* Vectors of one stream, buffers of several. */
ByteScale byte_scale_new (const TensorInfo * tensor);

/* The time at which unit @i begins, none without a rate. */
GstClockTime byte_scale_get_time (const ByteScale * self, guint64 i);
/* The unit that holds @time; 0 without a rate. */
guint64 byte_scale_get_unit (const ByteScale * self, GstClockTime time);

/* A seek in time as a seek in bytes, to whole units. NULL: it can't be one. */
GstEvent *byte_scale_convert_seek (const ByteScale * self, GstEvent * seek);
/* Answers a query for the duration or the seekable range in time by what @upstream says of bytes. */
gboolean byte_scale_answer (const ByteScale * self, GstQuery * query,
    GstPad * upstream);

/* Cuts a stream of bytes, in buffers of any size, into units and counts their times. */
typedef struct
{
  GstAdapter *adapter;
  ByteScale scale;
  gsize skip;                   /* bytes before the first whole unit */
  guint64 next;                 /* unit, counted from the beginning of the file */
  guint64 base;                 /* the unit from which times count on, and its time */
  GstClockTime base_time;
} ByteSegment;

void byte_segment_init (ByteSegment * self);
void byte_segment_clear (ByteSegment * self);

/* Units are @scale from here on. */
void byte_segment_set_scale (ByteSegment * self, const ByteScale * scale);

/* A segment that is not in time begins; @time: what it is in time. What was left of the last one is dropped. */
void byte_segment_begin (ByteSegment * self, const GstSegment * segment,
    GstSegment * time);

void byte_segment_push (ByteSegment * self, GstBuffer * buffer);

/* Up to @max whole units with their time, or NULL. */
GstBuffer *byte_segment_take (ByteSegment * self, gsize max,
    VectorTime * time);

/* At the end: @size bytes of an incomplete unit with their time, or NULL. */
GstBuffer *byte_segment_take_rest (ByteSegment * self, VectorTime * time);

G_END_DECLS
