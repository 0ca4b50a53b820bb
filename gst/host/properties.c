/* gst-continual: the properties and signals of every element that runs a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/private.h"

#include "host/enums.h"

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

static ModelHost *
get_host (GstElement * element)
{
  return g_object_get_data (G_OBJECT (element), HOST_KEY);
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
    model_host_set_path (self, g_value_get_string (value));
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
    g_value_take_boxed (value, model_host_get_stats (self));
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
          "the start, if it is one of this model (else it is kept as "
          "FILE.refused-TIME), and write it on the way to READY and every "
          "state-interval seconds, never leaving half of one. Messages "
          "named " STATE_MESSAGE_NAME " tell the position, the number of vectors "
          "that each stream has taken", NULL, flags));
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
