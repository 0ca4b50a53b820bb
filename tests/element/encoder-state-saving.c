/* gst-continual: state-path when a save is slow, cut off, or not due
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * This program's fsync() is what GLib calls between a file's last byte and its final name: there a save is held, or
 * its process killed. */
#include "encodertest.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODEL "encoder-2-retroactive"   /* 32 features, a window of 8 */

typedef enum
{
  PASS,
  HOLD,                         /* the next one */
  HELD,                         /* it waits, until it is PASS */
  DIE,
} OnSave;

static GMutex lock;
static GCond cond;
static OnSave on_save;          /* under lock */

static Golden *g;
static gchar *dir, *path, *other;

__attribute__((visibility ("default")))
int
fsync (int fd)
{
  g_mutex_lock (&lock);
  if (on_save == DIE)
    kill (getpid (), SIGKILL);
  if (on_save == HOLD) {
    on_save = HELD;
    while (on_save == HELD)
      g_cond_wait (&cond, &lock);
  }
  g_mutex_unlock (&lock);
  return syscall (SYS_fsync, fd);
}

static void
set_on_save (OnSave what)
{
  g_mutex_lock (&lock);
  on_save = what;
  g_cond_broadcast (&cond);
  g_mutex_unlock (&lock);
}

static gboolean
is_held (void)
{
  gboolean res;

  g_mutex_lock (&lock);
  res = on_save == HELD;
  g_mutex_unlock (&lock);
  return res;
}

static void
setup (void)
{
  g = golden_load (MODEL, NULL);
  dir = g_dir_make_tmp ("continual-saving-XXXXXX", NULL);
  path = g_build_filename (dir, "state", NULL);
  other = g_build_filename (dir, "other", NULL);
}

/* Whatever is there; returns how many files. */
static guint
clear_dir (void)
{
  g_autoptr (GDir) files = g_dir_open (dir, 0, NULL);
  const gchar *name;
  guint n = 0;

  for (; (name = g_dir_read_name (files)); n++) {
    g_autofree gchar *file = g_build_filename (dir, name, NULL);
    g_unlink (file);
  }
  return n;
}

static void
teardown (void)
{
  clear_dir ();
  fail_unless_equals_int (g_rmdir (dir), 0);
  g_clear_pointer (&path, g_free);
  g_clear_pointer (&other, g_free);
  g_clear_pointer (&dir, g_free);
  golden_free (g);
}

static GstHarness *
begin (void)
{
  g_autofree gchar *line =
      g_strdup_printf ("state-path=%s state-interval=1", path);

  return encoder_new (MODEL, line);
}

/* The file holds what a stream has that took the case's vectors from @from on, @n of them, again and again. */
static void
check_file (const gchar * file, gsize from, gsize n)
{
  const gsize C = co_model_get_info (g->model)->n_inputs;
  g_autoptr (CoStream) stream = co_stream_new (g->model, 1);
  const gsize capacity = co_stream_max_outputs (stream, 1);
  g_autofree float *y = g_new (float, capacity * g->y_size);
  g_autoptr (GBytes) state = NULL;
  g_autofree gchar *found = NULL;
  CoResult result = {.capacity = capacity,.y = y };
  gsize size;

  for (gsize t = from; t < from + n; t++)
    co_stream_forward_steps (stream, &(CoInput) {
        .x = g->x + t % g->n_steps * C}, 1, TRUE, &result);
  state = co_stream_get_state (stream);
  fail_unless (g_file_get_contents (file, &found, &size, NULL), "%s", file);
  fail_unless (size == g_bytes_get_size (state)
      && memcmp (found, g_bytes_get_data (state, NULL), size) == 0,
      "%s is not the state after %u vectors", file, (guint) n);
}

/* Nothing of the old state is lost, and nothing but a file of another name is left. */
GST_START_TEST (test_killed_in_save)
{
  GstHarness *h;
  pid_t pid;
  int status;

  h = begin ();
  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 12);
  encoder_stop (h, GST_STATE_NULL);
  gst_harness_teardown (h);
  check_file (path, 0, 12);

  pid = fork ();
  if (pid == 0) {
    h = begin ();
    encoder_set_caps (h, "32", 100);
    push_vectors (h, g, 12, 5);
    set_on_save (DIE);
    gst_element_set_state (h->element, GST_STATE_READY);
    _exit (0);
  }
  fail_unless (waitpid (pid, &status, 0) == pid);
  fail_unless (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  check_file (path, 0, 12);

  h = begin ();
  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 12, 8);
  pull_outputs (h, g, 5, 8);
  encoder_stop (h, GST_STATE_NULL);
  gst_harness_teardown (h);
  check_file (path, 0, 20);
  fail_unless (clear_dir () <= 2);
}

GST_END_TEST;

/* A start to which no stream comes leaves the file as it is. */
GST_START_TEST (test_nothing_came)
{
  const GstState lows[] = { GST_STATE_READY, GST_STATE_NULL };
  GstHarness *h = begin ();

  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 12);
  for (guint i = 0; i < 4; i++) {
    encoder_stop (h, lows[i % 2]);
    check_file (path, 0, 12);
    encoder_start (h);
  }
  encoder_set_caps (h, "32", 100);
  while (gst_harness_buffers_in_queue (h))
    gst_buffer_unref (gst_harness_pull (h));
  push_vectors (h, g, 12, 8);
  pull_outputs (h, g, 5, 8);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Stops, while a save is held, and goes on with another file. */
static gpointer
move_on (gpointer data)
{
  GstHarness *h = data;

  encoder_stop (h, GST_STATE_READY);
  encoder_set_text (h, "state-path", other);
  encoder_start (h);
  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 3, 9);
  return NULL;
}

/* A save goes on in the background while the path is changed: each file has its own streams' state. */
GST_START_TEST (test_path_changed)
{
  GstHarness *h = begin ();
  GstBus *bus = bus_new (h->element);
  g_autofree gchar *found = NULL;
  GThread *thread;
  gsize n = 0;

  gst_harness_set_drop_buffers (h, TRUE);
  encoder_set_caps (h, "32", 100);
  set_on_save (HOLD);
  while (!is_held ()) {
    push_vectors (h, g, n++ % g->n_steps, 1);
    g_usleep (1000);
  }
  for (gsize end = n + 5; n < end; n++)
    push_vectors (h, g, n % g->n_steps, 1);
  encoder_set_text (h, "state-path", other);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "state-path", NULL);
  found = encoder_get_text (h, "state-path");
  fail_unless_equals_string (found, path);

  thread = g_thread_new ("move", move_on, h);
  g_usleep (20000);             /* so that it mostly stops before the save is let go */
  set_on_save (PASS);
  g_thread_join (thread);
  check_file (path, 0, n);
  encoder_stop (h, GST_STATE_NULL);
  check_file (path, 0, n);
  check_file (other, 3, 9);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
  fail_unless_equals_int (clear_dir (), 2);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-saving");
  TCase *tc = tcase_create ("saving");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_killed_in_save);
  tcase_add_test (tc, test_nothing_came);
  tcase_add_test (tc, test_path_changed);
  return s;
}

GST_CHECK_MAIN (encoder);
