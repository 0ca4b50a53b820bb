/* gst-continual: the properties and action signals of every element that runs a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/properties.h"

#include "tensor/about.h"

#define GST_CAT_DEFAULT element_debug (element)

/* Data of the element by which its signals find the host */
#define HOST_KEY "gst-continual-model-host"

/* *INDENT-OFF* */
PROPERTY_ENUM (on_invalid_enum, "GstContinualOnInvalid",
  {MODEL_ON_INVALID_DROP, "Leave out the vector with a warning; the state does not change", "drop"},
  {MODEL_ON_INVALID_ERROR, "End the stream with an error", "error"});

PROPERTY_ENUM (weights_enum, "GstContinualAttentionWeights",
  {ATTENTION_WEIGHTS_NONE, "Outputs only", "none"},
  {ATTENTION_WEIGHTS_MEAN, "The mean over heads, a tensor window:positions:1:streams", "mean"},
  {ATTENTION_WEIGHTS_HEADS, "The weights of each head, a tensor window:positions:heads:streams", "heads"});

static const PropertyRow rows[] = {
  ROW_BOOLEAN (ModelHost, reset_on_discont, READY, "reset-on-discont", "Reset on discont",
      "Whether a buffer with the DISCONT flag starts a new sequence: all streams are reset before it", FALSE),
  ROW_CHOICE (ModelHost, on_invalid, READY, "on-invalid", "On invalid",
      "What to do with a vector, or an output, that has a NaN or an infinity", on_invalid_enum, MODEL_ON_INVALID_DROP),
  ROW_TEXT (ModelHost, state.path, READY, "state-path", "State file",
      "Regular file of this element alone for a snapshot of the streams: restored at the start if it is of this model, "
      "written on the way to READY and every state-interval seconds. Messages named " STATE_MESSAGE_NAME " tell of both", NULL),
  ROW_UINT (ModelHost, state.interval, READY, "state-interval", "State interval",
      "Seconds between two writes of state-path while vectors come (0: on the way to READY only)",
      0, G_MAXUINT, 10),
  ROW_UINT (ModelHost, stats_interval, READY, "stats-interval", "Statistics interval",
      "Seconds between two element messages with the content of stats, while vectors come (0: none)",
      0, G_MAXUINT, 0),
  ROW_UINT (ModelHost, n_threads, READY, "n-threads", "Threads",
      "Threads that a step uses at most: its own, and idle ones of a pool that all elements of the process share. Outputs are "
      "the same to the bit", 1, CO_MAX_THREADS, 1),
};

/* Not for decoders */
static const PropertyRow weights_rows[] = {
  ROW_CHOICE (ModelHost, weights, READY, "attention-weights", "Attention weights",
      "Whether each output has the attention weights of the last layer as a second tensor (num_tensors=2): one for "
      "each vector of the window, the newest last, then for the keys of add_bias_kv and add_zero_attn. For kinds "
      "with a window", weights_enum, ATTENTION_WEIGHTS_NONE),
};
/* *INDENT-ON* */
static PROPERTY_TABLE (properties, rows);
static PROPERTY_TABLE (weights_properties, weights_rows);

static ModelHost *
get_host (GstElement * element)
{
  return g_object_get_data (G_OBJECT (element), HOST_KEY);
}

void
model_host_init (ModelHost * self, GstElement * element, ModelElement kind)
{
  self->element = element;
  self->kind = kind;
  model_properties_init (&self->settings);
  g_mutex_init (&self->stream_lock);
  model_state_init (&self->state, element, &self->stream_lock, &self->stream);
  property_table_init (&properties, self);
  property_table_init (&weights_properties, self);
  g_object_set_data (G_OBJECT (element), HOST_KEY, self);
}

void
model_host_clear (ModelHost * self)
{
  property_table_clear (&properties, self);
  model_properties_clear (&self->settings);
  model_state_clear (&self->state);
  g_mutex_clear (&self->stream_lock);
}

gboolean
model_host_set_property (ModelHost * self, const GValue * value,
    GParamSpec * pspec)
{
  if (g_str_equal (pspec->name, "model-path")) {
    model_host_set_path (self, g_value_get_string (value));
    return TRUE;
  }
  return property_table_set (&properties, self, self->element, &self->started,
      value, pspec)
      || property_table_set (&weights_properties, self, self->element,
      &self->started, value, pspec)
      || model_properties_set (&self->settings, self->element, &self->started,
      value, pspec);
}

/* That of the model that is to be adopted, if there is one. */
static void
get_path (ModelHost * self, GValue * value)
{
  GST_OBJECT_LOCK (self->element);
  g_value_set_string (value,
      self->next_path ? self->next_path : self->settings.path);
  GST_OBJECT_UNLOCK (self->element);
}

gboolean
model_host_get_property (ModelHost * self, GValue * value, GParamSpec * pspec)
{
  if (g_str_equal (pspec->name, "stats")) {
    g_value_take_boxed (value, model_host_get_stats (self));
    return TRUE;
  }
  if (g_str_equal (pspec->name, "model-path")) {
    get_path (self, value);
    return TRUE;
  }
  return property_table_get (&properties, self, self->element, value, pspec)
      || property_table_get (&weights_properties, self, self->element, value,
      pspec)
      || model_properties_get (&self->settings, self->element, value, pspec);
}

static void
clean_state (GstElement * element)
{
  model_host_reset (get_host (element), -1);
}

static GBytes *
get_state (GstElement * element)
{
  return model_host_get_state (get_host (element), -1);
}

static GBytes *
get_state_at (GstElement * element, guint stream)
{
  return model_host_get_state (get_host (element), (gint) MIN (stream, G_MAXINT));
}

static gboolean
restore (GstElement * element, gint stream, GBytes * state)
{
  g_autofree gchar *why = NULL;

  if (model_host_set_state (get_host (element), stream, state, &why))
    return TRUE;
  GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
      ("The state was not restored: %s.", why), (NULL));
  return FALSE;
}

static gboolean
set_state (GstElement * element, GBytes * state)
{
  return restore (element, -1, state);
}

static gboolean
set_state_at (GstElement * element, guint stream, GBytes * state)
{
  return restore (element, (gint) MIN (stream, G_MAXINT), state);
}

static void
install_signals (GType type)
{
  const GSignalFlags flags = G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION;

  /* Resets all streams. */
  g_signal_new_class_handler ("clean-state", type, flags,
      G_CALLBACK (clean_state), NULL, NULL, NULL, G_TYPE_NONE, 0);
  /* Returns a snapshot of all streams for set-state of an element with the same model and as many streams, in this
   * process or another one; NULL before a model is loaded. */
  g_signal_new_class_handler ("get-state", type, flags,
      G_CALLBACK (get_state), NULL, NULL, NULL, G_TYPE_BYTES, 0);
  /* Restores a snapshot. Several streams must have been negotiated before. FALSE, after a warning message that says
   * why, if the snapshot is not from this model; nothing has changed then. */
  g_signal_new_class_handler ("set-state", type, flags,
      G_CALLBACK (set_state), NULL, NULL, NULL, G_TYPE_BOOLEAN, 1,
      G_TYPE_BYTES);
  /* As these two, of one stream: of pad sink_K behind a continualmux, for example. Its snapshot is that of a single stream: it
   * can continue in any place of another mux, or without one. */
  g_signal_new_class_handler ("get-state-at", type, flags,
      G_CALLBACK (get_state_at), NULL, NULL, NULL, G_TYPE_BYTES, 1, G_TYPE_UINT);
  g_signal_new_class_handler ("set-state-at", type, flags,
      G_CALLBACK (set_state_at), NULL, NULL, NULL, G_TYPE_BOOLEAN, 2,
      G_TYPE_UINT, G_TYPE_BYTES);
}

guint
model_host_class_init (GObjectClass * klass, ModelElement kind)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  guint id = 1;

  g_object_class_install_property (klass, id++,
      g_param_spec_string ("model-path", "Model file or folder",
          "The model: a safetensors file that holds a state_dict() of PyTorch, "
          "with hyper-parameters in its metadata or in the other properties, or "
          "a folder as save_pretrained() of transformers leaves it",
          NULL, flags | GST_PARAM_MUTABLE_PLAYING));
  id = model_properties_install (klass, id, kind);
  id = property_table_install (&properties, klass, id);
  if (kind != MODEL_FOR_DECODER)
    id = property_table_install (&weights_properties, klass, id);
  g_object_class_install_property (klass, id++,
      g_param_spec_boxed ("stats", "Statistics",
          "Counts since the start, times and sizes: vectors, outputs, refused, absent, step-time and more. "
          "docs/reliability.md says what each means, and what to do",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  install_signals (G_TYPE_FROM_CLASS (klass));
  return id;
}
