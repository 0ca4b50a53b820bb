/* gst-continual: what every element that runs a model has
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/private.h"

#include "tensor/events.h"

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

guint
model_host_get_n_streams (ModelHost * self)
{
  guint n;

  g_mutex_lock (&self->stream_lock);
  n = self->stream ? model_stream_get_n_streams (self->stream) : 0;
  g_mutex_unlock (&self->stream_lock);
  return n;
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

void
model_host_set_path (ModelHost * self, const gchar * path)
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
model_host_reset (ModelHost * self, gint stream)
{
  g_mutex_lock (&self->stream_lock);
  if (self->stream
      && stream < (gint) model_stream_get_n_streams (self->stream))
    model_stream_clean (self->stream, stream);
  g_mutex_unlock (&self->stream_lock);
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

void
model_host_forward (ModelHost * self, const ModelInput * input,
    gsize n_steps, const VectorTime * time)
{
  ModelCounts counts;

  g_mutex_lock (&self->stream_lock);
  model_stream_forward (self->stream, input, n_steps, time, &counts);
  g_mutex_unlock (&self->stream_lock);
  model_host_count (self, &counts, n_steps);
  model_state_tick (&self->state);
  model_host_post_stats (self);
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
  model_host_count (self, &counts, 0);
}

gboolean
model_host_handle_reset (ModelHost * self, GstEvent * event)
{
  gint stream = -1, last;

  if (!gst_event_has_name (event, RESET_EVENT_NAME))
    return FALSE;
  last = MAX (1, model_host_get_n_streams (self)) - 1;
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

