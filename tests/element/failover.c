/* gst-continual: a process that is killed, and started again, goes on where its last snapshot was
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * This program runs itself with a pipeline, kills it, runs it again with what a source would then give, kills that
 * as well, and compares what came out with an uninterrupted run. */
#include "encodertest.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/wait.h>

#define MODEL "encoder-2-retroactive"   /* 32 features, a window of 8 */
#define C 32
#define N_VECTORS 30000
#define KILLS 2

static Golden *g;
static gchar *dir, *state, *in, *out;

static void
setup (void)
{
  g = golden_load (MODEL, NULL);
  dir = g_dir_make_tmp ("continual-failover-XXXXXX", NULL);
  state = g_build_filename (dir, "state", NULL);
  in = g_build_filename (dir, "in.f32", NULL);
  out = g_build_filename (dir, "out.f32", NULL);
}

static void
teardown (void)
{
  g_autoptr (GDir) files = g_dir_open (dir, 0, NULL);
  const gchar *name;

  /* A process that was killed while it wrote may have left its temporary file. */
  while ((name = g_dir_read_name (files))) {
    g_autofree gchar *path = g_build_filename (dir, name, NULL);
    g_unlink (path);
  }
  fail_unless_equals_int (g_rmdir (dir), 0);
  g_clear_pointer (&state, g_free);
  g_clear_pointer (&in, g_free);
  g_clear_pointer (&out, g_free);
  g_clear_pointer (&dir, g_free);
  golden_free (g);
}

/* The child: a pipeline as gst-launch-1.0 runs it */
static int
run_pipeline (const gchar * line)
{
  GstElement *pipeline;
  GstMessage *message;
  GstBus *bus;
  gboolean ok;

  gst_init (NULL, NULL);
  pipeline = gst_parse_launch (line, NULL);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  ok = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return ok ? 0 : 1;
}

/* @paced: as slow as a camera, that is, alive long enough to be killed */
static GPid
start (gboolean keep_state, gboolean paced)
{
  g_autofree gchar *model = model_path (MODEL);
  g_autofree gchar *keep = g_strdup_printf ("state-path=%s state-interval=1",
      state);
  g_autofree gchar *line = g_strdup_printf ("filesrc location=%s "
      "blocksize=%d ! " TENSORS ",dimensions=(string)%d,framerate=1000/1 ! "
      "identity sleep-time=%d ! continualencoder model-path=%s %s ! "
      "filesink location=%s buffer-mode=unbuffered", in, (gint) (C *
          sizeof (float)), C, paced ? 1000 : 0, model, keep_state ? keep : "",
      out);
  gchar *argv[] = { (gchar *) "/proc/self/exe", (gchar *) "--pipeline", line,
    NULL
  };
  g_autoptr (GError) error = NULL;
  GPid pid;

  fail_unless (g_spawn_async (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD |
          G_SPAWN_LEAVE_DESCRIPTORS_OPEN, NULL, NULL, &pid, &error), "%s",
      error ? error->message : "");
  return pid;
}

static void
run_to_end (gboolean keep_state)
{
  int status;

  fail_unless (waitpid (start (keep_state, FALSE), &status, 0) > 0);
  fail_unless (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

/* How many vectors the state in the file has taken. */
static guint64
saved_position (void)
{
  g_autoptr (CoStream) stream = co_stream_new (g->model, 1);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  gchar *data;
  gsize size;

  if (!g_file_get_contents (state, &data, &size, NULL))
    return 0;
  bytes = g_bytes_new_take (data, size);
  /* Never half of one, whenever it is looked at. */
  fail_unless (co_stream_set_state (stream, bytes, &error), "%s",
      error ? error->message : "");
  return co_stream_get_position (stream, 0);
}

static void
write_vectors (guint64 from)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (guint64 t = from; t < N_VECTORS; t++)
    g_byte_array_append (bytes,
        (const guint8 *) (g->x + t % g->n_steps * C), C * sizeof (float));
  fail_unless (g_file_set_contents (in, (const gchar *) bytes->data,
          bytes->len, NULL));
}

/* What came out is what @whole has of the answers to vector @from and those behind it: all of them, or a part that is
 * not empty. */
static void
compare (const gchar * whole, gsize whole_size, guint64 from, gboolean all)
{
  const gsize size = g->y_size * sizeof (float);
  const gsize at = from < g->first ? 0 : (from - g->first) * size;
  g_autofree gchar *found = NULL;
  gsize n;

  fail_unless (g_file_get_contents (out, &found, &n, NULL));
  n -= n % size;
  fail_unless (n > 0 && at + n <= whole_size);
  fail_unless (!all || at + n == whole_size);
  fail_unless (memcmp (found, whole + at, n) == 0);
}

GST_START_TEST (test_killed)
{
  g_autofree gchar *whole = NULL;
  guint64 position = 0;
  gsize size;
  int status;

  write_vectors (0);
  run_to_end (FALSE);
  fail_unless (g_file_get_contents (out, &whole, &size, NULL));
  fail_unless_equals_uint64 (size, (N_VECTORS - g->first) * g->y_size *
      sizeof (float));

  for (gint i = 0; i < KILLS; i++) {
    const guint64 before = position;
    GPid pid = start (TRUE, TRUE);

    while ((position = saved_position ()) <= before)
      g_usleep (10000);
    g_usleep (g_random_int_range (0, 300000));
    fail_unless_equals_int (kill (pid, SIGKILL), 0);
    fail_unless (waitpid (pid, &status, 0) == pid);
    fail_unless (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL,
        "it ended by itself: too few vectors");
    position = saved_position ();
    compare (whole, size, before, FALSE);
    write_vectors (position);
  }
  run_to_end (TRUE);
  compare (whole, size, position, TRUE);
}

GST_END_TEST;

static Suite *
failover_suite (void)
{
  Suite *s = suite_create ("failover");
  TCase *tc = tcase_create ("killed");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_killed);
  return s;
}

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--pipeline"))
    return run_pipeline (argv[2]);
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (failover_suite (), "failover", __FILE__);
}
