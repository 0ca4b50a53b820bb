/* gst-continual: what the tests of melspectrogram share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

/* @props as on gst-launch's line; the harness owns the element. */
static inline GstHarness *
mel_new (const gchar * props)
{
  gchar *line = g_strconcat ("melspectrogram ", props, NULL);
  GError *error = NULL;
  GstElement *element = gst_parse_launch (line, &error);
  GstHarness *h;

  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  g_free (line);
  return h;
}

static inline GstHarness *
mel_new_with_rate (const gchar * props, guint rate)
{
  GstHarness *h = mel_new (props);
  gchar *caps = g_strdup_printf ("audio/x-raw, format=%s, rate=%u, channels=1,"
      " layout=interleaved", GST_AUDIO_NE (F32), rate);

  gst_harness_set_src_caps_str (h, caps);
  g_free (caps);
  return h;
}

static inline GstBuffer *
mel_buffer (const gfloat * x /* (n) */ , gsize n, GstClockTime pts)
{
  GstBuffer *buf = gst_buffer_new_memdup (x, n * sizeof (gfloat));

  GST_BUFFER_PTS (buf) = pts;
  return buf;
}

/* @x in buffers of @split samples, timestamped from @base on. */
static inline void
mel_push (GstHarness * h, const gfloat * x /* (n) */ , gsize n, gsize split,
    guint rate, GstClockTime base)
{
  for (gsize i = 0; i < n; i += split)
    fail_unless_equals_int (gst_harness_push (h, mel_buffer (x + i,
                MIN (split, n - i),
                base + gst_util_uint64_scale (i, GST_SECOND, rate))),
        GST_FLOW_OK);
}

/* All vectors that came out, (frames, n_mels). Free it with g_array_unref(). */
static inline GArray *
mel_pull (GstHarness * h)
{
  GArray *values = g_array_new (FALSE, FALSE, sizeof (gfloat));
  GstBuffer *buf;
  GstMapInfo map;

  while ((buf = gst_harness_try_pull (h))) {
    fail_unless (gst_buffer_map (buf, &map, GST_MAP_READ));
    fail_unless_equals_int (map.size % sizeof (gfloat), 0);
    g_array_append_vals (values, map.data, map.size / sizeof (gfloat));
    gst_buffer_unmap (buf, &map);
    gst_buffer_unref (buf);
  }
  return values;
}

/* Something that is neither periodic nor symmetric, the same at every run. */
static inline gfloat *
mel_noise (gsize n, guint seed)
{
  gfloat *x = g_new (gfloat, n);
  guint32 state = seed * 2654435761u + 1;

  for (gsize i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    x[i] = (gfloat) ((gint32) state / 2147483648.0 * 0.5);
  }
  return x;
}
