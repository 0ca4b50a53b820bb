/* gst-continual: what the tests of continualencoder share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <math.h>

#include "golden.h"

#define TENSORS "other/tensors,format=(string)static,num_tensors=(int)1,types=(string)float32"

/* The model of a golden case. Free it. */
static inline gchar *
model_path (const gchar * name)
{
  return golden_model_path (name);
}

/* A copy of the case's model file with metadata @key set to @value, or without it (NULL). Free and unlink it. */
static inline gchar *
model_copy (const gchar * name, const gchar * key, const gchar * value)
{
  g_autofree gchar *from = model_path (name);
  g_autofree gchar *file = NULL, *header = NULL;
  g_autoptr (GString) content = g_string_new (NULL);
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("continual-XXXXXX", &path, NULL);
  gsize size;
  guint64 n;
  json_t *root, *metadata;

  fail_unless (fd >= 0);
  close (fd);
  fail_unless (g_file_get_contents (from, &file, &size, NULL));
  memcpy (&n, file, 8);
  root = json_loadb (file + 8, n, 0, NULL);
  metadata = json_object_get (root, "__metadata__");
  if (value)
    json_object_set_new (metadata, key, json_string (value));
  else
    json_object_del (metadata, key);
  header = json_dumps (root, JSON_COMPACT);
  json_decref (root);
  g_string_append_len (content, (gchar *) & (guint64) {
      strlen (header)}, 8);
  g_string_append (content, header);
  g_string_append_len (content, file + 8 + n, size - 8 - n);
  fail_unless (g_file_set_contents (path, content->str, content->len, NULL));
  return path;
}

/* A harness around continualencoder with the model of golden case @name, or none. @properties: as in gst-launch. */
static inline GstHarness *
encoder_new (const gchar * name, const gchar * properties)
{
  g_autofree gchar *path = name ? model_path (name) : NULL;
  g_autofree gchar *line = g_strdup_printf ("continualencoder name=e %s%s %s",
      path ? "model-path=" : "", path ? path : "", properties);

  return gst_harness_new_parse (line);
}

static inline GstElement *
encoder_get (GstHarness * h)
{
  return gst_harness_find_element (h, "continualencoder");
}

/* A property whose value is text */
static inline void
encoder_set_text (GstHarness * h, const gchar * property, const gchar * text)
{
  GstElement *e = encoder_get (h);

  g_object_set (e, property, text, NULL);
  gst_object_unref (e);
}

static inline gchar *
encoder_get_text (GstHarness * h, const gchar * property)
{
  GstElement *e = encoder_get (h);
  gchar *text;

  g_object_get (e, property, &text, NULL);
  gst_object_unref (e);
  return text;
}

/* @dims: as in the caps, @fps: vectors of a second, or 0 */
static inline void
encoder_set_caps (GstHarness * h, const gchar * dims, gint fps)
{
  g_autofree gchar *text = g_strdup_printf (TENSORS
      ",dimensions=(string)%s,framerate=(fraction)%d/1", dims, fps);

  gst_harness_set_src_caps_str (h, text);
}

/* Down to @low; the other ends of its links begin anew, too. */
static inline void
encoder_stop (GstHarness * h, GstState low)
{
  fail_unless_equals_int (gst_element_set_state (h->element, low),
      GST_STATE_CHANGE_SUCCESS);
  gst_pad_set_active (h->srcpad, FALSE);
  gst_pad_set_active (h->srcpad, TRUE);
  gst_pad_set_active (h->sinkpad, FALSE);
  gst_pad_set_active (h->sinkpad, TRUE);
}

/* After encoder_stop(): a new stream, of which the caps are to come. */
static inline void
encoder_start (GstHarness * h)
{
  fail_unless_equals_int (gst_element_set_state (h->element,
          GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  gst_harness_push_event (h, gst_event_new_stream_start ("s"));
}

/* A buffer of @n floats */
static inline GstBuffer *
vectors_new (const float *x, gsize n, GstClockTime pts, GstClockTime duration)
{
  GstBuffer *buffer =
      gst_buffer_new_memdup (x, n * sizeof (float));

  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = duration;
  return buffer;
}

/* The largest difference of @buffer's numbers from @y; NaN: the size differs, or NaN on one side only. */
static inline gdouble
difference (GstBuffer * buffer, const float *y, gsize n)
{
  GstMapInfo map;
  gdouble worst = 0;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  if (map.size != n * sizeof (float))
    worst = NAN;
  for (gsize i = 0; i < n && !isnan (worst); i++) {
    float found = ((const float *) map.data)[i];

    if (isnan (found) != isnan (y[i]))
      worst = NAN;
    else if (!isnan (found))
      worst = MAX (worst, fabs ((gdouble) found - y[i]));
  }
  gst_buffer_unmap (buffer, &map);
  return worst;
}

/* Pulls a buffer and checks its numbers. */
static inline void
expect_output (GstHarness * h, const float *y, gsize n, gdouble atol)
{
  GstBuffer *buffer = gst_harness_try_pull (h);
  gdouble d;

  fail_unless (buffer != NULL, "no output");
  d = difference (buffer, y, n);
  fail_unless (d <= atol, "off by %g", d);
  gst_buffer_unref (buffer);
}

/* Gives @element a bus of its own. */
static inline GstBus *
bus_new (GstElement * element)
{
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  return bus;
}

static inline void
bus_free (GstElement * element, GstBus * bus)
{
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
}

/* Pushes @n vectors of the case from vector @from on, one in a buffer, 10 ms each. */
static inline void
push_vectors (GstHarness * h, const Golden * g, gsize from, gsize n)
{
  const gsize C = co_model_get_info (g->model)->n_inputs;

  for (gsize t = from; t < from + n; t++)
    fail_unless_equals_int (gst_harness_push (h, vectors_new (g->x + t * C, C,
                t * 10 * GST_MSECOND, 10 * GST_MSECOND)), GST_FLOW_OK);
}

/* Pulls @n outputs and checks that they are those of the case from its output @from on. */
static inline void
pull_outputs (GstHarness * h, const Golden * g, gsize from, gsize n)
{
  for (gsize i = from; i < from + n; i++)
    expect_output (h, g->y + i * g->y_size, g->y_size, g->atol);
}

/* The next event of @type that came out, of those before it none; NULL: there is none. */
static inline GstEvent *
pull_event (GstHarness * h, GstEventType type)
{
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (h))) {
    if (GST_EVENT_TYPE (event) == type)
      return event;
    gst_event_unref (event);
  }
  return NULL;
}

/* GAP events that came out, of which none is left */
static inline guint
count_gaps (GstHarness * h)
{
  GstEvent *event;
  guint n = 0;

  while ((event = pull_event (h, GST_EVENT_GAP))) {
    gst_event_unref (event);
    n++;
  }
  return n;
}

/* @message is an error or a warning of @domain and @code, and says each of the words, ended by NULL. Unrefs it. */
static inline void
check_message (GstMessage * message, GQuark domain, gint code,
    const gchar * first, ...)
{
  g_autoptr (GError) error = NULL;
  va_list words;

  fail_unless (message != NULL, "no message");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s %d: %s",
      g_quark_to_string (error->domain), error->code, error->message);
  va_start (words, first);
  for (const gchar * word = first; word; word = va_arg (words, const gchar *))
      fail_unless (strstr (error->message, word) != NULL,
        "'%s' is not in: %s", word, error->message);
  va_end (words);
  gst_message_unref (message);
}
