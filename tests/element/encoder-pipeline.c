/* gst-continual: continualencoder in pipelines as users type them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <glib/gstdio.h>

static gchar *dir;

static void
setup (void)
{
  dir = g_dir_make_tmp ("continual-XXXXXX", NULL);
}

static void
teardown (void)
{
  const gchar *files[] = { "in.f32", "out.f32" };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree gchar *path = g_build_filename (dir, files[i], NULL);

    g_unlink (path);
  }
  g_rmdir (dir);
  g_clear_pointer (&dir, g_free);
}

#ifdef __has_feature
#if __has_feature (address_sanitizer) || __has_feature (thread_sanitizer)
#define SANITIZED
#endif
#elif defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
#define SANITIZED
#endif

#ifdef SANITIZED
/* A plugin with a sanitizer in it can't be loaded by a program without. */
static void
run_launch (const gchar * line)
{
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}
#else
/* In a process of its own, as a user does */
static void
run_launch (const gchar * line)
{
  g_autofree gchar *command = g_strdup_printf ("gst-launch-1.0 -q %s", line);
  g_autofree gchar *out = NULL, *err = NULL;
  g_autoptr (GError) error = NULL;
  gint status;

  fail_unless (g_spawn_command_line_sync (command, &out, &err, &status,
          &error), "%s: %s", command, error ? error->message : "");
  fail_unless (g_spawn_check_wait_status (status, NULL), "%s:\n%s%s", command,
      out, err);
}
#endif

static void
check_file (const gchar * path, const Golden * g)
{
  g_autofree gchar *content = NULL;
  gsize size;
  GstBuffer *buffer;
  gdouble d;

  fail_unless (g_file_get_contents (path, &content, &size, NULL));
  buffer = gst_buffer_new_memdup (content, size);
  d = difference (buffer, g->y, g->n_outputs * g->y_size);
  fail_unless (d <= g->atol, "%s: %d bytes, off by %g", g->name, (gint) size,
      d);
  gst_buffer_unref (buffer);
}

/* filesrc's blocks are not whole vectors, whatever their size. */
static const gint blocks[] = { 4096, 1, 100, 6, 1 << 20 };

GST_START_TEST (test_file_to_file)
{
  g_autoptr (Golden) g = golden_load ("encoder-2-relu", NULL);
  const gsize C = co_model_get_info (g->model)->n_inputs;
  g_autofree gchar *in = g_build_filename (dir, "in.f32", NULL);
  g_autofree gchar *out = g_build_filename (dir, "out.f32", NULL);
  g_autofree gchar *model = model_path (g->name);
  g_autofree gchar *line = NULL;

  fail_unless (g_file_set_contents (in, (const gchar *) g->x,
          g->n_steps * C * sizeof (float), NULL));
  line = g_strdup_printf ("filesrc location=%s blocksize=%d ! " TENSORS
      ",dimensions=(string)%d,framerate=100/1 ! continualencoder "
      "model-path=%s ! filesink location=%s", in, blocks[__i__], (gint) C,
      model, out);
  run_launch (line);
  check_file (out, g);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-pipeline");
  TCase *tc = tcase_create ("launch");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_file_to_file, 0, G_N_ELEMENTS (blocks));
  return s;
}

GST_CHECK_MAIN (encoder);
