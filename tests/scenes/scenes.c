/* What the soak test runs all the time
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scenes.h"
#include <math.h>
#include <string.h>

#define TENSORS "other/tensors,format=static,num_tensors=1,types=(string)float32"
#define EACH (10 * GST_MSECOND)
#define PATIENCE (30 * GST_SECOND)
#define N_STREAMS 3
#define STEPS 300

struct _Scene
{
  World *world;
  gboolean (*run) (Scene * self);
  GstElement *pipeline, *encoder;
  GstElement *src[N_STREAMS], *sink[N_STREAMS];
  guint n_streams;
  Oracle oracles[N_STREAMS];
  guint model;                  /* which of the world's */
  guint64 t;                    /* vectors since the pipeline began */
  guint64 done;                 /* rows, in all earlier runs of the pipeline */
  guint64 refused;
};

static gboolean
wrong (Scene * self, const gchar * what)
{
  g_printerr ("soak: vector %" G_GUINT64_FORMAT " of %s: %s\n", self->t,
      GST_OBJECT_NAME (self->pipeline), what);
  return FALSE;
}

static guint64
get_stat (Scene * self, const gchar * name)
{
  GstStructure *stats;
  guint64 n = 0;

  g_object_get (self->encoder, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, name, &n);
  gst_structure_free (stats);
  return n;
}

static guint64
get_done (Scene * self)
{
  return get_stat (self, "vectors") + get_stat (self, "refused") +
      get_stat (self, "absent");
}

/* Waits until the encoder has had all that was sent: what comes then, comes behind. */
static gboolean
settle (Scene * self)
{
  for (gint i = 0; get_done (self) < self->t * self->n_streams; i++) {
    if (i > 30000)
      return wrong (self, "it stalls");
    g_usleep (1000);
  }
  return TRUE;
}

/* Errors that were posted; warnings of refused vectors are wanted. */
static gboolean
check_bus (Scene * self)
{
  GstBus *bus = gst_element_get_bus (self->pipeline);
  GstMessage *message;
  gboolean ok = TRUE;

  while ((message = gst_bus_pop (bus))) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      g_autoptr (GError) error = NULL;

      gst_message_parse_error (message, &error, NULL);
      ok = wrong (self, error->message);
    }
    gst_message_unref (message);
  }
  gst_object_unref (bus);
  return ok;
}

static void
make_vector (Scene * self, float *x)
{
  const gsize C = self->world->models[0]->C;

  for (gsize i = 0; i < C; i++)
    x[i] = ref_normal (self->world->random);
}

static void
push (Scene * self, guint stream, const float *x)
{
  GstBuffer *buffer = gst_buffer_new_memdup (x,
      self->world->models[0]->C * sizeof (float));
  GstFlowReturn ret;

  GST_BUFFER_PTS (buffer) = self->t * EACH;
  GST_BUFFER_DURATION (buffer) = EACH;
  g_signal_emit_by_name (self->src[stream], "push-buffer", buffer, &ret);
  gst_buffer_unref (buffer);
}

/* The next output of a stream is what its oracle says. */
static gboolean
pull (Scene * self, guint stream)
{
  GstSample *sample = NULL;
  GstMapInfo map;
  GstBuffer *buffer;
  gboolean ok;

  g_signal_emit_by_name (self->sink[stream], "try-pull-sample",
      (guint64) PATIENCE, &sample);
  if (!sample)
    return wrong (self, "an output is missing");
  buffer = gst_sample_get_buffer (sample);
  gst_buffer_map (buffer, &map, GST_MAP_READ);
  ok = oracle_check (&self->oracles[stream], (float *) map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  if (ok && GST_BUFFER_PTS (buffer) != self->t * EACH)
    ok = wrong (self, "an output has another time");
  else if (!ok)
    wrong (self, "an output is not the truth");
  gst_sample_unref (sample);
  return ok;
}

static Scene *
scene_new (World * world, const gchar * name, const gchar * line,
    guint n_streams, gboolean (*run) (Scene *))
{
  Scene *self = g_new0 (Scene, 1);
  g_autoptr (GError) error = NULL;

  self->world = world;
  self->run = run;
  self->n_streams = n_streams;
  self->pipeline = gst_parse_launch (line, &error);
  if (error)
    g_error ("%s: %s", name, error->message);
  gst_object_set_name (GST_OBJECT (self->pipeline), name);
  self->encoder = gst_bin_get_by_name (GST_BIN (self->pipeline), "e");
  for (guint s = 0; s < n_streams; s++) {
    g_autofree gchar *src = g_strdup_printf ("src%u", s);
    g_autofree gchar *sink = g_strdup_printf ("sink%u", s);

    self->src[s] = gst_bin_get_by_name (GST_BIN (self->pipeline), src);
    self->sink[s] = gst_bin_get_by_name (GST_BIN (self->pipeline), sink);
    oracle_init (&self->oracles[s], world->models[0]);
  }
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  return self;
}

gboolean
scene_run (Scene * self)
{
  return self->run (self) && check_bus (self);
}

void
scene_report (Scene * self, SceneReport * report)
{
  report->vectors += self->done + get_stat (self, "vectors");
  report->refused += self->refused + get_stat (self, "refused");
  report->step_time = MAX (report->step_time, get_stat (self,
          "mean-step-time"));
  for (guint s = 0; s < self->n_streams; s++) {
    report->worst = MAX (report->worst, self->oracles[s].worst);
    self->oracles[s].worst = 0;
  }
}

void
scene_free (Scene * self)
{
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  for (guint s = 0; s < self->n_streams; s++) {
    oracle_clear (&self->oracles[s]);
    gst_object_unref (self->src[s]);
    gst_object_unref (self->sink[s]);
  }
  gst_object_unref (self->encoder);
  gst_object_unref (self->pipeline);
  g_free (self);
}

/* ---- one encoder ---- */

static void
send (Scene * self, GstEvent * event)
{
  GstPad *pad = gst_element_get_static_pad (self->encoder, "sink");

  gst_pad_send_event (pad, event);
  gst_object_unref (pad);
}

static void
flush (Scene * self)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  send (self, gst_event_new_flush_start ());
  send (self, gst_event_new_flush_stop (FALSE));
  send (self, gst_event_new_segment (&segment));
}

/* Down and up again: the state comes back from the file. */
static gboolean
restart (Scene * self)
{
  self->done += get_stat (self, "vectors");
  self->refused += get_stat (self, "refused");
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  self->t = 0;
  return gst_element_set_state (self->pipeline,
      GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

/* What happens now and then between two vectors */
static gboolean
disturb (Scene * self)
{
  GRand *random = self->world->random;

  if (!settle (self))
    return FALSE;
  switch (g_rand_int_range (random, 0, 6)) {
    case 0:
      flush (self);
      oracle_reset (&self->oracles[0], self->world->models[self->model]);
      return TRUE;
    case 1:
      send (self, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
              gst_structure_new_empty ("continual-reset")));
      oracle_reset (&self->oracles[0], self->world->models[self->model]);
      return TRUE;
    case 2:
      send (self, gst_event_new_gap (self->t * EACH, EACH));
      return TRUE;
    case 3:
    case 4:
      self->model = (self->model + 1) % N_MODELS;
      g_object_set (self->encoder, "model-path",
          self->world->paths[self->model], NULL);
      oracle_reset (&self->oracles[0], self->world->models[self->model]);
      return TRUE;
    default:
      /* A swap that no buffer has met yet is not in the state. */
      return self->oracles[0].x->len == 0 || restart (self);
  }
}

static gboolean
run_encoder (Scene * self)
{
  const gsize C = self->world->models[0]->C;
  g_autofree float *x = g_new (float, C);

  for (gint i = 0; i < STEPS; i++) {
    gboolean answered = FALSE;

    if (i % 100 == 99 && !disturb (self))
      return FALSE;
    make_vector (self, x);
    if (g_rand_int_range (self->world->random, 0, 50) == 0)
      x[g_rand_int_range (self->world->random, 0, C)] = INFINITY;
    else
      answered = oracle_take (&self->oracles[0], x);
    push (self, 0, x);
    if (answered && !pull (self, 0))
      return FALSE;
    self->t++;
  }
  return settle (self);
}

Scene *
scene_encoder_new (World * world)
{
  g_autofree gchar *line = g_strdup_printf ("appsrc name=src0 format=time caps=\""
      TENSORS ",dimensions=(string)%d,framerate=100/1\" ! queue ! "
      "continualencoder name=e model-path=%s state-path=%s state-interval=1 "
      "stats-interval=1 ! appsink name=sink0 sync=false",
      (gint) world->models[0]->C, world->paths[0], world->state);

  return scene_new (world, "one encoder", line, 1, run_encoder);
}

/* ---- many streams ---- */

static gboolean
run_streams (Scene * self)
{
  const gsize C = self->world->models[0]->C;
  g_autofree float *x = g_new (float, C);

  for (gint i = 0; i < STEPS; i++) {
    gboolean answered[N_STREAMS] = { FALSE };

    for (guint s = 0; s < N_STREAMS; s++) {
      make_vector (self, x);
      if (s > 0 && g_rand_int_range (self->world->random, 0, 20) == 0)
        x[s] = NAN;
      else
        answered[s] = oracle_take (&self->oracles[s], x);
      push (self, s, x);
    }
    for (guint s = 0; s < N_STREAMS; s++)
      if (answered[s] && !pull (self, s))
        return FALSE;
    self->t++;
  }
  return settle (self);
}

Scene *
scene_streams_new (World * world)
{
  g_autoptr (GString) line = g_string_new (NULL);

  g_string_append_printf (line, "continualmux name=m max-streams=%d ! "
      "continualencoder name=e model-path=%s ! continualdemux name=d",
      N_STREAMS, world->paths[0]);
  for (gint s = 0; s < N_STREAMS; s++)
    g_string_append_printf (line, " appsrc name=src%d format=time caps=\""
        TENSORS ",dimensions=(string)%d,framerate=100/1\" ! m.sink_%d "
        "d.src_%d ! queue ! appsink name=sink%d sync=false", s,
        (gint) world->models[0]->C, s, s, s);
  return scene_new (world, "many streams", line->str, N_STREAMS, run_streams);
}

/* ---- sound ---- */

/* It runs by itself, as fast as sound does: it must not stand still, and begins anew from time to time. */
static gboolean
run_sound (Scene * self)
{
  guint64 n = get_stat (self, "vectors");

  for (gint i = 0; get_stat (self, "vectors") == n; i++) {
    if (i > 30000)
      return wrong (self, "it stalls");
    g_usleep (1000);
  }
  self->t = n;
  return g_rand_int_range (self->world->random, 0, 100) > 0
      || gst_element_seek_simple (self->pipeline, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH, 0) || wrong (self, "it does not seek");
}

Scene *
scene_sound_new (World * world)
{
  g_autofree gchar *line = g_strdup_printf ("audiotestsrc wave=pink-noise ! "
      "audioconvert ! audioresample ! melspectrogram rate=16000 n-mels=%d ! "
      "queue ! continualencoder name=e model-path=%s ! classlabeler "
      "changes-only=true ! fakesink sync=true",
      (gint) world->models[0]->C, world->paths[0]);

  return scene_new (world, "sound", line, 0, run_sound);
}
