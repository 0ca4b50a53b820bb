/* gst-continual: between elements of a real NNStreamer, where it is installed
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define MODEL "classifier-1"
#define SKIPPED 77

/* Their caps in, and ours out to them: nothing in between. */
static void
check_between (const gchar * before, const gchar * after)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  g_autofree gchar *path = model_path (MODEL);
  g_autofree gchar *line = g_strdup_printf ("%s ! continualencoder "
      "model-path=%s ! %s", before, path, after);
  GstHarness *h = gst_harness_new_parse (line);

  gst_harness_set_src_caps_str (h,
      "application/octet-stream,framerate=(fraction)100/1");
  push_vectors (h, g, 0, g->n_steps);
  pull_outputs (h, g, 0, g->n_outputs);
  gst_harness_teardown (h);
}

GST_START_TEST (test_single_tensors)
{
  check_between ("tensor_converter input-dim=20 input-type=float32",
      "tensor_transform mode=typecast option=float32");
}

GST_END_TEST;

GST_START_TEST (test_padded_dimensions)
{
  check_between ("tensor_converter input-dim=20:1:1:1 input-type=float32",
      "tensor_transform mode=arithmetic option=mul:1.0");
}

GST_END_TEST;

static Suite *
nnstreamer_suite (void)
{
  Suite *s = suite_create ("nnstreamer");
  TCase *tc = tcase_create ("caps");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_single_tensors);
  tcase_add_test (tc, test_padded_dimensions);
  return s;
}

int
main (int argc, char **argv)
{
  g_autoptr (GstElementFactory) theirs = NULL;

  gst_check_init (&argc, &argv);
  theirs = gst_element_factory_find ("tensor_converter");
  if (!theirs) {
    g_print ("SKIPPED: NNStreamer is not installed (no element "
        "tensor_converter)\n");
    return SKIPPED;
  }
  return gst_check_run_suite (nnstreamer_suite (), "nnstreamer", __FILE__);
}
