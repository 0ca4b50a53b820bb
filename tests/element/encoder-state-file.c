/* gst-continual: state-path, and what an operator is told
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODEL "encoder-2-retroactive"   /* 32 features, a window of 8 */

static Golden *g;
static gchar *dir, *path;

static void
setup (void)
{
  g = golden_load (MODEL, NULL);
  dir = g_dir_make_tmp ("continual-state-XXXXXX", NULL);
  path = g_build_filename (dir, "state", NULL);
}

static void
teardown (void)
{
  g_unlink (path);
  fail_unless_equals_int (g_rmdir (dir), 0);    /* nothing else was left there */
  g_clear_pointer (&path, g_free);
  g_clear_pointer (&dir, g_free);
  golden_free (g);
}

static GstHarness *
begin_streams (const gchar * model, const gchar * properties,
    const gchar * dims, GstBus ** bus)
{
  g_autofree gchar *line =
      g_strdup_printf ("state-path=%s %s", path, properties);
  GstHarness *h = encoder_new (model, line);

  *bus = bus_new (h->element);
  encoder_set_caps (h, dims, 100);
  return h;
}

static GstHarness *
begin (const gchar * model, const gchar * properties, GstBus ** bus)
{
  return begin_streams (model, properties, "32", bus);
}

static void
end (GstHarness * h, GstBus * bus)
{
  gst_element_set_state (h->element, GST_STATE_NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

/* The position of the first stream in the next message of saved or restored states; -1: there is none. */
static gint64
pop_position (GstBus * bus, gboolean saved)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT))) {
    const GstStructure *s = gst_message_get_structure (message);
    const GValue *positions = gst_structure_get_value (s, "position");
    gboolean is_save = FALSE;
    guint64 position;

    if (!gst_structure_has_name (s, "continual-state")
        || !gst_structure_get_boolean (s, "saved", &is_save)
        || is_save != saved) {
      gst_message_unref (message);
      continue;
    }
    fail_unless_equals_string (gst_structure_get_string (s, "path"), path);
    position =
        g_value_get_uint64 (gst_value_array_get_value (positions, 0));
    gst_message_unref (message);
    return position;
  }
  return -1;
}

GST_START_TEST (test_stop_and_start)
{
  GstBus *bus;
  GstHarness *h = begin (MODEL, "", &bus);

  fail_unless (pop_position (bus, FALSE) == -1);
  push_vectors (h, g, 0, 12);
  pull_outputs (h, g, 0, 5);
  gst_element_set_state (h->element, GST_STATE_READY);
  fail_unless (pop_position (bus, TRUE) == 12);
  end (h, bus);

  h = begin (MODEL, "", &bus);
  fail_unless (pop_position (bus, FALSE) == 12);
  push_vectors (h, g, 12, 10);
  pull_outputs (h, g, 5, 10);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  end (h, bus);
}

GST_END_TEST;

/* Several streams go on when their number is known. */
GST_START_TEST (test_streams)
{
  float x[2 * 32], y[2 * 8 * 32];
  GstBus *bus;
  GstHarness *h;

  for (gsize half = 0; half < 2; half++) {
    h = begin_streams (MODEL, "", "32:1:2", &bus);
    for (gsize t = 6 * half; t < 6 * half + 6; t++) {
      memcpy (x, g->x + t * 32, sizeof x / 2);
      memcpy (x + 32, g->x + t * 32, sizeof x / 2);
      gst_harness_push (h, vectors_new (x, 64, t, 1));
      if (t < 7)
        continue;
      memcpy (y, g->y + (t - 7) * g->y_size, sizeof y / 2);
      memcpy (y + 256, g->y + (t - 7) * g->y_size, sizeof y / 2);
      expect_output (h, y, 512, g->atol);
    }
    end (h, bus);
  }
}

GST_END_TEST;

/* The file beside the state's whose name begins with it and goes on with ".refused-"; it is removed. */
static gchar *
take_refused (gsize * size)
{
  g_autofree gchar *name = g_path_get_basename (path);
  g_autofree gchar *prefix = g_strconcat (name, ".refused-", NULL);
  GDir *entries = g_dir_open (dir, 0, NULL);
  const gchar *entry;
  gchar *data = NULL;

  while ((entry = g_dir_read_name (entries)))
    if (g_str_has_prefix (entry, prefix)) {
      g_autofree gchar *file = g_build_filename (dir, entry, NULL);

      fail_unless (data == NULL);
      fail_unless (g_file_get_contents (file, &data, size, NULL));
      g_unlink (file);
    }
  g_dir_close (entries);
  fail_unless (data != NULL);
  return data;
}

/* Nothing of it is lost, either. */
static void
check_refused (const gchar * model, const gchar * word)
{
  g_autofree gchar *state = NULL, *kept = NULL;
  gsize size, kept_size;
  GstBus *bus;
  GstHarness *h;

  fail_unless (g_file_get_contents (path, &state, &size, NULL));
  h = begin (model, "", &bus);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "not restored", word,
      "without a past", ".refused-", NULL);
  kept = take_refused (&kept_size);
  fail_unless_equals_int (kept_size, size);
  fail_unless (memcmp (kept, state, size) == 0);
  push_vectors (h, g, 0, 7);
  fail_unless (gst_harness_try_pull (h) == NULL);
  push_vectors (h, g, 7, 1);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 1);
  end (h, bus);
}

GST_START_TEST (test_refused)
{
  GstBus *bus;
  GstHarness *h = begin (MODEL, "", &bus);
  g_autofree gchar *state = NULL;
  gsize size;

  push_vectors (h, g, 0, 12);
  end (h, bus);
  fail_unless (g_file_get_contents (path, &state, &size, NULL));
  check_refused ("encoder-2-relu", "model");
  fail_unless (g_file_set_contents (path, state, size - 1, NULL));
  check_refused (MODEL, "expected");
  state[size / 2] ^= 4;
  fail_unless (g_file_set_contents (path, state, size, NULL));
  check_refused (MODEL, "expected");
  fail_unless (g_file_set_contents (path, "", 0, NULL));
  check_refused (MODEL, "expected");
}

GST_END_TEST;

GST_START_TEST (test_unwritable)
{
  GstBus *bus;
  GstHarness *h;
  gchar *real = path;

  path = g_build_filename (dir, "none", "state", NULL);
  h = begin (MODEL, "", &bus);
  push_vectors (h, g, 0, 12);
  pull_outputs (h, g, 0, 5);
  gst_element_set_state (h->element, GST_STATE_READY);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE, "not saved", path, NULL);
  end (h, bus);
  g_free (path);
  path = real;
}

GST_END_TEST;

/* Pushes vectors over and over until the state was saved; the vectors since then are lost with the process. */
static void
run_until_killed (void)
{
  GstBus *bus;
  GstHarness *h = begin (MODEL, "state-interval=1", &bus);
  gsize t = 0;

  gst_harness_set_drop_buffers (h, TRUE);
  for (gint64 saved = -1; saved < 0 || t % 30 != 17; t++) {
    push_vectors (h, g, t % 30, 1);
    if (saved < 0)
      saved = pop_position (bus, TRUE);
    g_usleep (100);
  }
  kill (getpid (), SIGKILL);
}

/* What comes after the saved vector is what an uninterrupted run gives, to the bit. */
GST_START_TEST (test_killed)
{
  pid_t pid = fork ();
  GstHarness *h, *whole;
  gint64 position;
  GstBus *bus;
  int status;

  if (pid == 0)
    run_until_killed ();
  fail_unless (waitpid (pid, &status, 0) == pid);
  fail_unless (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);

  h = begin (MODEL, "", &bus);
  position = pop_position (bus, FALSE);
  fail_unless (position > 0);
  whole = encoder_new (MODEL, "");
  encoder_set_caps (whole, "32", 100);
  gst_harness_set_drop_buffers (whole, TRUE);
  for (gint64 t = 0; t < position; t++)
    push_vectors (whole, g, t % 30, 1);
  gst_harness_set_drop_buffers (whole, FALSE);
  for (gint64 t = position; t < position + 20; t++) {
    GstBuffer *a, *b;
    GstMapInfo map;

    push_vectors (h, g, t % 30, 1);
    push_vectors (whole, g, t % 30, 1);
    a = gst_harness_pull (h);
    b = gst_harness_pull (whole);
    gst_buffer_map (a, &map, GST_MAP_READ);
    fail_unless (gst_buffer_get_size (b) == map.size
        && gst_buffer_memcmp (b, 0, map.data, map.size) == 0);
    gst_buffer_unmap (a, &map);
    gst_buffer_unref (a);
    gst_buffer_unref (b);
  }
  gst_harness_teardown (whole);
  end (h, bus);
}

GST_END_TEST;

static guint64
get (const GstStructure * s, const gchar * name)
{
  guint64 n = 0;

  fail_unless (gst_structure_get_uint64 (s, name, &n), "%s", name);
  return n;
}

/* What stats holds comes by itself, and says what was late and what is missing. */
GST_START_TEST (test_stats_messages)
{
  GstHarness *h = encoder_new (MODEL, "stats-interval=1");
  GstBus *bus = bus_new (h->element);
  GstMessage *message = NULL;
  const GstStructure *s;
  guint64 n = 3;

  encoder_set_caps (h, "32", 100);
  gst_harness_use_testclock (h);
  gst_harness_set_time (h, 700 * GST_MSECOND);
  push_vectors (h, g, 0, 1);
  push_vectors (h, g, 3, 1);
  /* Almost where it should be */
  gst_harness_push (h, vectors_new (g->x, 32, 43 * GST_MSECOND,
          7 * GST_MSECOND));
  while (!message) {
    gst_harness_push (h, vectors_new (g->x, 32, 50 * GST_MSECOND, 0));
    n++;
    g_usleep (1000);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
  }
  s = gst_message_get_structure (message);
  fail_unless (gst_structure_has_name (s, "continual-stats"));
  fail_unless_equals_uint64 (get (s, "vectors"), n);
  fail_unless_equals_uint64 (get (s, "missed"), 2);
  fail_unless_equals_uint64 (get (s, "backlog"), 650 * GST_MSECOND);
  gst_message_unref (message);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-statefile");
  TCase *tc = tcase_create ("statefile");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_stop_and_start);
  tcase_add_test (tc, test_streams);
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_unwritable);
  tcase_add_test (tc, test_killed);
  tcase_add_test (tc, test_stats_messages);
  return s;
}

GST_CHECK_MAIN (encoder);
