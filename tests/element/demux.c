/* gst-continual: tests of continualdemux, alone and behind an encoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "muxtest.h"
#include "golden.h"

/* A demux that is fed from in; src_n goes to at[n]. */
typedef struct
{
  GstElement *demux;
  GstHarness *in;
  GstHarness *at[MAX_PADS];
} Split;

static void
split_join (Split * split, guint slot)
{
  gchar *name = g_strdup_printf ("src_%u", slot);

  split->at[slot] = gst_harness_new_with_element (split->demux, NULL, name);
  g_free (name);
}

static void
split_leave (Split * split, guint slot)
{
  gst_harness_teardown (split->at[slot]);
  split->at[slot] = NULL;
}

/* Slots 0 to @n - 1 in use. */
static Split
split_new (const gchar * dims, guint n)
{
  Split split = { gst_element_factory_make ("continualdemux", NULL) };
  gchar *caps = g_strdup_printf (TENSORS ",dimensions=(string)%s,"
      "framerate=50/1", dims);

  split.in = gst_harness_new_with_element (split.demux, "sink", NULL);
  for (guint s = 0; s < n; s++)
    split_join (&split, s);
  gst_harness_set_src_caps_str (split.in, caps);
  g_free (caps);
  return split;
}

static void
split_free (Split * split)
{
  for (guint s = 0; s < MAX_PADS; s++)
    if (split->at[s])
      split_leave (split, s);
  gst_harness_teardown (split->in);
  gst_object_unref (split->demux);
}

static GstFlowReturn
push_rows (Split * split, guint n, const gfloat * x /* (n) */ ,
    GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new_memdup (x, n * sizeof *x);

  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = TICK;
  return gst_harness_push (split->in, buffer);
}

#define PUSH(split, pts, ...) \
  fail_unless_equals_int (push_rows (split, sizeof ((gfloat[]) {__VA_ARGS__}) \
      / sizeof (gfloat), (gfloat[]) {__VA_ARGS__}, pts), GST_FLOW_OK)

/* One buffer came, of two values. */
static void
expect_pair (GstHarness * h, GstClockTime pts, gfloat a, gfloat b)
{
  GstBuffer *buffer = gst_harness_try_pull (h);
  GstMapInfo map;

  fail_unless (buffer != NULL);
  fail_unless (gst_harness_try_pull (h) == NULL);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), TICK);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless_equals_uint64 (map.size, 2 * sizeof (gfloat));
  fail_unless (memcmp (map.data, ((gfloat[]) {a, b}), map.size) == 0);
  gst_buffer_unmap (buffer, &map);
  gst_buffer_unref (buffer);
}

/* Nothing came but a GAP. */
static void
expect_gap (GstHarness * h, GstClockTime pts)
{
  GstClockTime found, duration;
  GstEvent *event;
  guint n = 0;

  fail_unless (gst_harness_try_pull (h) == NULL);
  while ((event = gst_harness_try_pull_event (h))) {
    if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
      gst_event_parse_gap (event, &found, &duration);
      fail_unless_equals_uint64 (found, pts);
      fail_unless_equals_uint64 (duration, TICK);
      n++;
    }
    gst_event_unref (event);
  }
  fail_unless_equals_int (n, 1);
}

static void
expect_caps (GstHarness * h, const gchar * dims)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  const GstStructure *s;
  gint n, d;

  fail_unless (caps != NULL);
  s = gst_caps_get_structure (caps, 0);
  fail_unless_equals_string (gst_structure_get_string (s, "dimensions"), dims);
  fail_unless (gst_structure_get_fraction (s, "framerate", &n, &d));
  fail_unless_equals_int (n, 50);
  gst_caps_unref (caps);
}

GST_START_TEST (test_apart)
{
  Split split = split_new ("2:1:3", 3);

  PUSH (&split, TICK, 1, 2, 3, 4, 5, 6);
  expect_pair (split.at[2], TICK, 5, 6);
  expect_pair (split.at[0], TICK, 1, 2);
  expect_pair (split.at[1], TICK, 3, 4);
  for (guint s = 0; s < 3; s++)
    expect_caps (split.at[s], "2:1:1:1");

  /* Absent is who is NaN throughout: one NaN is a number of the model. */
  PUSH (&split, 2 * TICK, 7, 8, NAN, NAN, NAN, 9);
  expect_pair (split.at[0], 2 * TICK, 7, 8);
  expect_gap (split.at[1], 2 * TICK);
  expect_pair (split.at[2], 2 * TICK, NAN, 9);
  split_free (&split);

  /* All positions of each stream. */
  split = split_new ("1:2:2", 2);
  PUSH (&split, 0, 1, 2, 3, 4);
  expect_pair (split.at[0], 0, 1, 2);
  expect_pair (split.at[1], 0, 3, 4);
  expect_caps (split.at[1], "1:2:1:1");
  split_free (&split);
}

GST_END_TEST;

GST_START_TEST (test_pads_come_and_go)
{
  Split split = split_new ("2:1:3", 1);
  GstEvent *event;
  gchar *seen = g_strdup ("");

  PUSH (&split, 0, 1, 2, 3, 4, 5, 6);
  expect_pair (split.at[0], 0, 1, 2);
  split_join (&split, 2);
  PUSH (&split, TICK, 1, 2, 3, 4, 5, 6);
  expect_pair (split.at[2], TICK, 5, 6);
  /* All that a stream begins with, in order. */
  while ((event = gst_harness_try_pull_event (split.at[2]))) {
    gchar *more = g_strconcat (seen, GST_EVENT_TYPE_NAME (event), " ", NULL);

    g_free (seen);
    seen = more;
    gst_event_unref (event);
  }
  fail_unless (g_str_has_prefix (seen, "stream-start caps segment "), "%s",
      seen);
  g_free (seen);
  split_leave (&split, 0);
  PUSH (&split, 2 * TICK, 1, 2, 3, 4, 5, 6);
  expect_pair (split.at[2], 2 * TICK, 5, 6);
  split_leave (&split, 2);
  PUSH (&split, 3 * TICK, 1, 2, 3, 4, 5, 6);
  split_free (&split);
}

GST_END_TEST;

GST_START_TEST (test_resets)
{
  Split split = split_new ("2:1:3", 3);

  PUSH (&split, 0, 1, 2, 3, 4, 5, 6);
  fail_unless (gst_harness_push_event (split.in,
          gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
              gst_structure_new ("continual-reset", "stream", G_TYPE_INT, 1,
                  NULL))));
  expect_resets (split.at[0], "");
  expect_resets (split.at[1], "all ");
  expect_resets (split.at[2], "");
  fail_unless (gst_harness_push_event (split.in, reset_new ()));
  for (guint s = 0; s < 3; s++)
    expect_resets (split.at[s], "all ");
  split_free (&split);
}

GST_END_TEST;

/* A mux in another process, or one that is gone: the buffer's time stays. */
GST_START_TEST (test_times_of_a_stranger)
{
  Split split = split_new ("2:1:2", 1);

  fail_unless (gst_harness_push_event (split.in,
          gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
              gst_structure_new ("continual-times", "id", G_TYPE_STRING,
                  "nobody", NULL))));
  PUSH (&split, TICK, 1, 2, 3, 4);
  expect_pair (split.at[0], TICK, 1, 2);
  split_join (&split, 1);
  PUSH (&split, 2 * TICK, 1, 2, 3, 4);
  expect_pair (split.at[1], 2 * TICK, 3, 4);
  split_free (&split);
}

GST_END_TEST;

GST_START_TEST (test_errors)
{
  Split split = split_new ("2:1:2", 3);
  const gfloat x[4] = { 0 };
  GstBus *bus = gst_bus_new ();

  gst_element_set_bus (split.demux, bus);
  fail_unless_equals_int (push_rows (&split, 4, x, 0), GST_FLOW_ERROR);
  expect_message (bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT, "src_1", "2 streams", "src_2", NULL);
  split_leave (&split, 2);
  fail_unless_equals_int (push_rows (&split, 3, x, 0), GST_FLOW_ERROR);
  expect_message (bus, GST_MESSAGE_ERROR, GST_STREAM_ERROR,
      GST_STREAM_ERROR_FORMAT, "16 bytes", "12 bytes", NULL);
  gst_element_set_bus (split.demux, NULL);
  gst_object_unref (bus);
  split_free (&split);
}

GST_END_TEST;

#define N_STREAMS 4
/* From one stream to the next. */
#define PHASE (3 * GST_MSECOND)

/* Whether stream @s has a vector at step @t; each has its own habits, one leaves. */
static gboolean
is_there (guint s, gsize t)
{
  return s == 0 || (s == 1 && t % 3 != 1) || (s == 2 && t >= 11)
      || (s == 3 && t < 30);
}

/* Several streams through one encoder, each at its own pace: to every one as if it were alone. */
GST_START_TEST (test_through_an_encoder)
{
  g_autoptr (Golden) g = golden_load ("classifier-1", NULL);
  const gsize C = co_model_get_info (g->model)->n_inputs, D = g->n_outputs ?
      co_model_get_info (g->model)->n_outputs : 0;
  g_autofree gchar *path = golden_path (g->name, "model.safetensors");
  g_autofree gchar *line = g_strdup_printf ("continualmux name=m max-streams=%d "
      "! continualencoder model-path=%s ! continualdemux name=d", N_STREAMS,
      path);
  g_autofree gchar *caps = g_strdup_printf (TENSORS ",dimensions=(string)%d,"
      "framerate=50/1", (gint) C);
  GstElement *bin = gst_parse_launch (line, NULL);
  GstElement *mux = gst_bin_get_by_name (GST_BIN (bin), "m");
  GstElement *demux = gst_bin_get_by_name (GST_BIN (bin), "d");
  GstHarness *in[N_STREAMS], *out[N_STREAMS];
  gsize taken[N_STREAMS] = { 0 };

  for (guint s = 0; s < N_STREAMS; s++) {
    g_autofree gchar *sink = g_strdup_printf ("sink_%u", s);
    g_autofree gchar *src = g_strdup_printf ("src_%u", s);
    GstPad *pads[] = { gst_element_request_pad_simple (mux, sink),
      gst_element_request_pad_simple (demux, src)
    };

    for (guint i = 0; i < 2; i++) {
      gst_element_add_pad (bin, gst_ghost_pad_new (i ? src : sink, pads[i]));
      gst_object_unref (pads[i]);
    }
    in[s] = gst_harness_new_with_element (bin, sink, NULL);
    out[s] = gst_harness_new_with_element (bin, NULL, src);
    gst_harness_set_live (in[s], FALSE);
  }
  gst_harness_play (in[0]);
  for (guint s = 0; s < N_STREAMS; s++)
    gst_harness_set_src_caps_str (in[s], caps);

  for (gsize t = 0; t < g->n_steps; t++)
    for (guint s = 0; s < N_STREAMS; s++) {
      GstBuffer *buffer;

      if (!is_there (s, t)) {
        fail_unless (gst_harness_push_event (in[s],
                gst_event_new_gap (t * TICK, TICK)));
        continue;
      }
      buffer = gst_buffer_new_memdup (g->x + taken[s]++ * C,
          C * sizeof (gfloat));
      GST_BUFFER_PTS (buffer) = t * TICK + s * PHASE;
      GST_BUFFER_DURATION (buffer) = TICK;
      fail_unless_equals_int (gst_harness_push (in[s], buffer), GST_FLOW_OK);
    }
  for (guint s = 0; s < N_STREAMS; s++)
    gst_harness_push_event (in[s], gst_event_new_eos ());

  for (guint s = 0; s < N_STREAMS; s++) {
    gsize n = 0;

    for (gsize t = 0; t < g->n_steps; t++) {
      GstBuffer *buffer;
      GstMapInfo map;

      if (!is_there (s, t) || n++ < g->first)
        continue;
      buffer = gst_harness_pull (out[s]);
      fail_unless (buffer != NULL);
      /* Its own time again. */
      fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
          t * TICK + s * PHASE);
      fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), TICK);
      fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
      fail_unless_equals_uint64 (map.size, D * sizeof (gfloat));
      for (gsize i = 0; i < D; i++)
        fail_unless (fabs (((gfloat *) map.data)[i]
                - g->y[(n - 1 - g->first) * D + i]) <= g->atol,
            "stream %u, step %u", s, (guint) t);
      gst_buffer_unmap (buffer, &map);
      gst_buffer_unref (buffer);
    }
    fail_unless (gst_harness_try_pull (out[s]) == NULL);
  }
  for (guint s = 0; s < N_STREAMS; s++) {
    gst_harness_teardown (in[s]);
    gst_harness_teardown (out[s]);
  }
  gst_object_unref (mux);
  gst_object_unref (demux);
  gst_object_unref (bin);
}

GST_END_TEST;

static Suite *
demux_suite (void)
{
  Suite *s = suite_create ("demux");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_apart);
  tcase_add_test (tc, test_pads_come_and_go);
  tcase_add_test (tc, test_resets);
  tcase_add_test (tc, test_times_of_a_stranger);
  tcase_add_test (tc, test_errors);
  tcase_add_test (tc, test_through_an_encoder);
  return s;
}

GST_CHECK_MAIN (demux);
