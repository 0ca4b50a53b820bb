/* gst-continual: a model's labels travel downstream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <glib/gstdio.h>

#include "tensor/events.h"

#define MODEL "classifier-1"

static gchar *path, *other_path;

static void
setup (void)
{
  path = model_copy (MODEL, "labels", "[\"a\",\"b\",\"c\",\"d\",\"\u00e9\"]");
  other_path = model_copy (MODEL, "labels",
      "[\"v\",\"w\",\"x\",\"y\",\"z\"]");
}

static void
teardown (void)
{
  g_unlink (path);
  g_unlink (other_path);
  g_clear_pointer (&path, g_free);
  g_clear_pointer (&other_path, g_free);
}

/* The next labels that came out: the first and the last. */
static void
expect_labels (GstHarness * h, const gchar * a, const gchar * e)
{
  GstEvent *event = pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  g_auto (GStrv) labels = NULL;

  fail_unless (event != NULL);
  labels = labels_event_parse (event);
  fail_unless (labels != NULL);
  fail_unless_equals_int (g_strv_length (labels), 5);
  fail_unless_equals_string (labels[0], a);
  fail_unless_equals_string (labels[4], e);
  gst_event_unref (event);
}

static GstHarness *
begin (const Golden * g)
{
  g_autofree gchar *properties = g_strdup_printf ("model-path=%s", path);
  GstHarness *h = encoder_new (NULL, properties);

  encoder_set_caps (h, "20", 100);
  push_vectors (h, g, 0, 1);
  return h;
}

/* Before anything else comes out, also before a gap; once. */
GST_START_TEST (test_first)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = begin (g);

  expect_labels (h, "a", "\u00e9");
  push_vectors (h, g, 1, 10);
  fail_unless (pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) == NULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_new_stream)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = begin (g);
  GstSegment segment;

  expect_labels (h, "a", "\u00e9");
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_stream_start ("next"));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  gst_harness_push_event (h, gst_event_new_gap (0, 1));
  expect_labels (h, "a", "\u00e9");
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_new_model)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = begin (g);
  GstElement *e = encoder_get (h);

  expect_labels (h, "a", "\u00e9");
  g_object_set (e, "model-path", other_path, NULL);
  push_vectors (h, g, 1, 1);
  expect_labels (h, "v", "z");
  gst_object_unref (e);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Whoever keeps the old ones learns, once, that they hold no longer. */
GST_START_TEST (test_new_model_without)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  g_autofree gchar *without = model_path (MODEL);
  GstHarness *h = begin (g);
  GstElement *e = encoder_get (h);
  g_auto (GStrv) labels = NULL;
  GstEvent *event;

  expect_labels (h, "a", "\u00e9");
  g_object_set (e, "model-path", without, NULL);
  push_vectors (h, g, 1, 1);
  event = pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  fail_unless (event != NULL);
  labels = labels_event_parse (event);
  fail_unless (labels != NULL && labels[0] == NULL);
  gst_event_unref (event);
  gst_harness_push_event (h, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new_empty ("continual-reset")));
  gst_harness_push_event (h, gst_event_new_stream_start ("next"));
  push_vectors (h, g, 2, 1);
  fail_unless (pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) == NULL);
  g_object_set (e, "model-path", other_path, NULL);
  push_vectors (h, g, 3, 1);
  expect_labels (h, "v", "z");
  gst_object_unref (e);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_none)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = encoder_new (MODEL, "");

  encoder_set_caps (h, "20", 100);
  push_vectors (h, g, 0, 10);
  fail_unless (pull_event (h, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) == NULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-labels");
  TCase *tc = tcase_create ("labels");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_first);
  tcase_add_test (tc, test_new_stream);
  tcase_add_test (tc, test_new_model);
  tcase_add_test (tc, test_new_model_without);
  tcase_add_test (tc, test_none);
  return s;
}

GST_CHECK_MAIN (encoder);
