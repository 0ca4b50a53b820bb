/* gst-continual: an encoder that cannot keep up, behind a queue that leaks
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define MODEL "encoder-1-relu"  /* 32 features and outputs, a window of 8 */
#define C 32
#define ROOM 5                  /* vectors in the queue */
#define BEFORE 10               /* vectors until everything stands still */
#define LOST 15

static Golden *g;
static GstHarness *h;
static GMutex lock;
static GCond cond;
static gboolean blocked;

static void
setup (void)
{
  g = golden_load (MODEL, NULL);
  blocked = FALSE;
}

static void
teardown (void)
{
  golden_free (g);
}

static GstPadProbeReturn
block (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  g_mutex_lock (&lock);
  blocked = TRUE;
  g_cond_signal (&cond);
  g_mutex_unlock (&lock);
  return GST_PAD_PROBE_OK;
}

static guint64
get_stat (const gchar * name)
{
  GstElement *e = encoder_get (h);
  GstStructure *stats;
  guint64 n;

  g_object_get (e, "stats", &stats, NULL);
  fail_unless (gst_structure_get_uint64 (stats, name, &n));
  gst_structure_free (stats);
  gst_object_unref (e);
  return n;
}

/* Ten vectors go through, the eleventh's output is held up downstream, fifteen are lost, five wait in the queue; then
 * all goes on. */
static void
overload (const gchar * properties)
{
  g_autofree gchar *path = model_path (MODEL);
  g_autofree gchar *line = g_strdup_printf ("queue leaky=downstream "
      "max-size-buffers=%d max-size-bytes=0 max-size-time=0 ! "
      "continualencoder name=e model-path=%s %s", ROOM, path, properties);
  GstElement *e;
  GstPad *pad;
  gulong probe;

  h = gst_harness_new_parse (line);
  encoder_set_caps (h, "32", 100);
  for (gsize t = 0; t < BEFORE; t++) {
    push_vectors (h, g, t, 1);
    while (get_stat ("vectors") <= t)   /* or the queue would leak now */
      g_usleep (100);
    if (t >= g->first) {
      GstBuffer *buffer = gst_harness_pull (h);

      fail_unless (difference (buffer, g->y + (t - g->first) * C, C)
          <= g->atol);
      gst_buffer_unref (buffer);
    }
  }
  e = encoder_get (h);
  pad = gst_element_get_static_pad (e, "src");
  probe = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK |
      GST_PAD_PROBE_TYPE_BUFFER, block, NULL, NULL);
  push_vectors (h, g, BEFORE, 1);
  g_mutex_lock (&lock);
  while (!blocked)
    g_cond_wait (&cond, &lock);
  g_mutex_unlock (&lock);
  push_vectors (h, g, BEFORE + 1, LOST + ROOM);
  gst_pad_remove_probe (pad, probe);
  gst_object_unref (pad);
  gst_object_unref (e);
}

static void
expect (const float *y, gdouble atol, gsize t)
{
  GstBuffer *buffer = gst_harness_pull (h);

  fail_unless (buffer != NULL);
  fail_unless (difference (buffer, y, C) <= atol);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), t * 10 * GST_MSECOND);
  gst_buffer_unref (buffer);
}

static void
expect_missed (void)
{
  fail_unless_equals_uint64 (get_stat ("missed"), LOST);
  fail_unless_equals_uint64 (get_stat ("refused"), 0);
}

/* The window closes over the gap: the vectors that came are as if they had followed one another. */
GST_START_TEST (test_kept)
{
  g_autoptr (CoStream) stream = co_stream_new (g->model, 1);
  float y[C];

  overload ("");
  for (gsize t = 0; t <= BEFORE; t++)
    co_stream_forward_step (stream, g->x + t * C, y);
  expect (y, 0, BEFORE);
  for (gsize t = BEFORE + LOST + 1; t <= BEFORE + LOST + ROOM; t++) {
    fail_unless (co_stream_forward_step (stream, g->x + t * C, y) == 1);
    expect (y, 0, t);
  }
  expect_missed ();
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Behind the gap begins a new sequence: no output mixes the two. */
GST_START_TEST (test_reset)
{
  const gsize fresh = BEFORE + LOST + 1;

  overload ("reset-on-discont=true");
  expect (g->y + (BEFORE - g->first) * C, g->atol, BEFORE);
  for (gsize t = fresh + ROOM; t < fresh + ROOM + 9; t++) {
    while (get_stat ("vectors") < t - LOST)
      g_usleep (100);
    push_vectors (h, g, t, 1);
    if (t >= fresh + g->first)
      expect (g->y + (t - g->first) * C, g->atol, t);
  }
  expect_missed ();
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-overload");
  TCase *tc = tcase_create ("overload");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_kept);
  tcase_add_test (tc, test_reset);
  return s;
}

GST_CHECK_MAIN (encoder);
