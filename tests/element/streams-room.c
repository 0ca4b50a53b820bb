/* gst-continual: more streams than there is room for
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#include "allocations.h"

#define STREAMS 3000
#define WIDTH 20

#ifdef COUNTS_ALLOCATIONS
/* Sets caps, and lets the @which-th large allocation for their streams fail. TRUE: there were fewer allocations. */
static gboolean
refuse (guint which)
{
  GstHarness *h = encoder_new ("classifier-1", "");
  GstBus *bus = bus_new (h->element);
  GstMessage *message;
  gboolean all;

  allocations_fail (which, 4096);
  encoder_set_caps (h, "20:1:3000", 100);
  all = !allocations_failed ();
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (all == (message == NULL));
  if (message)
    check_message (message, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
        "3000 streams", "expected room for", "use fewer streams", NULL);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
  return all;
}

GST_START_TEST (test_caps)
{
  guint n = 0;

  while (!refuse (n))
    n++;
  fail_unless (n >= 4, "%u allocations", n);
}

GST_END_TEST;

/* A buffer for whose outputs there is no room is an error. */
GST_START_TEST (test_buffer)
{
  GstHarness *h = encoder_new ("classifier-1", "");
  GstBus *bus = bus_new (h->element);
  g_autofree float *x = g_new0 (float, STREAMS * WIDTH);
  GstBuffer *buffer = vectors_new (x, STREAMS * WIDTH, 0, GST_MSECOND);

  encoder_set_caps (h, "20:1:3000", 100);
  /* The fate of each vector, events, outputs, and what they answer. What was found before stays. */
  for (guint n = 0; n < 4; n++) {
    allocations_fail (MIN (n, 1), 4096);
    fail_unless_equals_int (gst_harness_push (h, gst_buffer_ref (buffer)),
        GST_FLOW_ERROR);
    fail_unless (allocations_failed ());
    check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
        "3000 streams of 1 vectors", "expected room for", NULL);
  }
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;

/* A snapshot for which there is no room is none, with a warning. */
GST_START_TEST (test_snapshot)
{
  GstHarness *h = encoder_new ("classifier-1", "");
  GstBus *bus = bus_new (h->element);
  GstElement *e = encoder_get (h);
  GBytes *state = NULL;

  encoder_set_caps (h, "20:1:3000", 100);
  allocations_fail (0, 4096);
  g_signal_emit_by_name (e, "get-state", &state);
  fail_unless (allocations_failed ());
  fail_unless (state == NULL);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "Expected room for", NULL);
  gst_object_unref (e);
  bus_free (h->element, bus);
  gst_harness_teardown (h);
}

GST_END_TEST;
#endif

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("streams-room");
  TCase *tc = tcase_create ("room");

  suite_add_tcase (s, tc);
#ifdef COUNTS_ALLOCATIONS
  tcase_add_test (tc, test_caps);
  tcase_add_test (tc, test_buffer);
  tcase_add_test (tc, test_snapshot);
#endif
  return s;
}

GST_CHECK_MAIN (encoder);
