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
  const gchar *line;            /* MODEL: the file of @model; MEMORY: a file with one memory; MEMORIES: a file with four memories a second */
  const gchar *model;
  guint width;                  /* of the vectors of a raw file; 0: a wav */
  gboolean tee;                 /* a seek comes to the file twice: without a flush, the second begins anew */
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
      "name=d  t. ! queue ! " MEL " ! m.sink_0  t. ! queue ! " MEL " ! m.sink_1  d.src_1", "encoder-1-relu", 0, TRUE},
  {"attention", "wavparse ! melspectrogram n-mels=24 ! tee name=t  continualattention name=a model-path=MODEL  t. ! queue ! a.query  t. ! queue ! a.key "
      "a.", "mha-single-output", 0, TRUE},
  {"decoder", MEL " ! continualdecoder name=d model-path=MODEL  filesrc location=MEMORY blocksize=1280 ! other/tensors"
      VECTORS "dimensions=(string)32:10 ! d.memory  d.", "decoder-linear-full", 0},
  {"labeler", "wavparse ! melspectrogram n-mels=20 ! continualencoder model-path=MODEL ! classlabeler format=text",
      "classifier-1", 0},
  {"raw-encoder", "other/tensors" VECTORS "dimensions=(string)32,framerate=100/1 ! continualencoder model-path=MODEL",
      "encoder-1-relu", 32},
  {"raw-chunks", "other/tensors" VECTORS "dimensions=(string)24,framerate=100/1 ! continualencoder model-path=MODEL",
      "kernel-relu-chunk-4-window-2-decay", 24},
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
  guint n_done;                 /* segments, also before a flush */
  gboolean over;                /* a segment is done, and the next has not begun */
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
  } else if (type == GST_EVENT_EOS || type == GST_EVENT_SEGMENT_DONE) {
    player->ended |= type == GST_EVENT_EOS;
    player->n_done += type == GST_EVENT_SEGMENT_DONE;
    player->over |= type == GST_EVENT_SEGMENT_DONE;
    g_cond_signal (&player->cond);
  } else if (type == GST_EVENT_SEGMENT) {
    player->over = FALSE;
  } else if (type == GST_EVENT_GAP) {
    fail_if (player->over, "a GAP event after SEGMENT_DONE");
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

/* Until @n segments are done. */
static void
player_wait_done (Player * self, guint n, const gchar * what)
{
  const gint64 until = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&self->lock);
  while (self->n_done < n)
    fail_unless (g_cond_wait_until (&self->cond, &self->lock, until),
        "%s: %u shown, %u segments done", what, self->shown->len, self->n_done);
  fail_unless_equals_int (self->n_done, n);
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

/* Ten vectors of 32 for each quarter of a second. Free it and unlink it. */
static gchar *
write_memories (gdouble from)
{
  GByteArray *file = g_byte_array_new ();
  gchar *path = NULL;
  gint fd = g_file_open_tmp ("continual-XXXXXX", &path, NULL);

  fail_unless (fd >= 0);
  close (fd);
  for (guint i = from * 4 * 320; i < SECONDS * 4 * 320; i++) {
    const gfloat x = sample_at (7 * i) / 2000.0f;

    g_byte_array_append (file, (const guint8 *) &x, sizeof x);
  }
  fail_unless (g_file_set_contents (path, (const gchar *) file->data, file->len,
          NULL));
  g_byte_array_unref (file);
  return path;
}

/* @base: running time of the start */
static void
check_frame (const Shown * found, const Shown * fresh, GstClockTime base,
    gdouble start, gdouble rate, gboolean numbers, const gchar * what, guint i)
{
  const gint64 running = base + fresh->running / rate;
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
        &g_array_index (fresh->shown, Shown, i), 0, seeks[which].start,
        seeks[which].rate, !g_str_equal (c->name, "labeler"), what, i);
}

static void
replace (gchar ** line, const gchar * from, const gchar * to)
{
  g_auto (GStrv) parts = g_strsplit (*line, from, -1);

  g_free (*line);
  *line = g_strjoinv (to, parts);
}

/* From @start seconds on: @path has only what comes then, and so have the memories. */
static void
play (Player * player, const gchar * path, const gchar * line, gdouble start)
{
  g_autofree gchar *source = g_strdup_printf ("filesrc location=%s", path);
  g_autofree gchar *memories = write_memories (start);
  gchar *whole = g_strdup (line);

  replace (&whole, "MEMORIES", memories);
  player_init (player, source, whole);
  /* Open files stay. */
  player_set_state (player, GST_STATE_PAUSED);
  g_unlink (memories);
  g_free (whole);
}

/* What a file shows that has only @start to @stop. */
static void
play_fresh (Player * player, const Case * c, const gchar * line, gdouble start,
    gdouble stop)
{
  g_autofree gchar *part = write_file (c, start, stop);

  play (player, part, line, start);
  player_set_state (player, GST_STATE_PLAYING);
  player_wait (player, G_MAXUINT);
  g_unlink (part);
}

static void
check_seek (const Case * c, guint which, const gchar * whole,
    const gchar * line)
{
  const gdouble start = seeks[which].start, stop = seeks[which].stop;
  Player fresh, sought;

  play_fresh (&fresh, c, line, start, stop ? stop : SECONDS);
  play (&sought, whole, line, 0);
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
}

/* Ranges, one after another: at the end of each, all of it is shown. The last one has no SEGMENT flag. */
static const struct
{
  gdouble start, stop;
  GstSeekFlags flags;
} ranges[] = {
  {0.5, 1.5, GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_SEGMENT},
  {1, 2.5, GST_SEEK_FLAG_SEGMENT},
  {0.25, 0.75, GST_SEEK_FLAG_SEGMENT},
  {0.75, 1.5, GST_SEEK_FLAG_SEGMENT},
  {0.75, 1.25, GST_SEEK_FLAG_SEGMENT},
  {1, 2, GST_SEEK_FLAG_NONE},
};

/* A file of memories, with a framerate, goes where the vectors go: the first vector has the memory that is in force then. */
GST_START_TEST (test_memory_file)
{
  const gdouble starts[] = { 0.5, 2.25, 1.1, 0 };
  const Case c = {"memory-file", NULL, NULL, 32 };
  g_autofree gchar *model = model_path ("decoder-linear-full");
  g_autofree gchar *line = g_strdup_printf ("other/tensors" VECTORS
      "dimensions=(string)32,framerate=100/1 ! continualdecoder name=d model-path=%s  "
      "filesrc location=MEMORIES ! other/tensors" VECTORS
      "dimensions=(string)32:10,framerate=4/1 ! d.memory  d.", model);
  g_autofree gchar *whole = write_file (&c, 0, SECONDS);
  Player sought;

  play (&sought, whole, line, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++) {
    /* A later memory comes when it comes. */
    const gdouble memory = floor (starts[i] * 4) / 4, stop = memory + 0.25;
    g_autofree gchar *part = write_file (&c, starts[i], stop);
    Player fresh;

    play (&fresh, part, line, memory);
    player_set_state (&fresh, GST_STATE_PLAYING);
    player_wait (&fresh, G_MAXUINT);
    fail_unless (gst_element_seek (sought.pipeline, 1, GST_FORMAT_TIME,
            GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET,
            starts[i] * GST_SECOND, GST_SEEK_TYPE_SET, stop * GST_SECOND));
    player_set_state (&sought, GST_STATE_PLAYING);
    player_wait (&sought, G_MAXUINT);
    fail_unless_equals_int (sought.shown->len, fresh.shown->len);
    fail_unless_equals_int (fresh.shown->len, round ((stop - starts[i]) * FPS));
    for (guint k = 0; k < fresh.shown->len; k++)
      check_frame (&g_array_index (sought.shown, Shown, k),
          &g_array_index (fresh.shown, Shown, k), 0, starts[i], 1, TRUE, "memory-file", k);
    player_clear (&fresh);
    g_unlink (part);
  }
  player_clear (&sought);
  g_unlink (whole);
}

GST_END_TEST;

static void
check_segments (const Case * c, const gchar * whole, const gchar * line)
{
  GstClockTime base = 0;
  guint n = 0;
  Player sought;

  play (&sought, whole, line, 0);
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++) {
    const gdouble start = ranges[i].start, stop = ranges[i].stop;
    g_autofree gchar *what = g_strdup_printf ("%s, range %u", c->name, i);
    Player fresh;

    play_fresh (&fresh, c, line, start, stop);
    fail_unless (gst_element_seek (sought.pipeline, 1, GST_FORMAT_TIME,
            ranges[i].flags | GST_SEEK_FLAG_ACCURATE, GST_SEEK_TYPE_SET,
            start * GST_SECOND, GST_SEEK_TYPE_SET, stop * GST_SECOND), "%s", what);
    if (i == 0)
      player_set_state (&sought, GST_STATE_PLAYING);
    if (ranges[i].flags & GST_SEEK_FLAG_SEGMENT)
      player_wait_done (&sought, i + 1, what);
    else
      player_wait (&sought, G_MAXUINT);
    fail_unless (fresh.shown->len > 0, "%s", what);
    fail_unless (sought.shown->len - n == fresh.shown->len,
        "%s: %u frames, expected %u", what, sought.shown->len - n, fresh.shown->len);
    for (guint k = 0; k < fresh.shown->len; k++)
      check_frame (&g_array_index (sought.shown, Shown, n + k),
          &g_array_index (fresh.shown, Shown, k), base, start, 1,
          !g_str_equal (c->name, "labeler"), what, k);
    n = sought.shown->len;
    base += (stop - start) * GST_SECOND;
    player_clear (&fresh);
  }
  player_clear (&sought);
}

static void
check_case (const Case * c, gboolean segments)
{
  g_autofree gchar *whole = write_file (c, 0, SECONDS);
  g_autofree gchar *model = c->model ? model_path (c->model) : NULL;
  const Case memory_case = {.width = 32 };
  g_autofree gchar *memory = write_file (&memory_case, 0, 0.1);
  gchar *line = g_strdup (c->line);

  if (model)
    replace (&line, "MODEL", model);
  replace (&line, "MEMORY", memory);
  for (guint i = 0; !segments && i < G_N_ELEMENTS (seeks); i++)
    check_seek (c, i, whole, line);
  if (segments && !c->tee)
    check_segments (c, whole, line);
  g_free (line);
  g_unlink (whole);
  g_unlink (memory);
}

GST_START_TEST (test_seeks)
{
  check_case (&cases[__i__], FALSE);
}

GST_END_TEST;

GST_START_TEST (test_segments)
{
  check_case (&cases[__i__], TRUE);
}

GST_END_TEST;

/* A source without an end: the frames of the range. (videotestsrc writes outside of pictures that its ball, 40 across, does not
 * fit.) */
static void
play_video (Player * player, guint which)
{
  const gdouble stop = seeks[which].stop ? seeks[which].stop : SECONDS;

  player_init (player, "videotestsrc pattern=ball",
      "video/x-raw,format=GRAY8,width=48,height=40,framerate=20/1 ! videototensor");
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
        "video/x-raw,format=GRAY8,width=48,height=40,framerate=20/1 ! videototensor");
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
      check_frame (&g_array_index (part.shown, Shown, k), &expected, 0, start,
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
  tcase_add_loop_test (tc, test_segments, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tc, test_memory_file);
  tcase_add_test (tc, test_video);
  return s;
}

GST_CHECK_MAIN (seeks);
