/* gst-continual: several streams through one continualencoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define MODEL "encoder-1-relu"  /* 32 features and outputs, window 8 */
#define S 3

static Golden *g;
static GstHarness *h;

static void
begin (const gchar * model, const gchar * dims)
{
  g = golden_load (model, NULL);
  h = encoder_new (model, "");
  encoder_set_caps (h, dims, 100);
}

static void
teardown (void)
{
  gst_harness_teardown (h);
  golden_free (g);
}

/* A step: vector rows[s] of the case for each stream; -1: absent, -2: invalid. */
static void
push_step (gsize t, const gint rows[S])
{
  float x[S * 32];

  for (gsize s = 0; s < S; s++)
    for (gsize i = 0; i < 32; i++)
      x[s * 32 + i] = rows[s] == -1 ? NAN : g->x[MAX (0, rows[s]) * 32 + i];
  for (gsize s = 0; s < S; s++)
    if (rows[s] == -2)
      x[s * 32 + 5] = INFINITY;
  fail_unless_equals_int (gst_harness_push (h, vectors_new (x, S * 32,
              t * 10 * GST_MSECOND, 10 * GST_MSECOND)), GST_FLOW_OK);
}

/* The outputs of a step: output rows[s] of the case; -1: NaN. */
static void
expect_step (GstClockTime pts, const gint rows[S])
{
  GstBuffer *buffer = gst_harness_try_pull (h);
  float y[S * 32];

  fail_unless (buffer != NULL);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
  for (gsize s = 0; s < S; s++)
    for (gsize i = 0; i < 32; i++)
      y[s * 32 + i] = rows[s] < 0 ? NAN : g->y[rows[s] * 32 + i];
  fail_unless (difference (buffer, y, S * 32) <= g->atol);
  gst_buffer_unref (buffer);
}

/* Warm-up, absence and refusal are each stream's own. */
GST_START_TEST (test_rows)
{
  gint next[S] = { 0, 0, 0 };
  GstEvent *event;
  guint gaps = 0;

  begin (MODEL, "32:1:3");
  for (gint t = 0; t < 30; t++) {
    gint in[S], out[S];
    gboolean any = FALSE;

    for (gint s = 0; s < S; s++) {
      in[s] = s == 1 && t < 3 ? -1 : s == 2 && t % 5 == 4 ? -2 : next[s]++;
      if (t == 20)              /* nobody there */
        in[s] = in[s] < 0 ? in[s] : (next[s]--, -1);
      out[s] = in[s] < 0 || in[s] < 7 ? -1 : in[s] - 7;
      any = any || out[s] >= 0;
    }
    push_step (t, in);
    if (any) {
      expect_step (t * 10 * GST_MSECOND, out);
      continue;
    }
    fail_unless (gst_harness_try_pull (h) == NULL);
    event = pull_event (h, GST_EVENT_GAP);
    fail_unless (event != NULL);
    gst_event_unref (event);
    gaps++;
  }
  fail_unless_equals_int (gaps, 8);
}

GST_END_TEST;

/* (S, T, C) gives what its vectors give one by one. */
GST_START_TEST (test_chunks)
{
  const gsize T = 5;
  g_autofree float *x = g_new (float, S * T * 32);

  begin (MODEL, "32:5:3");
  for (gsize t = 0; t < 20; t += T) {
    for (gsize s = 0; s < S; s++)
      memcpy (x + s * T * 32, g->x + (t + s) * 32, T * 32 * sizeof (float));
    fail_unless_equals_int (gst_harness_push (h, vectors_new (x, S * T * 32,
                t * GST_MSECOND, T * GST_MSECOND)), GST_FLOW_OK);
  }
  for (gint t = 7; t < 20; t++) {
    /* Each stream began with another vector of the case: the windows are in it. */
    expect_step (t * GST_MSECOND, (gint[S]) {
        t - 7, t - 6, t - 5});
  }
}

GST_END_TEST;

static void
push_reset (gint stream)
{
  gst_harness_push_event (h, gst_event_new_custom
      (GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new ("continual-reset",
              "stream", G_TYPE_INT, stream, NULL)));
}

GST_START_TEST (test_reset_one)
{
  GstBus *bus;

  begin (MODEL, "32:1:3");
  bus = bus_new (h->element);
  for (gint t = 0; t < 10; t++)
    push_step (t, (gint[S]) {
        t, t, t});
  for (gint t = 7; t < 10; t++)
    expect_step (t * 10 * GST_MSECOND, (gint[S]) {
        t - 7, t - 7, t - 7});
  push_reset (1);
  for (gint t = 10; t < 20; t++) {
    gint fresh = t - 10;

    push_step (t, (gint[S]) {
        t, fresh, t});
    expect_step (t * 10 * GST_MSECOND, (gint[S]) {
        t - 7, fresh < 7 ? -1 : fresh - 7, t - 7});
  }
  push_reset (3);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "from 0 to 2", "found 3",
      NULL);
  push_step (20, (gint[S]) {
      20, 10, 20});
  expect_step (200 * GST_MSECOND, (gint[S]) {
      13, 3, 13});
  push_reset (-1);
  push_step (21, (gint[S]) {
      0, 0, 0});
  fail_unless (gst_harness_try_pull (h) == NULL);
  bus_free (h->element, bus);
}

GST_END_TEST;

static GBytes *
get_state_at (GstHarness * from, guint stream)
{
  GstElement *e = encoder_get (from);
  GBytes *state = NULL;

  g_signal_emit_by_name (e, "get-state-at", stream, &state);
  gst_object_unref (e);
  return state;
}

static gboolean
set_state_at (GstHarness * to, guint stream, GBytes * state)
{
  GstElement *e = encoder_get (to);
  gboolean ok = FALSE;

  g_signal_emit_by_name (e, "set-state-at", stream, state, &ok);
  gst_object_unref (e);
  return ok;
}

/* A stream leaves its place, and goes on in another one, or alone; its neighbours notice nothing. */
GST_START_TEST (test_move_one)
{
  GstHarness *alone = encoder_new (MODEL, "");
  g_autoptr (GBytes) state = NULL;
  GstBus *bus;

  begin (MODEL, "32:1:3");
  bus = bus_new (h->element);
  for (gint t = 0; t < 10; t++)
    push_step (t, (gint[S]) {
        t, t + 3, -1});
  while (gst_harness_buffers_in_queue (h))
    gst_buffer_unref (gst_harness_pull (h));
  state = get_state_at (h, 1);
  fail_unless (set_state_at (h, 2, state));
  push_step (10, (gint[S]) {
      10, -1, 13});
  expect_step (100 * GST_MSECOND, (gint[S]) {
      3, -1, 6});

  encoder_set_caps (alone, "32", 100);
  fail_unless (set_state_at (alone, 0, state));
  push_vectors (alone, g, 13, 14);
  pull_outputs (alone, g, 6, 7);
  gst_harness_teardown (alone);

  fail_unless (get_state_at (h, 3) == NULL);
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "from 0 to 2", "found 3",
      NULL);
  fail_if (set_state_at (h, G_MAXUINT, state));
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "from 0 to 2", NULL);
  bus_free (h->element, bus);
}

GST_END_TEST;

/* Looking back five vectors: a stream that missed one looks further back in time, the newest gives the time. */
GST_START_TEST (test_looking_back)
{
  begin ("encoder-1-query-index-2", "32:1:3");
  for (gint t = 0; t < 7; t++)
    push_step (t, (gint[S]) {
        t, t, -1});
  push_step (7, (gint[S]) {
      7, -1, -1});
  expect_step (20 * GST_MSECOND, (gint[S]) {
      0, -1, -1});
  push_step (8, (gint[S]) {
      8, 7, -1});
  expect_step (30 * GST_MSECOND, (gint[S]) {
      1, 0, -1});
  /* Alone, its own: of its vectors 0 to 8, which came at 0 to 6, 8 and 9, the fourth */
  push_step (9, (gint[S]) {
      -1, 8, -1});
  expect_step (30 * GST_MSECOND, (gint[S]) {
      -1, 1, -1});
}

GST_END_TEST;

/* The state of one stream, restored before the caps, is kept; that of all streams is kept only if the caps have as many. */
GST_START_TEST (test_restore_first)
{
  g_autoptr (GBytes) state = NULL;
  GBytes *all = NULL;
  GstElement *e;
  gboolean ok = FALSE;
  GstBus *bus;

  begin (MODEL, "32:1:3");
  for (gint t = 0; t < 10; t++)
    push_step (t, (gint[S]) {
        t, t + 3, -1});
  state = get_state_at (h, 1);
  gst_harness_teardown (h);
  h = encoder_new (MODEL, "");
  gst_harness_play (h);
  fail_unless (set_state_at (h, 0, state));
  encoder_set_caps (h, "32:1:3", 100);
  push_step (10, (gint[S]) {
      13, 0, 0});
  expect_step (100 * GST_MSECOND, (gint[S]) {
      6, -1, -1});

  gst_harness_teardown (h);
  h = encoder_new (MODEL, "");
  gst_harness_play (h);
  bus = bus_new (h->element);
  e = encoder_get (h);
  g_signal_emit_by_name (e, "get-state", &all);
  g_signal_emit_by_name (e, "set-state", all, &ok);
  fail_unless (ok);
  encoder_set_caps (h, "32:1:3", 100);
  push_step (0, (gint[S]) {
      0, 0, 0});
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
      "is of 1 stream, found caps of 3", NULL);
  g_bytes_unref (all);
  gst_object_unref (e);
  bus_free (h->element, bus);
}

GST_END_TEST;

/* Another number of streams are other streams. */
GST_START_TEST (test_change)
{
  begin (MODEL, "32:1:3");
  for (gint t = 0; t < 10; t++)
    push_step (t, (gint[S]) {
        t, t, t});
  while (gst_harness_buffers_in_queue (h))
    gst_buffer_unref (gst_harness_pull (h));
  encoder_set_caps (h, "32", 100);
  push_vectors (h, g, 0, 10);
  pull_outputs (h, g, 0, 3);
  fail_unless (gst_harness_try_pull (h) == NULL);
}

GST_END_TEST;

static Suite *
encoder_suite (void)
{
  Suite *s = suite_create ("encoder-streams");
  TCase *tc = tcase_create ("streams");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, NULL, teardown);
  tcase_add_test (tc, test_rows);
  tcase_add_test (tc, test_chunks);
  tcase_add_test (tc, test_reset_one);
  tcase_add_test (tc, test_move_one);
  tcase_add_test (tc, test_restore_first);
  tcase_add_test (tc, test_looking_back);
  tcase_add_test (tc, test_change);
  return s;
}

GST_CHECK_MAIN (encoder);
