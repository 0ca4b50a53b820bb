/* gst-continual: tensorscope: what its pictures show
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Parts without text are compared pixel by pixel; of text, only that it is there. */
#include "scopetest.h"

#include "tensor/events.h"

#define TWO "other/tensors,format=(string)static,num_tensors=(int)2,types=(string)\"float32,float32\","

static guint
gray (gdouble level)
{
  return (guint) (level * 255 + 0.5) * 0x010101;
}

static guint32
bar (gdouble level)
{
  return (guint32) (80 + level * 175 + 0.5) * 0x010101;
}

/* The picture after one more vector, of 40 ms as each frame */
static GstBuffer *
show (GstHarness * h, const gfloat * x, gsize n)
{
  const guint t = gst_harness_buffers_received (h);

  fail_unless_equals_int (scope_push (h, x, n, 40 * t, 40), GST_FLOW_OK);
  return scope_pull (h, 40 * t * GST_MSECOND, 40 * (t + 1) * GST_MSECOND);
}

static void
expect_pixel (GstBuffer * frame, guint width, guint x, guint y, guint32 color)
{
  const guint32 found = scope_get_pixel (frame, width, x, y);

  fail_unless (found == color, "pixel %u, %u is %06x, not %06x", x, y, found,
      color);
}

/* Every pixel of a part of the picture */
static void
expect_part (GstBuffer * frame, guint width, guint left, guint top, guint right,
    guint bottom, guint32 color)
{
  for (guint y = top; y < bottom; y++)
    for (guint x = left; x < right; x++)
      expect_pixel (frame, width, x, y, color);
}

/* Pixels of a part that are not @color */
static guint
count_other (GstBuffer * frame, guint width, guint left, guint top,
    guint right, guint bottom, guint32 color)
{
  guint n = 0;

  for (guint y = top; y < bottom; y++)
    for (guint x = left; x < right; x++)
      n += scope_get_pixel (frame, width, x, y) != color;
  return n;
}

/* Columns from the right, the first value at the bottom, and places without a number empty */
GST_START_TEST (test_waterfall)
{
  GstHarness *h = scope_new ("history=4 colormap=gray min=0 max=10",
      "width=40,height=30");
  const gfloat x[2][3] = { {0, 5, 10}, {20, NAN, -3} };

  encoder_set_caps (h, "3", 25);
  for (guint i = 0; i < 2; i++) {
    GstBuffer *frame = show (h, x[i], 3);

    expect_part (frame, 40, 0, 0, i == 0 ? 30 : 20, 30, SCOPE_EMPTY);
    if (i == 0) {
      expect_part (frame, 40, 30, 20, 40, 30, gray (0));
      expect_part (frame, 40, 30, 10, 40, 20, gray (0.5));
      expect_part (frame, 40, 30, 0, 40, 10, gray (1));
    } else {
      expect_part (frame, 40, 20, 10, 30, 20, gray (0.5));
      expect_part (frame, 40, 30, 20, 40, 30, gray (1));
      expect_part (frame, 40, 30, 10, 40, 20, SCOPE_EMPTY);
      expect_part (frame, 40, 30, 0, 40, 10, gray (0));
    }
    gst_buffer_unref (frame);
  }
  scope_free (h);
}

GST_END_TEST;

/* The oldest column leaves. */
GST_START_TEST (test_scrolling)
{
  GstHarness *h = scope_new ("history=5 colormap=gray min=0 max=255",
      "width=10,height=1");

  encoder_set_caps (h, "1", 25);
  for (guint t = 0; t < 23; t++) {
    const gfloat x = t * 10;
    GstBuffer *frame = show (h, &x, 1);

    for (guint i = 0; i < 5; i++)
      expect_part (frame, 10, 2 * i, 0, 2 * i + 2, 1,
          t + i < 4 ? SCOPE_EMPTY : (t + i - 4) * 10 * 0x010101);
    gst_buffer_unref (frame);
  }
  scope_free (h);
}

GST_END_TEST;

/* By default, the range is that of the values, and the colours are in colour. */
GST_START_TEST (test_automatic_range)
{
  GstHarness *h = scope_new ("history=1", "width=2,height=4");
  const gfloat x[4] = { -7, 3, -7, 3 }, same[4] = { 3, 3, 3, 3 };
  const guint32 *colors = scope_colormap_get (SCOPE_COLORMAP_COLOR);
  GstBuffer *frame;

  encoder_set_caps (h, "4", 25);
  frame = show (h, same, 4);
  expect_part (frame, 2, 0, 0, 2, 4, colors[0]);
  gst_buffer_unref (frame);
  frame = show (h, x, 4);
  expect_part (frame, 2, 0, 0, 2, 1, colors[255]);
  expect_part (frame, 2, 0, 1, 2, 2, colors[0]);
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* More values than pixels: what is between two pixels counts. */
GST_START_TEST (test_small_picture)
{
  GstHarness *h = scope_new ("history=64 colormap=gray min=0 max=1",
      "width=4,height=4");
  gfloat x[64];
  GstBuffer *frame = NULL;

  for (guint i = 0; i < 64; i++)
    x[i] = i % 2;
  encoder_set_caps (h, "64", 25);
  for (guint t = 0; t < 64; t++) {
    gst_clear_buffer (&frame);
    frame = show (h, x, 64);
  }
  for (guint i = 0; i < 16; i++) {
    const guint value = scope_get_pixel (frame, 4, i % 4, i / 4) & 0xff;

    fail_unless (value > 100 && value < 155, "%u", value);
  }
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* Streams above each other; an absent one is empty, and a reset one begins anew. */
GST_START_TEST (test_streams)
{
  GstHarness *h = scope_new ("history=2 colormap=gray min=0 max=255",
      "width=4,height=12");
  const gfloat x[3] = { 10, NAN, 30 }, y[3] = { 11, 21, 31 };
  GstBuffer *frame;

  encoder_set_caps (h, "1:1:3", 25);
  frame = show (h, x, 3);
  expect_part (frame, 4, 2, 0, 4, 4, 10 * 0x010101);
  expect_part (frame, 4, 2, 4, 4, 8, SCOPE_EMPTY);
  expect_part (frame, 4, 2, 8, 4, 12, 30 * 0x010101);
  gst_buffer_unref (frame);
  gst_harness_push_event (h,
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
          gst_structure_new (RESET_EVENT_NAME, "stream", G_TYPE_INT, 2, NULL)));
  frame = show (h, y, 3);
  expect_part (frame, 4, 0, 0, 2, 4, 10 * 0x010101);
  expect_part (frame, 4, 2, 4, 4, 8, 21 * 0x010101);
  expect_part (frame, 4, 0, 8, 2, 12, SCOPE_EMPTY);
  expect_part (frame, 4, 2, 8, 4, 12, 31 * 0x010101);
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* Vectors of several streams in one buffer: (S, T, C) */
GST_START_TEST (test_chunks_of_streams)
{
  GstHarness *h = scope_new ("history=2 colormap=gray min=0 max=255",
      "width=4,height=4");
  const gfloat x[4] = { 10, 11, 20, 21 };
  GstBuffer *frame;

  encoder_set_caps (h, "1:2:2", 25);
  frame = show (h, x, 4);
  for (guint i = 0; i < 4; i++)
    expect_part (frame, 4, i % 2 * 2, i / 2 * 2, i % 2 * 2 + 2, i / 2 * 2 + 2,
        (guint) x[i] * 0x010101);
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* Too low for text: bars from the left edge. Of several positions the newest is shown. */
GST_START_TEST (test_bars)
{
  GstHarness *h = scope_new ("style=scores colormap=gray min=0 max=4",
      "width=40,height=12");
  const gfloat x[8] = { 9, 9, 9, 9, 1, 4, NAN, -1 };
  GstBuffer *frame;

  encoder_set_caps (h, "4:2", 25);
  frame = show (h, x, 8);
  expect_part (frame, 40, 0, 0, 10, 3, bar (0.25));
  expect_part (frame, 40, 10, 0, 40, 3, SCOPE_EMPTY);
  expect_part (frame, 40, 0, 3, 40, 6, bar (1));
  expect_part (frame, 40, 0, 6, 40, 12, SCOPE_EMPTY);
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

GST_START_TEST (test_softmax)
{
  GstHarness *h = scope_new ("style=scores softmax=true colormap=gray",
      "width=40,height=2");
  const gfloat x[2] = { logf (1), logf (3) };
  GstBuffer *frame;

  encoder_set_caps (h, "2", 25);
  frame = show (h, x, 2);
  expect_part (frame, 40, 0, 0, 9, 1, bar (0.25));
  expect_part (frame, 40, 11, 0, 40, 1, SCOPE_EMPTY);
  expect_part (frame, 40, 0, 1, 29, 2, bar (0.75));
  expect_part (frame, 40, 31, 1, 40, 2, SCOPE_EMPTY);
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* Left edge of the bar of class @i of two */
static guint
find_bar (GstBuffer * frame, guint i)
{
  for (guint x = 0; x < 200; x++)
    if (scope_get_pixel (frame, 200, x, 20 * i + 10) == bar (1)
        && scope_get_pixel (frame, 200, x, 20 * i + 1) == bar (1))
      return x;
  return G_MAXUINT;
}

/* Labels are at the left of the bars: numbers, or those of the model; long ones take two fifths. */
GST_START_TEST (test_labels)
{
  static const gchar *const words[] = { "up", "down", NULL }, *none[] = { NULL };
  static const gchar *const broad[] = { "a name that has no end in sight", "\xc3\xa9\n<b>", NULL };
  GstHarness *h = scope_new ("style=scores colormap=gray min=0 max=1",
      "width=200,height=40");
  const gfloat x[2] = { 1, 1 };
  GstBuffer *numbers, *labels, *cut, *again;

  encoder_set_caps (h, "2", 25);
  numbers = show (h, x, 2);
  gst_harness_push_event (h, labels_event_new (words));
  labels = show (h, x, 2);
  gst_harness_push_event (h, labels_event_new (broad));
  cut = show (h, x, 2);
  gst_harness_push_event (h, labels_event_new (none));
  again = show (h, x, 2);

  for (guint i = 0; i < 2; i++) {
    fail_unless_equals_int (find_bar (numbers, i), find_bar (numbers, 0));
    fail_unless (find_bar (labels, i) > find_bar (numbers, i));
    fail_unless_equals_int (find_bar (cut, i), 80);
    fail_unless_equals_int (find_bar (again, i), find_bar (numbers, i));
    /* There is text in its row. */
    fail_unless (count_other (numbers, 200, 0, 20 * i, find_bar (numbers, i),
            20 * i + 20, SCOPE_EMPTY) > 10);
    fail_unless (count_other (labels, 200, 0, 20 * i, find_bar (labels, i),
            20 * i + 20, SCOPE_EMPTY) > 30);
  }
  expect_part (labels, 200, find_bar (labels, 0), 0, 200, 19, bar (1));
  gst_buffer_unref (numbers);
  gst_buffer_unref (labels);
  gst_buffer_unref (cut);
  gst_buffer_unref (again);
  scope_free (h);
}

GST_END_TEST;

/* Scores over time: the share of a class's row that is filled. Too low for text */
GST_START_TEST (test_lines)
{
  GstHarness *h = scope_new ("style=lines history=2 colormap=gray min=0 max=19",
      "width=4,height=40");
  const gfloat x[2][2] = { {19, 5}, {NAN, 0} };
  GstBuffer *frame;

  encoder_set_caps (h, "2", 25);
  gst_buffer_unref (show (h, x[0], 2));
  frame = show (h, x[1], 2);
  expect_part (frame, 4, 0, 0, 2, 1, SCOPE_EMPTY);
  expect_part (frame, 4, 0, 1, 2, 20, bar (1));
  expect_part (frame, 4, 0, 20, 2, 35, SCOPE_EMPTY);
  expect_part (frame, 4, 0, 35, 2, 40, bar (5 / 19.0));
  expect_part (frame, 4, 2, 0, 4, 40, SCOPE_EMPTY);
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* The second of two tensors: heads side by side, the oldest weight at the left. */
GST_START_TEST (test_attention)
{
  GstHarness *h = scope_new ("style=attention colormap=gray max=1",
      "width=16,height=8");
  const gfloat x[9] = { 99, 0, 0.25f, 0.5f, 1, 1, NAN, 0.75f, 0 };
  GstBuffer *frame;

  gst_harness_set_src_caps_str (h, TWO "dimensions=(string)\"1,4:1:2\",framerate=25/1");
  frame = show (h, x, 9);
  for (guint i = 0; i < 8; i++) {
    const guint rows = isnan (x[i + 1]) ? 0 : (guint) (x[i + 1] * 8);

    expect_part (frame, 16, 2 * i, 0, 2 * i + 2, 8 - rows, SCOPE_EMPTY);
    expect_part (frame, 16, 2 * i, 8 - rows, 2 * i + 2, 8, bar (x[i + 1]));
  }
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* The first of two tensors is for all other styles. */
GST_START_TEST (test_first_tensor)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);
  const gfloat x[5] = { 77, 1, 2, 3, 4 };
  GstBuffer *frame;

  gst_harness_set_src_caps_str (h, TWO "dimensions=(string)\"1,4\",framerate=25/1");
  frame = show (h, x, 5);
  expect_part (frame, 8, 0, 0, 8, 6, 77 * 0x010101);
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* Outputs of a model in the place of weights: one warning */
GST_START_TEST (test_no_weights)
{
  GstHarness *h = scope_new ("style=attention", "width=8,height=4");
  GstBus *bus = gst_element_get_bus (h->element);
  const gfloat weights[2] = { 0, 1 }, outputs[2] = { 0.5f, -3 };

  encoder_set_caps (h, "2", 25);
  gst_buffer_unref (show (h, weights, 2));
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  gst_buffer_unref (show (h, outputs, 2));
  check_message (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING),
      GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "-3", "attention-weights=heads", NULL);
  gst_buffer_unref (show (h, outputs, 2));
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
  gst_object_unref (bus);
  scope_free (h);
}

GST_END_TEST;

/* As high as it has to be, each class has its row: panels leave no gap. */
GST_START_TEST (test_least_height)
{
  GstHarness *h = scope_new ("style=scores colormap=gray min=0 max=1",
      "width=8,height=34");
  gfloat x[34];
  GstBuffer *frame;

  for (guint i = 0; i < 34; i++)
    x[i] = i % 2;
  encoder_set_caps (h, "17:1:2", 25);
  frame = show (h, x, 34);
  for (guint i = 0; i < 34; i++)
    expect_part (frame, 8, 0, i, 8, i + 1, i % 2 ? bar (1) : SCOPE_EMPTY);
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* Several positions are rows, several streams panels: (S, H, P, W), in a tensor of their own. */
GST_START_TEST (test_attention_of_positions)
{
  GstHarness *h = scope_new ("style=attention colormap=gray max=16",
      "width=8,height=8");
  gfloat x[16];
  GstBuffer *frame;

  for (guint i = 0; i < 16; i++)
    x[i] = i;
  encoder_set_caps (h, "2:2:2:2", 25);
  frame = show (h, x, 16);
  for (guint i = 0; i < 16; i++) {
    const guint column = i % 2 + 2 * (i / 4 % 2), row = i / 2 % 2 + 2 * (i / 8);

    expect_part (frame, 8, 2 * column, 2 * row, 2 * column + 2, 2 * row + 2,
        gray (i / 16.0));
  }
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* Where there is room, heads have titles, and streams numbers. */
GST_START_TEST (test_titles)
{
  GstHarness *h = scope_new ("style=attention", "width=200,height=120");
  const gfloat x[4] = { NAN, NAN, NAN, NAN };
  GstBuffer *frame;

  encoder_set_caps (h, "1:1:2:2", 25);
  frame = show (h, x, 4);
  for (guint panel = 0; panel < 2; panel++) {
    fail_unless (count_other (frame, 200, 0, 60 * panel, 90, 60 * panel + 14, SCOPE_EMPTY) > 50);
    fail_unless (count_other (frame, 200, 100, 60 * panel, 170, 60 * panel + 14, SCOPE_EMPTY) > 50);
    fail_unless (count_other (frame, 200, 185, 60 * panel, 200, 60 * panel + 14, SCOPE_EMPTY) > 8);
    expect_part (frame, 200, 0, 60 * panel + 16, 200, 60 * panel + 60, SCOPE_EMPTY);
  }
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

/* Looks may change while it runs, also between two frames of one vector. */
GST_START_TEST (test_look)
{
  GstHarness *h = scope_new (ONE_VALUE, SMALL);
  const gfloat x = 100;
  GstBuffer *frame;

  encoder_set_caps (h, "1", 25);
  frame = show (h, &x, 1);
  expect_pixel (frame, 8, 3, 2, 100 * 0x010101);
  gst_buffer_unref (frame);
  g_object_set (h->element, "max", 100.0, NULL);
  gst_harness_push_event (h, gst_event_new_gap (40 * GST_MSECOND, 40 * GST_MSECOND));
  frame = scope_pull (h, 40 * GST_MSECOND, 80 * GST_MSECOND);
  expect_pixel (frame, 8, 3, 2, 0xffffff);
  gst_buffer_unref (frame);
  gst_util_set_object_arg (G_OBJECT (h->element), "colormap", "color");
  frame = show (h, &x, 1);
  expect_pixel (frame, 8, 3, 2, scope_colormap_get (SCOPE_COLORMAP_COLOR)[255]);
  gst_buffer_unref (frame);
  scope_free (h);
}

GST_END_TEST;

static Suite *
pictures_suite (void)
{
  Suite *s = suite_create ("tensorscope-pictures");
  TCase *tc = tcase_create ("pictures");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, test_waterfall);
  tcase_add_test (tc, test_scrolling);
  tcase_add_test (tc, test_automatic_range);
  tcase_add_test (tc, test_small_picture);
  tcase_add_test (tc, test_streams);
  tcase_add_test (tc, test_chunks_of_streams);
  tcase_add_test (tc, test_bars);
  tcase_add_test (tc, test_softmax);
  tcase_add_test (tc, test_labels);
  tcase_add_test (tc, test_lines);
  tcase_add_test (tc, test_attention);
  tcase_add_test (tc, test_first_tensor);
  tcase_add_test (tc, test_no_weights);
  tcase_add_test (tc, test_least_height);
  tcase_add_test (tc, test_attention_of_positions);
  tcase_add_test (tc, test_titles);
  tcase_add_test (tc, test_look);
  return s;
}

GST_CHECK_MAIN (pictures);
