/* gst-continual: what the error says where a converter is missing, at every sink pad
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encodertest.h"

#define AUDIO "audio/x-raw,format=(string)S16LE,rate=(int)44100,channels=(int)2,layout=(string)interleaved"
#define VIDEO "video/x-raw,format=(string)I420,width=(int)64,height=(int)48,framerate=(fraction)30/1"
#define CODED "audio/mpeg,mpegversion=(int)1,layer=(int)3"
#define BYTES "other/tensors,format=(string)static,num_tensors=(int)1,types=(string)uint8,dimensions=(string)32"

static const struct
{
  const gchar *element, *model, *pad;
} pads[] = {
  {"continualencoder", "encoder-1-relu", "sink"},
  {"continualattention", "mha-single-output", "query"},
  {"continualattention", "mha-single-output", "key"},
  {"continualdecoder", "decoder-linear-full", "sink"},
  {"continualdecoder", "decoder-linear-full", "memory"},
  {"continualmux", NULL, "sink_0"},
  {"continualdemux", NULL, "sink"},
  {"classlabeler", NULL, "sink"},
  {"melspectrogram", NULL, "sink"},
  {"videototensor", NULL, "sink"},
#ifdef HAVE_SCOPE
  {"tensorscope", NULL, "sink"},
#endif
};

static void
check_pad (guint i, const gchar * caps, const gchar * word)
{
  g_autofree gchar *path = pads[i].model ? model_path (pads[i].model) : NULL;
  GstElement *e = gst_element_factory_make (pads[i].element, NULL);
  GstBus *bus = bus_new (e);
  GstMessage *message;
  GstHarness *h;

  if (path)
    g_object_set (e, "model-path", path, NULL);
  h = gst_harness_new_with_element (e, pads[i].pad, NULL);
  gst_harness_play (h);
  gst_harness_set_src_caps_str (h, caps);
  /* An aggregator reads its pads in its own thread, and its events with the first buffer. */
  gst_harness_push (h, gst_buffer_new_allocate (NULL, 128, NULL));
  /* A mux warns, for its other streams go on. */
  message = gst_bus_timed_pop_filtered (bus, 10 * GST_SECOND, GST_MESSAGE_ERROR
      | (g_str_equal (pads[i].element, "continualmux") ? GST_MESSAGE_WARNING : 0));
  fail_unless (message != NULL, "%s.%s: %s", pads[i].element, pads[i].pad, caps);
  check_message (message, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "xpected",
      "found", word, NULL);
  gst_element_set_state (e, GST_STATE_NULL);
  bus_free (e, bus);
  gst_harness_teardown (h);
  gst_object_unref (e);
}

GST_START_TEST (test_missing)
{
  const gchar *element = pads[__i__].element;

  if (g_str_equal (element, "melspectrogram")) {
    check_pad (__i__, AUDIO, "put audioconvert ! audioresample before");
    check_pad (__i__, CODED, "decodebin");
    check_pad (__i__, VIDEO, "audio");
  } else if (g_str_equal (element, "videototensor")) {
    check_pad (__i__, VIDEO, "put videoconvert before");
    check_pad (__i__, CODED, "decodebin");
  } else {
    /* With GStreamer 1.26 vectors may come as metadata of audio and video. */
#ifndef HAVE_ANALYTICS
    check_pad (__i__, AUDIO, "put melspectrogram before");
    check_pad (__i__, VIDEO, "put videototensor before");
#endif
    check_pad (__i__, CODED, "decodebin");
    check_pad (__i__, BYTES, "option=float32");
  }
}

GST_END_TEST;

static gchar *
play (const gchar * line)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  GstBus *bus;
  GstMessage *message;
  gchar *text;

  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  fail_unless (message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  text = g_strdup (error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
  return text;
}

/* videoscale picks a size by itself; the message proposes one that the model takes: 32 values. */
GST_START_TEST (test_size_of_frames)
{
  g_autofree gchar *path = model_path ("encoder-1-relu");
  g_autofree gchar *by_itself = g_strdup_printf ("videotestsrc num-buffers=1 ! "
      "videoconvert ! videoscale ! videototensor ! continualencoder "
      "model-path=%s ! fakesink", path);
  g_autofree gchar *wide = g_strdup_printf ("videotestsrc num-buffers=1 ! "
      "video/x-raw,format=GRAY8,width=64,height=32 ! videototensor ! "
      "continualencoder model-path=%s ! fakesink", path);
  g_autofree gchar *text = play (by_itself), *wide_text = play (wide);

  fail_unless (strstr (text, "found that it takes vectors of 32") != NULL, "%s",
      text);
  fail_unless (strstr (text, "format=GRAY8,width=") != NULL, "%s", text);
  fail_unless (strstr (wide_text, "format=GRAY8,width=8,height=4\"") != NULL,
      "%s", wide_text);
}

GST_END_TEST;

static Suite *
converters_suite (void)
{
  Suite *s = suite_create ("missing-converters");
  TCase *tc = tcase_create ("converters");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_missing, 0, G_N_ELEMENTS (pads));
  tcase_add_test (tc, test_size_of_frames);
  return s;
}

GST_CHECK_MAIN (converters);
