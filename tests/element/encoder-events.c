/* gst-continual: events through continualencoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define MODEL "encoder-2-relu"
#define FULL 7                  /* the vector that completes the first window */

static Golden *g;
static GstHarness *h;

/* Half way into a stream: ten vectors, three outputs. */
static void
setup (void)
{
  g = golden_load (MODEL, NULL);
  h = NULL;
}

static void
teardown (void)
{
  gst_harness_teardown (h);
  golden_free (g);
}

static void
begin (const gchar * properties)
{
  h = encoder_new (MODEL, properties);
  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 10 - FULL);
}

/* The stream begins anew: the case from its beginning gives its outputs. */
static void
expect_fresh (void)
{
  push_vectors (h, g, 0, FULL);
  fail_unless (gst_harness_try_pull (h) == NULL);
  push_vectors (h, g, FULL, 5);
  pull_outputs (h, g, 0, 5);
}

/* Or goes on. */
static void
expect_same (void)
{
  push_vectors (h, g, 10, 5);
  pull_outputs (h, g, 10 - FULL, 5);
}

static void
push_segment (gdouble rate)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  segment.stop = GST_SECOND;
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

GST_START_TEST (test_flush)
{
  begin ("");
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  push_segment (1.0);
  expect_fresh ();
}

GST_END_TEST;

GST_START_TEST (test_stream_start)
{
  GstEvent *first;

  begin ("");
  /* A new link repeats the event of the stream that is running. */
  first = gst_pad_get_sticky_event (h->srcpad, GST_EVENT_STREAM_START, 0);
  gst_harness_push_event (h, first);
  expect_same ();
  gst_harness_push_event (h, gst_event_new_stream_start ("next"));
  push_segment (1.0);
  expect_fresh ();
}

GST_END_TEST;

/* Segments in time may follow one another without a break. */
GST_START_TEST (test_segment)
{
  begin ("");
  push_segment (1.0);
  expect_same ();
}

GST_END_TEST;

GST_START_TEST (test_reverse)
{
  GstBus *bus;

  begin ("");
  bus = bus_new (h->element);
  push_segment (-1.0);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "rate -1", "positive", NULL);
  fail_if (gst_pad_push_event (h->sinkpad, gst_event_new_seek (-1.0,
              GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0,
              GST_SEEK_TYPE_NONE, -1)));
  bus_free (h->element, bus);
}

GST_END_TEST;

static void
push_discont (gsize t)
{
  GstBuffer *buffer = vectors_new (g->x + t * 32, 32, t * GST_SECOND, 1);

  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  fail_unless_equals_int (gst_harness_push (h, buffer), GST_FLOW_OK);
}

GST_START_TEST (test_discont)
{
  GstBuffer *buffer;

  begin ("");
  push_discont (10);
  buffer = gst_harness_pull (h);
  fail_unless (GST_BUFFER_IS_DISCONT (buffer));
  fail_unless (difference (buffer, g->y + 3 * 32, 32) <= g->atol);
  gst_buffer_unref (buffer);
}

GST_END_TEST;

GST_START_TEST (test_reset_on_discont)
{
  begin ("reset-on-discont=true");
  push_discont (0);
  push_vectors (h, g, 1, FULL - 1);
  fail_unless (gst_harness_try_pull (h) == NULL);
  push_vectors (h, g, FULL, 3);
  pull_outputs (h, g, 0, 3);
}

GST_END_TEST;

GST_START_TEST (test_gap)
{
  GstClockTime t, d;
  GstEvent *event;

  begin ("");
  while ((event = gst_harness_try_pull_event (h)))
    gst_event_unref (event);
  gst_harness_push_event (h, gst_event_new_gap (GST_SECOND, GST_MSECOND));
  event = pull_event (h, GST_EVENT_GAP);
  fail_unless (event != NULL);
  gst_event_parse_gap (event, &t, &d);
  fail_unless_equals_uint64 (t, GST_SECOND);
  fail_unless_equals_uint64 (d, GST_MSECOND);
  gst_event_unref (event);
  expect_same ();
}

GST_END_TEST;

GST_START_TEST (test_eos)
{
  GstEvent *event;

  begin ("");
  gst_harness_push_event (h, gst_event_new_eos ());
  fail_unless (gst_harness_try_pull (h) == NULL);
  event = pull_event (h, GST_EVENT_EOS);
  fail_unless (event != NULL);
  gst_event_unref (event);
}

GST_END_TEST;

static GstEvent *
reset_event_new (GstEventType type)
{
  return gst_event_new_custom (type,
      gst_structure_new_empty ("continual-reset"));
}

GST_START_TEST (test_reset)
{
  const GstEventType types[] = { GST_EVENT_CUSTOM_DOWNSTREAM,
    GST_EVENT_CUSTOM_DOWNSTREAM_OOB
  };
  GstEvent *event;

  begin ("");
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++) {
    gst_harness_push_event (h, reset_event_new (types[i]));
    expect_fresh ();
    /* Others downstream hear of it, too. */
    event = pull_event (h, types[i]);
    fail_unless (event != NULL);
    fail_unless (gst_event_has_name (event, "continual-reset"));
    gst_event_unref (event);
  }
}

GST_END_TEST;

GST_START_TEST (test_clean_state)
{
  GstElement *e;

  begin ("");
  e = encoder_get (h);
  g_signal_emit_by_name (e, "clean-state");
  gst_object_unref (e);
  expect_fresh ();
}

GST_END_TEST;

/* What waits for the end of a chunk is answered before a reset. */
GST_START_TEST (test_reset_drains)
{
  g_autoptr (Golden) k =
      golden_load ("kernel-relu-chunk-4-window-2-decay", NULL);
  g_autofree gchar *dims = g_strdup_printf ("%d",
      (gint) co_model_get_info (k->model)->n_inputs);

  h = encoder_new (k->name, "");
  encoder_set_caps (h, dims, 100);
  push_vectors (h, k, 0, 6);
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 4);
  gst_harness_push_event (h, reset_event_new (GST_EVENT_CUSTOM_DOWNSTREAM));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 6);
  push_vectors (h, k, 0, 2);
  gst_harness_push_event (h, gst_event_new_stream_start ("next"));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 8);
  push_segment (1.0);
  push_vectors (h, k, 0, 4);
  for (gint i = 0; i < 8; i++)
    gst_buffer_unref (gst_harness_pull (h));
  pull_outputs (h, k, 0, 4);
  /* A flush drops it. */
  push_vectors (h, k, 4, 2);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  fail_unless_equals_int (gst_harness_buffers_in_queue (h), 0);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-events");
  TCase *tc = tcase_create ("events");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_stream_start);
  tcase_add_test (tc, test_segment);
  tcase_add_test (tc, test_reverse);
  tcase_add_test (tc, test_discont);
  tcase_add_test (tc, test_reset_on_discont);
  tcase_add_test (tc, test_gap);
  tcase_add_test (tc, test_eos);
  tcase_add_test (tc, test_reset);
  tcase_add_test (tc, test_clean_state);
  tcase_add_test (tc, test_reset_drains);
  return s;
}

GST_CHECK_MAIN (encoder);
