/* gst-continual: what the tests of continualmux and continualdemux share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <math.h>
#include <string.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#define TENSORS "other/tensors,format=(string)static,num_tensors=(int)1,types=(string)float32"
#define TICK (20 * GST_MSECOND)
#define MAX_PADS 8

/* A mux whose output is at[0]'s; each slot in use has a harness that feeds it. */
typedef struct
{
  GstElement *mux;
  GstBus *bus;
  GstHarness *out;
  GstHarness *at[MAX_PADS];
  gboolean live;
} Rig;

static inline void
rig_join (Rig * rig, guint slot, const gchar * dims)
{
  gchar *name = g_strdup_printf ("sink_%u", slot);
  gchar *caps = g_strdup_printf (TENSORS ",dimensions=(string)%s,"
      "framerate=50/1", dims);

  rig->at[slot] = gst_harness_new_with_element (rig->mux, name, NULL);
  gst_harness_set_live (rig->at[slot], rig->live);
  gst_harness_set_src_caps_str (rig->at[slot], caps);
  g_free (caps);
  g_free (name);
}

/* @props as on gst-launch's line; slots 0 to @n - 1 in use, of vectors of two. */
static inline Rig
rig_new (const gchar * props, guint n, gboolean live)
{
  gchar *line = g_strconcat ("continualmux ", props, NULL);
  Rig rig = { gst_parse_launch (line, NULL), gst_bus_new () };

  fail_unless (rig.mux != NULL);
  g_free (line);
  rig.live = live;
  gst_element_set_bus (rig.mux, rig.bus);
  rig.out = gst_harness_new_with_element (rig.mux, NULL, "src");
  for (guint s = 0; s < n; s++)
    rig_join (&rig, s, "2");
  gst_harness_play (rig.out);
  return rig;
}

static inline void
rig_leave (Rig * rig, guint slot)
{
  gst_harness_teardown (rig->at[slot]);
  rig->at[slot] = NULL;
}

static inline void
rig_free (Rig * rig)
{
  for (guint s = 0; s < MAX_PADS; s++)
    if (rig->at[s])
      rig_leave (rig, s);
  gst_harness_teardown (rig->out);
  gst_element_set_bus (rig->mux, NULL);
  gst_object_unref (rig->bus);
  gst_object_unref (rig->mux);
}

/* The vector (@value, -@value). */
static inline GstBuffer *
pair_new (gfloat value, GstClockTime pts)
{
  const gfloat x[] = { value, -value };
  GstBuffer *buffer = gst_buffer_new_memdup (x, sizeof x);

  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = TICK;
  return buffer;
}

static inline void
rig_push (Rig * rig, guint slot, gfloat value, GstClockTime pts)
{
  fail_unless_equals_int (gst_harness_push (rig->at[slot], pair_new (value,
              pts)), GST_FLOW_OK);
}

/* The next buffer is of @pts and has vectors of the @expected values, NaN: absent. */
static inline void
rig_expect (Rig * rig, GstClockTime pts, guint n,
    const gfloat * expected /* (n) */ )
{
  GstBuffer *buffer = gst_harness_pull (rig->out);
  const gfloat *rows;
  GstMapInfo map;

  fail_unless (buffer != NULL);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless_equals_uint64 (map.size, n * 2 * sizeof (gfloat));
  rows = (const gfloat *) map.data;
  for (guint s = 0; s < n; s++)
    if (isnan (expected[s]))
      fail_unless (isnan (rows[2 * s]) && isnan (rows[2 * s + 1]),
          "slot %u has (%g, %g), is absent", s, rows[2 * s], rows[2 * s + 1]);
    else
      fail_unless (rows[2 * s] == expected[s]
          && rows[2 * s + 1] == -expected[s], "slot %u has (%g, %g), not %g", s,
          rows[2 * s], rows[2 * s + 1], expected[s]);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
}

#define EXPECT(rig, pts, ...) \
  rig_expect (rig, pts, sizeof ((gfloat[]) {__VA_ARGS__}) / sizeof (gfloat), \
      (gfloat[]) {__VA_ARGS__})

static inline GstEvent *
reset_new (void)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new_empty ("continual-reset"));
}

/* The streams of the resets that came out since the last call, "1 3 "; "all": no field. Free it. */
static inline gchar *
pull_resets (GstHarness * h)
{
  GString *res = g_string_new (NULL);
  GstEvent *event;
  gint stream;

  while ((event = gst_harness_try_pull_event (h))) {
    if (gst_event_has_name (event, "continual-reset")) {
      if (gst_structure_get_int (gst_event_get_structure (event), "stream",
              &stream))
        g_string_append_printf (res, "%d ", stream);
      else
        g_string_append (res, "all ");
    }
    gst_event_unref (event);
  }
  return g_string_free (res, FALSE);
}

static inline void
expect_resets (GstHarness * h, const gchar * expected)
{
  gchar *resets = pull_resets (h);

  fail_unless_equals_string (resets, expected);
  g_free (resets);
}

/* A message must be next and hold the words, up to NULL. */
static inline void
expect_message (GstBus * bus, GstMessageType type, GQuark domain, gint code,
    const gchar * word, ...)
{
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND,
      type);
  GError *error;
  va_list args;

  fail_unless (message != NULL);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  va_start (args, word);
  for (; word; word = va_arg (args, const gchar *))
    fail_unless (strstr (error->message, word) != NULL, "no \"%s\" in: %s",
        word, error->message);
  va_end (args);
  g_error_free (error);
  gst_message_unref (message);
}
