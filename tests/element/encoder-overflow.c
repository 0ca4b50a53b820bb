/* gst-continual: outputs that are no numbers, of weights that are too large
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <glib/gstdio.h>

#define MODEL "encoder-1-relu"  /* 32 features, window 8 */

static Golden *g;
static gchar *path;

/* The model with 1e30 in the place of each weight. */
static void
setup (void)
{
  g_autofree gchar *from = model_path (MODEL);
  gint fd = g_file_open_tmp ("continual-XXXXXX", &path, NULL);
  const gfloat large = 1e30f;
  gchar *file;
  guint64 n;
  gsize size;

  fail_unless (fd >= 0);
  close (fd);
  g = golden_load (MODEL, NULL);
  fail_unless (g_file_get_contents (from, &file, &size, NULL));
  memcpy (&n, file, 8);
  for (gsize i = 8 + n; i + 4 <= size; i += 4)
    memcpy (file + i, &large, 4);
  fail_unless (g_file_set_contents (path, file, size, NULL));
  g_free (file);
}

static void
teardown (void)
{
  g_unlink (path);
  g_clear_pointer (&path, g_free);
  golden_free (g);
}

static GstHarness *
begin (const gchar * properties)
{
  g_autofree gchar *line = g_strdup_printf ("model-path=%s %s", path, properties);

  return encoder_new (NULL, line);
}

/* No output, and the bus says why: at the 1st and the 10th. */
GST_START_TEST (test_left_out)
{
  GstHarness *h = begin ("");
  GstBus *bus = bus_new (h->element);
  guint n_gaps = 0;
  GstEvent *event;

  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 18);
  fail_unless (gst_harness_try_pull (h) == NULL);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "Expected finite outputs",
      "weights", "makes 1.", NULL);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "makes 10.", NULL);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  while ((event = pull_event (h, GST_EVENT_GAP))) {
    gst_event_unref (event);
    n_gaps++;
  }
  fail_unless_equals_int (n_gaps, 18);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_error)
{
  GstHarness *h = begin ("on-invalid=error");
  GstBus *bus = bus_new (h->element);

  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 7);
  fail_unless_equals_int (gst_harness_push (h, vectors_new (g->x, 32,
              70 * GST_MSECOND, 10 * GST_MSECOND)), GST_FLOW_ERROR);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "Expected finite outputs",
      "weights", NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Of two streams, one is absent: its row is NaN throughout, the other one's is not. */
GST_START_TEST (test_streams)
{
  GstHarness *h = begin ("");
  GstBus *bus = bus_new (h->element);
  GstBuffer *buffer;
  float x[64], y[64];

  encoder_set_caps (h, "32:1:2", 100);
  for (gsize t = 0; t < 8; t++) {
    memcpy (x, g->x + t * 32, 32 * sizeof (float));
    for (gsize i = 32; i < 64; i++)
      x[i] = NAN;
    fail_unless_equals_int (gst_harness_push (h, vectors_new (x, 64,
                t * 10 * GST_MSECOND, 10 * GST_MSECOND)), GST_FLOW_OK);
  }
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "(stream 0)", NULL);
  buffer = gst_harness_pull (h);
  fail_unless_equals_int (gst_buffer_extract (buffer, 0, y, sizeof y), sizeof y);
  for (gsize s = 0; s < 2; s++) {
    gsize n_nan = 0;

    for (gsize i = 0; i < 32; i++)
      n_nan += isnan (y[32 * s + i]) != 0;
    fail_unless ((n_nan == 32) == (s == 1), "stream %d", (gint) s);
  }
  gst_buffer_unref (buffer);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-overflow");
  TCase *tc = tcase_create ("overflow");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_left_out);
  tcase_add_test (tc, test_error);
  tcase_add_test (tc, test_streams);
  return s;
}

GST_CHECK_MAIN (encoder);
