/* gst-continual: golden cases through the element, in chunks, and with their hyper-parameters as properties
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include <glib/gstdio.h>

static gchar **names, **models;

/* The case's inputs in buffers of @T vectors; all of its outputs, and their times. */
static void
check_case (const Golden * g, GstHarness * h, gsize T)
{
  const CoModelInfo *info = co_model_get_info (g->model);
  const gsize C = info->n_inputs;
  const GstClockTime each = 10 * GST_MSECOND;
  g_autofree gchar *dims = g_strdup_printf ("%" G_GSIZE_FORMAT ":%"
      G_GSIZE_FORMAT, C, T);
  GstBuffer *buffer;

  encoder_set_caps (h, dims, 100 / T);
  for (gsize t = 0; t < g->n_steps; t += T) {
    gsize n = MIN (T, g->n_steps - t);

    fail_unless_equals_int (gst_harness_push (h, vectors_new (g->x + t * C,
                n * C, t * each, n * each)), GST_FLOW_OK);
  }
  gst_harness_push_event (h, gst_event_new_eos ());
  for (gsize i = 0; i < g->n_outputs; i++) {
    gsize answered = g->pts + i * info->answer_interval;
    gdouble d;

    buffer = gst_harness_try_pull (h);
    fail_unless (buffer != NULL, "%s, T=%d: %d outputs", g->name, (gint) T,
        (gint) i);
    d = difference (buffer, g->y + i * g->y_size, g->y_size);
    fail_unless (d <= g->atol, "%s, T=%d: output %d is off by %g", g->name,
        (gint) T, (gint) i, d);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), answered * each);
    fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), each);
    gst_buffer_unref (buffer);
  }
  fail_unless (gst_harness_try_pull (h) == NULL, "%s: too many", g->name);
}

/* NULL: its inputs are not one sequence. */
static Golden *
load (const gchar * name, CoOptions * options)
{
  Golden *g = golden_load (name, options);

  if (!g->key && !g->memory)
    return g;
  golden_free (g);
  return NULL;
}

GST_START_TEST (test_chunks)
{
  const gsize chunks[] = { 1, 3, 7 };
  g_autoptr (Golden) g = load (names[__i__], NULL);

  for (gsize i = 0; g && i < G_N_ELEMENTS (chunks); i++) {
    GstHarness *h = encoder_new (g->name, "");

    check_case (g, h, chunks[i]);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* Whole applications, and models as libraries save them: files and folders */
GST_START_TEST (test_models)
{
  const gsize chunks[] = { 1, 3, 7 };
  g_autoptr (Golden) g = golden_load (models[__i__], NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (chunks); i++) {
    GstHarness *h = encoder_new (g->name, g->properties);

    check_case (g, h, chunks[i]);
    gst_harness_teardown (h);
  }
}

GST_END_TEST;

/* Sets the property of a key of the metadata; its value is written as gst-launch takes it. */
static gboolean
add_property (gpointer key, gpointer value, gpointer to)
{
  g_autofree gchar *name = g_strdelimit (g_strdup (key), "_", '-');
  g_autofree gchar *text = g_strdelimit (g_strdup (value), "_", '-');

  if (g_str_equal (name, "nhead") || g_str_equal (name, "num-heads"))
    g_string_append (to, "heads");
  else
    g_string_append (to, name);
  g_string_append_printf (to, "=%s ", text);
  return FALSE;
}

GST_START_TEST (test_properties)
{
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (Golden) g = load (names[__i__], options);
  g_autofree gchar *model = model_path (names[__i__]);
  g_autoptr (CoSafetensors) file = co_safetensors_load (model, NULL);
  g_autoptr (CoOptions) ignored = co_options_new ();
  g_autoptr (GBytes) bytes = golden_strip (model, ignored);
  g_autoptr (GString) properties = g_string_new (NULL);
  g_autofree gchar *path = NULL;
  gint fd = g_file_open_tmp ("continual-XXXXXX", &path, NULL);
  const gchar *keys[] = { "nhead", "num_heads", "sequence_len", "attention",
    "activation", "layer_norm_eps", "norm_first", "query_index",
    "add_zero_attn", "feature_map", "feature_transform",
    "num_random_features", "scale", "causal_chunk_length",
    "causal_window_length", "causal_window_decay", "cache"
  };
  GstHarness *h;

  fail_unless (fd >= 0);
  close (fd);
  fail_unless (g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
          g_bytes_get_size (bytes), NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    const gchar *value = co_safetensors_get_metadata (file, keys[i]);

    if (value)
      add_property ((gpointer) keys[i], (gpointer) value, properties);
  }
  g_string_append_printf (properties, "model-path=%s", path);
  if (g) {
    h = encoder_new (NULL, properties->str);
    check_case (g, h, 1);
    gst_harness_teardown (h);
  }
  g_unlink (path);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-golden");
  TCase *tc = tcase_create ("golden");
  gint n;

  names = golden_names ();
  models = golden_names_in ("golden-models");
  n = g_strv_length (names);
  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_chunks, 0, n);
  tcase_add_loop_test (tc, test_properties, 0, n);
  g_assert_nonnull (models[0]);
  tcase_add_loop_test (tc, test_models, 0, g_strv_length (models));
  return s;
}

GST_CHECK_MAIN (encoder);
