/* gst-continual: what a decoder's vectors attend to, and from when on
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decodertest.h"

static const gchar *const cases[] = { LINEAR, FULL };
static const gsize chunks[] = { 1, 7, 30 };

GST_START_TEST (test_golden)
{
  const gsize T = chunks[__i__ % 3];
  Decoder d = decoder_new (cases[__i__ / 3], T);

  decoder_put (&d, 0, d.g->n_memory, __i__ % 2 ? 0 : GST_CLOCK_TIME_NONE);
  for (gsize t = 0; t < d.g->n_steps; t += T)
    decoder_push (&d, t, MIN (T, d.g->n_steps - t));
  gst_harness_push_event (d.h, gst_event_new_eos ());
  for (gsize t = 0; t < d.g->n_steps; t++) {
    GstBuffer *out = gst_harness_try_pull (d.h);

    fail_unless (out != NULL);
    fail_unless (difference (out, d.g->y + t * d.g->y_size,
            d.g->y_size) <= d.g->atol);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (out), t * EACH);
    gst_buffer_unref (out);
  }
  fail_unless (gst_harness_try_pull (d.h) == NULL);
  decoder_free (&d);
}

GST_END_TEST;

/* Of memories between vectors, at a vector, and two between the same vectors. */
GST_START_TEST (test_switch)
{
  static const Switch truth[] = {
    {0, 0, 10}, {5, 2, 3}, {12, 0, 8}, {20, 1, 1}, {21, 5, 5}
  };
  const gsize T = chunks[__i__ % 3];
  Decoder d = decoder_new (cases[__i__ / 3], T);

  decoder_put (&d, 0, 10, 0);
  decoder_put (&d, 2, 3, 5 * EACH - 1);
  decoder_put (&d, 0, 8, 12 * EACH);
  decoder_put (&d, 3, 2, 19 * EACH + 1);
  decoder_put (&d, 1, 1, 20 * EACH - 1);
  decoder_put (&d, 5, 5, 20 * EACH + 1);
  for (gsize t = 0; t < 30; t += T)
    decoder_push (&d, t, MIN (T, 30 - t));
  decoder_expect (&d, 0, 30, truth, G_N_ELEMENTS (truth));
  /* The fourth was over before any vector. */
  fail_unless_equals_uint64 (decoder_get_stat (&d, "memories"), 5);
  decoder_free (&d);
}

GST_END_TEST;

/* One that has arrived counts from the next vector on; one that comes late, from then on. */
GST_START_TEST (test_late)
{
  static const Switch truth[] = { {0, 0, 10}, {4, 2, 6}, {6, 0, 3} };
  Decoder d = decoder_new (LINEAR, 1);

  decoder_put (&d, 0, 10, 0);
  for (gsize t = 0; t < 4; t++)
    decoder_push (&d, t, 1);
  decoder_put (&d, 2, 6, 1 * EACH);
  for (gsize t = 4; t < 6; t++)
    decoder_push (&d, t, 1);
  decoder_put (&d, 0, 3, GST_CLOCK_TIME_NONE);
  for (gsize t = 6; t < 10; t++)
    decoder_push (&d, t, 1);
  decoder_expect (&d, 0, 10, truth, G_N_ELEMENTS (truth));
  decoder_free (&d);
}

GST_END_TEST;

/* Both pads' times count through their segments. */
GST_START_TEST (test_segments)
{
  static const Switch truth[] = { {0, 0, 10}, {3, 2, 6} };
  Decoder d = decoder_new (LINEAR, 10);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = GST_SECOND;
  fail_unless (gst_harness_push_event (d.memory,
          gst_event_new_segment (&segment)));
  /* Before the segment: it holds as if from its beginning. */
  decoder_put (&d, 0, 10, GST_SECOND / 2);
  decoder_put (&d, 2, 6, GST_SECOND + 3 * EACH);
  decoder_push (&d, 0, 10);
  decoder_expect (&d, 0, 10, truth, G_N_ELEMENTS (truth));
  decoder_free (&d);
}

GST_END_TEST;

/* The first memory serves the vectors that waited for it, whatever its time. */
GST_START_TEST (test_vectors_wait_for_the_first)
{
  static const Switch truth[] = { {0, 0, 10}, {6, 2, 6} };
  Decoder d = decoder_new (LINEAR, 10);
  Waiter w;

  waiter_begin (&w, &d, 0, 10);
  decoder_put (&d, 0, 10, 4 * EACH);
  fail_unless_equals_int (waiter_end (&w), GST_FLOW_OK);
  decoder_expect (&d, 0, 10, truth, 1);
  decoder_free (&d);

  d = decoder_new (LINEAR, 10);
  decoder_put (&d, 0, 10, 4 * EACH);
  decoder_put (&d, 2, 6, 6 * EACH);
  decoder_push (&d, 0, 10);
  decoder_expect (&d, 0, 10, truth, 2);
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_end_of_memories_ends_nothing)
{
  static const Switch truth[] = { {0, 0, 10}, {5, 2, 6} };
  Decoder d = decoder_new (LINEAR, 1);

  decoder_put (&d, 0, 10, 0);
  decoder_put (&d, 2, 6, 5 * EACH);
  fail_unless (gst_harness_push_event (d.memory, gst_event_new_eos ()));
  for (gsize t = 0; t < 10; t++)
    decoder_push (&d, t, 1);
  decoder_expect (&d, 0, 10, truth, 2);
  fail_unless (pull_event (d.h, GST_EVENT_EOS) == NULL);
  decoder_free (&d);
}

GST_END_TEST;

GST_START_TEST (test_gaps)
{
  static const Switch truth[] = { {0, 0, 10}, {5, 2, 6} };
  Decoder d = decoder_new (LINEAR, 1);
  GstEvent *gap;

  fail_unless (gst_harness_push_event (d.memory, gst_event_new_gap (0, EACH)));
  decoder_put (&d, 0, 10, 0);
  for (gsize t = 0; t < 5; t++)
    decoder_push (&d, t, 1);
  fail_unless (gst_harness_push_event (d.memory,
          gst_event_new_gap (EACH, 100 * EACH)));
  decoder_put (&d, 2, 6, 5 * EACH);
  decoder_push (&d, 5, 1);
  fail_unless (pull_event (d.h, GST_EVENT_GAP) == NULL);
  fail_unless (gst_harness_push_event (d.h, gst_event_new_gap (6 * EACH,
              EACH)));
  gap = pull_event (d.h, GST_EVENT_GAP);
  fail_unless (gap != NULL);
  gst_event_unref (gap);
  decoder_push (&d, 6, 1);
  decoder_expect (&d, 0, 7, truth, 2);
  decoder_free (&d);
}

GST_END_TEST;

/* The last memory holds on while nobody is linked; the next pad goes on giving them. */
GST_START_TEST (test_relink)
{
  static const Switch truth[] = { {0, 0, 10}, {6, 2, 6} };
  Decoder d = decoder_new (LINEAR, 1);

  decoder_put (&d, 0, 10, 0);
  for (gsize t = 0; t < 3; t++)
    decoder_push (&d, t, 1);
  gst_harness_teardown (d.memory);
  for (gsize t = 3; t < 6; t++)
    decoder_push (&d, t, 1);
  d.memory = gst_harness_new_with_element (d.h->element, "memory", NULL);
  encoder_set_caps (d.memory, "32:6", 0);
  decoder_put (&d, 2, 6, 6 * EACH);
  for (gsize t = 6; t < 10; t++)
    decoder_push (&d, t, 1);
  decoder_expect (&d, 0, 10, truth, 2);
  decoder_free (&d);
}

GST_END_TEST;

static gpointer
put_many (gpointer data)
{
  Decoder *d = data;
  GstFlowReturn ret = GST_FLOW_OK;

  for (gsize i = 0; ret == GST_FLOW_OK; i++)
    ret = gst_harness_push (d->memory, decoder_memory (d, i % 5, 5, i * EACH));
  return GINT_TO_POINTER (ret);
}

/* Memories without end wait in their thread for their time, until no vectors come any more. */
GST_START_TEST (test_many)
{
  Decoder d = decoder_new (LINEAR, 1);
  GThread *thread = g_thread_new ("memories", put_many, &d);

  for (gsize t = 0; t < 30; t++)
    decoder_push (&d, t, 1);
  fail_unless (gst_harness_push_event (d.h, gst_event_new_eos ()));
  fail_unless_equals_int (GPOINTER_TO_INT (g_thread_join (thread)),
      GST_FLOW_EOS);
  fail_unless_equals_int (gst_harness_buffers_received (d.h), 30);
  decoder_free (&d);
}

GST_END_TEST;

static void
flush (GstHarness * h, GstEvent * segment)
{
  GstEvent *start = gst_event_new_flush_start ();
  GstEvent *stop = gst_event_new_flush_stop (TRUE);

  gst_event_set_seqnum (start, gst_event_get_seqnum (segment));
  gst_event_set_seqnum (stop, gst_event_get_seqnum (segment));
  gst_harness_push_event (h, start);
  gst_harness_push_event (h, stop);
  gst_harness_push_event (h, segment);
}

/* A file of memories of 40 ms, cut anyhow. A seek into one of them goes to its begin; the next one begins when it would have. */
GST_START_TEST (test_file)
{
  Decoder d = decoder_new_bare (LINEAR, "", TRUE);
  const gsize size = 2 * d.E * sizeof (float);
  const Switch switches[] = { {5, 2, 2}, {8, 4, 2} };
  GstEvent *seek, *found, *event;
  GstSegment bytes, time;
  GstSeekType type;
  GstFormat format;
  gint64 start;

  encoder_set_caps (d.h, "32", 100);
  encoder_set_caps (d.memory, "32:2", 25);
  gst_segment_init (&bytes, GST_FORMAT_BYTES);
  gst_harness_push_event (d.memory, gst_event_new_segment (&bytes));
  decoder_put (&d, 0, 3, GST_CLOCK_TIME_NONE);
  decoder_push (&d, 0, 1);
  gst_buffer_unref (gst_harness_pull (d.h));

  seek = gst_event_new_seek (1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
      GST_SEEK_TYPE_SET, 5 * EACH, GST_SEEK_TYPE_NONE, -1);
  gst_harness_push_upstream_event (d.h, gst_event_ref (seek));
  while ((found = gst_harness_pull_upstream_event (d.memory))
      && GST_EVENT_TYPE (found) != GST_EVENT_SEEK)
    gst_event_unref (found);
  gst_event_parse_seek (found, NULL, &format, NULL, &type, &start, NULL, NULL);
  fail_unless_equals_int (format, GST_FORMAT_BYTES);
  fail_unless_equals_int64 (start, size);

  bytes.start = bytes.time = bytes.position = size;
  event = gst_event_new_segment (&bytes);
  gst_event_set_seqnum (event, gst_event_get_seqnum (found));
  flush (d.memory, event);
  gst_segment_init (&time, GST_FORMAT_TIME);
  time.start = time.time = time.position = 5 * EACH;
  event = gst_event_new_segment (&time);
  gst_event_set_seqnum (event, gst_event_get_seqnum (seek));
  flush (d.h, event);
  decoder_put (&d, 2, 1, GST_CLOCK_TIME_NONE);
  decoder_put (&d, 3, 3, GST_CLOCK_TIME_NONE);
  for (gsize t = 5; t < 10; t++)
    decoder_push (&d, t, 1);
  decoder_expect (&d, 5, 5, switches, 2);
  gst_event_unref (found);
  gst_event_unref (seek);
  decoder_free (&d);
}

GST_END_TEST;

static Suite *
decoder_suite (void)
{
  Suite *s = suite_create ("decoder-memory");
  TCase *tc = tcase_create ("memory");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_golden, 0, 6);
  tcase_add_loop_test (tc, test_switch, 0, 6);
  tcase_add_test (tc, test_late);
  tcase_add_test (tc, test_segments);
  tcase_add_test (tc, test_vectors_wait_for_the_first);
  tcase_add_test (tc, test_end_of_memories_ends_nothing);
  tcase_add_test (tc, test_gaps);
  tcase_add_test (tc, test_relink);
  tcase_add_test (tc, test_many);
  tcase_add_test (tc, test_file);
  return s;
}

GST_CHECK_MAIN (decoder);
