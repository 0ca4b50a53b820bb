/* gst-continual: until the window is full
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

/* Nothing but gaps until the kind has an answer. */
static void
check_drop (const gchar * model, const gchar * dims)
{
  g_autoptr (Golden) g = golden_load (model, NULL);
  GstHarness *h = encoder_new (model, "");
  gint n = g->first;

  encoder_set_caps (h, dims, 100);
  push_vectors (h, g, 0, n);
  fail_unless (gst_harness_try_pull (h) == NULL, "%s", model);
  fail_unless_equals_int (count_gaps (h), n);
  push_vectors (h, g, n, 10);
  fail_unless_equals_int (count_gaps (h), 0);
  pull_outputs (h, g, 0, 10);
  fail_unless (gst_harness_try_pull (h) == NULL, "%s", model);
  gst_harness_teardown (h);
}

GST_START_TEST (test_drop)
{
  check_drop ("encoder-2-relu", "32");
  check_drop ("encoder-2-retroactive", "32");
  check_drop ("deep-3", "32");
  check_drop ("classifier-2-gelu", "20");
}

GST_END_TEST;

/* What there is: for one vector the output of a window of one. */
GST_START_TEST (test_partial)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  g_autoptr (CoOptions) options = co_options_new ();
  g_autofree gchar *path = model_path (g->name);
  GstHarness *h = encoder_new (g->name, "warm-up=partial");

  encoder_set_caps (h, "32", 100);
  for (gint t = 0; t < 8; t++) {
    g_autofree gchar *n = g_strdup_printf ("%d", t + 1);
    CoModel *model;
    float y[32];

    co_options_set (options, "sequence_len", n, NULL);
    model = co_model_load (path, options, NULL);
    co_model_forward (model, g->x, t + 1, y, NULL);
    push_vectors (h, g, t, 1);
    expect_output (h, y, 32, 1e-5);
    co_model_unref (model);
  }
  fail_unless_equals_int (count_gaps (h), 0);
  push_vectors (h, g, 8, 10);
  pull_outputs (h, g, 1, 10);
  gst_harness_teardown (h);
}

GST_END_TEST;

static guint
count_warnings (GstHarness * h, const gchar * word)
{
  GstBus *bus = gst_element_get_bus (h->element);
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING))) {
    g_autoptr (GError) error = NULL;

    gst_message_parse_warning (message, &error, NULL);
    fail_unless (strstr (error->message, word) != NULL, "%s", error->message);
    gst_message_unref (message);
    n++;
  }
  gst_object_unref (bus);
  return n;
}

/* A file that is shorter than a window gives nothing, and that is said. */
GST_START_TEST (test_too_few_vectors)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);

  for (gint n = 7; n <= 8; n++) {
    GstHarness *h = encoder_new (g->name, "");
    GstBus *bus = gst_bus_new ();

    gst_element_set_bus (h->element, bus);
    encoder_set_caps (h, "32", 100);
    push_vectors (h, g, 0, n);
    gst_harness_push_event (h, gst_event_new_eos ());
    fail_unless_equals_int (count_warnings (h, "Expected 8 vectors for the first output, found the end of the stream "
            "after 7"), n < 8);
    gst_element_set_bus (h->element, NULL);
    gst_object_unref (bus);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* A live pipeline comes to PLAYING on gaps alone, timed or not. */
static void
check_preroll (const gchar * times)
{
  g_autofree gchar *path = model_path ("encoder-1-relu");
  g_autofree gchar *line = g_strdup_printf ("fakesrc is-live=true "
      "sizetype=fixed sizemax=128 filltype=zero num-buffers=3 %s ! " TENSORS
      ",dimensions=(string)32,framerate=100/1 ! continualencoder "
      "model-path=%s ! fakesink sync=true async=true", times, path);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstState state = GST_STATE_NULL;

  fail_unless (pipeline != NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  fail_unless (gst_element_get_state (pipeline, &state, NULL,
          GST_CLOCK_TIME_NONE) != GST_STATE_CHANGE_FAILURE);
  fail_unless_equals_int (state, GST_STATE_PLAYING);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

GST_START_TEST (test_live_preroll)
{
  check_preroll ("do-timestamp=true format=time");
  check_preroll ("do-timestamp=false format=time");
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-warmup");
  TCase *tc = tcase_create ("warmup");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_drop);
  tcase_add_test (tc, test_partial);
  tcase_add_test (tc, test_too_few_vectors);
  tcase_add_test (tc, test_live_preroll);
  return s;
}

GST_CHECK_MAIN (encoder);
