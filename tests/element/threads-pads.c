/* gst-continual: streams that join and leave while others run
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define SLOTS 4
#define SOURCE "videotestsrc name=source ! video/x-raw,format=GRAY8,width=8,height=4,framerate=100/1 ! videototensor"

static GstElement *
get (GstElement * bin, const gchar * name)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (bin), name);

  fail_unless (element != NULL);
  gst_object_unref (element);
  return element;
}

static void
count (GstElement * sink, GstBuffer * buffer, GstPad * pad, gint * n)
{
  g_atomic_int_inc (n);
}

/* A stream of its own into a slot of the mux. */
typedef struct
{
  GstElement *bin;
  GstPad *pad;                  /* of the mux */
} Input;

static Input
input_new (GstElement * pipeline)
{
  Input input;
  GstPad *src;

  input.bin = gst_parse_bin_from_description (SOURCE
      " ! queue max-size-buffers=3", TRUE, NULL);
  gst_bin_add (GST_BIN (pipeline), input.bin);
  input.pad = gst_element_request_pad_simple (get (pipeline, "m"), "sink_%u");
  fail_unless (input.pad != NULL);
  src = gst_element_get_static_pad (input.bin, "src");
  fail_unless_equals_int (gst_pad_link (src, input.pad), GST_PAD_LINK_OK);
  gst_object_unref (src);
  gst_element_sync_state_with_parent (input.bin);
  return input;
}

static void
input_free (GstElement * pipeline, Input * input)
{
  /* The source first: a bin stops its last element first, and a source whose first events meet pads that are being
   * stopped takes that for an error (GStreamer's own elements alone do so, too). */
  gst_element_set_state (get (input->bin, "source"), GST_STATE_NULL);
  gst_element_set_state (input->bin, GST_STATE_NULL);
  gst_bin_remove (GST_BIN (pipeline), input->bin);
  gst_element_release_request_pad (get (pipeline, "m"), input->pad);
  gst_object_unref (input->pad);
}

/* Where a slot of the demux ends. */
typedef struct
{
  GstElement *queue, *sink;
  GstPad *pad;                  /* of the demux */
} Output;

static Output
output_new (GstElement * pipeline, guint slot, gint * n)
{
  g_autofree gchar *name = g_strdup_printf ("src_%u", slot);
  Output output = { gst_element_factory_make ("queue", NULL),
    gst_element_factory_make ("fakesink", NULL)
  };
  GstPad *sink;

  g_object_set (output.sink, "signal-handoffs", TRUE, "async", FALSE, NULL);
  g_signal_connect (output.sink, "handoff", G_CALLBACK (count), n);
  gst_bin_add_many (GST_BIN (pipeline), output.queue, output.sink, NULL);
  gst_element_link (output.queue, output.sink);
  gst_element_sync_state_with_parent (output.sink);
  gst_element_sync_state_with_parent (output.queue);
  output.pad = gst_element_request_pad_simple (get (pipeline, "d"), name);
  fail_unless (output.pad != NULL);
  sink = gst_element_get_static_pad (output.queue, "sink");
  fail_unless_equals_int (gst_pad_link (output.pad, sink), GST_PAD_LINK_OK);
  gst_object_unref (sink);
  return output;
}

static void
output_free (GstElement * pipeline, Output * output)
{
  /* The pad first, or the queue's flushing would end the whole stream. */
  gst_element_release_request_pad (get (pipeline, "d"), output->pad);
  gst_object_unref (output->pad);
  gst_element_set_state (output->queue, GST_STATE_NULL);
  gst_element_set_state (output->sink, GST_STATE_NULL);
  gst_bin_remove_many (GST_BIN (pipeline), output->queue, output->sink, NULL);
}

GST_START_TEST (test_join_and_leave)
{
  g_autofree gchar *path = model_path ("encoder-2-relu");
  g_autofree gchar *line = g_strdup_printf ("continualmux name=m "
      "max-streams=%d ! continualencoder model-path=%s ! continualdemux name=d",
      SLOTS, path);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GRand *rand = g_rand_new_with_seed (1);
  GstMessage *message;
  gint n[SLOTS] = { 0 };
  Input in[SLOTS] = { {0} };
  Output out[SLOTS] = { {0} };

  in[0] = input_new (pipeline);
  out[0] = output_new (pipeline, 0, &n[0]);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 100; i++) {
    const guint slot = g_rand_int_range (rand, 1, SLOTS);
    const gint before = g_atomic_int_get (&n[0]);

    if (g_rand_boolean (rand)) {
      if (in[slot].bin) {
        input_free (pipeline, &in[slot]);
        in[slot].bin = NULL;
      } else
        in[slot] = input_new (pipeline);
    } else if (out[slot].sink) {
      output_free (pipeline, &out[slot]);
      out[slot].sink = NULL;
    } else
      out[slot] = output_new (pipeline, slot, &n[slot]);
    /* The first stream goes on meanwhile. */
    while (g_atomic_int_get (&n[0]) == before)
      if ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR)))
        check_message (message, 0, 0, NULL);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  for (guint slot = 0; slot < SLOTS; slot++) {
    if (in[slot].bin)
      input_free (pipeline, &in[slot]);
    if (out[slot].sink)
      output_free (pipeline, &out[slot]);
  }
  g_rand_free (rand);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

GST_END_TEST;

static Suite *
threads_suite (void)
{
  Suite *s = suite_create ("threads-pads");
  TCase *tc = tcase_create ("pads");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_join_and_leave);
  return s;
}

GST_CHECK_MAIN (threads);
