/* gst-continual: what every element that runs a model has
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/host.h"

#include "labeler/labelsevent.h"
#include "host/enums.h"

#define RESET_EVENT_NAME "continual-reset"
#define DEFAULT_STATE_INTERVAL 10

/* After those of the settings, the same in every class */
static guint prop_reset_on_discont, prop_on_invalid, prop_weights, prop_state_path,
    prop_state_interval, prop_stats_interval, prop_stats;

#define TYPE_ON_INVALID (on_invalid_get_type ())
static GType
on_invalid_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    {MODEL_ON_INVALID_DROP, "The vector is left out with a warning, the "
          "state stays as it was", "drop"},
    {MODEL_ON_INVALID_ERROR, "The stream ends with an error", "error"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstContinualOnInvalid", values));
  return type;
}

/* Where an element's signals find its host */
#define HOST_KEY "gst-continual-model-host"

static ModelHost *
get_host (GstElement * element)
{
  return g_object_get_data (G_OBJECT (element), HOST_KEY);
}

CoModel *
model_host_ref_model (ModelHost * self)
{
  CoModel *model;

  GST_OBJECT_LOCK (self->element);
  model = self->model ? co_model_ref (self->model) : NULL;
  GST_OBJECT_UNLOCK (self->element);
  return model;
}

AttentionWeights
model_host_get_weights (ModelHost * self)
{
  AttentionWeights weights;

  GST_OBJECT_LOCK (self->element);
  weights = self->weights;
  GST_OBJECT_UNLOCK (self->element);
  return weights;
}

gsize
model_host_get_delay (ModelHost * self)
{
  gsize delay = 0;

  GST_OBJECT_LOCK (self->element);
  if (self->model) {
    const CoModelInfo *info = co_model_get_info (self->model);

    delay = info->delay + info->chunk_len - 1;
  }
  GST_OBJECT_UNLOCK (self->element);
  return delay;
}

static guint
get_n_streams (ModelHost * self)
{
  guint n;

  g_mutex_lock (&self->stream_lock);
  n = self->stream ? model_stream_get_n_streams (self->stream) : 0;
  g_mutex_unlock (&self->stream_lock);
  return n;
}

static GstStructure *
get_stats (ModelHost * self)
{
  CoModelInfo info = { 0 };
  GstStructure *res;
  ModelStats stats;
  guint n_streams = get_n_streams (self);

  GST_OBJECT_LOCK (self->element);
  stats = self->stats;
  if (self->model)
    info = *co_model_get_info (self->model);
  GST_OBJECT_UNLOCK (self->element);
  res = gst_structure_new ("continual-stats",
      "vectors", G_TYPE_UINT64, stats.sum.vectors,
      "outputs", G_TYPE_UINT64, stats.sum.outputs,
      "refused", G_TYPE_UINT64, stats.sum.refused,
      "absent", G_TYPE_UINT64, stats.sum.absent,
      "step-time", G_TYPE_UINT64, stats.sum.step_time,
      "mean-step-time", G_TYPE_UINT64,
      stats.steps ? stats.time / stats.steps : (guint64) 0,
      "state-bytes", G_TYPE_UINT64, (guint64) (n_streams * info.state_bytes),
      "model-bytes", G_TYPE_UINT64, (guint64) info.model_bytes,
      "macs", G_TYPE_UINT64, info.macs, NULL);
  if (self->klass->add_stats)
    self->klass->add_stats (self->element, res);
  return res;
}

/* The model at @path, or NULL: an error or, with @keep, a warning that the old one stays was posted. */
static CoModel *
load (ModelHost * self, const gchar * path, gboolean keep)
{
  g_autoptr (CoOptions) options = NULL;
  g_autofree gchar *why = NULL;
  AttentionWeights weights;
  CoModel *model;

  GST_OBJECT_LOCK (self->element);
  options = model_settings_get_options (&self->settings);
  weights = self->weights;
  GST_OBJECT_UNLOCK (self->element);
  model = model_load (self->element, path, options, keep);
  if (!model)
    return NULL;
  why = self->klass->refuse_model (co_model_get_info (model));
  if (!why && weights && !co_model_get_info (model)->n_weights)
    why = g_strdup_printf ("a kind of attention with a window, whose weights "
        "attention-weights asks for, found %s: set attention-weights=none",
        co_model_get_info (model)->kind);
  if (!why)
    return model;
  co_model_unref (model);
  if (keep)
    GST_ELEMENT_WARNING (self->element, RESOURCE, SETTINGS,
        ("The model in use stays: expected %s.", why), ("model-path=%s", path));
  else
    GST_ELEMENT_ERROR (self->element, RESOURCE, SETTINGS,
        ("Expected %s.", why), ("model-path=%s", path));
  return NULL;
}

/* Under the object lock. */
static void
set_path (ModelHost * self, const gchar * path)
{
  g_free (self->settings.path);
  self->settings.path = g_strdup (path);
}

/* Stopped, the path waits for start. Running, the model is loaded here and waits for the next buffer. */
static void
set_model_path (ModelHost * self, const gchar * path)
{
  g_autofree gchar *old_path = NULL;
  CoModel *model, *old;
  gboolean started;

  GST_OBJECT_LOCK (self->element);
  started = self->started;
  if (!started)
    set_path (self, path);
  GST_OBJECT_UNLOCK (self->element);
  if (!started)
    return;

  model = load (self, path, TRUE);
  if (!model)
    return;
  GST_OBJECT_LOCK (self->element);
  old = g_steal_pointer (&self->next_model);
  old_path = g_steal_pointer (&self->next_path);
  if (self->started) {
    self->next_model = g_steal_pointer (&model);
    self->next_path = g_strdup (path);
  } else {
    set_path (self, path);
  }
  GST_OBJECT_UNLOCK (self->element);
  g_clear_pointer (&model, co_model_unref);
  g_clear_pointer (&old, co_model_unref);
}

void
model_host_refuse_property (ModelHost * self, GParamSpec * pspec)
{
  GST_ELEMENT_WARNING (self->element, RESOURCE, SETTINGS,
      ("The property %s was not changed: expected the state READY or NULL, "
          "found the element running; set %s before it starts.",
          pspec->name, pspec->name), (NULL));
}

gboolean
model_host_set_property (ModelHost * self, const GValue * value,
    GParamSpec * pspec)
{
  const guint id = pspec->param_id;
  gboolean refused;

  if (id >= prop_stats)
    return FALSE;
  if (id == MODEL_PROP_PATH) {
    set_model_path (self, g_value_get_string (value));
    return TRUE;
  }
  GST_OBJECT_LOCK (self->element);
  refused = self->started;
  if (refused)
    ;
  else if (id == prop_reset_on_discont)
    self->reset_on_discont = g_value_get_boolean (value);
  else if (id == prop_on_invalid)
    self->on_invalid = g_value_get_enum (value);
  else if (id == prop_weights)
    self->weights = g_value_get_enum (value);
  else if (id == prop_state_path) {
    g_free (self->state.path);
    self->state.path = g_value_dup_string (value);
  } else if (id == prop_state_interval)
    self->state.interval = g_value_get_uint (value);
  else if (id == prop_stats_interval)
    self->stats_interval = g_value_get_uint (value);
  else
    model_settings_set (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self->element);
  if (refused)
    model_host_refuse_property (self, pspec);
  return TRUE;
}

gboolean
model_host_get_property (ModelHost * self, GValue * value, GParamSpec * pspec)
{
  const guint id = pspec->param_id;

  if (id > prop_stats)
    return FALSE;
  if (id == prop_stats) {
    g_value_take_boxed (value, get_stats (self));
    return TRUE;
  }
  GST_OBJECT_LOCK (self->element);
  if (id == prop_reset_on_discont)
    g_value_set_boolean (value, self->reset_on_discont);
  else if (id == prop_on_invalid)
    g_value_set_enum (value, self->on_invalid);
  else if (id == prop_weights)
    g_value_set_enum (value, self->weights);
  else if (id == prop_state_path)
    g_value_set_string (value, self->state.path);
  else if (id == prop_state_interval)
    g_value_set_uint (value, self->state.interval);
  else if (id == prop_stats_interval)
    g_value_set_uint (value, self->stats_interval);
  else if (id == MODEL_PROP_PATH && self->next_path)
    g_value_set_string (value, self->next_path);
  else
    model_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self->element);
  return TRUE;
}

void
model_host_reset (ModelHost * self, gint stream)
{
  g_mutex_lock (&self->stream_lock);
  if (self->stream
      && stream < (gint) model_stream_get_n_streams (self->stream))
    model_stream_clean (self->stream, stream);
  g_mutex_unlock (&self->stream_lock);
}

static void
clean_state (GstElement * element)
{
  model_host_reset (get_host (element), -1);
}

static GBytes *
get_state (GstElement * element)
{
  ModelHost *self = get_host (element);
  GBytes *state;

  g_mutex_lock (&self->stream_lock);
  state = self->stream ? model_stream_get_state (self->stream) : NULL;
  g_mutex_unlock (&self->stream_lock);
  return state;
}

static gboolean
set_state (GstElement * element, GBytes * state)
{
  ModelHost *self = get_host (element);
  g_autoptr (GError) error = NULL;
  gboolean running, ok;

  g_mutex_lock (&self->stream_lock);
  running = self->stream != NULL;
  ok = running && state && model_stream_set_state (self->stream, state,
      &error);
  g_mutex_unlock (&self->stream_lock);
  if (ok)
    return TRUE;
  GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
      ("The state was not restored: %s.", error ? error->message :
          running ? "expected a snapshot, found none" :
          "expected the state PAUSED or PLAYING, found no model loaded yet"),
      (NULL));
  return FALSE;
}

/* Replaces all streams; @model NULL: by none. */
static void
renew_stream (ModelHost * self, CoModel * model, guint n_streams)
{
  ModelStream *stream =
      model ? model_stream_new (model, n_streams, self->weights) : NULL, *old;

  g_mutex_lock (&self->stream_lock);
  old = self->stream;
  if (old && stream)
    model_stream_pass_memory (old, stream);
  self->stream = stream;
  g_mutex_unlock (&self->stream_lock);
  g_clear_pointer (&old, model_stream_free);
}

void
model_host_set_n_streams (ModelHost * self, guint n_streams)
{
  if (model_stream_get_n_streams (self->stream) != n_streams)
    renew_stream (self, model_stream_get_model (self->stream), n_streams);
  model_state_restore (&self->state);
}

/* No model is in use any more. A path that waited for the next buffer waits for the next start. */
static void
halt (ModelHost * self)
{
  CoModel *model, *next;

  GST_OBJECT_LOCK (self->element);
  self->started = FALSE;
  model = g_steal_pointer (&self->model);
  next = g_steal_pointer (&self->next_model);
  if (self->next_path)
    set_path (self, self->next_path);
  g_clear_pointer (&self->next_path, g_free);
  GST_OBJECT_UNLOCK (self->element);
  g_clear_pointer (&model, co_model_unref);
  g_clear_pointer (&next, co_model_unref);
}

gboolean
model_host_start (ModelHost * self)
{
  g_autofree gchar *path = NULL;
  CoModel *model;

  /* From here on nobody changes the settings. */
  GST_OBJECT_LOCK (self->element);
  self->started = TRUE;
  path = g_strdup (self->settings.path);
  GST_OBJECT_UNLOCK (self->element);
  model = load (self, path, FALSE);
  if (!model) {
    halt (self);
    return FALSE;
  }
  renew_stream (self, model, 1);
  GST_OBJECT_LOCK (self->element);
  self->model = model;
  self->stats = (ModelStats) {
  0};
  GST_OBJECT_UNLOCK (self->element);
  model_state_begin (&self->state);
  self->last_stats = gst_util_get_timestamp ();
  self->labels_due = TRUE;
  return TRUE;
}

void
model_host_stop (ModelHost * self)
{
  model_state_end (&self->state);
  halt (self);
  renew_stream (self, NULL, 0);
}

gboolean
model_host_adopt_next (ModelHost * self)
{
  g_autofree gchar *path = NULL, *why = NULL;
  CoModel *model, *old;

  GST_OBJECT_LOCK (self->element);
  model = g_steal_pointer (&self->next_model);
  path = g_steal_pointer (&self->next_path);
  GST_OBJECT_UNLOCK (self->element);
  if (!model)
    return FALSE;

  why = self->klass->find_obstacle (self->element, model);
  if (why) {
    GST_ELEMENT_WARNING (self->element, STREAM, FORMAT,
        ("The model in use stays: %s.", why), ("model-path=%s", path));
    co_model_unref (model);
    return FALSE;
  }
  self->klass->drain (self->element);
  renew_stream (self, model, model_stream_get_n_streams (self->stream));
  GST_OBJECT_LOCK (self->element);
  old = self->model;
  self->model = model;
  g_free (self->settings.path);
  self->settings.path = g_steal_pointer (&path);
  GST_OBJECT_UNLOCK (self->element);
  co_model_unref (old);
  self->labels_due = TRUE;
  return TRUE;
}

static void
add_counts (ModelHost * self, const ModelCounts * counts, gsize n_steps)
{
  GST_OBJECT_LOCK (self->element);
  self->stats.sum.vectors += counts->vectors;
  self->stats.sum.outputs += counts->outputs;
  self->stats.sum.absent += counts->absent;
  if (n_steps) {
    self->stats.sum.step_time = counts->step_time;
    self->stats.steps += n_steps;
    self->stats.time += n_steps * counts->step_time;
  }
  GST_OBJECT_UNLOCK (self->element);
}

static void
post_stats (ModelHost * self)
{
  GstClockTime now;

  if (!self->stats_interval)
    return;
  now = gst_util_get_timestamp ();
  if (now - self->last_stats < self->stats_interval * GST_SECOND)
    return;
  self->last_stats = now;
  gst_element_post_message (self->element,
      gst_message_new_element (GST_OBJECT (self->element), get_stats (self)));
}

void
model_host_forward (ModelHost * self, const ModelInput * input,
    gsize n_steps, const VectorTime * time)
{
  ModelCounts counts;

  g_mutex_lock (&self->stream_lock);
  model_stream_forward (self->stream, input, n_steps, time, &counts);
  g_mutex_unlock (&self->stream_lock);
  add_counts (self, &counts, n_steps);
  model_state_tick (&self->state);
  post_stats (self);
}

void
model_host_set_memory (ModelHost * self, const float *memory, gsize n)
{
  g_mutex_lock (&self->stream_lock);
  model_stream_set_memory (self->stream, memory, n);
  g_mutex_unlock (&self->stream_lock);
}

gboolean
model_host_has_memory (ModelHost * self)
{
  gboolean has;

  g_mutex_lock (&self->stream_lock);
  has = model_stream_has_memory (self->stream);
  g_mutex_unlock (&self->stream_lock);
  return has;
}

void
model_host_drain (ModelHost * self)
{
  ModelCounts counts;

  g_mutex_lock (&self->stream_lock);
  model_stream_drain (self->stream, &counts);
  g_mutex_unlock (&self->stream_lock);
  add_counts (self, &counts, 0);
}

/* A memory of its own, so that the outputs' stays the pool's. */
static void
append_weights (ModelHost * self, const ModelEvent * event, GstBuffer * buffer)
{
  const gsize size = model_stream_get_weights_size (self->stream);
  float *weights;

  if (size == 0)
    return;
  weights = g_malloc (size);
  model_stream_read_weights (self->stream, event, weights);
  gst_buffer_append_memory (buffer, gst_memory_new_wrapped (0, weights, size, 0,
          size, weights, g_free));
}

GstFlowReturn
model_host_make_output (ModelHost * self, GstBufferPool * pool,
    const ModelEvent * event, GstBuffer ** out)
{
  GstBuffer *buffer = NULL;
  GstFlowReturn ret;
  GstMapInfo map;

  if (!pool)
    return GST_FLOW_FLUSHING;
  gst_buffer_pool_set_active (pool, TRUE);
  ret = gst_buffer_pool_acquire_buffer (pool, &buffer, NULL);
  gst_object_unref (pool);
  if (ret != GST_FLOW_OK)
    return ret;
  gst_buffer_set_size (buffer, model_stream_get_output_size (self->stream));
  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (self->element, RESOURCE, WRITE,
        ("Expected writable memory from downstream's buffer pool, found none."),
        ("%" GST_PTR_FORMAT, buffer));
    gst_buffer_unref (buffer);
    return GST_FLOW_ERROR;
  }
  model_stream_read (self->stream, event, (gfloat *) map.data);
  gst_buffer_unmap (buffer, &map);
  append_weights (self, event, buffer);
  GST_BUFFER_PTS (buffer) = event->time.pts;
  GST_BUFFER_DURATION (buffer) = event->time.duration;
  *out = buffer;
  return GST_FLOW_OK;
}

GstFlowReturn
model_host_refuse (ModelHost * self, const ModelEvent * event)
{
  GstElement *element = self->element;
  guint64 n, worth = 1;

  if (event->type == MODEL_FULL) {
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
        ("Expected at most max-len vectors, found one more (stream %u): raise "
            "max-len, set at-max=drop-oldest, or send a " RESET_EVENT_NAME
            " event between sequences.", event->stream), (NULL));
    return GST_FLOW_ERROR;
  }
  if (self->on_invalid == MODEL_ON_INVALID_ERROR) {
    GST_ELEMENT_ERROR (element, STREAM, DECODE,
        ("Expected finite numbers up to 1e15, found a vector with a NaN, an infinity or "
            "a larger one at %" GST_TIME_FORMAT " (stream %u): repair what makes the vectors, "
            "or set on-invalid=drop.", GST_TIME_ARGS (event->time.pts),
            event->stream), (NULL));
    return GST_FLOW_ERROR;
  }

  GST_OBJECT_LOCK (element);
  n = ++self->stats.sum.refused;
  GST_OBJECT_UNLOCK (element);
  while (worth < n)
    worth *= 10;
  if (n == worth)
    GST_ELEMENT_WARNING (element, STREAM, DECODE,
        ("Expected finite numbers up to 1e15, found a vector with a NaN, an infinity or "
            "a larger one at %" GST_TIME_FORMAT " (stream %u): it is left out. That makes %"
            G_GUINT64_FORMAT "; see the property stats.",
            GST_TIME_ARGS (event->time.pts), event->stream, n), (NULL));
  return GST_FLOW_OK;
}

gboolean
model_host_handle_reset (ModelHost * self, GstEvent * event)
{
  gint stream = -1, last;

  if (!gst_event_has_name (event, RESET_EVENT_NAME))
    return FALSE;
  last = MAX (1, get_n_streams (self)) - 1;
  gst_structure_get_int (gst_event_get_structure (event), "stream", &stream);
  if (stream < -1 || stream > last) {
    GST_ELEMENT_WARNING (self->element, STREAM, FORMAT,
        ("Expected " RESET_EVENT_NAME " with a stream from 0 to %d, or -1 or "
            "none for all, found %d: nothing was reset.", last, stream),
        (NULL));
    return TRUE;
  }
  if (stream < 0 && GST_EVENT_IS_SERIALIZED (event))
    self->klass->drain (self->element);
  model_host_reset (self, stream);
  return TRUE;
}

GstEvent *
model_host_take_labels (ModelHost * self)
{
  const CoModelInfo *info =
      co_model_get_info (model_stream_get_model (self->stream));
  const gchar *none[] = { NULL };
  gboolean due = self->labels_due && (info->n_labels || self->labels_sent);

  self->labels_due = FALSE;
  if (!due)
    return NULL;
  self->labels_sent = info->n_labels > 0;
  return labels_event_new (self->labels_sent ? info->labels : none);
}

void
model_host_init (ModelHost * self, GstElement * element,
    const ModelHostClass * klass)
{
  self->element = element;
  self->klass = klass;
  model_settings_init (&self->settings);
  g_mutex_init (&self->stream_lock);
  model_state_init (&self->state, element, &self->stream_lock, &self->stream);
  self->state.interval = DEFAULT_STATE_INTERVAL;
  g_object_set_data (G_OBJECT (element), HOST_KEY, self);
}

void
model_host_finalize (ModelHost * self)
{
  model_settings_clear (&self->settings);
  model_state_finalize (&self->state);
  g_mutex_clear (&self->stream_lock);
}

static void
install_signals (GType type)
{
  const GSignalFlags flags = G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION;

  /* Forgets what came before, of all streams. */
  g_signal_new_class_handler ("clean-state", type, flags,
      G_CALLBACK (clean_state), NULL, NULL, NULL, G_TYPE_NONE, 0);
  /* A snapshot of all streams, for set-state of an element with the same model and as many streams, in this process or
   * another one; NULL before a model is loaded. */
  g_signal_new_class_handler ("get-state", type, flags,
      G_CALLBACK (get_state), NULL, NULL, NULL, G_TYPE_BYTES, 0);
  /* Goes on from a snapshot. Several streams must have been negotiated before. FALSE, after a warning message that
   * says why, if it is not one of this model; nothing has changed then. */
  g_signal_new_class_handler ("set-state", type, flags,
      G_CALLBACK (set_state), NULL, NULL, NULL, G_TYPE_BOOLEAN, 1,
      G_TYPE_BYTES);
}

guint
model_host_class_init (GObjectClass * klass, ModelElement element)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  guint id = model_settings_install_properties (klass, element);

  g_object_class_install_property (klass, prop_reset_on_discont = id++,
      g_param_spec_boolean ("reset-on-discont", "Reset on discont",
          "Whether a buffer with the DISCONT flag begins a new sequence: what "
          "came before it is forgotten", FALSE, flags));
  g_object_class_install_property (klass, prop_on_invalid = id++,
      g_param_spec_enum ("on-invalid", "On invalid",
          "What happens to a vector with a NaN or an infinity",
          TYPE_ON_INVALID, MODEL_ON_INVALID_DROP, flags));
  prop_weights = id++;
  if (element != MODEL_FOR_DECODER)
    g_object_class_install_property (klass, prop_weights,
        g_param_spec_enum ("attention-weights", "Attention weights",
            "Whether each output carries the weights of the last layer's "
            "attention as a second tensor (num_tensors=2): of the window's "
            "vectors, the newest last, then of the keys of add_bias_kv and "
            "add_zero_attn. For kinds with a window", TYPE_ATTENTION_WEIGHTS,
            ATTENTION_WEIGHTS_NONE, flags));
  g_object_class_install_property (klass, prop_state_path = id++,
      g_param_spec_string ("state-path", "State file",
          "File that holds the newest snapshot: the streams go on from it at "
          "the start, if it is one of this model, and write it on the way to "
          "READY and every state-interval seconds, never leaving half of one. "
          "Messages named " STATE_MESSAGE_NAME " tell the position, the number "
          "of vectors that each stream has taken", NULL, flags));
  g_object_class_install_property (klass, prop_state_interval = id++,
      g_param_spec_uint ("state-interval", "State interval",
          "Seconds between two writes of state-path while vectors come (0: on "
          "the way to READY only)", 0, G_MAXUINT, DEFAULT_STATE_INTERVAL,
          flags));
  g_object_class_install_property (klass, prop_stats_interval = id++,
      g_param_spec_uint ("stats-interval", "Statistics interval",
          "Seconds between two element messages with what stats holds, while "
          "vectors come (0: none)", 0, G_MAXUINT, 0, flags));
  g_object_class_install_property (klass, prop_stats = id++,
      g_param_spec_boxed ("stats", "Statistics",
          "Since the element started, of all streams: vectors taken, outputs, "
          "vectors refused (not finite) and absent, and where there is one input "
          "vectors missed, for which timestamps leave room, and the backlog in "
          "nanoseconds from the newest vector to the clock; step-time of the last step "
          "and mean-step-time, in nanoseconds; state-bytes of all streams, "
          "model-bytes, and macs, the multiply-accumulates of one stream's step",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  install_signals (G_TYPE_FROM_CLASS (klass));
  gst_type_mark_as_plugin_api (TYPE_ON_INVALID, 0);
  gst_type_mark_as_plugin_api (TYPE_ATTENTION_WEIGHTS, 0);
  return id;
}
