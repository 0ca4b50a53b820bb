/* gst-continual: snapshots and state changes of continualencoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define MODEL "encoder-2-retroactive"

static GBytes *
get_state (GstHarness * h)
{
  GstElement *e = encoder_get (h);
  GBytes *state = NULL;

  g_signal_emit_by_name (e, "get-state", &state);
  gst_object_unref (e);
  return state;
}

static gboolean
set_state (GstHarness * h, GBytes * state)
{
  GstElement *e = encoder_get (h);
  gboolean ok = FALSE;

  g_signal_emit_by_name (e, "set-state", state, &ok);
  gst_object_unref (e);
  return ok;
}

/* Another element goes on where the first one was, to the bit. */
GST_START_TEST (test_snapshot)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *a = encoder_new (MODEL, ""), *b = encoder_new (MODEL, "");
  g_autoptr (GBytes) state = NULL;

  encoder_set_caps (a, "32", 100);
  push_vectors (a, g, 0, 12);
  pull_outputs (a, g, 0, 5);
  state = get_state (a);
  fail_unless (state != NULL);
  fail_unless (set_state (b, state));
  encoder_set_caps (b, "32", 100);
  push_vectors (a, g, 12, 10);
  push_vectors (b, g, 12, 10);
  for (gint i = 0; i < 10; i++) {
    GstBuffer *x = gst_harness_pull (a), *y = gst_harness_pull (b);
    GstMapInfo map;

    gst_buffer_map (x, &map, GST_MAP_READ);
    fail_unless (map.size == gst_buffer_get_size (y));
    fail_unless (gst_buffer_memcmp (y, 0, map.data, map.size) == 0);
    gst_buffer_unmap (x, &map);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (x), GST_BUFFER_PTS (y));
    gst_buffer_unref (x);
    gst_buffer_unref (y);
  }
  gst_harness_teardown (a);
  gst_harness_teardown (b);
}

GST_END_TEST;

/* What was answered before the snapshot has no times in it: they are counted back. */
GST_START_TEST (test_snapshot_looking_back)
{
  const gchar *name = "encoder-1-query-index-2";
  g_autoptr (Golden) g = golden_load (name, NULL);
  GstHarness *h = encoder_new (name, "");
  g_autoptr (GBytes) state = NULL;
  GstBuffer *buffer;

  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 12);
  pull_outputs (h, g, 0, 5);
  state = get_state (h);
  fail_unless (set_state (h, state));
  push_vectors (h, g, 12, 1);
  buffer = gst_harness_pull (h);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), 70 * GST_MSECOND);
  fail_unless (difference (buffer, g->y + 5 * 32, 32) <= g->atol);
  gst_buffer_unref (buffer);
  gst_harness_teardown (h);
}

GST_END_TEST;

static void
check_refused (GstHarness * h, GBytes * state, const gchar * word)
{
  GstBus *bus = bus_new (h->element);

  fail_if (set_state (h, state));
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "not restored", word,
      NULL);
  bus_free (h->element, bus);
}

/* The state stays as it was. */
GST_START_TEST (test_refused)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = encoder_new (MODEL, "");
  GstHarness *other = encoder_new ("encoder-2-relu", "");
  g_autoptr (GBytes) state = NULL, foreign = get_state (other), cut = NULL,
      altered = NULL;
  guint8 *copy;
  gsize size;

  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 12);
  pull_outputs (h, g, 0, 5);
  state = get_state (h);
  size = g_bytes_get_size (state);
  cut = g_bytes_new_from_bytes (state, 0, size - 1);
  copy = g_memdup2 (g_bytes_get_data (state, NULL), size);
  copy[size / 2] ^= 1;
  altered = g_bytes_new_take (copy, size);
  check_refused (h, foreign, "model");
  check_refused (h, cut, "expected");
  check_refused (h, altered, "expected");
  check_refused (h, NULL, "none");
  push_vectors (h, g, 12, 5);
  pull_outputs (h, g, 5, 5);
  gst_harness_teardown (other);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_stopped)
{
  GstElement *e = gst_element_factory_make ("continualencoder", NULL);
  GBytes *state = (GBytes *) e;

  g_signal_emit_by_name (e, "clean-state");
  g_signal_emit_by_name (e, "get-state", &state);
  fail_unless (state == NULL);
  gst_object_unref (e);
}

GST_END_TEST;

/* Each start is a fresh one, up and down through all states. */
GST_START_TEST (test_cycles)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = encoder_new (MODEL, "");
  const GstState lows[] = { GST_STATE_NULL, GST_STATE_READY };

  for (gint i = 0; i < 100; i++) {
    encoder_start (h);
    encoder_set_caps (h, "32", 100);
    push_vectors (h, g, 0, 8 + i % 3);
    pull_outputs (h, g, 0, 1 + i % 3);
    fail_unless (gst_harness_try_pull (h) == NULL);
    if (i % 2)
      gst_harness_push_event (h, gst_event_new_eos ());
    encoder_stop (h, lows[i % 2]);
  }
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-state");
  TCase *tc = tcase_create ("state");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_snapshot);
  tcase_add_test (tc, test_snapshot_looking_back);
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_stopped);
  tcase_add_test (tc, test_cycles);
  return s;
}

GST_CHECK_MAIN (encoder);
