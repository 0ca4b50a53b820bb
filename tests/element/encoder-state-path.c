/* gst-continual: what state-path may be, and what stays of the file
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything happens in a folder of the test. */
#include "encodertest.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODEL "encoder-2-retroactive"   /* 32 features */

static Golden *g;
static gchar *dir;

static void
setup (void)
{
  g = golden_load (MODEL, NULL);
  dir = g_dir_make_tmp ("continual-path-XXXXXX", NULL);
}

static void
teardown (void)
{
  fail_unless_equals_int (g_rmdir (dir), 0);    /* nothing was left there */
  g_clear_pointer (&dir, g_free);
  golden_free (g);
}

static gchar *
in_dir (const gchar * name)
{
  return g_build_filename (dir, name, NULL);
}

static GstElement *
encoder_with (const gchar * model, const gchar * state, GstBus ** bus)
{
  GstElement *e = gst_element_factory_make ("continualencoder", NULL);

  gst_object_ref_sink (e);
  g_object_set (e, "model-path", model, "state-path", state, NULL);
  *bus = bus_new (e);
  return e;
}

static void
element_free (GstElement * e, GstBus * bus)
{
  gst_element_set_state (e, GST_STATE_NULL);
  bus_free (e, bus);
  gst_object_unref (e);
}

/* The element does not start, and says @word. */
static void
check_refused (const gchar * model, const gchar * state, const gchar * word)
{
  GstBus *bus;
  GstElement *e = encoder_with (model, state, &bus);

  fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "regular file", state,
      word, NULL);
  element_free (e, bus);
}

/* A state is saved at @state, from vectors of the golden case. */
static void
save_at (const gchar * state)
{
  g_autofree gchar *line = g_strdup_printf ("state-path=%s", state);
  GstHarness *h = encoder_new (MODEL, line);

  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 12);
  gst_element_set_state (h->element, GST_STATE_NULL);
  gst_harness_teardown (h);
}

GST_START_TEST (test_no_regular_file)
{
  g_autofree gchar *model = model_path (MODEL), *fifo = in_dir ("fifo"), *link = in_dir ("link");
  struct stat info;

  fail_unless_equals_int (mkfifo (fifo, 0600), 0);
  fail_unless_equals_int (symlink ("fifo", link), 0);
  check_refused (model, fifo, "FIFO");
  check_refused (model, link, "FIFO");
  check_refused (model, dir, "folder");
  fail_unless_equals_int (stat (fifo, &info), 0);
  fail_unless (S_ISFIFO (info.st_mode));
  g_unlink (link);
  fail_unless_equals_int (symlink ("link", link), 0);
  check_refused (model, link, "link to itself");
  g_unlink (link);
  g_unlink (fifo);
}

GST_END_TEST;

/* Under any name of it */
GST_START_TEST (test_file_of_the_model)
{
  g_autofree gchar *from = model_path (MODEL), *model = in_dir ("model.safetensors"), *link = in_dir ("state");
  g_autofree gchar *before = NULL, *after = NULL;
  gsize n_before, n_after;

  fail_unless (g_file_get_contents (from, &before, &n_before, NULL));
  fail_unless (g_file_set_contents (model, before, n_before, NULL));
  fail_unless_equals_int (symlink ("model.safetensors", link), 0);
  check_refused (model, model, "file of the model");
  check_refused (model, link, "file of the model");
  check_refused (dir, model, "file of the model");
  fail_unless (g_file_get_contents (model, &after, &n_after, NULL));
  fail_unless (n_after == n_before && memcmp (before, after, n_after) == 0);
  g_unlink (link);
  g_unlink (model);
}

GST_END_TEST;

/* A link stays one, and its target gets the state; mode and owner stay. */
GST_START_TEST (test_link_mode_owner)
{
  g_autofree gchar *target = in_dir ("target"), *link = in_dir ("link");
  static const mode_t modes[] = { 0600, 0666, 0640 };
  struct stat info;

  fail_unless_equals_int (symlink ("target", link), 0);
  save_at (link);               /* there was no target yet */
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    const gboolean root = getuid () == 0;

    fail_unless_equals_int (g_chmod (target, modes[i]), 0);
    if (root)
      fail_unless_equals_int (chown (target, 1234, 4321), 0);
    save_at (link);
    fail_unless_equals_int (lstat (link, &info), 0);
    fail_unless (S_ISLNK (info.st_mode));
    fail_unless_equals_int (stat (target, &info), 0);
    fail_unless (S_ISREG (info.st_mode) && info.st_size > 0);
    fail_unless_equals_int (info.st_mode & 0777, modes[i]);
    fail_unless (!root || (info.st_uid == 1234 && info.st_gid == 4321));
  }
  g_unlink (link);
  g_unlink (target);
}

GST_END_TEST;

/* The second one is refused, under any name of the file, until the first has stopped. */
GST_START_TEST (test_two_elements)
{
  g_autofree gchar *model = model_path (MODEL), *state = in_dir ("state"), *link = in_dir ("link");
  g_autofree gchar *dotted = g_build_filename (dir, ".", "state", NULL);
  GstBus *bus, *other_bus;
  GstElement *e = encoder_with (model, state, &bus), *other;

  fail_unless_equals_int (symlink ("state", link), 0);
  fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  check_refused (model, state, "another element");
  check_refused (model, link, "another element");
  check_refused (model, dotted, "another element");
  gst_element_set_state (e, GST_STATE_READY);

  other = encoder_with (model, state, &other_bus);
  fail_unless_equals_int (gst_element_set_state (other, GST_STATE_PAUSED),
      GST_STATE_CHANGE_SUCCESS);
  element_free (other, other_bus);
  element_free (e, bus);
  g_unlink (link);
}

GST_END_TEST;

/* What cannot be read may be the state of weeks: nothing is written over it. */
GST_START_TEST (test_unreadable)
{
  g_autofree gchar *state = in_dir ("state"), *content = NULL;
  gsize size;

  if (getuid () == 0)
    return;                     /* root reads everything */
  fail_unless (g_file_set_contents (state, "anything", -1, NULL));
  fail_unless_equals_int (g_chmod (state, 0200), 0);
  save_at (state);
  fail_unless_equals_int (g_chmod (state, 0600), 0);
  fail_unless (g_file_get_contents (state, &content, &size, NULL));
  fail_unless_equals_string (content, "anything");
  g_unlink (state);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-state-path");
  TCase *tc = tcase_create ("state-path");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_no_regular_file);
  tcase_add_test (tc, test_file_of_the_model);
  tcase_add_test (tc, test_link_mode_owner);
  tcase_add_test (tc, test_two_elements);
  tcase_add_test (tc, test_unreadable);
  return s;
}

GST_CHECK_MAIN (encoder);
