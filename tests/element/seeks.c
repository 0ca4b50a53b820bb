/* gst-continual: after a seek, what is shown equals a fresh start there
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each pipeline plays a file, seeks in it, and plays on to the end. Another one plays a file that has only what was sought.
 * Both show the same numbers: a frame's running time is that of the other one's divided by the rate, its stream time is
 * later by the position. */
#include "encodertest.h"

#include <glib/gstdio.h>

#define RATE 16000              /* samples a second */
#define FPS 100                 /* vectors a second */
#define SECONDS 3

typedef struct
{
  const gchar *name;
  const gchar *line;            /* MODEL stands for models, MEMORY for a file with a memory */
  const gchar *model;
  guint width;                  /* of the vectors of a raw file; 0: a wav */
} Case;

#define MEL "wavparse ! melspectrogram n-fft=400 n-mels=32"
#define VECTORS ",format=(string)static,num_tensors=(int)1,types=(string)float32,"

static const Case cases[] = {
  {"mel", MEL, NULL, 0},
  {"encoder", MEL " ! continualencoder model-path=MODEL", "encoder-1-relu", 0},
  {"encoder-look-back", MEL " ! continualencoder model-path=MODEL query-index=-3", "encoder-1-relu", 0},
  {"mux", MEL " ! continualmux max-streams=1", NULL, 0},
  {"mux-demux", MEL " ! continualmux max-streams=2 ! continualencoder model-path=MODEL ! continualdemux name=d  d.src_0",
      "encoder-1-relu", 0},
  {"mux-of-two", "tee name=t  continualmux name=m max-streams=2 ! continualencoder model-path=MODEL ! continualdemux "
      "name=d  t. ! queue ! " MEL " ! m.sink_0  t. ! queue ! " MEL " ! m.sink_1  d.src_1", "encoder-1-relu", 0},
  {"attention", "wavparse ! melspectrogram n-mels=24 ! tee name=t  continualattention name=a model-path=MODEL  t. ! queue ! a.query  t. ! queue ! a.key "
      "a.", "mha-single-output", 0},
  {"decoder", MEL " ! continualdecoder name=d model-path=MODEL  filesrc location=MEMORY blocksize=1280 ! other/tensors"
      VECTORS "dimensions=(string)32:10 ! d.memory  d.", "decoder-linear-full", 0},
  {"labeler", "wavparse ! melspectrogram n-mels=20 ! continualencoder model-path=MODEL ! classlabeler format=text",
      "classifier-1", 0},
  {"raw-encoder", "other/tensors" VECTORS "dimensions=(string)32,framerate=100/1 ! continualencoder model-path=MODEL",
      "encoder-1-relu", 32},
  {"raw-mux", "other/tensors" VECTORS "dimensions=(string)32,framerate=100/1 ! continualmux max-streams=1 ! "
      "continualencoder model-path=MODEL", "encoder-1-relu", 32},
  {"raw-attention", "other/tensors" VECTORS "dimensions=(string)24,framerate=100/1 ! continualattention model-path=MODEL",
      "mha-single-output", 24},
};

static const struct
{
  gdouble start, stop;          /* seconds; stop 0: to the end */
  gdouble rate;
  GstState state;
} seeks[] = {
  {1, 0, 1, GST_STATE_PAUSED}, {1, 0, 1, GST_STATE_PLAYING},
  {1, 2, 1, GST_STATE_PAUSED}, {1, 2, 1, GST_STATE_PLAYING},
  {0.5, 2.25, 2, GST_STATE_PAUSED}, {0.5, 2.25, 2, GST_STATE_PLAYING},
  {0.5, 0, 0.5, GST_STATE_PAUSED}, {0.5, 0, 0.5, GST_STATE_PLAYING},
  {0, 1, 0.5, GST_STATE_PLAYING}, {2, 0, 2, GST_STATE_PAUSED},
};

typedef struct
{
  GstClockTime running, stream, duration;
  GBytes *bytes;
} Shown;

static void
shown_clear (gpointer data)
{
  g_bytes_unref (((Shown *) data)->bytes);
}

/* What a sink shows since the last flush. The lock guards all but the pipeline. */
typedef struct
{
  GstElement *pipeline;
  GMutex lock;
  GCond cond;
  GArray *shown;                /* of Shown */
  gboolean ended;
} Player;

static void
show (GstElement * sink, GstBuffer * buffer, GstPad * pad, Player * player)
{
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  GstMapInfo map;
  Shown shown;

  gst_event_parse_segment (event, &segment);
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  shown = (Shown) {
    gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer)),
    gst_segment_to_stream_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer)),
    GST_BUFFER_DURATION (buffer), g_bytes_new (map.data, map.size)
  };
  gst_buffer_unmap (buffer, &map);
  gst_event_unref (event);
  g_mutex_lock (&player->lock);
  g_array_append_val (player->shown, shown);
  g_cond_signal (&player->cond);
  g_mutex_unlock (&player->lock);
}

static GstPadProbeReturn
watch (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  const GstEventType type = GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info));
  Player *player = data;

  g_mutex_lock (&player->lock);
  if (type == GST_EVENT_FLUSH_STOP) {
    g_array_set_size (player->shown, 0);
    player->ended = FALSE;
  } else if (type == GST_EVENT_EOS) {
    player->ended = TRUE;
    g_cond_signal (&player->cond);
  }
  g_mutex_unlock (&player->lock);
  return GST_PAD_PROBE_OK;
}

static void
player_init (Player * self, const gchar * source, const gchar * line)
{
  g_autofree gchar *text = g_strdup_printf ("%s ! %s ! fakesink name=sink "
      "signal-handoffs=true sync=false", source, line);
  GError *error = NULL;
  GstElement *sink;
  GstPad *pad;

  *self = (Player) {
  .pipeline = gst_parse_launch (text, &error)};
  fail_unless (error == NULL, "%s: %s", text, error ? error->message : "");
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->shown = g_array_new (FALSE, FALSE, sizeof (Shown));
  g_array_set_clear_func (self->shown, shown_clear);
  sink = gst_bin_get_by_name (GST_BIN (self->pipeline), "sink");
  pad = gst_element_get_static_pad (sink, "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (show), self);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM
      | GST_PAD_PROBE_TYPE_EVENT_FLUSH, watch, self, NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
}

static void
player_set_state (Player * self, GstState state)
{
  GstState now;

  gst_element_set_state (self->pipeline, state);
  if (gst_element_get_state (self->pipeline, &now, NULL, 20 * GST_SECOND) ==
      GST_STATE_CHANGE_SUCCESS && now == state)
    return;
  {
    GstBus *bus = gst_element_get_bus (self->pipeline);
    GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    GError *error = NULL;

    if (message)
      gst_message_parse_error (message, &error, NULL);
    fail ("no state %d: %s", state, error ? error->message : "?");
  }
}

/* Until it ends, or has shown @n frames. */
static void
player_wait (Player * self, guint n)
{
  const gint64 until = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&self->lock);
  while (!self->ended && self->shown->len < n)
    fail_unless (g_cond_wait_until (&self->cond, &self->lock, until),
        "%u shown, no end", self->shown->len);
  g_mutex_unlock (&self->lock);
}

static void
player_clear (Player * self)
{
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_object_unref (self->pipeline);
  g_array_unref (self->shown);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
}

static gint16
sample_at (guint i)
{
  const guint32 noise = (i * 2654435761u) >> 16;

  return (gint16) (noise % 8000) - 4000 + (gint16) (i / 8 % 4000);
}

static void
append_number (GByteArray * file, guint32 value, guint size)
{
  const guint32 le = GUINT32_TO_LE (value);

  g_byte_array_append (file, (const guint8 *) &le, size);
}

/* Samples or vectors of @from to @to seconds. Free it and unlink it. */
static gchar *
write_file (const Case * c, gdouble from, gdouble to)
{
  GByteArray *file = g_byte_array_new ();
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("continual-XXXXXX", &path, NULL);

  fail_unless (fd >= 0);
  close (fd);
  if (c->width) {
    for (guint t = from * FPS; t < to * FPS; t++)
      for (guint i = 0; i < c->width; i++) {
        const gfloat x = sample_at (t * c->width + i) / 4000.0f;

        g_byte_array_append (file, (const guint8 *) &x, sizeof x);
      }
  } else {
    const guint n = (to - from) * RATE;

    g_byte_array_append (file, (const guint8 *) "RIFF", 4);
    append_number (file, 36 + 2 * n, 4);
    g_byte_array_append (file, (const guint8 *) "WAVEfmt ", 8);
    append_number (file, 16, 4);
    append_number (file, 1, 2);
    append_number (file, 1, 2);
    append_number (file, RATE, 4);
    append_number (file, 2 * RATE, 4);
    append_number (file, 2, 2);
    append_number (file, 16, 2);
    g_byte_array_append (file, (const guint8 *) "data", 4);
    append_number (file, 2 * n, 4);
    for (guint i = 0; i < n; i++)
      append_number (file, (guint16) sample_at (from * RATE + i), 2);
  }
  fail_unless (g_file_set_contents (path, (const gchar *) file->data, file->len,
          NULL));
  g_byte_array_unref (file);
  return path;
}

static void
check_frame (const Shown * found, const Shown * fresh, gdouble start,
    gdouble rate, gboolean numbers, const gchar * what, guint i)
{
  const gint64 running = fresh->running / rate;
  const guint64 stream = fresh->stream + start * GST_SECOND;
  gsize n, m;
  const gfloat *a = g_bytes_get_data (found->bytes, &n);
  const gfloat *b = g_bytes_get_data (fresh->bytes, &m);

  fail_unless (ABS ((gint64) found->running - running) <= 1,
      "%s: frame %u is at %" GST_TIME_FORMAT ", expected %" GST_TIME_FORMAT,
      what, i, GST_TIME_ARGS (found->running), GST_TIME_ARGS (running));
  fail_unless (found->stream == stream, "%s: frame %u is of %" GST_TIME_FORMAT
      ", expected %" GST_TIME_FORMAT, what, i, GST_TIME_ARGS (found->stream),
      GST_TIME_ARGS (stream));
  fail_unless (found->duration == fresh->duration, "%s: frame %u", what, i);
  fail_unless (n == m, "%s: frame %u", what, i);
  if (!numbers)
    fail_unless (memcmp (a, b, n) == 0, "%s: frame %u", what, i);
  /* Blocks of a file are cut at other vectors: sums are rounded in another order. */
  for (gsize k = 0; numbers && k < n / sizeof (gfloat); k++)
    fail_unless (fabsf (a[k] - b[k]) <= 1e-5f * MAX (1, fabsf (b[k])),
        "%s: frame %u has %g, expected %g", what, i, a[k], b[k]);
}

static void
compare (const Player * found, const Player * fresh, guint which,
    const Case * c)
{
  g_autofree gchar *what = g_strdup_printf ("%s, %g to %g s at rate %g in %s",
      c->name, seeks[which].start, seeks[which].stop, seeks[which].rate,
      gst_element_state_get_name (seeks[which].state));

  fail_unless (fresh->shown->len > 0, "%s", what);
  /* With the frame at the end */
  if (g_str_equal (c->name, "mel"))
    fail_unless_equals_int (fresh->shown->len, 1 + FPS * (seeks[which].stop ?
            seeks[which].stop - seeks[which].start :
            SECONDS - seeks[which].start));
  fail_unless (found->shown->len == fresh->shown->len,
      "%s: %u frames, expected %u", what, found->shown->len,
      fresh->shown->len);
  for (guint i = 0; i < fresh->shown->len; i++)
    check_frame (&g_array_index (found->shown, Shown, i),
        &g_array_index (fresh->shown, Shown, i), seeks[which].start,
        seeks[which].rate, !g_str_equal (c->name, "labeler"), what, i);
}

static void
replace (gchar ** line, const gchar * from, const gchar * to)
{
  g_auto (GStrv) parts = g_strsplit (*line, from, -1);

  g_free (*line);
  *line = g_strjoinv (to, parts);
}

static void
play (Player * player, const gchar * path, const gchar * line)
{
  g_autofree gchar *source = g_strdup_printf ("filesrc location=%s", path);

  player_init (player, source, line);
}

static void
check_seek (const Case * c, guint which, const gchar * whole,
    const gchar * line)
{
  const gdouble start = seeks[which].start, stop = seeks[which].stop;
  g_autofree gchar *part = write_file (c, start, stop ? stop : SECONDS);
  Player fresh, sought;

  play (&fresh, part, line);
  player_set_state (&fresh, GST_STATE_PLAYING);
  player_wait (&fresh, G_MAXUINT);

  play (&sought, whole, line);
  player_set_state (&sought, seeks[which].state);
  if (seeks[which].state == GST_STATE_PLAYING)
    player_wait (&sought, 40);
  fail_unless (gst_element_seek (sought.pipeline, seeks[which].rate,
          GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
          GST_SEEK_TYPE_SET, start * GST_SECOND,
          stop ? GST_SEEK_TYPE_SET : GST_SEEK_TYPE_NONE,
          stop ? (gint64) (stop * GST_SECOND) : -1), "%s", c->name);
  player_set_state (&sought, GST_STATE_PLAYING);
  player_wait (&sought, G_MAXUINT);

  compare (&sought, &fresh, which, c);
  player_clear (&fresh);
  player_clear (&sought);
  g_unlink (part);
}

GST_START_TEST (test_seeks)
{
  const Case *c = &cases[__i__];
  g_autofree gchar *whole = write_file (c, 0, SECONDS);
  g_autofree gchar *model = c->model ? model_path (c->model) : NULL;
  const Case memory_case = {.width = 32 };
  g_autofree gchar *memory = write_file (&memory_case, 0, 0.1);
  gchar *line = g_strdup (c->line);

  if (model)
    replace (&line, "MODEL", model);
  replace (&line, "MEMORY", memory);
  for (guint i = 0; i < G_N_ELEMENTS (seeks); i++)
    check_seek (c, i, whole, line);
  g_free (line);
  g_unlink (whole);
  g_unlink (memory);
}

GST_END_TEST;

/* A source without an end: the frames of the range. */
static void
play_video (Player * player, guint which)
{
  const gdouble stop = seeks[which].stop ? seeks[which].stop : SECONDS;

  player_init (player, "videotestsrc pattern=ball",
      "video/x-raw,format=GRAY8,width=16,height=8,framerate=20/1 ! videototensor");
  player_set_state (player, seeks[which].state);
  if (seeks[which].state == GST_STATE_PLAYING)
    player_wait (player, 5);
  fail_unless (gst_element_seek (player->pipeline, seeks[which].rate,
          GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE,
          GST_SEEK_TYPE_SET, seeks[which].start * GST_SECOND,
          GST_SEEK_TYPE_SET, stop * GST_SECOND));
  player_set_state (player, GST_STATE_PLAYING);
  player_wait (player, G_MAXUINT);
}

/* A frame depends on its time alone: each is found in the whole, too. */
GST_START_TEST (test_video)
{
  for (guint i = 0; i < G_N_ELEMENTS (seeks); i++) {
    const gdouble start = seeks[i].start;
    const gdouble stop = seeks[i].stop ? seeks[i].stop : SECONDS;
    Player whole, part;
    guint n;

    player_init (&whole, "videotestsrc pattern=ball num-buffers=60",
        "video/x-raw,format=GRAY8,width=16,height=8,framerate=20/1 ! videototensor");
    player_set_state (&whole, GST_STATE_PLAYING);
    player_wait (&whole, G_MAXUINT);
    play_video (&part, i);
    n = (stop - start) * 20;
    fail_unless_equals_int (part.shown->len, n);
    for (guint k = 0; k < n; k++) {
      Shown expected =
          g_array_index (whole.shown, Shown, k + (guint) (start * 20));

      expected.running -= start * GST_SECOND;
      expected.stream -= start * GST_SECOND;
      check_frame (&g_array_index (part.shown, Shown, k), &expected, start,
          seeks[i].rate, FALSE, "video", k);
    }
    player_clear (&whole);
    player_clear (&part);
  }
}

GST_END_TEST;

static Suite *
seeks_suite (void)
{
  Suite *s = suite_create ("seeks");
  TCase *tc = tcase_create ("seeks");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_seeks, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tc, test_video);
  return s;
}

GST_CHECK_MAIN (seeks);
