/* gst-continual: melspectrogram's time: timestamps, latency, and every way in which a stream stops or jumps
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "meltest.h"
#include "tensor/caps.h"

#define MS(n) ((n) * GST_MSECOND)
/* Windows of 400 samples, 25 ms, every 10 ms of 16 kHz. */
#define SMALL "n-mels=4 n-fft=400 hop-length=160 "

static void
expect_times (GstHarness * h, const GstClockTime * ms, guint n)
{
  for (guint i = 0; i < n; i++) {
    GstBuffer *buf = gst_harness_try_pull (h);

    fail_unless (buf != NULL, "expected %u buffers, found %u", n, i);
    fail_unless_equals_clocktime (GST_BUFFER_PTS (buf), MS (ms[i]));
    gst_buffer_unref (buf);
  }
  fail_unless (gst_harness_try_pull (h) == NULL, "expected %u buffers", n);
}

GST_START_TEST (test_million)
{
  const guint rate = 44100, hop = 443, n = 1000000;
  const GstClockTime base = G_GUINT64_CONSTANT (12345678901);
  GstHarness *h = mel_new_with_rate ("rate=0 n-fft=16 n-mels=1 center=false "
      "hop-length=443", rate);
  gfloat *x = mel_noise (hop, 1);

  for (guint t = 0; t < n; t++) {
    GstClockTime pts = base + gst_util_uint64_scale ((guint64) t * hop,
        GST_SECOND, rate);
    GstClockTime next = base + gst_util_uint64_scale ((guint64) (t + 1) * hop,
        GST_SECOND, rate);
    GstBuffer *in = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, x,
        hop * sizeof (gfloat), 0, hop * sizeof (gfloat), NULL, NULL), *out;

    GST_BUFFER_PTS (in) = pts;
    fail_unless_equals_int (gst_harness_push (h, in), GST_FLOW_OK);
    out = gst_harness_try_pull (h);
    fail_unless (out != NULL, "%u", t);
    fail_unless_equals_clocktime (GST_BUFFER_PTS (out), pts);
    fail_unless_equals_clocktime (GST_BUFFER_DURATION (out), next - pts);
    fail_unless (GST_BUFFER_IS_DISCONT (out) == (t == 0));
    gst_buffer_unref (out);
  }
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* Timestamps that wobble, as a demuxer's in milliseconds do, leave no trace. */
GST_START_TEST (test_jitter)
{
  GstHarness *h = mel_new_with_rate (SMALL "center=false", 16000);
  gfloat *x = mel_noise (160, 1);

  for (guint t = 0; t < 100; t++)
    gst_harness_push (h, mel_buffer (x, 160,
            MS (1000 + 10 * t) + (t ? (t % 7) * MS (6) : 0)));
  for (guint t = 0; t < 98; t++) {
    GstBuffer *buf = gst_harness_pull (h);

    fail_unless_equals_clocktime (GST_BUFFER_PTS (buf), MS (1000 + 10 * t));
    fail_unless_equals_clocktime (GST_BUFFER_DURATION (buf), MS (10));
    gst_buffer_unref (buf);
  }
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* 1000 samples: centred, 7 frames of which EOS makes the last two; else 4, the incomplete one is dropped. */
GST_START_TEST (test_eos)
{
  static const GstClockTime centred[] = { 0, 10, 20, 30, 40, 50, 60 };
  static const GstClockTime unpadded[] = { 0, 10, 20, 30 };
  gfloat *x = mel_noise (1000, 1);
  GstHarness *h = mel_new_with_rate (SMALL, 16000);

  mel_push (h, x, 1000, 77, 16000, 0);
  /* An empty buffer is nothing. */
  gst_harness_push (h, gst_buffer_new ());
  expect_times (h, centred, 6);
  gst_harness_push_event (h, gst_event_new_eos ());
  expect_times (h, centred + 6, 1);
  gst_harness_teardown (h);

  h = mel_new_with_rate (SMALL "drop-last=true", 16000);
  mel_push (h, x, 1000, 77, 16000, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  expect_times (h, centred, 6);
  gst_harness_teardown (h);

  h = mel_new_with_rate (SMALL "center=false", 16000);
  mel_push (h, x, 1000, 77, 16000, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  expect_times (h, unpadded, 4);
  gst_harness_teardown (h);

  /* No sample, no frame. */
  h = mel_new_with_rate (SMALL, 16000);
  gst_harness_push_event (h, gst_event_new_eos ());
  expect_times (h, NULL, 0);
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* With nothing made up, a centred frame's time is still its centre. */
GST_START_TEST (test_centre_without_padding)
{
  GstHarness *h = mel_new_with_rate (SMALL "pad-mode=none", 16000);
  gfloat *x = mel_noise (720, 1);
  GstBuffer *buf;

  mel_push (h, x, 720, 720, 16000, MS (100));
  for (guint t = 0; t < 3; t++) {
    buf = gst_harness_pull (h);
    fail_unless_equals_clocktime (GST_BUFFER_PTS (buf),
        MS (110 + 10 * t) + 2500 * GST_USECOND);
    gst_buffer_unref (buf);
  }
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* What is reported is what the last sample of a frame takes at most to come after the frame's time. */
static void
check_latency (const gchar * props, guint samples)
{
  GstHarness *h;
  gfloat *x = mel_noise (4000, 1);
  guint worst = 0;

  h = mel_new_with_rate (props, 16000);
  gst_harness_set_upstream_latency (h, MS (7));
  fail_unless_equals_clocktime (gst_harness_query_latency (h),
      MS (7) + gst_util_uint64_scale_ceil (samples, GST_SECOND, 16000));

  for (guint i = 0; i < 4000; i++) {
    GstBuffer *buf;

    gst_harness_push (h, mel_buffer (x + i, 1,
            gst_util_uint64_scale (i, GST_SECOND, 16000)));
    while ((buf = gst_harness_try_pull (h))) {
      guint position = gst_util_uint64_scale_round (GST_BUFFER_PTS (buf),
          16000, GST_SECOND);

      worst = MAX (worst, i + 1 - position);
      gst_buffer_unref (buf);
    }
  }
  fail_unless (worst == samples, "%s: expected frames after %u samples, found "
      "%u", props, samples, worst);
  gst_harness_teardown (h);
  g_free (x);
}

GST_START_TEST (test_latency)
{
  check_latency (SMALL "pad-mode=reflect", 201);
  check_latency (SMALL "pad-mode=constant", 200);
  check_latency (SMALL "pad-mode=none", 200);
  check_latency (SMALL "center=false", 400);
  check_latency (SMALL "center=false left-window=true win-length=300", 300);
  check_latency (SMALL "center=false frames-per-buffer=4", 880);
  check_latency (SMALL "center=false drop-last=true", 560);
  check_latency (SMALL "drop-last=true hop-length=300", 300);
  check_latency (SMALL "drop-last=true pad-mode=none", 360);
  check_latency (SMALL "n-fft=401 pad-mode=constant", 201);
  check_latency (SMALL "frames-per-buffer=3", 520);
}

GST_END_TEST;

GST_START_TEST (test_latency_message)
{
  GstHarness *h = mel_new (SMALL "rate=0");
  GstBus *bus = gst_bus_new ();
  GstMessage *msg;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps_str (h, "audio/x-raw, format=" GST_AUDIO_NE (F32)
      ", rate=8000, channels=1, layout=interleaved");
  msg = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY);
  fail_unless (msg != NULL);
  gst_message_unref (msg);
  fail_unless_equals_clocktime (gst_harness_query_latency (h),
      201 * GST_SECOND / 8000);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* What a stream of @x alone gives until its EOS, or without one. */
static GArray *
alone (const gchar * props, const gfloat * x, gsize n, gboolean eos)
{
  GstHarness *h = mel_new_with_rate (props, 16000);
  GArray *y;

  mel_push (h, x, n, n, 16000, 0);
  if (eos)
    gst_harness_push_event (h, gst_event_new_eos ());
  y = mel_pull (h);
  gst_harness_teardown (h);
  return y;
}

static void
expect_values (GstHarness * h, GArray * expected)
{
  GArray *found = mel_pull (h);

  fail_unless_equals_int (found->len, expected->len);
  fail_unless (memcmp (found->data, expected->data,
          found->len * sizeof (gfloat)) == 0);
  g_array_unref (found);
  g_array_unref (expected);
}

typedef enum
{
  BY_FLAG,
  BY_PTS,
  BACKWARDS,
  BY_GAP,
  BY_FLUSH,
  BY_STREAM,
  BY_CAPS
} Break;

/* After each kind of break, the stream is as it would be alone. */
static void
check_break (Break kind)
{
  static const gchar props[] = SMALL "rate=0 frames-per-buffer=4 clamp=running "
      "clamp-range=0.5 dither=0.001 discont-wait=0";
  GstHarness *h = mel_new_with_rate (props, 16000);
  gfloat *x = mel_noise (3000, 1), *y = mel_noise (2000, 2);
  gboolean drains = kind == BY_STREAM || kind == BY_CAPS;
  GstClockTime base = MS (5000), next = base + MS (3000) / 16;
  GstSegment segment;
  GstBuffer *buf;

  /* So much softer that a maximum remembered would raise all of it. */
  for (guint i = 0; i < 2000; i++)
    y[i] *= 0.01f;
  if (kind == BY_PTS)
    next += MS (41);
  if (kind == BACKWARDS)
    next -= MS (41);
  if (kind == BY_GAP)
    next += MS (20);

  mel_push (h, x, 3000, 500, 16000, base);
  switch (kind) {
    case BY_GAP:
      while (gst_harness_events_in_queue (h))
        gst_event_unref (gst_harness_pull_event (h));
      gst_harness_push_event (h, gst_event_new_gap (next - MS (20), MS (20)));
      {
        GstEvent *event = gst_harness_pull_event (h);

        fail_unless_equals_int (GST_EVENT_TYPE (event), GST_EVENT_GAP);
        gst_event_unref (event);
      }
      break;
    case BY_FLUSH:
      gst_harness_push_event (h, gst_event_new_flush_start ());
      gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
      gst_segment_init (&segment, GST_FORMAT_TIME);
      gst_harness_push_event (h, gst_event_new_segment (&segment));
      break;
    case BY_STREAM:
      gst_harness_push_event (h, gst_event_new_stream_start ("another"));
      gst_segment_init (&segment, GST_FORMAT_TIME);
      gst_harness_push_event (h, gst_event_new_segment (&segment));
      break;
    case BY_CAPS:
      gst_harness_set_src_caps_str (h, "audio/x-raw, channels=1, rate=32000, "
          "layout=interleaved, format=" GST_AUDIO_NE (F32));
      gst_harness_set_src_caps_str (h, "audio/x-raw, channels=1, rate=16000, "
          "layout=interleaved, format=" GST_AUDIO_NE (F32));
      break;
    default:
      break;
  }
  buf = mel_buffer (y, 2000, next);
  if (kind == BY_FLAG)
    GST_BUFFER_FLAG_SET (buf, GST_BUFFER_FLAG_DISCONT);
  fail_unless_equals_int (gst_harness_push (h, buf), GST_FLOW_OK);
  gst_harness_push_event (h, gst_event_new_eos ());

  /* 3000 samples: 18 frames complete, of which the last two wait for their buffer of four; one more at the end. */
  for (guint i = 0; i < 5; i++) {
    GArray *before = alone (props, x, 3000, TRUE);
    guint frames;

    if (i == 4 && kind == BY_FLUSH)
      frames = 0;
    else
      frames = i < 4 ? 4 : drains ? 3 : 2;
    if (frames) {
      GstMapInfo map;

      buf = gst_harness_pull (h);
      fail_unless_equals_clocktime (GST_BUFFER_PTS (buf), base + MS (40 * i));
      fail_unless_equals_clocktime (GST_BUFFER_DURATION (buf),
          MS (10 * frames));
      fail_unless (gst_buffer_map (buf, &map, GST_MAP_READ));
      fail_unless_equals_int (map.size, frames * 16);
      fail_unless (memcmp (map.data, before->data + i * 64, map.size) == 0);
      gst_buffer_unmap (buf, &map);
      gst_buffer_unref (buf);
    }
    g_array_unref (before);
  }
  buf = gst_harness_pull (h);
  fail_unless_equals_clocktime (GST_BUFFER_PTS (buf), next);
  fail_unless (GST_BUFFER_IS_DISCONT (buf));
  {
    GArray *after = alone (props, y, 2000, TRUE);
    GstMapInfo map;

    fail_unless (gst_buffer_map (buf, &map, GST_MAP_READ));
    fail_unless (memcmp (map.data, after->data, map.size) == 0);
    g_array_remove_range (after, 0, map.size / sizeof (gfloat));
    gst_buffer_unmap (buf, &map);
    gst_buffer_unref (buf);
    expect_values (h, after);
  }
  gst_harness_teardown (h);
  g_free (x);
  g_free (y);
}

GST_START_TEST (test_breaks)
{
  check_break (__i__);
}

GST_END_TEST;

/* Downstream that comes to prefer another spelling of the caps leaves no trace. */
GST_START_TEST (test_reconfigure)
{
  GstHarness *h = mel_new_with_rate (SMALL, 16000);
  gfloat *x = mel_noise (3000, 1);
  GArray *expected = alone (SMALL, x, 3000, TRUE);

  for (guint i = 0; i < 3000; i += 250) {
    gst_harness_set_sink_caps_str (h, i % 500 ?
        TENSOR_CAPS_TEMPLATE ", dimensions=(string)4" :
        TENSOR_CAPS_TEMPLATE ", dimensions=(string)4:1");
    gst_harness_push (h, mel_buffer (x + i, 250,
            gst_util_uint64_scale (i, GST_SECOND, 16000)));
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  expect_values (h, expected);
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* Buffers outside the segment, and parts of them, are no part of the stream. */
GST_START_TEST (test_segment)
{
  GstHarness *h = mel_new_with_rate (SMALL, 16000);
  gfloat *x = mel_noise (16000, 1);
  GstSegment segment;
  GstBuffer *buf;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = MS (250);
  segment.stop = MS (750);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  for (guint i = 0; i < 16000; i += 320)
    gst_harness_push (h, mel_buffer (x + i, 320,
            gst_util_uint64_scale (i, GST_SECOND, 16000)));
  gst_harness_push_event (h, gst_event_new_eos ());
  buf = gst_harness_pull (h);
  fail_unless_equals_clocktime (GST_BUFFER_PTS (buf), MS (250));
  gst_buffer_unref (buf);
  {
    GArray *part = alone (SMALL, x + 4000, 8000, TRUE);

    g_array_remove_range (part, 0, 4);
    expect_values (h, part);
  }
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* A filesrc's bytes: time from 0, counted by samples. */
GST_START_TEST (test_bytes)
{
  static const GstClockTime times[] = { 0, 10, 20, 30, 40, 50 };
  GstHarness *h = mel_new_with_rate (SMALL, 16000);
  gfloat *x = mel_noise (960, 1);
  const GstSegment *received;
  GstSegment segment;
  GstEvent *event;

  while (gst_harness_events_in_queue (h))
    gst_event_unref (gst_harness_pull_event (h));
  gst_segment_init (&segment, GST_FORMAT_BYTES);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  event = gst_harness_pull_event (h);
  gst_event_parse_segment (event, &received);
  fail_unless_equals_int (received->format, GST_FORMAT_TIME);
  gst_event_unref (event);
  for (guint i = 0; i < 960; i += 96) {
    GstBuffer *buf = mel_buffer (x + i, 96, GST_CLOCK_TIME_NONE);

    GST_BUFFER_OFFSET (buf) = i * sizeof (gfloat);
    gst_harness_push (h, buf);
  }
  expect_times (h, times, 5);
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* Without timestamps none are invented, and nothing is lost. */
GST_START_TEST (test_untimed)
{
  GstHarness *h = mel_new_with_rate (SMALL, 16000);
  gfloat *x = mel_noise (960, 1);
  GstBuffer *buf;

  for (guint i = 0; i < 960; i += 96)
    gst_harness_push (h, mel_buffer (x + i, 96, GST_CLOCK_TIME_NONE));
  for (guint i = 0; i < 5; i++) {
    buf = gst_harness_pull (h);
    fail_if (GST_BUFFER_PTS_IS_VALID (buf));
    fail_unless_equals_clocktime (GST_BUFFER_DURATION (buf), MS (10));
    gst_buffer_unref (buf);
  }
  fail_unless (gst_harness_try_pull (h) == NULL);
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* Pieces of 20 ms, 25 of them at once every 500 ms, each with the time of its arrival */
static void
push_bursts (GstHarness * h, const gfloat * x, guint n_bursts)
{
  for (guint i = 0; i < n_bursts * 25; i++)
    fail_unless_equals_int (gst_harness_push (h, mel_buffer (x + i * 320, 320,
                MS (500) * (i / 25) + i % 25 * GST_USECOND)), GST_FLOW_OK);
}

/* Bursts are no discontinuities: what comes out is the stream, in its time. */
GST_START_TEST (test_bursts)
{
  GstHarness *h = mel_new_with_rate (SMALL, 16000);
  GstBus *bus = gst_bus_new ();
  gfloat *x = mel_noise (48000, 1);

  gst_element_set_bus (h->element, bus);
  push_bursts (h, x, 6);
  gst_harness_push_event (h, gst_event_new_eos ());
  for (guint t = 0; t < 301; t++) {
    GstBuffer *buf = gst_harness_pull (h);

    fail_unless_equals_clocktime (GST_BUFFER_PTS (buf), MS (10 * t));
    fail_unless (GST_BUFFER_IS_DISCONT (buf) == (t == 0));
    gst_buffer_unref (buf);
  }
  fail_unless (gst_harness_try_pull (h) == NULL);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  gst_harness_teardown (h);

  h = mel_new_with_rate (SMALL, 16000);
  push_bursts (h, x, 6);
  gst_harness_push_event (h, gst_event_new_eos ());
  expect_values (h, alone (SMALL, x, 48000, TRUE));
  gst_harness_teardown (h);
  gst_object_unref (bus);
  g_free (x);
}

GST_END_TEST;

/* A jump that stays is one, after discont-wait, and repeated ones are told: the 2nd, the 10th. */
GST_START_TEST (test_repeated_jumps)
{
  GstHarness *h = mel_new_with_rate (SMALL "discont-wait=100000000", 16000);
  GstBus *bus = gst_bus_new ();
  gfloat *x = mel_noise (320, 1);
  GstClockTime pts = 0;
  GstMessage *message;
  GError *error;

  gst_element_set_bus (h->element, bus);
  for (guint jump = 0; jump < 11; jump++, pts += MS (60))
    for (guint i = 0; i < 10; i++, pts += MS (20))
      gst_harness_push (h, mel_buffer (x, 320, pts));
  for (guint i = 0; i < 2; i++) {
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    fail_unless (message != NULL);
    gst_message_parse_warning (message, &error, NULL);
    fail_unless (g_error_matches (error, GST_STREAM_ERROR,
            GST_STREAM_ERROR_FAILED));
    fail_unless (strstr (error->message, i ? "makes 10 " : "makes 2 ") != NULL,
        "%s", error->message);
    fail_unless (strstr (error->message, "audiorate") != NULL);
    g_error_free (error);
    gst_message_unref (message);
  }
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* 16000 samples in a segment that ends with them: the frame at the stop is inside what downstream gets. */
GST_START_TEST (test_stop)
{
  GstHarness *h = mel_new_with_rate (SMALL, 16000);
  gfloat *x = mel_noise (16160, 1);
  const GstSegment *found;
  GstSegment segment;
  GstEvent *event;
  guint n = 0;
  GstBuffer *buf;

  while (gst_harness_events_in_queue (h))
    gst_event_unref (gst_harness_pull_event (h));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.stop = GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  event = gst_harness_pull_event (h);
  gst_event_parse_segment (event, &found);
  mel_push (h, x, 16160, 160, 16000, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  while ((buf = gst_harness_try_pull (h))) {
    guint64 from = GST_BUFFER_PTS (buf), to;

    fail_unless (gst_segment_clip (found, GST_FORMAT_TIME, from,
            from + GST_BUFFER_DURATION (buf), &from, &to), "%u", n);
    n++;
    gst_buffer_unref (buf);
  }
  /* And no sample behind the stop is in them. */
  fail_unless_equals_int (n, 101);
  gst_event_unref (event);
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

/* Times of another segment mean something else: it is another stream, without a warning. */
GST_START_TEST (test_other_segment)
{
  static const GstClockTime times[] = { 0, 10, 20, 30, 40 };
  GstHarness *h = mel_new_with_rate (SMALL, 16000);
  gfloat *x = mel_noise (960, 1);
  GstSegment segment;

  mel_push (h, x, 960, 960, 16000, 0);
  expect_times (h, times, 5);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = MS (60);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  mel_push (h, x, 960, 960, 16000, 0);
  expect_times (h, times, 5);
  /* A new stop changes nothing. */
  segment.stop = MS (200);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  mel_push (h, x, 160, 160, 16000, MS (60));
  expect_times (h, (const GstClockTime[]) { 50 }, 1);
  gst_harness_teardown (h);
  g_free (x);
}

GST_END_TEST;

GST_START_TEST (test_backwards)
{
  GstHarness *h = mel_new_with_rate (SMALL, 16000);
  GstBus *bus = gst_bus_new ();
  GstSegment segment;
  GstMessage *message;

  gst_element_set_bus (h->element, bus);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = -1;
  segment.stop = GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_unref (message);
  gst_element_set_bus (h->element, NULL);
  gst_object_unref (bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* No number in, none out, in each frame that has the sample and in no other; the running maximum forgets it. */
static void
check_not_a_number (const gchar * props, gfloat value)
{
  GstHarness *h = mel_new_with_rate (props, 16000);
  gfloat *x = mel_noise (8000, 1);
  GArray *whole = alone (props, x, 8000, TRUE), *found;

  x[4000] = value;
  mel_push (h, x, 8000, 500, 16000, 0);
  gst_harness_push_event (h, gst_event_new_eos ());
  found = mel_pull (h);
  fail_unless_equals_int (found->len, whole->len);
  for (guint i = 0; i < found->len; i++) {
    const guint t = i / 4;
    const gfloat y = g_array_index (found, gfloat, i);

    /* Frame t has the samples 160 t - 200 to 160 t + 199. */
    if (160 * t > 3800 && 160 * t <= 4200)
      fail_if (isfinite (y), "%s: %g in frame %u", props, y, t);
    else
      fail_unless (y == g_array_index (whole, gfloat, i), "frame %u", t);
  }
  g_array_unref (found);
  g_array_unref (whole);
  gst_harness_teardown (h);
  g_free (x);
}

GST_START_TEST (test_not_a_number)
{
  static const gfloat values[] = { NAN, INFINITY, -INFINITY };
  static const gchar *const props[] = { SMALL, SMALL "log=none",
    SMALL "log=db", SMALL "clamp=fixed", SMALL "remove-dc=true preemphasis=0.9",
    SMALL "clamp=running clamp-range=100 clamp-time=0"
  };

  for (guint i = 0; i < G_N_ELEMENTS (props); i++)
    for (guint k = 0; k < G_N_ELEMENTS (values); k++)
      check_not_a_number (props[i], values[k]);
}

GST_END_TEST;

static Suite *
meltime_suite (void)
{
  Suite *s = suite_create ("meltime");
  TCase *tc = tcase_create ("time");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 120);
  tcase_add_test (tc, test_million);
  tcase_add_test (tc, test_jitter);
  tcase_add_test (tc, test_eos);
  tcase_add_test (tc, test_centre_without_padding);
  tcase_add_test (tc, test_latency);
  tcase_add_test (tc, test_latency_message);
  tcase_add_loop_test (tc, test_breaks, BY_FLAG, BY_CAPS + 1);
  tcase_add_test (tc, test_reconfigure);
  tcase_add_test (tc, test_segment);
  tcase_add_test (tc, test_bytes);
  tcase_add_test (tc, test_untimed);
  tcase_add_test (tc, test_bursts);
  tcase_add_test (tc, test_repeated_jumps);
  tcase_add_test (tc, test_stop);
  tcase_add_test (tc, test_other_segment);
  tcase_add_test (tc, test_backwards);
  tcase_add_test (tc, test_not_a_number);
  return s;
}

GST_CHECK_MAIN (meltime);
