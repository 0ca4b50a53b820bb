/* gst-continual: a continual Transformer over a live stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-continualencoder
 * @title: continualencoder
 * @short_description: a Transformer encoder over the last vectors of a live stream
 *
 * Vectors of features go in (other/tensors of float32). After each of them the model's output over the window of the
 * last sequence-len vectors comes out, at the cost of one step instead of a whole window, and equal to what the whole
 * window would give.
 *
 * The model is a safetensors file of a PyTorch state_dict(). Hyper-parameters that its metadata doesn't give are
 * properties, which win over the file: heads and sequence-len are needed one way or the other.
 *
 * Dimensions are innermost first. The sink pad takes (string)C, a vector in each buffer; (string)C:T, a chunk of T
 * vectors in time, or in a shorter buffer fewer; and (string)C:T:S, S streams side by side, each of T vectors, that
 * share the model and have a state each. One buffer per output comes out: (string)D, with attention=retroactive
 * (string)D:N, with S streams (string)D:1:S or (string)D:N:S; of a chunk one for each vector, so that the framerate is
 * T times that of the input. A row of NaN throughout is a stream that is absent: its state is kept, and NaN comes out.
 *
 * A buffer's time is that of the vector which it answers for; with a query-index that looks back, that one is older,
 * and the delay is reported as latency. Where nothing comes out, as until the first window is full, a GAP event goes
 * downstream. Of several streams the newest vector that is answered gives the time.
 *
 * A file of vectors can be played straight from filesrc (a capsfilter tells dimensions and framerate): times are
 * counted by framerate from 0, and seeks in time reach whole vectors.
 *
 * A flush, a new stream, and a downstream event of a structure named continual-reset forget what came before
 * (the latter of one stream only if it has an int field named stream), as the signal clean-state does.
 *
 * |[
 * gst-launch-1.0 autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! continualencoder model-path=keywords.safetensors ! classlabeler ! fdsink
 * gst-launch-1.0 filesrc location=features.f32 ! "other/tensors,format=static,num_tensors=1,types=float32,dimensions=(string)64,framerate=100/1" ! continualencoder model-path=model.safetensors heads=4 sequence-len=64 ! filesink location=outputs.f32
 * ]|
 */
#include "encoderprivate.h"

#include "encodercaps.h"

enum
{
  SIGNAL_CLEAN_STATE,
  SIGNAL_GET_STATE,
  SIGNAL_SET_STATE,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

/* After those of the model's settings. */
static guint prop_reset_on_discont, prop_on_invalid, prop_stats;

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));

G_DEFINE_TYPE (GstContinualEncoder, gst_continual_encoder,
    GST_TYPE_BASE_TRANSFORM);
GST_ELEMENT_REGISTER_DEFINE (continualencoder, "continualencoder",
    GST_RANK_NONE, GST_TYPE_CONTINUAL_ENCODER);

#define TYPE_ON_INVALID (on_invalid_get_type ())
static GType
on_invalid_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
    {ENCODER_ON_INVALID_DROP, "The vector is left out with a warning, the "
          "state stays as it was", "drop"},
    {ENCODER_ON_INVALID_ERROR, "The stream ends with an error", "error"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstContinualOnInvalid", values));
  return type;
}

CoModel *
encoder_ref_model (GstContinualEncoder * self)
{
  CoModel *model;

  GST_OBJECT_LOCK (self);
  model = self->model ? co_model_ref (self->model) : NULL;
  GST_OBJECT_UNLOCK (self);
  return model;
}

void
encoder_add_counts (GstContinualEncoder * self, const EncoderCounts * counts,
    gsize n_steps)
{
  GST_OBJECT_LOCK (self);
  self->stats.sum.vectors += counts->vectors;
  self->stats.sum.outputs += counts->outputs;
  self->stats.sum.absent += counts->absent;
  if (n_steps) {
    self->stats.sum.step_time = counts->step_time;
    self->stats.steps += n_steps;
    self->stats.time += n_steps * counts->step_time;
  }
  GST_OBJECT_UNLOCK (self);
}

static GstStructure *
get_stats (GstContinualEncoder * self)
{
  CoModelInfo info = { 0 };
  EncoderStats stats;
  guint n_streams;

  g_mutex_lock (&self->stream_lock);
  n_streams = self->stream ? encoder_stream_get_n_streams (self->stream) : 0;
  g_mutex_unlock (&self->stream_lock);
  GST_OBJECT_LOCK (self);
  stats = self->stats;
  if (self->model)
    info = *co_model_get_info (self->model);
  GST_OBJECT_UNLOCK (self);
  return gst_structure_new ("continual-stats",
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
}

/* Whether the one pad that the element has can serve @model; FALSE: an error or, with @keep, a warning was posted. */
static gboolean
check_model (GstContinualEncoder * self, CoModel * model, gboolean keep)
{
  const CoModelInfo *info = co_model_get_info (model);
  const gchar *element = info->n_memory ? "continualdecoder" :
      info->n_keys != info->n_inputs || info->n_values != info->n_inputs ?
      "continualattention" : NULL;

  if (!element)
    return TRUE;
  if (keep)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("The model in use stays: expected a model with one input, found one "
            "that needs several: use %s for it.", element), (NULL));
  else
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Expected a model with one input, found one that needs several: use "
            "%s for it.", element), (NULL));
  return FALSE;
}

void
encoder_renew_stream (GstContinualEncoder * self, CoModel * model,
    guint n_streams)
{
  EncoderStream *stream = encoder_stream_new (model, n_streams), *old;

  g_mutex_lock (&self->stream_lock);
  old = self->stream;
  self->stream = stream;
  g_mutex_unlock (&self->stream_lock);
  if (old)
    encoder_stream_free (old);
}

/* Why @model can't take over from the one in use; NULL: it can. */
static gchar *
find_obstacle (GstContinualEncoder * self, CoModel * model)
{
  const CoModelInfo *info = co_model_get_info (model);
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  GstCaps *in = gst_pad_get_current_caps (trans->sinkpad), *out, *possible;
  TensorInfo tensor;
  gchar *why = NULL;

  if (!in)
    return NULL;
  if (encoder_caps_read (info, in, &tensor, &why)) {
    out = encoder_caps_to_src (info, in);
    possible = gst_pad_peer_query_caps (trans->srcpad, out);
    if (gst_caps_is_empty (possible))
      why = g_strdup_printf ("expected outputs that downstream takes, found "
          "vectors of %" G_GSIZE_FORMAT ": correct the caps after this element",
          info->n_outputs);
    gst_caps_unref (out);
    gst_caps_unref (possible);
  }
  gst_caps_unref (in);
  return why;
}

void
encoder_adopt_next_model (GstContinualEncoder * self)
{
  g_autofree gchar *path = NULL, *why = NULL;
  CoModel *model;

  GST_OBJECT_LOCK (self);
  model = g_steal_pointer (&self->next_model);
  path = g_steal_pointer (&self->next_path);
  GST_OBJECT_UNLOCK (self);
  if (!model)
    return;

  why = find_obstacle (self, model);
  if (why) {
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
        ("The model in use stays: %s.", why), ("model-path=%s", path));
    co_model_unref (model);
    return;
  }
  if (self->input.dims[0])
    encoder_drain (self);
  encoder_renew_stream (self, model,
      encoder_stream_get_n_streams (self->stream));
  GST_OBJECT_LOCK (self);
  co_model_unref (self->model);
  self->model = model;
  g_free (self->settings.path);
  self->settings.path = g_steal_pointer (&path);
  GST_OBJECT_UNLOCK (self);
  self->labels_due = TRUE;
  gst_pad_mark_reconfigure (GST_BASE_TRANSFORM_SRC_PAD (self));
}

/* Stopped, the path waits for start. Running, the model is loaded here and waits for the next buffer. */
static void
set_model_path (GstContinualEncoder * self, const gchar * path)
{
  g_autoptr (CoOptions) options = NULL;
  g_autofree gchar *old_path = NULL;
  CoModel *model, *old = NULL;
  gboolean started;

  GST_OBJECT_LOCK (self);
  started = self->started;
  if (started) {
    options = model_settings_get_options (&self->settings);
  } else {
    g_free (self->settings.path);
    self->settings.path = g_strdup (path);
  }
  GST_OBJECT_UNLOCK (self);
  if (!started)
    return;

  model = model_load (GST_ELEMENT (self), path, options, TRUE);
  if (!model)
    return;
  if (!check_model (self, model, TRUE)) {
    co_model_unref (model);
    return;
  }
  GST_OBJECT_LOCK (self);
  old = g_steal_pointer (&self->next_model);
  old_path = g_steal_pointer (&self->next_path);
  if (self->started) {
    self->next_model = g_steal_pointer (&model);
    self->next_path = g_strdup (path);
  } else {
    g_free (self->settings.path);
    self->settings.path = g_strdup (path);
  }
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&model, co_model_unref);
  g_clear_pointer (&old, co_model_unref);
}

static void
gst_continual_encoder_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstContinualEncoder *self = GST_CONTINUAL_ENCODER (object);
  gboolean refused;

  if (id == MODEL_PROP_PATH) {
    set_model_path (self, g_value_get_string (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  refused = self->started;
  if (refused)
    ;
  else if (id == prop_reset_on_discont)
    self->reset_on_discont = g_value_get_boolean (value);
  else if (id == prop_on_invalid)
    self->on_invalid = g_value_get_enum (value);
  else
    model_settings_set (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);

  if (refused)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("The property %s was not changed: expected the state READY or NULL, "
            "found the element running; set %s before it starts.",
            pspec->name, pspec->name), (NULL));
}

static void
gst_continual_encoder_get_property (GObject * object, guint id,
    GValue * value, GParamSpec * pspec)
{
  GstContinualEncoder *self = GST_CONTINUAL_ENCODER (object);

  if (id == prop_stats) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  if (id == prop_reset_on_discont)
    g_value_set_boolean (value, self->reset_on_discont);
  else if (id == prop_on_invalid)
    g_value_set_enum (value, self->on_invalid);
  else if (id == MODEL_PROP_PATH && self->next_path)
    g_value_set_string (value, self->next_path);
  else
    model_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_continual_encoder_clean_state (GstContinualEncoder * self)
{
  g_mutex_lock (&self->stream_lock);
  if (self->stream)
    encoder_stream_clean (self->stream, -1);
  g_mutex_unlock (&self->stream_lock);
}

static GBytes *
gst_continual_encoder_get_state (GstContinualEncoder * self)
{
  GBytes *state;

  g_mutex_lock (&self->stream_lock);
  state = self->stream ? encoder_stream_get_state (self->stream) : NULL;
  g_mutex_unlock (&self->stream_lock);
  return state;
}

static gboolean
gst_continual_encoder_set_state (GstContinualEncoder * self, GBytes * state)
{
  g_autoptr (GError) error = NULL;
  gboolean running, ok;

  g_mutex_lock (&self->stream_lock);
  running = self->stream != NULL;
  ok = running && state && encoder_stream_set_state (self->stream, state,
      &error);
  g_mutex_unlock (&self->stream_lock);
  if (ok)
    return TRUE;
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
      ("The state was not restored: %s.", error ? error->message :
          running ? "expected a snapshot, found none" :
          "expected the state PAUSED or PLAYING, found no model loaded yet"),
      (NULL));
  return FALSE;
}

static void
set_model (GstContinualEncoder * self, CoModel * model)
{
  CoModel *old, *next;

  GST_OBJECT_LOCK (self);
  old = self->model;
  next = g_steal_pointer (&self->next_model);
  self->model = model;
  g_clear_pointer (&self->next_path, g_free);
  self->started = model != NULL;
  self->vector_duration = GST_CLOCK_TIME_NONE;
  self->byte_scale.size = 0;
  if (model)
    self->stats = (EncoderStats) {
    0};
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&old, co_model_unref);
  g_clear_pointer (&next, co_model_unref);
}

static gboolean
gst_continual_encoder_start (GstBaseTransform * trans)
{
  GstContinualEncoder *self = GST_CONTINUAL_ENCODER (trans);
  g_autoptr (CoOptions) options = NULL;
  g_autofree gchar *path = NULL;
  CoModel *model;

  GST_OBJECT_LOCK (self);
  path = g_strdup (self->settings.path);
  options = model_settings_get_options (&self->settings);
  GST_OBJECT_UNLOCK (self);

  model = model_load (GST_ELEMENT (self), path, options, FALSE);
  if (!model)
    return FALSE;
  if (!check_model (self, model, FALSE)) {
    co_model_unref (model);
    return FALSE;
  }
  encoder_renew_stream (self, model, 1);
  set_model (self, model);
  self->input.dims[0] = 0;
  self->caps_refused = self->in_bytes = FALSE;
  self->bytes.scale.size = 0;
  self->stream_start = GST_SEQNUM_INVALID;
  self->labels_due = TRUE;
  return TRUE;
}

static gboolean
gst_continual_encoder_stop (GstBaseTransform * trans)
{
  GstContinualEncoder *self = GST_CONTINUAL_ENCODER (trans);
  EncoderStream *stream;

  encoder_flow_clear (self);
  set_model (self, NULL);
  g_mutex_lock (&self->stream_lock);
  stream = g_steal_pointer (&self->stream);
  g_mutex_unlock (&self->stream_lock);
  g_clear_pointer (&stream, encoder_stream_free);
  return TRUE;
}

static void
gst_continual_encoder_finalize (GObject * object)
{
  GstContinualEncoder *self = GST_CONTINUAL_ENCODER (object);

  byte_segment_clear (&self->bytes);
  model_settings_clear (&self->settings);
  g_mutex_clear (&self->stream_lock);
  G_OBJECT_CLASS (gst_continual_encoder_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass * klass)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  guint id = model_settings_install_properties (klass);

  g_object_class_install_property (klass, prop_reset_on_discont = id++,
      g_param_spec_boolean ("reset-on-discont", "Reset on discont",
          "Whether a buffer with the DISCONT flag begins a new sequence: what "
          "came before it is forgotten", FALSE, flags));
  g_object_class_install_property (klass, prop_on_invalid = id++,
      g_param_spec_enum ("on-invalid", "On invalid",
          "What happens to a vector with a NaN or an infinity",
          TYPE_ON_INVALID, ENCODER_ON_INVALID_DROP, flags));
  g_object_class_install_property (klass, prop_stats = id++,
      g_param_spec_boxed ("stats", "Statistics",
          "Since the element started, of all streams: vectors taken, outputs, "
          "vectors refused (not finite) and absent; step-time of the last step "
          "and mean-step-time, in nanoseconds; state-bytes of all streams, "
          "model-bytes, and macs, the multiply-accumulates of one stream's step",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_signals (GType type)
{
  const GSignalFlags flags = G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION;

  /**
   * GstContinualEncoder::clean-state:
   *
   * Forgets what came before, of all streams.
   */
  signals[SIGNAL_CLEAN_STATE] =
      g_signal_new_class_handler ("clean-state", type, flags,
      G_CALLBACK (gst_continual_encoder_clean_state), NULL, NULL, NULL,
      G_TYPE_NONE, 0);
  /**
   * GstContinualEncoder::get-state:
   *
   * Returns: (transfer full) (nullable): a snapshot of all streams, for set-state of an element with the same model
   *   and as many streams, in this process or another one; %NULL before a model is loaded
   */
  signals[SIGNAL_GET_STATE] =
      g_signal_new_class_handler ("get-state", type, flags,
      G_CALLBACK (gst_continual_encoder_get_state), NULL, NULL, NULL,
      G_TYPE_BYTES, 0);
  /**
   * GstContinualEncoder::set-state:
   * @state: a snapshot
   *
   * Goes on from @state. Several streams must have been negotiated before.
   *
   * Returns: %FALSE, after a warning message that says why, if it is not one of this model; nothing has changed then
   */
  signals[SIGNAL_SET_STATE] =
      g_signal_new_class_handler ("set-state", type, flags,
      G_CALLBACK (gst_continual_encoder_set_state), NULL, NULL, NULL,
      G_TYPE_BOOLEAN, 1, G_TYPE_BYTES);
}

static void
gst_continual_encoder_class_init (GstContinualEncoderClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_continual_encoder_set_property;
  object_class->get_property = gst_continual_encoder_get_property;
  object_class->finalize = gst_continual_encoder_finalize;
  install_properties (object_class);
  install_signals (G_TYPE_FROM_CLASS (klass));

  gst_element_class_set_static_metadata (element_class,
      "Continual Transformer encoder", "Filter/Analyzer/Tensor",
      "Runs a Transformer encoder over a live stream of feature vectors: after "
      "every vector, what the model makes of the window of the last "
      "sequence-len vectors, exactly, at the cost of one step. Set model-path to "
      "a safetensors file of a PyTorch state_dict(), and heads and sequence-len "
      "if its metadata doesn't say them. Takes other/tensors of float32 with "
      "dimensions (string)C, C:T (T vectors in time) or C:T:S (S streams), "
      "innermost first; gives a buffer per output, at the time of the vector "
      "that it answers for",
      "The gst-continual developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_continual_encoder_start;
  trans_class->stop = gst_continual_encoder_stop;
  encoder_negotiation_class_init (trans_class);
  encoder_flow_class_init (trans_class);
  gst_type_mark_as_plugin_api (TYPE_ON_INVALID, 0);
}

static void
gst_continual_encoder_init (GstContinualEncoder * self)
{
  model_settings_init (&self->settings);
  g_mutex_init (&self->stream_lock);
  byte_segment_init (&self->bytes);
  self->vector_duration = GST_CLOCK_TIME_NONE;
}
