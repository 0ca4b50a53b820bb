/* gst-continual: files of vectors, and seeking in them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <glib/gstdio.h>

#define MODEL "encoder-1-relu"  /* 32 features, window 8, 40 vectors in the case */
#define EACH (10 * GST_MSECOND)

static Golden *g;
static gchar *path;

static void
setup (void)
{
  gint fd = g_file_open_tmp ("continual-XXXXXX", &path, NULL);

  fail_unless (fd >= 0);
  close (fd);
  g = golden_load (MODEL, NULL);
  fail_unless (g_file_set_contents (path, (const gchar *) g->x,
          g->n_steps * 32 * sizeof (float), NULL));
}

static void
teardown (void)
{
  g_unlink (path);
  g_clear_pointer (&path, g_free);
  golden_free (g);
}

/* @filesrc: its properties; @caps: dimensions and framerate */
static GstHarness *
play (const gchar * filesrc, const gchar * caps)
{
  g_autofree gchar *model = model_path (MODEL);
  g_autofree gchar *line = g_strdup_printf ("filesrc location=%s %s ! " TENSORS
      ",%s ! continualencoder model-path=%s", path, filesrc, caps, model);
  GstHarness *h = gst_harness_new_parse (line);

  return h;
}

/* Outputs for the vectors from @from on, which began a stream, to the end; their times. */
static void
expect_outputs (GstHarness * h, gsize from, gsize end)
{
  for (gsize t = from + 7; t < end; t++) {
    GstBuffer *buffer = gst_harness_pull (h);

    fail_unless (buffer != NULL);
    fail_unless (difference (buffer, g->y + (t - 7) * 32, 32) <= g->atol);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), t * EACH);
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), EACH);
    gst_buffer_unref (buffer);
  }
}

static void
expect_segment (GstHarness * h, GstClockTime start)
{
  GstEvent *event = pull_event (h, GST_EVENT_SEGMENT);
  const GstSegment *segment;

  fail_unless (event != NULL);
  gst_event_parse_segment (event, &segment);
  fail_unless_equals_int (segment->format, GST_FORMAT_TIME);
  fail_unless_equals_uint64 (segment->start, start);
  fail_unless_equals_uint64 (segment->time, start);
  gst_event_unref (event);
}

/* Blocks of any size, chunks of any length: vectors are counted by framerate. */
GST_START_TEST (test_times)
{
  const gchar *caps[] = { "dimensions=(string)32,framerate=100/1",
    "dimensions=(string)32:4,framerate=25/1",
    "dimensions=(string)32:10,framerate=10/1"
  };
  const gchar *blocks[] = { "", "blocksize=1000", "blocksize=3" };

  for (gsize i = 0; i < G_N_ELEMENTS (caps) * G_N_ELEMENTS (blocks); i++) {
    GstHarness *h = play (blocks[i / G_N_ELEMENTS (caps)],
        caps[i % G_N_ELEMENTS (caps)]);

    gst_harness_play (h);
    expect_outputs (h, 0, g->n_steps);
    expect_segment (h, 0);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* At 30000/1001 Hz each time is rounded from the beginning on: nothing drifts. */
GST_START_TEST (test_no_drift)
{
  GstHarness *h =
      play ("blocksize=100", "dimensions=(string)32,framerate=30000/1001");

  gst_harness_play (h);
  for (gsize t = 7; t < g->n_steps; t++) {
    GstBuffer *buffer = gst_harness_pull (h);
    GstClockTime pts = gst_util_uint64_scale (t, GST_SECOND * 1001, 30000);

    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
    fail_unless_equals_uint64 (pts + GST_BUFFER_DURATION (buffer),
        gst_util_uint64_scale (t + 1, GST_SECOND * 1001, 30000));
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_no_framerate)
{
  GstHarness *h = play ("", "dimensions=(string)32");

  gst_harness_play (h);
  for (gsize i = 0; i < g->n_outputs; i++) {
    GstBuffer *buffer = gst_harness_pull (h);

    fail_unless (difference (buffer, g->y + i * 32, 32) <= g->atol);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), GST_CLOCK_TIME_NONE);
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer),
        GST_CLOCK_TIME_NONE);
    gst_buffer_unref (buffer);
  }
  expect_segment (h, 0);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Two streams of 20 vectors each, in blocks of 8, the last one shorter. */
GST_START_TEST (test_streams)
{
  g_autofree float *blocks = g_new (float, 40 * 32);
  GstHarness *h;
  float *to = blocks;

  for (gsize block = 0; block < 20; block += 8)
    for (gsize s = 0; s < 2; s++)
      for (gsize t = block; t < MIN (block + 8, 20); t++, to += 32)
        memcpy (to, g->x + (s * 20 + t) * 32, 32 * sizeof (float));
  fail_unless (g_file_set_contents (path, (const gchar *) blocks,
          40 * 32 * sizeof (float), NULL));
  h = play ("blocksize=777", "dimensions=(string)32:8:2,framerate=10/1");
  gst_harness_play (h);
  for (gsize t = 7; t < 20; t++) {
    GstBuffer *buffer = gst_harness_pull (h);
    GstMapInfo map;

    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
        t * (GST_SECOND / 80));
    gst_buffer_map (buffer, &map, GST_MAP_READ);
    fail_unless_equals_int (map.size, 2 * 32 * sizeof (float));
    for (gsize i = 0; i < 64; i++) {
      gsize row = i < 32 ? t - 7 : 20 + t - 7;

      fail_unless (fabsf (((float *) map.data)[i] - g->y[row * 32 + i % 32])
          <= g->atol);
    }
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A seek gives what a fresh start from there gives, without the vectors before. */
static void
check_seek (GstHarness * h, GstClockTime to, GstClockTime until, gsize from,
    gsize end)
{
  GstEvent *event, *seek = gst_event_new_seek (1.0, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, to,
      GST_CLOCK_TIME_IS_VALID (until) ? GST_SEEK_TYPE_SET :
      GST_SEEK_TYPE_NONE, until);
  guint32 seqnum = gst_event_get_seqnum (seek);
  GstBuffer *buffer;

  fail_unless (gst_harness_push_upstream_event (h, seek));
  event = pull_event (h, GST_EVENT_FLUSH_STOP);
  fail_unless (event != NULL);
  gst_event_unref (event);
  while ((event = gst_harness_pull_event (h)) &&
      GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT)
    gst_event_unref (event);
  fail_unless (event != NULL);
  fail_unless_equals_int (gst_event_get_seqnum (event), seqnum);
  gst_event_unref (event);
  for (gsize t = from + 7; t < end; t++) {
    buffer = gst_harness_pull (h);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), t * EACH);
    fail_unless (difference (buffer, g->y + (t - 7) * 32, 32) <= g->atol);
    gst_buffer_unref (buffer);
  }
  while ((event = gst_harness_pull_event (h)) &&
      GST_EVENT_TYPE (event) != GST_EVENT_EOS)
    gst_event_unref (event);
  fail_unless (event != NULL);
  gst_event_unref (event);
  fail_unless (gst_harness_try_pull (h) == NULL);
}

GST_START_TEST (test_seek)
{
  GstHarness *h =
      play ("blocksize=1000", "dimensions=(string)32,framerate=100/1");

  gst_harness_play (h);
  expect_outputs (h, 0, g->n_steps);
  check_seek (h, 0, GST_CLOCK_TIME_NONE, 0, 40);
  check_seek (h, 120 * GST_MSECOND, GST_CLOCK_TIME_NONE, 12, 40);
  /* Within a vector: all of it */
  check_seek (h, 129 * GST_MSECOND, GST_CLOCK_TIME_NONE, 12, 40);
  check_seek (h, 50 * GST_MSECOND, 301 * GST_MSECOND, 5, 31);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A time as a buffer has it, rounded down to nanoseconds, is that buffer's vector. */
GST_START_TEST (test_seek_to_rounded)
{
  GstHarness *h = play ("", "dimensions=(string)32,framerate=30/1");
  GstEvent *event;
  const GstSegment *segment;

  gst_harness_play (h);
  for (gsize i = 0; i < g->n_outputs; i++)
    gst_buffer_unref (gst_harness_pull (h));
  fail_unless (gst_harness_push_upstream_event (h, gst_event_new_seek (1.0,
              GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
              33333333, GST_SEEK_TYPE_NONE, -1)));
  event = pull_event (h, GST_EVENT_FLUSH_STOP);
  fail_unless (event != NULL);
  gst_event_unref (event);
  gst_buffer_unref (gst_harness_pull (h));
  event = pull_event (h, GST_EVENT_SEGMENT);
  fail_unless (event != NULL);
  gst_event_parse_segment (event, &segment);
  fail_unless_equals_uint64 (segment->start, 33333333);
  gst_event_unref (event);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
push_bytes_segment (GstHarness * h, guint64 start)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_BYTES);
  segment.start = segment.position = segment.time = start;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

/* Another segment of bytes is another place, also without a flush; the first one finds what set-state left. */
GST_START_TEST (test_segments)
{
  GstHarness *h = encoder_new (MODEL, "");
  GstElement *e = encoder_get (h);
  g_autoptr (GstCaps) caps = NULL;
  GBytes *state;
  gboolean ok;

  encoder_set_caps (h, "32", 100);
  caps = gst_pad_get_current_caps (h->srcpad);
  push_vectors (h, g, 0, 12);
  pull_outputs (h, g, 0, 5);
  g_signal_emit_by_name (e, "get-state", &state);
  gst_element_set_state (e, GST_STATE_READY);
  gst_element_set_state (e, GST_STATE_PLAYING);
  g_signal_emit_by_name (e, "set-state", state, &ok);
  fail_unless (ok);
  g_bytes_unref (state);
  gst_object_unref (e);

  gst_harness_push_event (h, gst_event_new_stream_start ("file"));
  gst_harness_push_event (h, gst_event_new_caps (caps));
  push_bytes_segment (h, 0);
  push_vectors (h, g, 12, 3);
  pull_outputs (h, g, 5, 3);
  /* From the middle of the first vector on: from the second one */
  push_bytes_segment (h, 60);
  gst_harness_push (h, gst_buffer_new_memdup ((const gchar *) g->x + 60,
          12 * 128 - 60));
  expect_outputs (h, 1, 12);
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Times are exact behind more than 2^32 vectors. */
GST_START_TEST (test_far)
{
  const guint64 far = G_GUINT64_CONSTANT (1) << 32;
  GstHarness *h = encoder_new (MODEL, "");

  encoder_set_caps (h, "32", 100);
  push_bytes_segment (h, far * 128);
  gst_harness_push (h, gst_buffer_new_memdup (g->x, 12 * 128));
  for (gsize t = 7; t < 12; t++) {
    GstBuffer *buffer = gst_harness_pull (h);

    fail_unless (difference (buffer, g->y + (t - 7) * 32, 32) <= g->atol);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), (far + t) * EACH);
    gst_buffer_unref (buffer);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_queries)
{
  GstHarness *h = play ("", "dimensions=(string)32:4,framerate=25/1");
  GstQuery *query = gst_query_new_seeking (GST_FORMAT_TIME);
  gint64 duration, start, stop;
  gboolean seekable;

  gst_harness_play (h);
  expect_outputs (h, 0, g->n_steps);
  fail_unless (gst_pad_peer_query_duration (h->sinkpad, GST_FORMAT_TIME,
          &duration));
  fail_unless_equals_uint64 (duration, 40 * EACH);
  fail_unless (gst_pad_peer_query (h->sinkpad, query));
  gst_query_parse_seeking (query, NULL, &seekable, &start, &stop);
  fail_unless (seekable);
  fail_unless_equals_uint64 (start, 0);
  fail_unless_equals_uint64 (stop, 40 * EACH);
  gst_query_unref (query);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* What comes before is kept, the rest is an error that names both sizes. */
GST_START_TEST (test_incomplete)
{
  GstHarness *h;
  GstBus *bus;
  GstEvent *event;

  fail_unless (g_file_set_contents (path, (const gchar *) g->x, 20 * 128 + 100,
          NULL));
  h = play ("", "dimensions=(string)32,framerate=100/1");
  bus = bus_new (h->element);
  gst_harness_play (h);
  expect_outputs (h, 0, 20);
  while ((event = gst_harness_pull_event (h)) &&
      GST_EVENT_TYPE (event) != GST_EVENT_EOS)
    gst_event_unref (event);
  fail_unless (event != NULL);
  gst_event_unref (event);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "128 bytes",
      "found one of 100 bytes", NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-files");
  TCase *tc = tcase_create ("files");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_times);
  tcase_add_test (tc, test_no_drift);
  tcase_add_test (tc, test_no_framerate);
  tcase_add_test (tc, test_streams);
  tcase_add_test (tc, test_seek);
  tcase_add_test (tc, test_seek_to_rounded);
  tcase_add_test (tc, test_segments);
  tcase_add_test (tc, test_far);
  tcase_add_test (tc, test_queries);
  tcase_add_test (tc, test_incomplete);
  return s;
}

GST_CHECK_MAIN (encoder);
