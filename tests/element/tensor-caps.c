/* gst-continual: tests of the other/tensors caps helper
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/check/gstcheck.h>
#include "tensor/caps.h"

#define HEAD "other/tensors,format=(string)static,num_tensors=(int)1,types=(string)float32"

static void
check_parse (const gchar * text, guint a, guint b, guint c, guint d,
    gint fps_n, gint fps_d)
{
  GstCaps *caps = gst_caps_from_string (text);
  TensorInfo info;
  gchar *why = NULL;

  fail_unless (caps != NULL, "%s", text);
  fail_unless (tensor_caps_parse (caps, &info, &why), "%s: %s", text, why);
  fail_unless (why == NULL);
  fail_unless_equals_int (info.dims[0], a);
  fail_unless_equals_int (info.dims[1], b);
  fail_unless_equals_int (info.dims[2], c);
  fail_unless_equals_int (info.dims[3], d);
  fail_unless_equals_int (info.fps_n, fps_n);
  fail_unless_equals_int (info.fps_d, fps_d);
  gst_caps_unref (caps);
}

/* The message must hold every one of the given words. */
static void
check_refused (const gchar * text, const gchar * found, const gchar * advice)
{
  GstCaps *caps = gst_caps_from_string (text);
  TensorInfo info = { {7, 7, 7, 7}, 7, 7 };
  gchar *why = NULL;

  fail_unless (caps != NULL, "%s", text);
  fail_if (tensor_caps_parse (caps, &info, &why), "%s", text);
  fail_unless (why != NULL);
  fail_unless (strstr (why, "expected") != NULL, "%s", why);
  fail_unless (strstr (why, found) != NULL, "%s", why);
  fail_unless (strstr (why, advice) != NULL, "%s", why);
  fail_unless_equals_int (info.dims[0], 7);
  g_free (why);
  fail_if (tensor_caps_parse (caps, &info, NULL));
  gst_caps_unref (caps);
}

GST_START_TEST (test_spellings_parse)
{
  check_parse (HEAD ",dimensions=(string)64", 64, 1, 1, 1, 0, 1);
  check_parse (HEAD ",dimensions=(string)64:1", 64, 1, 1, 1, 0, 1);
  check_parse (HEAD ",dimensions=(string)64:1:1:1", 64, 1, 1, 1, 0, 1);
  check_parse (HEAD ",dimensions=(string)64:16:2:3", 64, 16, 2, 3, 0, 1);
  check_parse (HEAD ",dimensions=(string)1:1:5", 1, 1, 5, 1, 0, 1);
  check_parse (HEAD ",dimensions=(string)4294967295", G_MAXUINT, 1, 1, 1, 0,
      1);
  check_parse (HEAD ",dimensions=\"64 : 16\"", 64, 16, 1, 1, 0, 1);
  /* NNStreamer's rank limit is 16 */
  check_parse (HEAD
      ",dimensions=(string)64:16:1:1:1:1:1:1:1:1:1:1:1:1:1:1", 64, 16, 1, 1,
      0, 1);
  /* untyped: an int */
  check_parse (HEAD ",dimensions=64", 64, 1, 1, 1, 0, 1);
}

GST_END_TEST;

GST_START_TEST (test_framerate)
{
  check_parse (HEAD ",dimensions=64,framerate=(fraction)100/1", 64, 1, 1, 1,
      100, 1);
  check_parse (HEAD ",dimensions=64,framerate=30000/1001", 64, 1, 1, 1, 30000,
      1001);
  check_parse (HEAD ",dimensions=64,framerate=0/1", 64, 1, 1, 1, 0, 1);
  check_refused (HEAD ",dimensions=64,framerate=(fraction)-5/1", "-5/1",
      "framerate=(fraction)100/1");
  check_refused (HEAD ",dimensions=64,framerate=(string)100/1",
      "(string)100/1", "framerate=(fraction)100/1");
}

GST_END_TEST;

GST_START_TEST (test_refused)
{
  GstCaps *caps;
  TensorInfo info;
  gchar *why = NULL;

  /* untyped: a flag set */
  check_refused (HEAD ",dimensions=64:16", "flag set",
      "dimensions=(string)64:16");
  check_refused (HEAD ",dimensions=(string)64:16:1:1:2", "64:16:1:1:2",
      "reshape");
  check_refused (HEAD
      ",dimensions=(string)64:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1", "17",
      "dimensions=(string)64:16");
  check_refused (HEAD ",dimensions=(string)0", "\"0\"", "(string)64:16");
  check_refused (HEAD ",dimensions=(string)64:0", "\"64:0\"", "(string)64:16");
  check_refused (HEAD ",dimensions=0", "0", "(string)64:16");
  check_refused (HEAD ",dimensions=-64", "-64", "(string)64:16");
  check_refused (HEAD ",dimensions=(string)-64", "-64", "(string)64:16");
  check_refused (HEAD ",dimensions=(string)\"\"", "0 in \"\"",
      "(string)64:16");
  check_refused (HEAD ",dimensions=(string)abc", "abc", "(string)64:16");
  check_refused (HEAD ",dimensions=(string)64:", "64:", "(string)64:16");
  check_refused (HEAD ",dimensions=(string)64x16", "64x16", "(string)64:16");
  check_refused (HEAD ",dimensions=(string)0x40", "0x40", "(string)64:16");
  check_refused (HEAD ",dimensions=(string)\"64,32\"", "64,32",
      "(string)64:16");
  check_refused (HEAD ",dimensions=(string)4294967296", "4294967296",
      "(string)64:16");
  check_refused (HEAD ",dimensions=(string)99999999999999999999", "9999",
      "(string)64:16");
  check_refused (HEAD ",dimensions=(string)4294967295:4294967295:4:4",
      "4294967295", "smaller");
  check_refused (HEAD ",dimensions=(float)64", "64", "(string)64:16");
  check_refused (HEAD, "found none", "(string)64:16");

  check_refused ("other/tensor,dimensions=64", "other/tensor", "convert");
  check_refused ("other/tensors,num_tensors=1,types=float32,dimensions=64",
      "found none", "format=(string)static");
  check_refused ("other/tensors,format=flexible,num_tensors=1,types=float32,"
      "dimensions=64", "flexible", "format=(string)static");
  check_refused ("other/tensors,format=static,num_tensors=2,types=float32,"
      "dimensions=64", "(gint)2", "one tensor");
  check_refused ("other/tensors,format=static,types=float32,dimensions=64",
      "found none", "one tensor");
  check_refused ("other/tensors,format=static,num_tensors=(string)1,"
      "types=float32,dimensions=64", "(string)1", "one tensor");
  check_refused ("other/tensors,format=static,num_tensors=1,types=uint8,"
      "dimensions=64", "uint8", "float32");
  check_refused ("other/tensors,format=static,num_tensors=1,types=(int)3,"
      "dimensions=64", "(gint)3", "float32");
  check_refused ("other/tensors,format=static,num_tensors=1,dimensions=64",
      "found none", "float32");
  check_refused (HEAD ",dimensions={(string)64,(string)32}", "64", "single");
  check_refused ("ANY", "ANY", "single");
  check_refused ("EMPTY", "EMPTY", "single");

  caps = gst_caps_from_string (HEAD ",dimensions=(string)NULL");
  gst_caps_set_simple (caps, "dimensions", G_TYPE_STRING, NULL, NULL);
  fail_if (tensor_caps_parse (caps, &info, &why));
  g_free (why);
  gst_caps_unref (caps);
}

GST_END_TEST;

static void
check_spellings (const guint dims[4], const gchar * padded, guint n_structures)
{
  GstCaps *caps = tensor_caps_new (dims, 25, 1);
  GstCaps *tmpl = gst_caps_from_string (TENSOR_CAPS_TEMPLATE);
  GstCaps *fixed;

  fail_unless_equals_int (gst_caps_get_size (caps), n_structures);
  fail_unless (gst_caps_is_subset (caps, tmpl));
  for (guint i = 0; i < n_structures; i++) {
    TensorInfo info;
    GstCaps *one = gst_caps_copy_nth (caps, i);
    gchar *why = NULL;

    fail_unless (gst_caps_is_fixed (one));
    fail_unless (tensor_caps_parse (one, &info, &why), "%s", why);
    for (guint k = 0; k < 4; k++)
      fail_unless_equals_int (info.dims[k], dims[k]);
    fail_unless_equals_int (info.fps_n, 25);
    fail_unless_equals_int (info.fps_d, 1);
    gst_caps_unref (one);
  }
  fixed = gst_caps_fixate (caps);
  fail_unless_equals_string (gst_structure_get_string (gst_caps_get_structure
          (fixed, 0), "dimensions"), padded);
  gst_caps_unref (fixed);
  gst_caps_unref (tmpl);
}

GST_START_TEST (test_new)
{
  static const gchar *spellings[] = {
    "(string)64", "(string)64:1", "(string)64:1:1", "(string)64:1:1:1", "64"
  };
  const guint vector[4] = { 64, 1, 1, 1 }, chunk[4] = { 64, 16, 1, 1 };
  const guint streams[4] = { 64, 1, 2, 1 }, full[4] = { 2, 3, 4, 5 };
  GstCaps *caps;

  check_spellings (vector, "64:1:1:1", 5);
  check_spellings (chunk, "64:16:1:1", 3);
  check_spellings (streams, "64:1:2:1", 2);
  check_spellings (full, "2:3:4:5", 1);

  caps = tensor_caps_new (vector, 0, 0);
  fail_if (gst_structure_has_field (gst_caps_get_structure (caps, 0),
          "framerate"));
  for (guint i = 0; i < G_N_ELEMENTS (spellings); i++) {
    gchar *text = g_strconcat (HEAD ",dimensions=", spellings[i], NULL);
    GstCaps *other = gst_caps_from_string (text);

    fail_unless (gst_caps_can_intersect (caps, other), "%s", text);
    gst_caps_unref (other);
    g_free (text);
  }
  gst_caps_unref (caps);

  caps = tensor_caps_new (vector, 0, 1);
  fail_unless (gst_structure_has_field (gst_caps_get_structure (caps, 0),
          "framerate"));
  gst_caps_unref (caps);
}

GST_END_TEST;

GST_START_TEST (test_to_string)
{
  const guint cases[][4] = { {64, 1, 1, 1}, {64, 16, 1, 1}, {64, 1, 2, 1},
  {1, 1, 1, 1}, {1, 2, 3, 4}
  };
  const gchar *texts[] = { "64", "64:16", "64:1:2", "1", "1:2:3:4" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    gchar *s = tensor_dims_to_string (cases[i]);
    fail_unless_equals_string (s, texts[i]);
    g_free (s);
  }
}

GST_END_TEST;

static Suite *
tensorcaps_suite (void)
{
  Suite *s = suite_create ("tensorcaps");
  TCase *tc = tcase_create ("caps");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_spellings_parse);
  tcase_add_test (tc, test_framerate);
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_new);
  tcase_add_test (tc, test_to_string);
  return s;
}

GST_CHECK_MAIN (tensorcaps);
