/* gst-continual: vectors and times from a stream that counts bytes
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/bytesegment.h"

/* Vectors of 4 values, 16 bytes, 100 a second */
static const TensorInfo vectors = { {4, 1, 1, 1}, 100, 1 };

static void
test_units (void)
{
  const TensorInfo chunks = { {4, 2, 1, 1}, 50, 1 }, streams = { {4, 2, 3, 1}, 50, 1 };
  const TensorInfo no_rate = { {4, 1, 1, 1}, 0, 1 };
  ByteScale scale = byte_scale_new (&chunks);

  /* One stream: a vector. */
  g_assert_cmpuint (scale.size, ==, 16);
  g_assert_cmpuint (byte_scale_get_time (&scale, 5), ==, 50 * GST_MSECOND);
  /* Several: a buffer of all of them. */
  scale = byte_scale_new (&streams);
  g_assert_cmpuint (scale.size, ==, 96);
  g_assert_cmpuint (byte_scale_get_time (&scale, 5), ==, 100 * GST_MSECOND);
  scale = byte_scale_new (&no_rate);
  g_assert_cmpuint (byte_scale_get_time (&scale, 5), ==, GST_CLOCK_TIME_NONE);
  g_assert_cmpuint (byte_scale_get_unit (&scale, GST_SECOND), ==, 0);
}

/* Times are rounded down to nanoseconds: the unit of a time must not be the one before. */
static void
test_rounding (void)
{
  const TensorInfo ntsc = { {4, 1, 1, 1}, 30000, 1001 };
  const ByteScale scale = byte_scale_new (&ntsc);

  for (guint64 i = 0; i < 5000; i++) {
    g_assert_cmpuint (byte_scale_get_unit (&scale, byte_scale_get_time (&scale, i)), ==, i);
    g_assert_cmpuint (byte_scale_get_unit (&scale, byte_scale_get_time (&scale, i + 1) - 1), ==, i);
  }
}

static void
check_seek (const TensorInfo * tensor, gint64 start, gint64 stop, gint64 first, gint64 last)
{
  const ByteScale scale = byte_scale_new (tensor);
  GstEvent *seek = gst_event_new_seek (1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, start,
      stop == -1 ? GST_SEEK_TYPE_NONE : GST_SEEK_TYPE_SET, stop);
  GstEvent *bytes = byte_scale_convert_seek (&scale, seek);
  GstFormat format;

  if (first < 0) {
    g_assert_null (bytes);
  } else {
    gst_event_parse_seek (bytes, NULL, &format, NULL, NULL, &start, NULL, &stop);
    g_assert_cmpint (format, ==, GST_FORMAT_BYTES);
    g_assert_cmpint (start, ==, first);
    g_assert_cmpint (stop, ==, last);
    g_assert_cmpuint (gst_event_get_seqnum (bytes), ==, gst_event_get_seqnum (seek));
    gst_event_unref (bytes);
  }
  gst_event_unref (seek);
}

static void
test_seek (void)
{
  const TensorInfo no_rate = { {4, 1, 1, 1}, 0, 1 };

  check_seek (&vectors, 0, -1, 0, -1);
  check_seek (&vectors, GST_SECOND, -1, 1600, -1);
  /* From the vector that holds the start to the end of the one that holds the stop. */
  check_seek (&vectors, 25 * GST_MSECOND, 45 * GST_MSECOND, 32, 80);
  check_seek (&no_rate, 0, -1, 0, -1);
  check_seek (&no_rate, GST_SECOND, -1, -1, -1);
}

static void
begin (ByteSegment * self, guint64 start, GstSegment * time)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = start;
  byte_segment_begin (self, &segment, time);
}

/* Bytes @from to @from + @size - 1 of a file, each of which is its index. */
static void
push (ByteSegment * self, guint8 from, gsize size)
{
  guint8 *bytes = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    bytes[i] = from + i;
  byte_segment_push (self, gst_buffer_new_wrapped (bytes, size));
}

/* @buffer is consumed: @size bytes from @from on. */
static void
check_buffer (GstBuffer * buffer, guint8 from, gsize size, const VectorTime * time, GstClockTime pts,
    GstClockTime duration)
{
  guint8 first;

  g_assert_nonnull (buffer);
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, size);
  gst_buffer_extract (buffer, 0, &first, 1);
  g_assert_cmpuint (first, ==, from);
  g_assert_cmpuint (time->pts, ==, pts);
  g_assert_cmpuint (time->duration, ==, duration);
  gst_buffer_unref (buffer);
}

static void
test_cutting (void)
{
  const ByteScale scale = byte_scale_new (&vectors);
  GstBuffer *buffer;
  ByteSegment self;
  GstSegment segment;
  VectorTime time;

  byte_segment_init (&self);
  byte_segment_set_scale (&self, &scale);
  begin (&self, 0, &segment);
  push (&self, 0, 15);
  g_assert_null (byte_segment_take (&self, 9, &time));
  push (&self, 15, 40);
  /* 55 bytes are three vectors and seven bytes. */
  buffer = byte_segment_take (&self, 2, &time);
  check_buffer (buffer, 0, 32, &time, 0, 20 * GST_MSECOND);
  buffer = byte_segment_take (&self, 2, &time);
  check_buffer (buffer, 32, 16, &time, 20 * GST_MSECOND, 10 * GST_MSECOND);
  buffer = byte_segment_take_rest (&self, &time);
  check_buffer (buffer, 48, 7, &time, 30 * GST_MSECOND, 10 * GST_MSECOND);
  g_assert_null (byte_segment_take_rest (&self, &time));
  byte_segment_clear (&self);
}

static void
test_start_inside_a_vector (void)
{
  const ByteScale scale = byte_scale_new (&vectors);
  GstBuffer *buffer;
  ByteSegment self;
  GstSegment segment;
  VectorTime time;

  byte_segment_init (&self);
  byte_segment_set_scale (&self, &scale);
  begin (&self, 20, &segment);
  g_assert_cmpuint (segment.start, ==, 20 * GST_MSECOND);
  push (&self, 20, 5);
  push (&self, 25, 23);
  buffer = byte_segment_take (&self, 9, &time);
  check_buffer (buffer, 32, 16, &time, 20 * GST_MSECOND, 10 * GST_MSECOND);
  byte_segment_clear (&self);
}

/* New caps: times go on from where they were. */
static void
test_new_rate (void)
{
  const TensorInfo slower = { {4, 1, 1, 1}, 50, 1 };
  ByteScale scale = byte_scale_new (&vectors);
  GstBuffer *buffer;
  ByteSegment self;
  GstSegment segment;
  VectorTime time;

  byte_segment_init (&self);
  byte_segment_set_scale (&self, &scale);
  begin (&self, 0, &segment);
  push (&self, 0, 64);
  buffer = byte_segment_take (&self, 3, &time);
  check_buffer (buffer, 0, 48, &time, 0, 30 * GST_MSECOND);
  scale = byte_scale_new (&slower);
  byte_segment_set_scale (&self, &scale);
  buffer = byte_segment_take (&self, 3, &time);
  check_buffer (buffer, 48, 16, &time, 30 * GST_MSECOND, 20 * GST_MSECOND);
  byte_segment_clear (&self);
}

int
main (int argc, char **argv)
{
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bytesegment/units", test_units);
  g_test_add_func ("/bytesegment/rounding", test_rounding);
  g_test_add_func ("/bytesegment/seek", test_seek);
  g_test_add_func ("/bytesegment/cutting", test_cutting);
  g_test_add_func ("/bytesegment/start-inside-a-vector", test_start_inside_a_vector);
  g_test_add_func ("/bytesegment/new-rate", test_new_rate);
  return g_test_run ();
}
