/* gst-continual: a decoder without a memory, with a wrong one, flushed and reset
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decodertest.h"

#include <glib/gstdio.h>

static GstMessage *
pop_error (Decoder * d)
{
  return gst_bus_pop_filtered (d->bus, GST_MESSAGE_ERROR);
}

/* No vector is answered, and the reason is told. */
static void
expect_no_memory (Decoder * d, const gchar * word)
{
  check_message (pop_error (d), GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED,
      "Expected a memory for the first vector, found", word, NULL);
  fail_unless (pop_error (d) == NULL);
  fail_unless (gst_harness_try_pull (d->h) == NULL);
}

GST_START_TEST (test_not_linked)
{
  Decoder d = decoder_new_bare (LINEAR, "", FALSE);

  encoder_set_caps (d.h, "32", 100);
  fail_unless_equals_int (gst_harness_push (d.h, decoder_vectors (&d, 0, 1)),
      GST_FLOW_ERROR);
  expect_no_memory (&d, "not linked");
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_unlinked_while_waiting)
{
  Decoder d = decoder_new (LINEAR, 1);
  Waiter w;

  waiter_begin (&w, &d, 0, 1);
  gst_harness_teardown (g_steal_pointer (&d.memory));
  fail_unless_equals_int (waiter_end (&w), GST_FLOW_ERROR);
  expect_no_memory (&d, "not linked");
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_ended)
{
  Decoder d = decoder_new (LINEAR, 1);

  fail_unless (gst_harness_push_event (d.memory, gst_event_new_eos ()));
  fail_unless_equals_int (gst_harness_push (d.h, decoder_vectors (&d, 0, 1)),
      GST_FLOW_ERROR);
  expect_no_memory (&d, "ended");
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_ended_while_waiting)
{
  Decoder d = decoder_new (LINEAR, 1);
  Waiter w;

  waiter_begin (&w, &d, 0, 1);
  fail_unless (gst_harness_push_event (d.memory, gst_event_new_eos ()));
  fail_unless_equals_int (waiter_end (&w), GST_FLOW_ERROR);
  expect_no_memory (&d, "ended");
  decoder_free (&d);
}

GST_END_TEST;

/* Without vectors no memory is missed. */
GST_START_TEST (test_no_vectors)
{
  Decoder d = decoder_new (LINEAR, 1);
  GstEvent *eos;

  fail_unless (gst_harness_push_event (d.memory, gst_event_new_eos ()));
  fail_unless (gst_harness_push_event (d.h, gst_event_new_eos ()));
  eos = pull_event (d.h, GST_EVENT_EOS);
  fail_unless (eos != NULL);
  gst_event_unref (eos);
  fail_unless (pop_error (&d) == NULL);
  decoder_free (&d);
}

GST_END_TEST;

/* The error is told once, and vectors that wait for a memory don't wait for ever. */
GST_START_TEST (test_wrong_width)
{
  Decoder d = decoder_new_bare (LINEAR, "", TRUE);
  Waiter w;

  encoder_set_caps (d.h, "32", 100);
  waiter_begin (&w, &d, 0, 1);
  encoder_set_caps (d.memory, "24:10", 0);
  fail_unless (gst_harness_push (d.memory, decoder_memory (&d, 0, 3,
              0)) != GST_FLOW_OK);
  fail_unless_equals_int (waiter_end (&w), GST_FLOW_ERROR);
  check_message (pop_error (&d), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "32 or 32:L", "24:10", NULL);
  fail_unless (gst_harness_try_pull (d.h) == NULL);
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_untyped_dimensions)
{
  Decoder d = decoder_new_bare (LINEAR, "", TRUE);
  GstPad *pad = gst_element_get_static_pad (d.h->element, "memory");
  GstCaps *caps = gst_caps_from_string ("other/tensors,format=static,"
      "num_tensors=1,types=float32,dimensions=32:10");

  gst_caps_unref (gst_pad_query_caps (pad, caps));
  gst_caps_unref (caps);
  gst_object_unref (pad);
  check_message (pop_error (&d), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "(string)", NULL);
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_no_whole_vectors)
{
  Decoder d = decoder_new (LINEAR, 1);

  fail_unless_equals_int (gst_harness_push (d.memory,
          vectors_new (d.g->memory, 33, 0, GST_CLOCK_TIME_NONE)),
      GST_FLOW_ERROR);
  check_message (pop_error (&d), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "128 bytes", "132 bytes", NULL);
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_no_caps)
{
  Decoder d = decoder_new_bare (LINEAR, "", TRUE);
  GstPad *pad = gst_element_get_static_pad (d.h->element, "memory");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_play (d.memory);
  gst_pad_send_event (pad, gst_event_new_stream_start ("memories"));
  gst_pad_send_event (pad, gst_event_new_segment (&segment));
  fail_unless_equals_int (gst_pad_chain (pad, decoder_memory (&d, 0, 10, 0)),
      GST_FLOW_ERROR);
  check_message (pop_error (&d), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
      "xpected caps before the first memory", NULL);
  gst_object_unref (pad);
  decoder_free (&d);
}

GST_END_TEST;

static GstBuffer *
bad_memory (Decoder * d, GstClockTime pts, float value)
{
  GstBuffer *memory = decoder_memory (d, 0, 4, pts);

  gst_buffer_fill (memory, 40, &value, sizeof value);
  return memory;
}

GST_START_TEST (test_not_finite)
{
  static const Switch truth[] = { {0, 2, 6} };
  Decoder d = decoder_new (LINEAR, 1);

  fail_unless_equals_int (gst_harness_push (d.memory, bad_memory (&d, 0, NAN)),
      GST_FLOW_OK);
  check_message (gst_bus_pop_filtered (d.bus, GST_MESSAGE_WARNING),
      GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "NaN", "memory", NULL);
  decoder_put (&d, 2, 6, 0);
  fail_unless_equals_int (gst_harness_push (d.memory, bad_memory (&d, EACH,
              1e30f)), GST_FLOW_OK);
  for (gsize t = 0; t < 4; t++)
    decoder_push (&d, t, 1);
  decoder_expect (&d, 0, 4, truth, 1);
  decoder_free (&d);

  d = decoder_new_bare (LINEAR, "on-invalid=error", TRUE);
  encoder_set_caps (d.memory, "32:10", 0);
  fail_unless_equals_int (gst_harness_push (d.memory, bad_memory (&d, 0,
              INFINITY)), GST_FLOW_ERROR);
  check_message (pop_error (&d), GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE,
      "infinity", NULL);
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_other_models)
{
  static const gchar *const words[][2] = {
    {"encoder-1-relu", "continualencoder"}, {"mha-single-output",
        "continualattention"}
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    g_autofree gchar *path = model_path (words[i][0]);
    GstElement *element = gst_element_factory_make ("continualdecoder", NULL);
    GstBus *bus = gst_bus_new ();

    gst_element_set_bus (element, bus);
    g_object_set (element, "model-path", path, NULL);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
    check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR),
        GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "Expected", words[i][1],
        NULL);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_element_set_bus (element, NULL);
    gst_object_unref (bus);
    gst_object_unref (element);
  }
}

GST_END_TEST;

/* What the metadata doesn't say, properties do. */
GST_START_TEST (test_properties)
{
  static const gchar *const keys[] = { "architecture", "self_attention",
    "cross_attention", "nhead"
  };
  static const Switch truth[] = { {0, 0, 10} };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autofree gchar *path = model_copy (LINEAR, keys[i], NULL);
    Decoder d = decoder_new_bare (LINEAR, "", TRUE);
    GstElement *element = d.h->element;

    gst_element_set_state (element, GST_STATE_NULL);
    g_object_set (element, "model-path", path, "heads", 4, NULL);
    gst_util_set_object_arg (G_OBJECT (element), "self-attention",
        "recurrent-linear");
    gst_util_set_object_arg (G_OBJECT (element), "cross-attention", "full");
    gst_element_set_state (element, GST_STATE_PLAYING);
    encoder_set_caps (d.h, "32", 0);
    encoder_set_caps (d.memory, "32:10", 0);
    decoder_put (&d, 0, 10, 0);
    decoder_push (&d, 0, 1);
    decoder_expect (&d, 0, 1, truth, 1);
    decoder_free (&d);
    g_unlink (path);
  }
}

GST_END_TEST;

static void
flush (GstHarness * h)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_start ()));
  fail_unless (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  fail_unless (gst_harness_push_event (h, gst_event_new_segment (&segment)));
}

/* Flushed vectors are forgotten, the memory is not. */
GST_START_TEST (test_flush)
{
  static const Switch truth[] = { {0, 0, 10}, {5, 0, 10} };
  Decoder d = decoder_new (LINEAR, 1);

  decoder_put (&d, 0, 10, 0);
  for (gsize t = 0; t < 5; t++)
    decoder_push (&d, t, 1);
  decoder_expect (&d, 0, 5, truth, 2);
  flush (d.h);
  for (gsize t = 5; t < 10; t++)
    decoder_push (&d, t, 1);
  decoder_expect (&d, 5, 5, truth, 2);

  /* Nor does a continual-reset or clean-state. */
  fail_unless (gst_harness_push_event (d.h,
          gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
              gst_structure_new_empty ("continual-reset"))));
  decoder_push (&d, 5, 1);
  decoder_expect (&d, 5, 1, truth, 2);
  g_signal_emit_by_name (d.h->element, "clean-state");
  decoder_push (&d, 5, 1);
  decoder_expect (&d, 5, 1, truth, 2);
  decoder_free (&d);
}

GST_END_TEST;

/* Flushed memories are: vectors wait for the first one again. */
GST_START_TEST (test_flush_memory)
{
  static const Switch truth[] = { {0, 0, 10}, {5, 2, 6} };
  Decoder d = decoder_new (LINEAR, 1);
  Waiter w;

  decoder_put (&d, 0, 10, 0);
  decoder_put (&d, 0, 3, 7 * EACH);
  for (gsize t = 0; t < 5; t++)
    decoder_push (&d, t, 1);
  flush (d.memory);
  waiter_begin (&w, &d, 5, 1);
  decoder_put (&d, 2, 6, 0);
  fail_unless_equals_int (waiter_end (&w), GST_FLOW_OK);
  for (gsize t = 6; t < 10; t++)
    decoder_push (&d, t, 1);
  decoder_expect (&d, 0, 10, truth, 2);
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_flush_while_waiting)
{
  static const Switch truth[] = { {3, 0, 10} };
  Decoder d = decoder_new (LINEAR, 1);
  Waiter w;

  waiter_begin (&w, &d, 0, 1);
  flush (d.h);
  fail_unless_equals_int (waiter_end (&w), GST_FLOW_FLUSHING);
  decoder_put (&d, 0, 10, 0);
  decoder_push (&d, 3, 1);
  decoder_expect (&d, 3, 1, truth, 1);
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_stop_while_waiting)
{
  Decoder d = decoder_new (LINEAR, 1);
  Waiter w;

  waiter_begin (&w, &d, 0, 1);
  gst_element_set_state (d.h->element, GST_STATE_READY);
  fail_unless_equals_int (waiter_end (&w), GST_FLOW_FLUSHING);
  fail_unless (pop_error (&d) == NULL);
  decoder_free (&d);
}

GST_END_TEST;

/* A snapshot holds the memory, and vectors don't wait for another. */
GST_START_TEST (test_state)
{
  static const Switch truth[] = { {0, 0, 10}, {6, 2, 6} };
  Decoder d = decoder_new (LINEAR, 1);
  gboolean ok = FALSE;
  GBytes *state;

  decoder_put (&d, 0, 10, 0);
  for (gsize t = 0; t < 3; t++)
    decoder_push (&d, t, 1);
  g_signal_emit_by_name (d.h->element, "get-state", &state);
  fail_unless (state != NULL);
  decoder_free (&d);

  d = decoder_new (LINEAR, 1);
  g_signal_emit_by_name (d.h->element, "set-state", state, &ok);
  fail_unless (ok);
  g_bytes_unref (state);
  for (gsize t = 3; t < 6; t++)
    decoder_push (&d, t, 1);
  decoder_put (&d, 2, 6, 6 * EACH);
  for (gsize t = 6; t < 9; t++)
    decoder_push (&d, t, 1);
  decoder_expect_after (&d, 0, 3, 6, truth, 2);
  decoder_free (&d);
}

GST_END_TEST;

/* A memory is for all streams, those that come by a change of caps, too. */
GST_START_TEST (test_streams)
{
  static const Switch truth[] = { {0, 0, 10} };
  Decoder d = decoder_new (LINEAR, 1);
  const gsize C = d.C;
  g_autofree float *x = g_new (float, 2 * C);
  g_autofree float *y = g_new (float, 2 * d.g->y_size);
  g_autoptr (CoStream) stream = co_stream_new (d.g->model, 1);

  decoder_put (&d, 0, 10, 0);
  decoder_push (&d, 0, 1);
  decoder_expect (&d, 0, 1, truth, 1);
  encoder_set_caps (d.h, "32:1:2", 0);
  memcpy (x, d.g->x, 2 * C * sizeof (float));
  co_stream_set_memory (stream, CO_ALL_STREAMS, d.g->memory, 10, NULL);
  for (gsize s = 0; s < 2; s++) {
    co_stream_clean_state (stream, CO_ALL_STREAMS);
    co_stream_set_memory (stream, CO_ALL_STREAMS, d.g->memory, 10, NULL);
    co_stream_forward_step (stream, x + s * C, y + s * d.g->y_size);
  }
  fail_unless_equals_int (gst_harness_push (d.h, vectors_new (x, 2 * C, EACH,
              EACH)), GST_FLOW_OK);
  expect_output (d.h, y, 2 * d.g->y_size, 1e-5);
  decoder_free (&d);
}

GST_END_TEST;

static Suite *
decoder_suite (void)
{
  Suite *s = suite_create ("decoder-errors");
  TCase *tc = tcase_create ("errors");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_not_linked);
  tcase_add_test (tc, test_unlinked_while_waiting);
  tcase_add_test (tc, test_ended);
  tcase_add_test (tc, test_ended_while_waiting);
  tcase_add_test (tc, test_no_vectors);
  tcase_add_test (tc, test_wrong_width);
  tcase_add_test (tc, test_untyped_dimensions);
  tcase_add_test (tc, test_no_whole_vectors);
  tcase_add_test (tc, test_no_caps);
  tcase_add_test (tc, test_not_finite);
  tcase_add_test (tc, test_other_models);
  tcase_add_test (tc, test_properties);
  tcase_add_test (tc, test_flush);
  tcase_add_test (tc, test_flush_memory);
  tcase_add_test (tc, test_flush_while_waiting);
  tcase_add_test (tc, test_stop_while_waiting);
  tcase_add_test (tc, test_state);
  tcase_add_test (tc, test_streams);
  return s;
}

GST_CHECK_MAIN (decoder);
