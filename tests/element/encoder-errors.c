/* gst-continual: what a user can get wrong, and what continualencoder says then
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <float.h>
#include <glib/gstdio.h>

/* The element doesn't start; its error. */
static GstMessage *
fail_to_start (const gchar * path, const gchar * name, const gchar * value)
{
  GstElement *e = gst_element_factory_make ("continualencoder", NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;

  gst_element_set_bus (e, bus);
  g_object_set (e, "model-path", path, NULL);
  if (name)
    gst_util_set_object_arg (G_OBJECT (e), name, value);
  fail_unless_equals_int (gst_element_set_state (e, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gst_element_set_state (e, GST_STATE_NULL);
  gst_element_set_bus (e, NULL);
  gst_object_unref (bus);
  gst_object_unref (e);
  return message;
}

GST_START_TEST (test_model_path)
{
  check_message (fail_to_start (NULL, NULL, NULL), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "model-path", "unset", NULL);
  check_message (fail_to_start ("", NULL, NULL), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "model-path", "unset", NULL);
  check_message (fail_to_start ("/does/not/exist", NULL, NULL),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "/does/not/exist",
      NULL);
  /* A folder is a model if it holds one. */
  check_message (fail_to_start (g_getenv ("CONTINUAL_TEST_DATA"), NULL, NULL),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      g_getenv ("CONTINUAL_TEST_DATA"), "model.safetensors", NULL);
  check_message (fail_to_start ("/dev/null", NULL, NULL), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_OPEN_READ, "/dev/null", NULL);
}

GST_END_TEST;

GST_START_TEST (test_corrupt)
{
  g_autofree gchar *whole = model_path ("encoder-1-relu"), *content = NULL;
  g_autofree gchar *path = NULL;
  gint fd = g_file_open_tmp ("continual-XXXXXX", &path, NULL);
  gsize size;

  fail_unless (fd >= 0);
  close (fd);
  fail_unless (g_file_get_contents (whole, &content, &size, NULL));
  fail_unless (g_file_set_contents (path, content, size - 1, NULL));
  check_message (fail_to_start (path, NULL, NULL), GST_STREAM_ERROR,
      GST_STREAM_ERROR_DECODE, path, NULL);
  fail_unless (g_file_set_contents (path, "not a model", -1, NULL));
  check_message (fail_to_start (path, NULL, NULL), GST_STREAM_ERROR,
      GST_STREAM_ERROR_DECODE, path, NULL);
  g_unlink (path);
}

GST_END_TEST;

GST_START_TEST (test_settings)
{
  g_autofree gchar *path = model_path ("encoder-1-relu");
  g_autofree gchar *no_heads = model_copy ("encoder-1-relu", "nhead", NULL);
  g_autofree gchar *no_len =
      model_copy ("encoder-1-relu", "sequence_len", NULL);

  check_message (fail_to_start (no_heads, NULL, NULL), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "nhead", "heads", NULL);
  check_message (fail_to_start (no_len, NULL, NULL), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "sequence_len", NULL);
  check_message (fail_to_start (path, "heads", "5"), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "5", "32", NULL);
  check_message (fail_to_start (path, "query-index", "8"),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "query_index", "8",
      NULL);
  g_unlink (no_heads);
  g_unlink (no_len);
}

GST_END_TEST;

/* Models for other elements are told where to go. */
GST_START_TEST (test_other_elements)
{
  g_autofree gchar *separate = model_path ("mha-single-output-qkv-kdim-vdim");
  g_autofree gchar *decoder = model_path ("decoder-linear-full");

  check_message (fail_to_start (separate, NULL, NULL), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "continualattention", NULL);
  check_message (fail_to_start (decoder, NULL, NULL), GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "continualdecoder", NULL);
}

GST_END_TEST;

static void
check_size (const gchar * dims, gsize bytes, const gchar * expected,
    const gchar * found)
{
  GstHarness *h = encoder_new ("encoder-1-relu", "");
  GstBus *bus = bus_new (h->element);

  encoder_set_caps (h, dims, 100);
  fail_unless_equals_int (gst_harness_push (h,
          gst_buffer_new_allocate (NULL, bytes, NULL)), GST_FLOW_ERROR);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, expected, found, NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_START_TEST (test_buffer_size)
{
  check_size ("32", 127, "128 bytes", "127 bytes");
  check_size ("32", 256, "128 bytes", "256 bytes");
  check_size ("32", 0, "128 bytes", "0 bytes");
  check_size ("32:4", 640, "512 bytes", "640 bytes");
  check_size ("32:4", 500, "512 bytes", "500 bytes");
  check_size ("32:4:2", 128, "1024 bytes", "128 bytes");
}

GST_END_TEST;

/* Several memories are one buffer. */
GST_START_TEST (test_memories)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  GstHarness *h = encoder_new (g->name, "");

  encoder_set_caps (h, "32:8", 100);
  for (gsize t = 0; t < 16; t += 8) {
    GstBuffer *buffer = gst_buffer_new ();
    const gchar *bytes = (const gchar *) (g->x + t * 32);

    for (gsize i = 0; i < 1024; i += 341) {
      gsize n = MIN (341, 1024 - i);
      gpointer part = g_memdup2 (bytes + i, n);

      gst_buffer_append_memory (buffer, gst_memory_new_wrapped (0, part, n, 0,
              n, part, g_free));
    }
    fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  }
  pull_outputs (h, g, 0, 9);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* Memory that isn't aligned */
GST_START_TEST (test_unaligned)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  GstHarness *h = encoder_new (g->name, "");
  gchar *bytes = g_malloc (16 * 128 + 1);

  memcpy (bytes + 1, g->x, 16 * 128);
  encoder_set_caps (h, "32:16", 100);
  fail_unless_equals_int (gst_harness_push (h,
          gst_buffer_new_wrapped_full (0, bytes, 16 * 128 + 1, 1, 16 * 128,
              bytes, g_free)), GST_FLOW_OK);
  pull_outputs (h, g, 0, 9);
  gst_harness_teardown (h);
}

GST_END_TEST;

static const float bad[] = { NAN, INFINITY, -INFINITY };

static GstFlowReturn
push_bad (GstHarness * h, const Golden * g, float value)
{
  float x[32];

  memcpy (x, g->x, sizeof x);
  x[17] = value;
  return gst_harness_push (h, vectors_new (x, 32, GST_SECOND, 1));
}

static GstFlowReturn
push_nothing (GstHarness * h)
{
  float x[32];

  for (gsize i = 0; i < G_N_ELEMENTS (x); i++)
    x[i] = NAN;
  return gst_harness_push (h, vectors_new (x, 32, GST_SECOND, 1));
}

/* The state is as if it hadn't come; the first one is told of, and the tenth. NaN throughout is no less an error: only one
 * of several streams can be absent. */
GST_START_TEST (test_invalid_dropped)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);
  GstHarness *h = encoder_new (g->name, "");
  GstBus *bus = bus_new (h->element);
  GstMessage *message;
  guint n = 0;

  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 4);
  fail_unless_equals_int (push_nothing (h), GST_FLOW_OK);
  for (gint i = 1; i < 12; i++)
    fail_unless_equals_int (push_bad (h, g, bad[i % 3]), GST_FLOW_OK);
  push_vectors (h, g, 4, 10);
  pull_outputs (h, g, 0, 7);
  fail_unless (gst_harness_try_pull (h) == NULL);
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING))) {
    check_message (message, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
        "NaN", "0:00:01.000000000", n == 0 ? "makes 1;" : "makes 10;", NULL);
    n++;
  }
  fail_unless_equals_int (n, 2);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* What is too large is refused like an infinity; what is large is taken, and gone with its window; what is smaller than
 * any normal number is zero. */
GST_START_TEST (test_extremes)
{
  static const gchar *const models[] = { "encoder-1-relu",
    "encoder-2-retroactive"
  };
  g_autoptr (Golden) g = golden_load (models[__i__], NULL);
  GstHarness *h = encoder_new (g->name, ""), *zeros = encoder_new (g->name, "");
  GstBus *bus = bus_new (h->element);
  float x[32];

  encoder_set_caps (h, "32", 100);
  encoder_set_caps (zeros, "32", 100);
  push_vectors (h, g, 0, 4);
  push_bad (h, g, 1e30f);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "1e15", "makes 1;", NULL);
  push_bad (h, g, -2e15f);
  push_bad (h, g, FLT_MAX);
  push_vectors (h, g, 4, 6);
  pull_outputs (h, g, 0, 3);

  push_bad (h, g, 1e14f);
  push_vectors (h, g, 10, 8);
  for (gint i = 0; i < 8; i++) {
    GstBuffer *buffer = gst_harness_pull (h);
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    for (gsize j = 0; j < map.size / sizeof (float); j++)
      fail_unless (isfinite (((float *) map.data)[j]));
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  pull_outputs (h, g, 10, 1);

  memset (x, 0, sizeof x);
  for (gint i = 0; i < 8; i++)
    gst_harness_push (zeros, vectors_new (x, 32, i, 1));
  for (gsize i = 0; i < 32; i++)
    x[i] = i % 2 ? 1e-40f : -1e-45f;
  for (gint i = 0; i < 8; i++)
    gst_harness_push (h, vectors_new (x, 32, i, 1));
  for (gint i = 0; i < 7; i++)
    gst_buffer_unref (gst_harness_pull (h));
  {
    GstBuffer *buffer = gst_harness_pull (zeros);
    GstMapInfo map;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    expect_output (h, (float *) map.data, map.size / sizeof (float), g->atol);
    gst_buffer_unmap (buffer, &map);
    gst_buffer_unref (buffer);
  }
  bus_free (h->element, bus);
  gst_harness_teardown (h);
  gst_harness_teardown (zeros);
}

GST_END_TEST;

GST_START_TEST (test_invalid_error)
{
  g_autoptr (Golden) g = golden_load ("encoder-1-relu", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    GstHarness *h = encoder_new (g->name, "on-invalid=error");
    GstBus *bus = bus_new (h->element);

    encoder_set_caps (h, "32", 100);
    push_vectors (h, g, 0, 10);
    fail_unless_equals_int (push_bad (h, g, bad[i]), GST_FLOW_ERROR);
    check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
        GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "NaN", "on-invalid=drop",
        NULL);
    pull_outputs (h, g, 0, 3);
    bus_free (h->element, bus);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

GST_START_TEST (test_full)
{
  g_autoptr (Golden) g = golden_load ("recurrent-full-2", NULL);
  g_autofree gchar *dims = g_strdup_printf ("%d",
      (gint) co_model_get_info (g->model)->n_inputs);
  GstHarness *h = encoder_new (g->name, "max-len=10");
  GstBus *bus = bus_new (h->element);

  encoder_set_caps (h, dims, 100);
  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 10);
  fail_unless_equals_int (gst_harness_push (h, vectors_new (g->x,
              co_model_get_info (g->model)->n_inputs, 0, 1)), GST_FLOW_ERROR);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "max-len",
      "at-max=drop-oldest", NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);

  h = encoder_new (g->name, "max-len=10 at-max=drop-oldest");
  encoder_set_caps (h, dims, 100);
  push_vectors (h, g, 0, 12);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 12);
  gst_harness_teardown (h);
}

GST_END_TEST;

GST_START_TEST (test_no_caps)
{
  GstHarness *h = encoder_new ("encoder-1-relu", "");
  GstBus *bus = bus_new (h->element);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_stream_start ("s"));
  gst_harness_push_event (h, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_harness_push (h,
          gst_buffer_new_allocate (NULL, 128, NULL)), GST_FLOW_NOT_NEGOTIATED);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "caps", "other/tensors",
      NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-errors");
  TCase *tc = tcase_create ("errors");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_model_path);
  tcase_add_test (tc, test_corrupt);
  tcase_add_test (tc, test_settings);
  tcase_add_test (tc, test_other_elements);
  tcase_add_test (tc, test_buffer_size);
  tcase_add_test (tc, test_memories);
  tcase_add_test (tc, test_unaligned);
  tcase_add_test (tc, test_invalid_dropped);
  tcase_add_loop_test (tc, test_extremes, 0, 2);
  tcase_add_test (tc, test_invalid_error);
  tcase_add_test (tc, test_full);
  tcase_add_test (tc, test_no_caps);
  return s;
}

GST_CHECK_MAIN (encoder);
