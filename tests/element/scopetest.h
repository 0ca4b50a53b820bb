/* gst-continual: what the tests of tensorscope share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "encodertest.h"
#include "scope/scale.h"

/* @properties as on gst-launch's line; @video as "width=40,height=30", or "". The bus is the element's. */
static inline GstHarness *
scope_new (const gchar * properties, const gchar * video)
{
  g_autofree gchar *line = g_strconcat ("tensorscope ", properties, NULL);
  g_autofree gchar *caps = g_strdup_printf ("video/x-raw%s%s", *video ? "," : "",
      video);
  GError *error = NULL;
  GstElement *element = gst_parse_launch (line, &error);
  GstHarness *h;

  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  gst_object_unref (bus_new (element));
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_sink_caps_str (h, caps);
  return h;
}

static inline void
scope_free (GstHarness * h)
{
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

static inline GstMessage *
scope_pop_error (GstHarness * h)
{
  GstBus *bus = gst_element_get_bus (h->element);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

  gst_object_unref (bus);
  return message;
}

/* A vector of @n floats at @ms, of @duration ms (negative: it does not say) */
static inline GstFlowReturn
scope_push (GstHarness * h, const gfloat * x, gsize n, gint ms, gint duration)
{
  const GstClockTime known = (GstClockTime) MAX (duration, 0) * GST_MSECOND;

  return gst_harness_push (h, vectors_new (x, n, ms * GST_MSECOND,
          duration < 0 ? GST_CLOCK_TIME_NONE : known));
}

/* One value */
static inline void
scope_push_value (GstHarness * h, gfloat x, gint ms, gint duration)
{
  fail_unless_equals_int (scope_push (h, &x, 1, ms, duration), GST_FLOW_OK);
}

/* The colour of a pixel of a frame that is @width pixels wide */
static inline guint32
scope_get_pixel (GstBuffer * frame, guint width, guint x, guint y)
{
  guint32 pixel;

  fail_unless_equals_uint64 (gst_buffer_extract (frame,
          ((gsize) y * width + x) * 4, &pixel, 4), 4);
  return pixel & 0xffffff;
}

/* The next frame, which begins at @pts and lasts until @end. Unref it. */
static inline GstBuffer *
scope_pull (GstHarness * h, GstClockTime pts, GstClockTime end)
{
  GstBuffer *frame = gst_harness_try_pull (h);

  fail_unless (frame != NULL, "no frame at %" GST_TIME_FORMAT,
      GST_TIME_ARGS (pts));
  fail_unless_equals_uint64 (GST_BUFFER_PTS (frame), pts);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (frame), end - pts);
  return frame;
}

/* The same, of 40 ms at @ms; its grey value, where one value fills the picture */
static inline guint
scope_pull_value (GstHarness * h, guint ms)
{
  GstBuffer *frame = scope_pull (h, ms * GST_MSECOND, (ms + 40) * GST_MSECOND);
  const guint32 pixel = scope_get_pixel (frame, 8, 3, 2);

  gst_buffer_unref (frame);
  fail_unless (pixel == (pixel & 0xff) * 0x010101 || pixel == SCOPE_EMPTY,
      "no grey: %06x", pixel);
  return pixel == SCOPE_EMPTY ? 1000 : pixel & 0xff;
}

/* With these, the whole picture has the grey value of the newest vector; 1000: none. */
#define ONE_VALUE "history=1 colormap=gray min=0 max=255"
#define SMALL "width=8,height=6"
