/* gst-continual: what loading a model says on the bus and in the log, and folders as models
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <glib/gstdio.h>

#define POSITIONS "app-window-positions"        /* 6 features, window 8; a table of 8 rows */
#define FOLDER "hf-bert"        /* 16 features, window 8 */

/* Of a table that begins anew before the window ends; the file does not say that this is meant. */
GST_START_TEST (test_warning)
{
  g_autofree gchar *path = model_copy (POSITIONS, "position_index", NULL);
  g_autofree gchar *right = model_path (POSITIONS);
  GstElement *e = gst_element_factory_make ("continualencoder", NULL);
  GstBus *bus = bus_new (e);

  g_object_set (e, "model-path", path, NULL);
  fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "position_index", NULL);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);

  /* A model that takes over is loaded, too. */
  g_object_set (e, "model-path", right, NULL);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  g_object_set (e, "model-path", path, NULL);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS, "position_index", NULL);
  gst_element_set_state (e, GST_STATE_NULL);
  bus_free (e, bus);
  gst_object_unref (e);
  g_unlink (path);
}

GST_END_TEST;

static void
find_line (GstDebugCategory * category, GstDebugLevel level, const gchar * file,
    const gchar * function, gint line, GObject * object,
    GstDebugMessage * message, gpointer found)
{
  const gchar *text = gst_debug_message_get (message);

  if (level == GST_LEVEL_INFO && strstr (text, "sequence_len"))
    *(gboolean *) found = TRUE;
}

/* GST_DEBUG=continual*:4 */
GST_START_TEST (test_log)
{
  gboolean found = FALSE;
  GstHarness *h;

  gst_debug_set_active (TRUE);
  gst_debug_remove_log_function (NULL);
  gst_debug_add_log_function (find_line, &found, NULL);
  gst_debug_set_threshold_for_name ("continual*", GST_LEVEL_FIXME);
  h = encoder_new (POSITIONS, "");
  fail_unless (!found);
  gst_harness_teardown (h);
  gst_debug_set_threshold_for_name ("continual*", GST_LEVEL_INFO);
  h = encoder_new (POSITIONS, "");
  fail_unless (found);
  gst_harness_teardown (h);
  gst_debug_remove_log_function (find_line);
}

GST_END_TEST;

/* Another folder takes over while the element runs, and starts afresh. */
GST_START_TEST (test_folder_takes_over)
{
  g_autoptr (Golden) g = golden_load (FOLDER, NULL);
  g_autofree gchar *from = model_path (FOLDER);
  g_autofree gchar *temporary = g_dir_make_tmp ("continual-XXXXXX", NULL);
  g_autofree gchar *to = g_build_filename (temporary, "model", NULL);
  GstHarness *h = encoder_new (FOLDER, g->properties);
  GstBus *bus = bus_new (h->element);
  g_autofree gchar *path = NULL;

  fail_unless_equals_int (symlink (from, to), 0);
  encoder_set_caps (h, "16", 100);
  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 3);
  encoder_set_text (h, "model-path", to);
  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 3);
  path = encoder_get_text (h, "model-path");
  fail_unless_equals_string (path, to);

  /* A folder without a model does not. */
  encoder_set_text (h, "model-path", temporary);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "The model in use stays",
      temporary, NULL);
  push_vectors (h, g, 10, 10);
  pull_outputs (h, g, 3, 10);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
  g_unlink (to);
  g_rmdir (temporary);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("model-loading");
  TCase *tc = tcase_create ("loading");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_warning);
  tcase_add_test (tc, test_log);
  tcase_add_test (tc, test_folder_takes_over);
  return s;
}

GST_CHECK_MAIN (encoder);
