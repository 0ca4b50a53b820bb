/* gst-continual: a running encoder that other threads swap, stop, flush and rewire
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define MODEL "encoder-2-relu"
#define WINDOWS "encoder-2-retroactive"
#define FULL 7                  /* the vector that completes the first window */
#define VECTORS 20              /* of the case */

static GstElement *
get (GstElement * bin, const gchar * name)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (bin), name);

  fail_unless (element != NULL);
  gst_object_unref (element);
  return element;
}

/* What arrives at a sink, checked in its thread. */
typedef struct
{
  const Golden *golden;
  gint n;                       /* atomic */
  gint wrong;                   /* atomic */
} Arrivals;

static void
check_next (GstElement * sink, GstBuffer * buffer, GstPad * pad,
    Arrivals * self)
{
  const Golden *g = self->golden;
  const guint i = g_atomic_int_get (&self->n);

  if (!(difference (buffer, g->y + i % (VECTORS - FULL) * g->y_size,
              g->y_size) <= g->atol))
    g_atomic_int_set (&self->wrong, TRUE);
  g_atomic_int_inc (&self->n);
}

/* Vectors from the harness go through threads of their own. */
static GstHarness *
threaded_new (void)
{
  g_autofree gchar *path = model_path (MODEL);
  g_autofree gchar *line = g_strdup_printf ("queue ! continualencoder name=e "
      "model-path=%s ! queue name=out", path);
  GstHarness *h = gst_harness_new_parse (line);

  encoder_set_caps (h, "32", 100);
  return h;
}

static void
expect_outputs (GstHarness * h, const Golden * g, gsize from, gsize n)
{
  for (gsize i = from; i < from + n; i++) {
    GstBuffer *buffer = gst_harness_pull (h);
    gdouble d;

    fail_unless (buffer != NULL, "no output");
    d = difference (buffer, g->y + i * g->y_size, g->y_size);
    fail_unless (d <= g->atol, "output %u is off by %g", (guint) i, d);
    gst_buffer_unref (buffer);
  }
}

static void
push_segment (GstHarness * h)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (h, gst_event_new_segment (&segment));
}

/* Whatever is on its way is lost, and the encoder fresh. */
static void
flush (GstHarness * h)
{
  gst_harness_push_event (h, gst_event_new_flush_start ());
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  push_segment (h);
}

static void
drop_outputs (GstHarness * h)
{
  GstBuffer *buffer;

  while ((buffer = gst_harness_try_pull (h)))
    gst_buffer_unref (buffer);
}

/* Every buffer is as the caps before it say: the swap is between two of them. */
static GstPadProbeReturn
check_size (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  gint *seen = data;           /* of either model */
  GstCaps *caps = gst_pad_get_current_caps (pad);
  const gboolean windows = g_str_has_prefix (gst_structure_get_string
      (gst_caps_get_structure (caps, 0), "dimensions"), "32:8");

  fail_unless_equals_uint64 (gst_buffer_get_size (info->data),
      (windows ? 8 : 1) * 32 * sizeof (gfloat));
  gst_caps_unref (caps);
  g_atomic_int_inc (&seen[windows]);
  return GST_PAD_PROBE_OK;
}

typedef struct
{
  GstElement *encoder;
  gint *seen;
} Swap;

static gpointer
swap_often (gpointer data)
{
  const Swap *swap = data;
  g_autofree gchar *paths[] = { model_path (WINDOWS), model_path (MODEL) };

  for (guint i = 0; i < 20; i++) {
    const gint before = g_atomic_int_get (&swap->seen[i % 2 == 0]);

    g_object_set (swap->encoder, "model-path", paths[i % 2], NULL);
    /* It is in use now. */
    while (g_atomic_int_get (&swap->seen[i % 2 == 0]) == before)
      g_thread_yield ();
  }
  g_free (g_steal_pointer (&paths[1]));
  return NULL;
}

GST_START_TEST (test_swap)
{
  g_autofree gchar *path = model_path (MODEL);
  g_autofree gchar *line = g_strdup_printf ("fakesrc sizetype=fixed "
      "sizemax=128 filltype=zero format=time datarate=12800 ! " TENSORS
      ",dimensions=(string)32,framerate=100/1 ! continualencoder name=e "
      "model-path=%s ! queue name=q ! fakesink", path);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  gint seen[2] = { 0, 0 };
  Swap swap = { get (pipeline, "e"), seen };
  GstPad *pad = gst_element_get_static_pad (get (pipeline, "q"), "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, check_size, seen, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_thread_join (g_thread_new ("swap", swap_often, &swap));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING |
          GST_MESSAGE_ERROR) == NULL);
  gst_object_unref (pad);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST;

/* Flushes from one thread, as seeks send them, vectors from another. */
typedef struct
{
  GstHarness *h;
  gint flushing;                /* atomic: it has begun, the vectors' thread has to end it */
  gint done;
} Storm;

static gpointer
send_storm (gpointer data)
{
  Storm *storm = data;
  GstPad *pad = gst_element_get_static_pad (storm->h->element, "sink");

  for (guint i = 0; i < 300; i++) {
    if (i % 3 == 0)
      gst_pad_send_event (pad, gst_event_new_custom
          (GST_EVENT_CUSTOM_DOWNSTREAM_OOB,
              gst_structure_new_empty ("continual-reset")));
    gst_harness_push_event (storm->h, gst_event_new_flush_start ());
    g_atomic_int_set (&storm->flushing, TRUE);
    while (g_atomic_int_get (&storm->flushing))
      g_thread_yield ();
  }
  g_atomic_int_set (&storm->done, TRUE);
  gst_object_unref (pad);
  return NULL;
}

GST_START_TEST (test_flush_storm)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  Storm storm = { threaded_new (), FALSE, FALSE };
  GThread *thread = g_thread_new ("storm", send_storm, &storm);

  for (gsize t = 0; !g_atomic_int_get (&storm.done); t = (t + 1) % VECTORS) {
    GstFlowReturn ret = gst_harness_push (storm.h, vectors_new (g->x + t * 32,
            32, t * 10 * GST_MSECOND, 10 * GST_MSECOND));

    if (ret == GST_FLOW_OK)
      continue;
    fail_unless_equals_int (ret, GST_FLOW_FLUSHING);
    while (!g_atomic_int_get (&storm.flushing))
      g_thread_yield ();
    gst_harness_push_event (storm.h, gst_event_new_flush_stop (TRUE));
    push_segment (storm.h);
    g_atomic_int_set (&storm.flushing, FALSE);
  }
  g_thread_join (thread);
  flush (storm.h);
  drop_outputs (storm.h);
  push_vectors (storm.h, g, 0, VECTORS);
  expect_outputs (storm.h, g, 0, VECTORS - FULL);
  gst_harness_teardown (storm.h);
}

GST_END_TEST;

/* Each stream ends, some in their middle, and the next one begins anew. */
GST_START_TEST (test_eos_storm)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h = threaded_new ();

  for (guint i = 0; i < 300; i++) {
    const guint n = i % VECTORS;

    push_vectors (h, g, 0, n);
    gst_harness_push_event (h, gst_event_new_eos ());
    gst_harness_push_event (h, gst_event_new_eos ());
    if (i % 2)
      expect_outputs (h, g, 0, n > FULL ? n - FULL : 0);
    flush (h);
    drop_outputs (h);
  }
  push_vectors (h, g, 0, VECTORS);
  expect_outputs (h, g, 0, VECTORS - FULL);
  gst_harness_teardown (h);
}

GST_END_TEST;

static GstElement *
sink_new (Arrivals * arrivals)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);

  g_object_set (sink, "signal-handoffs", TRUE, "sync", FALSE, "async", FALSE,
      NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (check_next), arrivals);
  return sink;
}

static void
push_case (GstElement * source, const Golden * g, guint n)
{
  for (guint i = 0; i < n; i++) {
    const gsize t = i % VECTORS;
    GstBuffer *buffer = vectors_new (g->x + t * 32, 32, i * 10 * GST_MSECOND,
        10 * GST_MSECOND);
    GstFlowReturn ret;

    /* The case again is a case anew. */
    if (t == 0)
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    g_signal_emit_by_name (source, "push-buffer", buffer, &ret);
    gst_buffer_unref (buffer);
  }
}

#define LINE "appsrc name=in format=time block=true max-buffers=10 max-bytes=0 caps=" \
    "\"" TENSORS ",dimensions=(string)32,framerate=100/1\" ! queue ! " \
    "continualencoder name=e reset-on-discont=true model-path=%s ! queue name=q"

static GstElement *
appsrc_new (void)
{
  g_autofree gchar *path = model_path (MODEL);
  g_autofree gchar *line = g_strdup_printf (LINE, path);

  return gst_parse_launch (line, NULL);
}

typedef struct
{
  GstElement *pipeline, *from, *sink;
  Arrivals *arrivals;
} Link;

static GstPadProbeReturn
relink (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  Link *link = data;
  GstElement *next = sink_new (link->arrivals);

  gst_element_unlink (link->from, link->sink);
  gst_element_set_state (link->sink, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (link->pipeline), link->sink);
  gst_bin_add (GST_BIN (link->pipeline), next);
  gst_element_sync_state_with_parent (next);
  gst_element_link (link->from, next);
  link->sink = next;
  return GST_PAD_PROBE_REMOVE;
}

static gpointer
push_thread (gpointer data)
{
  const Link *link = data;

  push_case (get (link->pipeline, "in"), link->arrivals->golden, 20 * VECTORS);
  return NULL;
}

/* What comes after the encoder, and after a queue, is another one again and again: nothing is lost. Before a vector goes on,
 * that is: an idle probe runs in any thread, and beside another one. */
static void
check_relink (const gchar * from)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  Arrivals arrivals = { g, 0, FALSE };
  GstElement *pipeline = appsrc_new ();
  Link link = { pipeline, get (pipeline, from), sink_new (&arrivals),
    &arrivals
  };
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;
  GstFlowReturn ret;
  GThread *thread;
  GstPad *pad = gst_element_get_static_pad (link.from, "src");

  if (strcmp (from, "q") != 0)
    gst_bin_remove (GST_BIN (pipeline), get (pipeline, "q"));
  gst_bin_add (GST_BIN (pipeline), link.sink);
  fail_unless (gst_element_link (link.from, link.sink));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  thread = g_thread_new ("push", push_thread, &link);
  for (gint i = 1; i < 20; i++) {
    while (g_atomic_int_get (&arrivals.n) < i * 10)
      g_thread_yield ();
    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, relink, &link, NULL);
  }
  g_thread_join (thread);
  g_signal_emit_by_name (get (pipeline, "in"), "end-of-stream", &ret);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  fail_unless_equals_int (arrivals.n, 20 * (VECTORS - FULL));
  fail_if (arrivals.wrong);
  gst_object_unref (pad);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_START_TEST (test_relink)
{
  check_relink ("e");
  check_relink ("q");
}

GST_END_TEST;

static void
expect_case (GstElement * pipeline, Arrivals * arrivals)
{
  const gint before = g_atomic_int_get (&arrivals->n);

  push_case (get (pipeline, "in"), arrivals->golden, VECTORS);
  while (g_atomic_int_get (&arrivals->n) < before + VECTORS - FULL)
    g_thread_yield ();
  fail_if (g_atomic_int_get (&arrivals->wrong));
}

/* Locked, it stays as it is, whatever the pipeline does. */
GST_START_TEST (test_locked)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  Arrivals arrivals = { g, 0, FALSE };
  GstElement *pipeline = appsrc_new (), *encoder = get (pipeline, "e");
  GstElement *sink = sink_new (&arrivals);
  GstState state;

  gst_bin_add (GST_BIN (pipeline), sink);
  fail_unless (gst_element_link (get (pipeline, "q"), sink));

  gst_element_set_locked_state (encoder, TRUE);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_element_get_state (encoder, &state, NULL, 0);
  fail_unless_equals_int (state, GST_STATE_NULL);
  gst_element_set_locked_state (encoder, FALSE);
  gst_element_sync_state_with_parent (encoder);
  expect_case (pipeline, &arrivals);

  gst_element_set_locked_state (encoder, TRUE);
  for (guint i = 0; i < 20; i++) {
    gst_element_set_state (pipeline, i % 2 ? GST_STATE_READY : GST_STATE_NULL);
    gst_element_get_state (encoder, &state, NULL, 0);
    fail_unless_equals_int (state, GST_STATE_PLAYING);
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    expect_case (pipeline, &arrivals);
  }
  gst_element_set_locked_state (encoder, FALSE);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_element_get_state (encoder, &state, NULL, 0);
  fail_unless_equals_int (state, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

GST_END_TEST;

/* Up and down, half of them before anything has come. */
GST_START_TEST (test_1000_state_cycles)
{
  g_autofree gchar *path = model_path (MODEL);
  g_autofree gchar *line = g_strdup_printf ("fakesrc sizetype=fixed "
      "sizemax=128 filltype=zero format=time datarate=12800 ! " TENSORS
      ",dimensions=(string)32,framerate=100/1 ! queue ! continualencoder "
      "name=e model-path=%s ! queue ! fakesink", path);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  const GstState lows[] = { GST_STATE_NULL, GST_STATE_READY };

  for (guint i = 0; i < 1000; i++) {
    fail_if (gst_element_set_state (pipeline, i % 4 < 2 ? GST_STATE_PAUSED :
            GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
    if (i % 2)
      fail_unless_equals_int (gst_element_get_state (pipeline, NULL, NULL,
              GST_CLOCK_TIME_NONE), GST_STATE_CHANGE_SUCCESS);
    fail_if (gst_element_set_state (pipeline, lows[i / 4 % 2]) ==
        GST_STATE_CHANGE_FAILURE);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

GST_END_TEST;

/* One model, many streams, each in threads of its own. */
GST_START_TEST (test_many_streams)
{
  g_autoptr (Golden) g = golden_load (MODEL, NULL);
  GstHarness *h[8];

  for (guint i = 0; i < G_N_ELEMENTS (h); i++)
    h[i] = threaded_new ();
  for (guint round = 0; round < 10; round++) {
    for (gsize t = 0; t < VECTORS; t++)
      for (guint i = 0; i < G_N_ELEMENTS (h); i++)
        push_vectors (h[i], g, t, 1);
    for (guint i = 0; i < G_N_ELEMENTS (h); i++) {
      expect_outputs (h[i], g, 0, VECTORS - FULL);
      flush (h[i]);
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (h); i++)
    gst_harness_teardown (h[i]);
}

GST_END_TEST;

static Suite *
threads_suite (void)
{
  Suite *s = suite_create ("threads-encoder");
  TCase *tc = tcase_create ("encoder");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_swap);
  tcase_add_test (tc, test_flush_storm);
  tcase_add_test (tc, test_eos_storm);
  tcase_add_test (tc, test_relink);
  tcase_add_test (tc, test_locked);
  tcase_add_test (tc, test_1000_state_cycles);
  tcase_add_test (tc, test_many_streams);
  return s;
}

GST_CHECK_MAIN (threads);
