/* gst-continual: tests of videototensor
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#define TENSORS "other/tensors,format=static,num_tensors=1,types=float32"

static const gdouble means[] = { 0.485, 0.456, 0.406 };
static const gdouble stds[] = { 0.229, 0.224, 0.225 };

#define NORMALIZE " mean=0.485,0.456,0.406 std=0.229,0.224,0.225"

/* @props as on gst-launch's line; a bus of its own. */
static GstHarness *
video_new (const gchar * props)
{
  gchar *line = g_strconcat ("videototensor ", props, NULL);
  GError *error = NULL;
  GstElement *element = gst_parse_launch (line, &error);
  GstBus *bus = gst_bus_new ();
  GstHarness *h;

  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  gst_element_set_bus (element, bus);
  gst_object_unref (bus);
  h = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  g_free (line);
  return h;
}

/* Without the messages on its bus, which hold the element. */
static void
video_free (GstHarness * h)
{
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

static void
push_caps (GstHarness * h, const gchar * text)
{
  GstCaps *caps = gst_caps_from_string (text);

  gst_harness_push_event (h, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

static gchar *
video_caps (const gchar * format, guint width, guint height)
{
  return g_strdup_printf ("video/x-raw, format=%s, width=%u, height=%u, "
      "framerate=25/1", format, width, height);
}

static void
set_video (GstHarness * h, const gchar * format, guint width, guint height)
{
  gchar *caps = video_caps (format, width, height);

  gst_harness_set_src_caps_str (h, caps);
  g_free (caps);
}

static void
fill_random (guint8 * x /* (n) */ , gsize n)
{
  for (gsize i = 0; i < n; i++)
    x[i] = g_random_int () & 0xff;
}

/* Where channel @c of a pixel is: names say the order of bytes, or that of planes. */
static gsize
position (const gchar * format, guint width, guint height, guint c, guint x,
    guint y)
{
  gboolean planar = strcmp (format, "RGBP") == 0 || strcmp (format, "BGRP") == 0
      || strcmp (format, "GBR") == 0 || strcmp (format, "GBRA") == 0;
  gsize bytes = planar || strcmp (format, "GRAY8") == 0 ? 1 : strlen (format);
  gsize stride = (width * bytes + 3) / 4 * 4;
  gsize letter = strcmp (format, "GRAY8") == 0 ? 0 :
      (gsize) (strchr (format, "RGB"[c]) - format);

  return planar ? (letter * height + y) * stride + x :
      y * stride + x * bytes + letter;
}

static gsize
size_of (const gchar * format, guint width, guint height)
{
  GstVideoInfo info;

  gst_video_info_set_format (&info, gst_video_format_from_string (format),
      width, height);
  return GST_VIDEO_INFO_SIZE (&info);
}

static GstBuffer *
take (GstHarness * h, GstBuffer * in)
{
  GstBuffer *out;

  fail_unless_equals_int (gst_harness_push (h, in), GST_FLOW_OK);
  out = gst_harness_try_pull (h);
  fail_unless (out != NULL);
  return out;
}

static void
check_values (GstBuffer * out, const gfloat * expected /* (n) */ , gsize n,
    const gchar * what)
{
  GstMapInfo map;

  fail_unless (gst_buffer_map (out, &map, GST_MAP_READ));
  fail_unless_equals_uint64 (map.size, n * sizeof (gfloat));
  for (gsize i = 0; i < n; i++)
    fail_unless (((gfloat *) map.data)[i] == expected[i],
        "%s: value %u is %g, not %g", what, (guint) i,
        ((gfloat *) map.data)[i], expected[i]);
  gst_buffer_unmap (out, &map);
}

/* Frames of every kind of padding. */
static void
check_format (const gchar * format, gboolean planar)
{
  const guint height = 3, channels = strcmp (format, "GRAY8") == 0 ? 1 : 3;
  GstHarness *h = video_new (planar ? NORMALIZE : NORMALIZE
      " layout=interleaved");

  if (channels == 1) {
    video_free (h);
    h = video_new (planar ? "mean=0.485 std=0.229" :
        "mean=0.485 std=0.229 layout=interleaved");
  }
  for (guint width = 1; width < 9; width++) {
    gsize size = size_of (format, width, height);
    gsize n = width * height * channels;
    guint8 *pixels = g_malloc (size);
    gfloat *expected = g_new (gfloat, n);
    gchar *what = g_strdup_printf ("%s, %u wide, %s", format, width,
        planar ? "planar" : "interleaved");
    GstBuffer *out;

    fill_random (pixels, size);
    for (guint c = 0; c < channels; c++)
      for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++)
          expected[planar ? (c * height + y) * width + x :
              (y * width + x) * channels + c] = (gfloat)
              ((pixels[position (format, width, height, c, x, y)] / 255.0
                  - means[c]) / stds[c]);
    set_video (h, format, width, height);
    out = take (h, gst_buffer_new_memdup (pixels, size));
    check_values (out, expected, n, what);
    gst_buffer_unref (out);
    g_free (expected);
    g_free (pixels);
    g_free (what);
  }
  video_free (h);
}

static const gchar *formats[] = { "GRAY8", "RGB", "BGR", "RGBx", "BGRx", "xRGB",
  "xBGR", "RGBA", "BGRA", "ARGB", "ABGR", "RGBP", "BGRP", "GBR", "GBRA"
};

GST_START_TEST (test_formats)
{
  guint32 seed = g_random_int ();

  g_print ("seed %u\n", seed);
  g_random_set_seed (seed);
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    check_format (formats[i], TRUE);
    check_format (formats[i], FALSE);
  }
}

GST_END_TEST;

GST_START_TEST (test_numbers)
{
  const guint8 pixels[] = { 0, 1, 128, 255 };
  const struct
  {
    const gchar *props;
    gfloat expected[4];
  } cases[] = {
    {"", {0, (gfloat) (1 / 255.0), (gfloat) (128 / 255.0), 1}},
    {"scale=1", {0, 1, 128, 255}},
    {"scale=1 mean=128", {-128, -127, 0, 127}},
    {"mean=\" 0.5 \" std=.5", {-1, (gfloat) ((1 / 255.0 - .5) / .5),
            (gfloat) ((128 / 255.0 - .5) / .5), 1}},
    {"std=-1e0", {0, (gfloat) (-1 / 255.0), (gfloat) (-128 / 255.0), -1}},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = video_new (cases[i].props);
    GstBuffer *out;

    set_video (h, "GRAY8", 4, 1);
    out = take (h, gst_buffer_new_memdup (pixels, 4));
    check_values (out, cases[i].expected, 4, cases[i].props);
    gst_buffer_unref (out);
    video_free (h);
  }
}

GST_END_TEST;

/* A frame of @full x @full grey values of their own, @stride apart, after @offset bytes. */
static GstBuffer *
frame_in_meta (guint full, gint stride, gsize offset)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { offset };
  gint strides[GST_VIDEO_MAX_PLANES] = { stride };
  GstBuffer *buf = gst_buffer_new_allocate (NULL, offset + full * stride, NULL);

  gst_buffer_memset (buf, 0, 255, -1);
  for (guint y = 0; y < full; y++)
    for (guint x = 0; x < full; x++) {
      guint8 v = (guint8) (y * full + x);

      gst_buffer_fill (buf, offset + y * stride + x, &v, 1);
    }
  gst_buffer_add_video_meta_full (buf, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_GRAY8, full, full, 1, offsets, strides);
  return buf;
}

static void
crop (GstBuffer * buf, guint x, guint y, guint width, guint height)
{
  GstVideoCropMeta *meta = gst_buffer_add_video_crop_meta (buf);

  meta->x = x;
  meta->y = y;
  meta->width = width;
  meta->height = height;
}

GST_START_TEST (test_strides_and_cropping)
{
  GstHarness *h = video_new ("scale=1");
  const gfloat all[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
  const gfloat part[] = { 22, 23, 24, 29, 30, 31, 36, 37, 38 };
  GstBuffer *buf, *out;

  set_video (h, "GRAY8", 3, 3);
  out = take (h, frame_in_meta (3, 17, 5));
  check_values (out, all, 9, "strides");
  gst_buffer_unref (out);

  /* A part of a larger frame. */
  buf = frame_in_meta (7, 11, 3);
  crop (buf, 1, 3, 3, 3);
  out = take (h, buf);
  check_values (out, part, 9, "cropping");
  gst_buffer_unref (out);
  video_free (h);
}

GST_END_TEST;

/* An error must be next and hold the words, up to NULL. */
static void
check_message (GstHarness * h, GstMessageType type, GQuark domain, gint code,
    const gchar * word, ...)
{
  GstBus *bus = gst_element_get_bus (h->element);
  GstMessage *message = gst_bus_pop_filtered (bus, type);
  GError *error;
  va_list args;

  gst_object_unref (bus);
  fail_unless (message != NULL);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  fail_unless (g_error_matches (error, domain, code), "%s", error->message);
  va_start (args, word);
  for (; word; word = va_arg (args, const gchar *))
    fail_unless (strstr (error->message, word) != NULL, "no \"%s\" in: %s",
        word, error->message);
  va_end (args);
  g_error_free (error);
  gst_message_unref (message);
}

#define check_error(h, domain, code, ...) \
  check_message (h, GST_MESSAGE_ERROR, GST_##domain##_ERROR, \
      GST_##domain##_ERROR_##code, __VA_ARGS__, NULL)

/* A camera's black and white are 0 and 1, in each range that caps can say, and through videoconvert. */
GST_START_TEST (test_luma)
{
  static const struct
  {
    const gchar *caps;
    guint8 luma[4];             /* of 4 x 1 pixels */
    gfloat expected[4];
  } cases[] = {
    {"format=Y444", {16, 235, 0, 255}, {0, 1, 0, 1}},
    {"format=I420,colorimetry=bt709", {16, 235, 0, 255}, {0, 1, 0, 1}},
    {"format=Y444,colorimetry=1:4:0:0", {0, 255, 51, 102}, {0, 1, 0.2f, 0.4f}},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstHarness *h = video_new ("luma=true");
    g_autofree gchar *caps = g_strdup_printf ("video/x-raw,%s,width=4,height=1,"
        "framerate=25/1", cases[i].caps);
    GstBuffer *buf = gst_buffer_new_allocate (NULL, 64, NULL), *out;

    gst_buffer_memset (buf, 0, 128, 64);
    gst_buffer_fill (buf, 0, cases[i].luma, 4);
    gst_harness_set_src_caps_str (h, caps);
    out = take (h, buf);
    check_values (out, cases[i].expected, 4, caps);
    gst_buffer_unref (out);
    video_free (h);
  }
}

GST_END_TEST;

static void
check_refused_crop (guint x, guint y, guint width, guint height,
    const gchar * found)
{
  GstHarness *h = video_new ("");
  GstBuffer *buf = frame_in_meta (7, 8, 0);

  set_video (h, "GRAY8", 3, 3);
  crop (buf, x, y, width, height);
  fail_unless_equals_int (gst_harness_push (h, buf), GST_FLOW_ERROR);
  check_error (h, STREAM, FORMAT, "Expected a picture of 3 x 3", found,
      "videoscale");
  video_free (h);
}

GST_START_TEST (test_frames_that_disagree)
{
  GstHarness *h = video_new ("");
  GstBuffer *buf;

  check_refused_crop (0, 0, 4, 3, "4 x 3 at (0, 0)");
  check_refused_crop (5, 0, 3, 3, "3 x 3 at (5, 0) in a frame of 7 x 7");
  check_refused_crop (0, 5, 3, 3, "at (0, 5)");
  check_refused_crop (G_MAXUINT - 1, 0, 3, 3, "at (4294967294, 0)");

  set_video (h, "GRAY8", 3, 3);
  fail_unless_equals_int (gst_harness_push (h, gst_buffer_new_allocate (NULL, 9,
              NULL)), GST_FLOW_ERROR);
  check_error (h, STREAM, FORMAT, "12 bytes", "GRAY8, 3 x 3", "of 9 bytes");
  /* The frame's own word against the caps': a meta of another size, or another format. */
  fail_unless_equals_int (gst_harness_push (h, frame_in_meta (7, 8, 0)),
      GST_FLOW_ERROR);
  check_error (h, STREAM, FORMAT, "3 x 3", "7 x 7");
  buf = gst_buffer_new_allocate (NULL, 36, NULL);
  gst_buffer_add_video_meta (buf, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_RGB, 3, 3);
  fail_unless_equals_int (gst_harness_push (h, buf), GST_FLOW_ERROR);
  check_error (h, STREAM, FORMAT, "GRAY8", "meta says RGB");
  video_free (h);
}

GST_END_TEST;

static void
check_current_caps (GstHarness * h, const gchar * dims, gint fps)
{
  GstCaps *caps = gst_pad_get_current_caps (h->sinkpad);
  const GstStructure *s;
  gint n, d;

  fail_unless (caps != NULL);
  s = gst_caps_get_structure (caps, 0);
  fail_unless_equals_string (gst_structure_get_string (s, "dimensions"), dims);
  fail_unless (gst_structure_get_fraction (s, "framerate", &n, &d));
  fail_unless_equals_int (n, fps);
  fail_unless_equals_int (d, 1);
  gst_caps_unref (caps);
}

GST_START_TEST (test_caps_downstream)
{
  GstHarness *h = video_new ("");

  set_video (h, "GRAY8", 5, 3);
  check_current_caps (h, "15:1:1:1", 25);
  set_video (h, "BGRx", 5, 3);
  check_current_caps (h, "45:1:1:1", 25);
  gst_harness_set_src_caps_str (h, "video/x-raw,format=RGB,width=2,height=2");
  check_current_caps (h, "12:1:1:1", 0);
  video_free (h);

  h = video_new ("");
  gst_harness_set_sink_caps_str (h, TENSORS ",dimensions=(string)12");
  set_video (h, "RGB", 2, 2);
  check_current_caps (h, "12", 25);
  video_free (h);
}

GST_END_TEST;

static gboolean
offers (GstHarness * h, const gchar * caps)
{
  GstCaps *all = gst_pad_peer_query_caps (h->srcpad, NULL);
  GstCaps *one = gst_caps_from_string (caps);
  gboolean res = gst_caps_can_intersect (all, one);

  gst_caps_unref (all);
  gst_caps_unref (one);
  return res;
}

GST_START_TEST (test_caps_upstream)
{
  GstHarness *h = video_new ("");

  fail_unless (offers (h, "video/x-raw,format=RGB,width=640,height=480"));
  fail_unless (offers (h, "video/x-raw,format=GRAY8,width=1,height=1"));
  fail_if (offers (h, "video/x-raw,format=I420"));
  fail_if (offers (h, "video/x-raw(memory:DMABuf),format=RGB"));

  /* Ten values are no whole pixels of three, and at most ten pixels. */
  gst_harness_set_sink_caps_str (h, TENSORS
      ",dimensions=(string)10:1,framerate=[5/1,10/1]");
  fail_unless (offers (h, "video/x-raw,format=GRAY8,width=5,height=2"));
  fail_if (offers (h, "video/x-raw,format=RGB"));
  fail_if (offers (h, "video/x-raw,format=GRAY8,width=11"));
  fail_if (offers (h, "video/x-raw,format=GRAY8,framerate=11/1"));
  gst_harness_set_sink_caps_str (h, TENSORS ",dimensions=(string)12");
  fail_unless (offers (h, "video/x-raw,format=RGB,width=4"));
  fail_if (offers (h, "video/x-raw,format=RGB,width=5"));
  /* One frame, one vector. */
  gst_harness_set_sink_caps_str (h, TENSORS ",dimensions=(string)12:2");
  fail_if (offers (h, "video/x-raw"));
  video_free (h);
}

GST_END_TEST;

GST_START_TEST (test_luma_caps)
{
  GstHarness *h = video_new ("luma=true");

  fail_if (offers (h, "video/x-raw,format=RGB"));
  fail_if (offers (h, "video/x-raw,format=GRAY8"));
  gst_harness_set_sink_caps_str (h, TENSORS ",dimensions=(string)10:1");
  fail_unless (offers (h, "video/x-raw,format=YUY2,width=5,height=2"));
  fail_if (offers (h, "video/x-raw,format=YUY2,width=11"));
  push_caps (h, "video/x-raw,format=GRAY8,width=5,height=2,framerate=25/1");
  check_error (h, STREAM, FORMAT, "luma", "GRAY8", "videoconvert");
  video_free (h);
  /* Without it, YUV would be grey where colours are meant. */
  h = video_new ("");
  fail_if (offers (h, "video/x-raw,format=I420"));
  video_free (h);
}

GST_END_TEST;

GST_START_TEST (test_size_that_nobody_takes)
{
  GstHarness *h = video_new ("");
  GstCaps *filter, *caps;

  gst_harness_set_sink_caps_str (h, TENSORS ",dimensions=(string)10");
  /* It can't fit, but must come as far as the error. */
  filter = gst_caps_from_string ("video/x-raw,format=RGB,width=5,height=2");
  caps = gst_pad_peer_query_caps (h->srcpad, filter);
  fail_if (gst_caps_is_empty (caps));
  fail_unless (gst_pad_peer_query_accept_caps (h->srcpad, filter));
  gst_caps_unref (filter);
  gst_caps_unref (caps);
  push_caps (h, "video/x-raw,format=RGB,width=5,height=2,framerate=25/1");
  check_error (h, STREAM, FORMAT, "vectors of 30 values", "RGB of 5 x 2",
      "vectors of 10",
      "format=GRAY8,width=5,height=2\"", "videoscale");
  push_caps (h, "video/x-raw,format=RGB,width=20000,height=20000,framerate=1/1");
  check_error (h, STREAM, FORMAT, "at most 1073741823 values",
      "20000 x 20000 of 3");
  video_free (h);

  h = video_new ("");
  gst_harness_set_sink_caps_str (h, TENSORS ",dimensions=10:2");
  offers (h, "video/x-raw");
  check_error (h, STREAM, FORMAT, "dimensions=(string)64:16");
  video_free (h);
}

GST_END_TEST;

static void
check_start_refused (const gchar * name, const gchar * text,
    const gchar * found)
{
  GstElement *element = gst_element_factory_make ("videototensor", NULL);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  GError *error;

  gst_element_set_bus (element, bus);
  g_object_set (element, name, text, NULL);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (g_error_matches (error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (error->message, found) != NULL
      && strstr (error->message, name) != NULL, "%s", error->message);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

static void
check_channels_refused (const gchar * props, const gchar * format,
    const gchar * found)
{
  GstHarness *h = video_new (props);
  gchar *caps = video_caps (format, 2, 2);

  gst_harness_push_event (h, gst_event_new_stream_start ("a"));
  push_caps (h, caps);
  check_error (h, STREAM, FORMAT, found, format);
  g_free (caps);
  video_free (h);
}

GST_START_TEST (test_properties_refused)
{
  GstHarness *h = video_new ("mean=0.5");
  gchar *mean;

  check_start_refused ("mean", "grey", "\"grey\"");
  check_start_refused ("mean", "", "\"\"");
  check_start_refused ("mean", "1,2,3,4", "\"1,2,3,4\"");
  check_start_refused ("mean", "1,,2", "\"1,,2\"");
  check_start_refused ("mean", "nan", "\"nan\"");
  check_start_refused ("std", "1 2", "\"1 2\"");
  check_start_refused ("std", "1,0,1", "other than 0");
  check_channels_refused ("mean=1,2", "RGB", "3 numbers or one as mean");
  check_channels_refused ("mean=1,2,3", "GRAY8", "one number as mean");
  check_channels_refused ("std=1,2,3", "GRAY8", "one number as std");

  g_object_set (h->element, "mean", "0.25", NULL);
  check_message (h, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS, "mean was not changed", "READY", NULL);
  g_object_get (h->element, "mean", &mean, NULL);
  fail_unless_equals_string (mean, "0.5");
  g_free (mean);
  video_free (h);
}

GST_END_TEST;

/* Downstream with a pool whose buffers are larger than a vector. */
static GstPadProbeReturn
offer_pool (GstPad * pad, GstPadProbeInfo * info, gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  GstBufferPool *pool = user_data;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_add_allocation_pool (query, pool, 100, 2, 0);
  return GST_PAD_PROBE_HANDLED;
}

GST_START_TEST (test_larger_pool)
{
  GstHarness *h = video_new ("");
  GstBufferPool *pool = gst_buffer_pool_new ();
  const guint8 frame[8] = { 0 };
  GstBuffer *out;

  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM
      | GST_PAD_PROBE_TYPE_PUSH, offer_pool, pool, NULL);
  set_video (h, "GRAY8", 4, 2);
  for (guint i = 0; i < 3; i++) {
    out = take (h, gst_buffer_new_memdup (frame, sizeof frame));
    fail_unless (out->pool == pool);
    fail_unless_equals_uint64 (gst_buffer_get_size (out), 8 * sizeof (gfloat));
    gst_buffer_unref (out);
  }
  video_free (h);
  gst_object_unref (pool);
}

GST_END_TEST;

GST_START_TEST (test_times_and_memory)
{
  GstHarness *h = video_new ("");
  GstBuffer *buf, *out;
  GstQuery *query;
  GstCaps *caps;

  set_video (h, "GRAY8", 4, 2);
  buf = gst_buffer_new_allocate (NULL, 8, NULL);
  gst_buffer_memset (buf, 0, 0, -1);
  GST_BUFFER_PTS (buf) = 12345;
  GST_BUFFER_DURATION (buf) = 678;
  GST_BUFFER_FLAG_SET (buf, GST_BUFFER_FLAG_DISCONT);
  gst_buffer_add_video_meta (buf, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_GRAY8, 4, 2);
  out = take (h, buf);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (out), 12345);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (out), 678);
  fail_unless (GST_BUFFER_IS_DISCONT (out));
  fail_unless (out->pool != NULL);
  /* What describes the picture doesn't describe the vector. */
  fail_unless (gst_buffer_get_video_meta (out) == NULL);
  gst_buffer_unref (out);

  caps = gst_caps_from_string ("video/x-raw,format=GRAY8,width=4,height=2");
  query = gst_query_new_allocation (caps, FALSE);
  fail_unless (gst_pad_peer_query (h->srcpad, query));
  fail_unless (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE,
          NULL));
  fail_unless (gst_query_find_allocation_meta (query,
          GST_VIDEO_CROP_META_API_TYPE, NULL));
  gst_query_unref (query);
  gst_caps_unref (caps);
  video_free (h);
}

GST_END_TEST;

static Suite *
videototensor_suite (void)
{
  Suite *s = suite_create ("videototensor");
  TCase *tc = tcase_create ("all");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_formats);
  tcase_add_test (tc, test_numbers);
  tcase_add_test (tc, test_strides_and_cropping);
  tcase_add_test (tc, test_luma);
  tcase_add_test (tc, test_luma_caps);
  tcase_add_test (tc, test_frames_that_disagree);
  tcase_add_test (tc, test_caps_downstream);
  tcase_add_test (tc, test_caps_upstream);
  tcase_add_test (tc, test_size_that_nobody_takes);
  tcase_add_test (tc, test_properties_refused);
  tcase_add_test (tc, test_larger_pool);
  tcase_add_test (tc, test_times_and_memory);
  return s;
}

GST_CHECK_MAIN (videototensor);
