/* gst-continual: a memory for which there is no room
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decodertest.h"

#include <sys/resource.h>

/* 64 MiB; its copies, keys and values need several times as much. */
#define VECTORS (1 << 19)

static GstBuffer *
huge_memory (const Decoder * d, GstClockTime pts)
{
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, VECTORS * d->E * sizeof (float), NULL);

  gst_buffer_memset (buffer, 0, 0, -1);
  GST_BUFFER_PTS (buffer) = pts;
  return buffer;
}

/* From now on the process may take 100 MiB more than it has. */
static void
limit (void)
{
  g_autofree gchar *statm = NULL;
  struct rlimit limit;

  fail_unless (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL));
  limit.rlim_cur = limit.rlim_max =
      g_ascii_strtoull (statm, NULL, 10) * sysconf (_SC_PAGESIZE) + (100 << 20);
  fail_unless_equals_int (setrlimit (RLIMIT_AS, &limit), 0);
}

/* Vectors go on with the last memory, and the bus says why. */
GST_START_TEST (test_left_out)
{
  Decoder d = decoder_new (LINEAR, 1);

  fail_unless_equals_int (gst_harness_push (d.memory, decoder_memory (&d, 0,
              d.g->n_memory, 0)), GST_FLOW_OK);
  fail_unless_equals_int (gst_harness_push (d.memory, huge_memory (&d,
              5 * EACH)), GST_FLOW_OK);
  limit ();
  for (gsize t = 0; t < 10; t++)
    fail_unless_equals_int (gst_harness_push (d.h, decoder_vectors (&d, t, 1)),
        GST_FLOW_OK);
  pull_outputs (d.h, d.g, 0, 10);
  check_message (gst_bus_pop_filtered (d.bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "left out",
      "expected one that fits into RAM", NULL);
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_error)
{
  Decoder d = decoder_new_bare (LINEAR, "on-invalid=error", TRUE);

  encoder_set_caps (d.h, "32", 100);
  encoder_set_caps (d.memory, "32:4", 0);
  fail_unless_equals_int (gst_harness_push (d.memory, huge_memory (&d, 0)),
      GST_FLOW_OK);
  limit ();
  fail_unless_equals_int (gst_harness_push (d.h, decoder_vectors (&d, 0, 1)),
      GST_FLOW_ERROR);
  check_message (gst_bus_pop_filtered (d.bus, GST_MESSAGE_ERROR),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
      "expected one that fits into RAM", NULL);
  decoder_free (&d);
}

GST_END_TEST;

static Suite *
decoder_suite (void)
{
  Suite *s = suite_create ("decoder-room");
  TCase *tc = tcase_create ("room");

  suite_add_tcase (s, tc);
/* Sanitizers reserve more address space than the limit allows. */
#if !defined (__SANITIZE_ADDRESS__) && !defined (__SANITIZE_THREAD__)
  tcase_add_test (tc, test_left_out);
  tcase_add_test (tc, test_error);
#else
  (void) test_left_out;
  (void) test_error;
#endif
  return s;
}

GST_CHECK_MAIN (decoder);
