/* gst-continual: what the tests of classlabeler share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#define TENSORS "other/tensors,format=static,num_tensors=1,types=float32,dimensions=(string)"
#define TICK (10 * GST_MSECOND)

/* A running labeler for @dims with a bus of its own; properties end with NULL. */
static inline GstHarness *
labeler_new (const gchar * dims, const gchar * first_property, ...)
{
  GstElement *element = gst_element_factory_make ("classlabeler", NULL);
  gchar *caps = g_strconcat (TENSORS, dims, ",framerate=100/1", NULL);
  GstBus *bus = gst_bus_new ();
  GstHarness *h;
  va_list args;

  fail_unless (element != NULL);
  va_start (args, first_property);
  g_object_set_valist (G_OBJECT (element), first_property, args);
  va_end (args);
  gst_element_set_bus (element, bus);
  gst_object_unref (bus);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (h, caps);
  g_free (caps);
  return h;
}

/* Without the messages on its bus, which hold the labeler. */
static inline void
labeler_free (GstHarness * h)
{
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

/* A vector of @n floats, valid for the tick number @tick. */
static inline GstBuffer *
row_new (guint tick, guint n, const gfloat * x /* (n) */ )
{
  GstBuffer *buf = gst_buffer_new_memdup (x, n * sizeof (gfloat));

  GST_BUFFER_PTS (buf) = tick * TICK;
  GST_BUFFER_DURATION (buf) = TICK;
  return buf;
}

/* The text that a vector gives; NULL if there is none, and then a GAP of its time came in its place. */
static inline gchar *
push_row (GstHarness * h, guint tick, guint n, const gfloat * x /* (n) */ )
{
  GstBuffer *out;
  GstMapInfo map;
  gchar *text;
  guint gaps = 0;
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (h)))
    gst_event_unref (event);
  fail_unless_equals_int (gst_harness_push (h, row_new (tick, n, x)),
      GST_FLOW_OK);
  while ((event = gst_harness_try_pull_event (h))) {
    if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
      GstClockTime time, duration;

      gst_event_parse_gap (event, &time, &duration);
      fail_unless_equals_uint64 (time, tick * TICK);
      fail_unless_equals_uint64 (duration, TICK);
      gaps++;
    }
    gst_event_unref (event);
  }

  out = gst_harness_try_pull (h);
  if (!out) {
    fail_unless_equals_int (gaps, 1);
    return NULL;
  }
  fail_unless_equals_int (gaps, 0);
  fail_unless (gst_harness_try_pull (h) == NULL);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (out), tick * TICK);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (out), TICK);
  gst_buffer_map (out, &map, GST_MAP_READ);
  text = g_strndup ((const gchar *) map.data, map.size);
  fail_unless_equals_int (strlen (text), map.size);
  gst_buffer_unmap (out, &map);
  gst_buffer_unref (out);
  return text;
}

/* @expected NULL: nothing but a GAP. */
static inline void
check_row (GstHarness * h, guint tick, guint n, const gfloat * x /* (n) */ ,
    const gchar * expected)
{
  gchar *text = push_row (h, tick, n, x);

  fail_unless (g_strcmp0 (text, expected) == 0, "tick %u: expected %s, got %s",
      tick, expected, text);
  g_free (text);
}

static inline void
flush (GstHarness * h)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

/* The next message of @type, or NULL. Unref it. */
static inline GstMessage *
pop_message (GstHarness * h, GstMessageType type)
{
  GstBus *bus = gst_element_get_bus (h->element);
  GstMessage *message = gst_bus_pop_filtered (bus, type);

  gst_object_unref (bus);
  return message;
}

/* An error (or warning) must be next and hold the words, up to NULL. */
static inline void
check_message (GstBus * bus, GstMessageType type, GQuark domain, gint code,
    const gchar * word, ...)
{
  GstMessage *message = gst_bus_pop_filtered (bus, type);
  GError *error;
  gchar *debug, *all;
  va_list args;

  fail_unless (message != NULL);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, &debug);
  else
    gst_message_parse_warning (message, &error, &debug);
  all = g_strconcat (error->message, " ", debug, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s: %s %d", all,
      g_quark_to_string (error->domain), error->code);
  va_start (args, word);
  for (; word; word = va_arg (args, const gchar *))
    fail_unless (strstr (all, word) != NULL, "no \"%s\" in: %s", word, all);
  va_end (args);
  g_free (all);
  g_free (debug);
  g_error_free (error);
  gst_message_unref (message);
}

static inline gchar *
write_file (const gchar * data, gssize size)
{
  gchar *path;
  gint fd = g_file_open_tmp ("labels-XXXXXX", &path, NULL);

  fail_unless (fd >= 0);
  g_close (fd, NULL);
  fail_unless (g_file_set_contents (path, data, size, NULL));
  return path;
}
