/* gst-continual: vectors and times from a stream that counts bytes
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/bytesegment.h"

#include <string.h>

ByteScale
byte_scale_new (const TensorInfo * tensor)
{
  const guint unit = tensor->dims[2] == 1 ? 1 : tensor->dims[1];
  ByteScale scale = {.rate_d = 1 };

  scale.size = sizeof (gfloat) * tensor->dims[0] * unit * tensor->dims[2];
  if (tensor->fps_n) {
    scale.rate_n = (guint64) tensor->fps_n * (tensor->dims[1] / unit);
    scale.rate_d = tensor->fps_d;
  }
  return scale;
}

GstClockTime
byte_scale_get_time (const ByteScale * self, guint64 i)
{
  return self->rate_n ? gst_util_uint64_scale (i, GST_SECOND * self->rate_d,
      self->rate_n) : GST_CLOCK_TIME_NONE;
}

guint64
byte_scale_get_unit (const ByteScale * self, GstClockTime time)
{
  guint64 i;

  if (!self->rate_n)
    return 0;
  i = gst_util_uint64_scale (time, self->rate_n, GST_SECOND * self->rate_d);
  /* Times are rounded down: @time may be the start of the next unit. */
  return byte_scale_get_time (self, i + 1) <= time ? i + 1 : i;
}

/* @up: to the end of the unit at @time. */
static gint64
convert_position (const ByteScale * self, GstSeekType type, gint64 time,
    gboolean up)
{
  guint64 i;

  if (type == GST_SEEK_TYPE_NONE || time == -1)
    return -1;
  i = byte_scale_get_unit (self, ABS (time));
  if (up && byte_scale_get_time (self, i) < (GstClockTime) ABS (time))
    i++;
  return time < 0 ? -(gint64) (i * self->size) : (gint64) (i * self->size);
}

GstEvent *
byte_scale_convert_seek (const ByteScale * self, GstEvent * seek)
{
  gdouble rate;
  GstFormat format;
  GstSeekFlags flags;
  GstSeekType start_type, stop_type;
  gint64 start, stop;
  GstEvent *res;

  gst_event_parse_seek (seek, &rate, &format, &flags, &start_type, &start,
      &stop_type, &stop);
  if (!self->size || format != GST_FORMAT_TIME)
    return NULL;
  /* Without a rate, only the start of the file has a known time. */
  if (!self->rate_n && (start_type != GST_SEEK_TYPE_SET || start != 0
          || (stop_type != GST_SEEK_TYPE_NONE && stop != -1)))
    return NULL;
  res = gst_event_new_seek (rate, GST_FORMAT_BYTES, flags, start_type,
      convert_position (self, start_type, start, FALSE), stop_type,
      convert_position (self, stop_type, stop, TRUE));
  gst_event_set_seqnum (res, gst_event_get_seqnum (seek));
  return res;
}

GstEvent *
byte_scale_convert_done (const ByteScale * self, GstEvent * event)
{
  GstFormat format;
  gint64 position;
  GstEvent *res;

  gst_event_parse_segment_done (event, &format, &position);
  if (format == GST_FORMAT_TIME)
    return event;
  res = gst_event_new_segment_done (GST_FORMAT_TIME, position < 0 || !self->size ? -1 :
      (gint64) byte_scale_get_time (self, position / self->size));
  gst_event_set_seqnum (res, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return res;
}

gboolean
byte_scale_answer (const ByteScale * self, GstQuery * query,
    GstPad * upstream)
{
  GstFormat format;
  gint64 bytes, stop;
  gboolean seekable = FALSE;
  GstQuery *ask;

  if (!self->size)
    return FALSE;
  if (GST_QUERY_TYPE (query) == GST_QUERY_DURATION) {
    gst_query_parse_duration (query, &format, NULL);
    if (format != GST_FORMAT_TIME || !self->rate_n
        || !gst_pad_peer_query_duration (upstream, GST_FORMAT_BYTES, &bytes))
      return FALSE;
    gst_query_set_duration (query, GST_FORMAT_TIME,
        byte_scale_get_time (self, bytes / self->size));
    return TRUE;
  }

  gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
  if (format != GST_FORMAT_TIME)
    return FALSE;
  ask = gst_query_new_seeking (GST_FORMAT_BYTES);
  stop = -1;
  if (gst_pad_peer_query (upstream, ask))
    gst_query_parse_seeking (ask, NULL, &seekable, NULL, &stop);
  gst_query_unref (ask);
  gst_query_set_seeking (query, GST_FORMAT_TIME, seekable
      && self->rate_n, 0, stop < 0 || !self->rate_n ? -1 :
      (gint64) byte_scale_get_time (self, stop / self->size));
  return TRUE;
}

void
byte_scale_publish (ByteScale * self, gpointer owner, const ByteScale * scale,
    gboolean in_bytes)
{
  GST_OBJECT_LOCK (owner);
  *self = in_bytes ? *scale : (ByteScale) {
  0, 0, 1};
  GST_OBJECT_UNLOCK (owner);
}

ByteScale
byte_scale_read (const ByteScale * self, gpointer owner)
{
  ByteScale scale;

  GST_OBJECT_LOCK (owner);
  scale = *self;
  GST_OBJECT_UNLOCK (owner);
  return scale;
}

void
byte_segment_init (ByteSegment * self)
{
  *self = (ByteSegment) {
  .adapter = gst_adapter_new (),.scale.rate_d = 1};
}

void
byte_segment_clear (ByteSegment * self)
{
  g_clear_object (&self->adapter);
}

static GstClockTime
get_time (const ByteSegment * self, guint64 i)
{
  GstClockTime since = byte_scale_get_time (&self->scale, i - self->base);

  return GST_CLOCK_TIME_IS_VALID (since)
      && GST_CLOCK_TIME_IS_VALID (self->base_time) ? self->base_time + since :
      GST_CLOCK_TIME_NONE;
}

void
byte_segment_set_scale (ByteSegment * self, const ByteScale * scale)
{
  if (memcmp (scale, &self->scale, sizeof (*scale)) == 0)
    return;
  if (self->scale.size) {
    self->base_time = get_time (self, self->next);
    self->base = self->next;
  }
  self->scale = *scale;
}

void
byte_segment_begin (ByteSegment * self, const GstSegment * segment,
    GstSegment * time)
{
  const gsize size = self->scale.size;
  GstClockTime start;

  gst_adapter_clear (self->adapter);
  self->skip = 0;
  self->next = self->base = 0;
  self->base_time = 0;
  gst_segment_init (time, GST_FORMAT_TIME);
  time->rate = segment->rate;
  time->applied_rate = segment->applied_rate;
  time->flags = segment->flags;
  if (segment->format != GST_FORMAT_BYTES || !size)
    return;

  self->next = segment->start / size + (segment->start % size != 0);
  self->skip = self->next * size - segment->start;
  start = get_time (self, self->next);
  if (!GST_CLOCK_TIME_IS_VALID (start))
    return;
  time->start = time->time = time->position = start;
  time->base = get_time (self, segment->base / size);
  if (segment->stop != (guint64) - 1)
    time->stop = get_time (self, segment->stop / size);
  if (segment->duration != (guint64) - 1)
    time->duration = get_time (self, segment->duration / size);
}

void
byte_segment_push (ByteSegment * self, GstBuffer * buffer)
{
  gsize n;

  gst_adapter_push (self->adapter, buffer);
  n = MIN (self->skip, gst_adapter_available (self->adapter));
  gst_adapter_flush (self->adapter, n);
  self->skip -= n;
}

static GstBuffer *
take (ByteSegment * self, gsize size, guint64 n, VectorTime * time)
{
  time->pts = get_time (self, self->next);
  time->duration = get_time (self, self->next + n);
  if (GST_CLOCK_TIME_IS_VALID (time->duration))
    time->duration -= time->pts;
  self->next += n;
  return gst_adapter_take_buffer (self->adapter, size);
}

GstBuffer *
byte_segment_take (ByteSegment * self, gsize max, VectorTime * time)
{
  gsize n = gst_adapter_available (self->adapter) / self->scale.size;

  n = MIN (n, max);
  return n ? take (self, n * self->scale.size, n, time) : NULL;
}

GstBuffer *
byte_segment_take_rest (ByteSegment * self, VectorTime * time)
{
  gsize size = gst_adapter_available (self->adapter);

  return size ? take (self, size, 1, time) : NULL;
}
