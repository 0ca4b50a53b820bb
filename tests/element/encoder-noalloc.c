/* gst-continual: once it runs, continualencoder allocates nothing for a buffer, and its buffers come back
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "allocations.h"
#include "encodertest.h"

#define N_BUFFERS 4
#define WARM_UP 300             /* pools, pad caches, BLAS */
#define COUNTED 2000

#ifdef COUNTS_ALLOCATIONS
static GstBufferPool *
pool_new (gsize size)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, size, N_BUFFERS, N_BUFFERS);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

/* FALSE: it failed. (The macros of the test framework allocate.) */
static gboolean
push (GstHarness * h, GstBufferPool * pool, const Golden * g, gsize t)
{
  const gsize C = co_model_get_info (g->model)->n_inputs;
  GstBuffer *buffer;

  if (gst_buffer_pool_acquire_buffer (pool, &buffer, NULL) != GST_FLOW_OK)
    return FALSE;
  gst_buffer_fill (buffer, 0, g->x + t % g->n_steps * C, C * sizeof (float));
  GST_BUFFER_PTS (buffer) = t * 10 * GST_MSECOND;
  GST_BUFFER_DURATION (buffer) = 10 * GST_MSECOND;
  return gst_pad_push (h->srcpad, buffer) == GST_FLOW_OK;
}

static const gchar *const models[] = {
  "encoder-1-relu", "encoder-2-retroactive", "classifier-1",
  "recurrent-linear-2", "kernel-relu-chunk-4-window-2-decay"
};

GST_START_TEST (test_buffers)
{
  g_autoptr (Golden) g = golden_load (models[__i__], NULL);
  const gsize C = co_model_get_info (g->model)->n_inputs;
  g_autofree gchar *dims = g_strdup_printf ("%d", (gint) C);
  GstHarness *h = encoder_new (g->name, "");
  GstBufferPool *pool = pool_new (C * sizeof (float));
  Allocations found;
  gboolean ok = TRUE;

  gst_harness_set_drop_buffers (h, TRUE);
  encoder_set_caps (h, dims, 100);
  for (gsize t = 0; t < WARM_UP; t++)
    ok = push (h, pool, g, t) && ok;
  allocations_begin ();
  for (gsize t = WARM_UP; t < WARM_UP + COUNTED; t++)
    ok = push (h, pool, g, t) && ok;
  found = allocations_end ();
  fail_unless (ok);
  fail_unless (found.n == 0, "%s: %u allocations of %" G_GSIZE_FORMAT
      " bytes for %d buffers", g->name, found.n, found.bytes, COUNTED);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* The counter counts what the plugin allocates. */
GST_START_TEST (test_counter)
{
  GstHarness *h = encoder_new (models[0], "");
  GstElement *e = encoder_get (h);
  GBytes *state;

  allocations_begin ();
  g_signal_emit_by_name (e, "get-state", &state);
  fail_unless (allocations_end ().largest >= g_bytes_get_size (state));
  g_bytes_unref (state);
  gst_object_unref (e);
  gst_harness_teardown (h);
}

GST_END_TEST;
#endif

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-noalloc");
  TCase *tc = tcase_create ("noalloc");

  suite_add_tcase (s, tc);
#ifdef COUNTS_ALLOCATIONS
  tcase_add_loop_test (tc, test_buffers, 0, G_N_ELEMENTS (models));
  tcase_add_test (tc, test_counter);
#endif
  return s;
}

GST_CHECK_MAIN (encoder);
