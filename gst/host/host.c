/* gst-continual: the model of an element and its streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/host.h"

#include "host/load.h"
#include "tensor/about.h"
#include "tensor/events.h"

#define GST_CAT_DEFAULT element_debug (self->element)

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

GstStructure *
model_host_get_stats (ModelHost * self)
{
  const guint n_streams = model_host_get_n_streams (self);
  CoModel *model = model_host_ref_model (self);
  GstStructure *res;
  ModelStats stats;

  GST_OBJECT_LOCK (self->element);
  stats = self->stats;
  GST_OBJECT_UNLOCK (self->element);
  res = model_stats_to_structure (&stats,
      model ? co_model_get_info (model) : NULL, n_streams);
  g_clear_pointer (&model, co_model_unref);
  return res;
}

static CoModel *
load (ModelHost * self, const gchar * path, gboolean keep)
{
  g_autoptr (CoOptions) options = NULL;
  AttentionWeights weights;

  GST_OBJECT_LOCK (self->element);
  options = model_properties_get_options (&self->settings);
  weights = self->weights;
  GST_OBJECT_UNLOCK (self->element);
  return model_load (self->element, self->kind, weights, path, options, keep);
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

/* Not under the lock. A decoder's memory could not be set again, for want of RAM. */
static void
report_lost_memory (ModelHost * self, const GError * error)
{
  if (error)
    GST_ELEMENT_WARNING (self->element, RESOURCE, NO_SPACE_LEFT,
        ("Vectors wait for the next memory: %s.", error->message), (NULL));
}

void
model_host_reset (ModelHost * self, gint stream)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->stream_lock);
  if (self->stream
      && stream < (gint) model_stream_get_n_streams (self->stream))
    model_stream_reset (self->stream, stream, &error);
  g_mutex_unlock (&self->stream_lock);
  report_lost_memory (self, error);
}

/* Under the stream lock. TRUE: @stream is none of the streams; *why says so. */
static gboolean
is_no_stream (ModelHost * self, gint stream, gchar ** why)
{
  const guint n = self->stream ? model_stream_get_n_streams (self->stream) : 0;

  if (n == 0 || stream < (gint) n)
    return FALSE;
  *why = g_strdup_printf ("expected a stream from 0 to %u, found %d", n - 1, stream);
  return TRUE;
}

GBytes *
model_host_get_state (ModelHost * self, gint stream)
{
  g_autofree gchar *why = NULL;
  GBytes *state = NULL;
  gboolean running;

  g_mutex_lock (&self->stream_lock);
  running = self->stream != NULL;
  if (running && !is_no_stream (self, stream, &why))
    state = model_stream_get_state (self->stream, stream);
  g_mutex_unlock (&self->stream_lock);
  if (why)
    GST_ELEMENT_WARNING (self->element, RESOURCE, SETTINGS,
        ("There is no snapshot: %s.", why), (NULL));
  else if (running && !state)
    GST_ELEMENT_WARNING (self->element, RESOURCE, NO_SPACE_LEFT,
        ("Expected room for a copy of the state, found less: there is no "
            "snapshot; use fewer streams, or state-path."), (NULL));
  return state;
}

gboolean
model_host_set_state (ModelHost * self, gint stream, GBytes * state,
    gchar ** why)
{
  g_autoptr (GError) error = NULL;
  gboolean running, ok;

  g_mutex_lock (&self->stream_lock);
  running = self->stream != NULL;
  ok = running && state && !is_no_stream (self, stream, why)
      && model_stream_set_state (self->stream, stream, state, &error);
  g_mutex_unlock (&self->stream_lock);
  if (!ok && !*why)
    *why = g_strdup (error ? error->message :
        running ? "expected a snapshot, found none" :
        "expected the state PAUSED or PLAYING, found no model loaded yet");
  return ok;
}

/* Replaces all streams; @stream NULL: by none. A memory that fits the new model stays, and so do states that were restored before the caps. */
static void
replace_stream (ModelHost * self, ModelStream * stream)
{
  g_autoptr (GError) error = NULL, lost = NULL;
  ModelStream *old;

  g_mutex_lock (&self->stream_lock);
  old = self->stream;
  if (old && stream) {
    model_stream_pass_memory (old, stream, &error);
    model_stream_pass_restored (old, stream, &lost);
  }
  self->stream = stream;
  g_mutex_unlock (&self->stream_lock);
  report_lost_memory (self, error);
  if (lost)
    GST_ELEMENT_WARNING (self->element, RESOURCE, NO_SPACE_LEFT,
        ("The restored state is lost: %s: restore it after the caps.", lost->message), (NULL));
  g_clear_pointer (&old, model_stream_free);
}

/* FALSE: an error was posted. */
static gboolean
make_streams (ModelHost * self, CoModel * model, guint n_streams)
{
  g_autoptr (GError) error = NULL;
  ModelStream *stream = model_stream_new (model, n_streams,
      self->n_threads, self->weights, &error);

  if (stream)
    replace_stream (self, stream);
  /* Each buffer brings caps that were refused again. */
  else if (n_streams != self->told_streams)
    GST_ELEMENT_ERROR (self->element, RESOURCE, NO_SPACE_LEFT, ("%s.", error->message),
        (NULL));
  self->told_streams = stream ? 0 : n_streams;
  return stream != NULL;
}

const CoModelInfo *
model_host_get_info (ModelHost * self)
{
  return co_model_get_info (model_stream_get_model (self->stream));
}

gsize
model_host_get_max_steps (ModelHost * self)
{
  return model_stream_get_max_steps (self->stream);
}

gboolean
model_host_set_n_streams (ModelHost * self, guint n_streams)
{
  if (model_stream_get_n_streams (self->stream) != n_streams
      && !make_streams (self, model_stream_get_model (self->stream), n_streams))
    return FALSE;
  model_state_restore (&self->state);
  return TRUE;
}

/* No model is in use any more. The path of a model that was not adopted yet is kept for the next start. */
static void
drop_models (ModelHost * self)
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

  /* From here on the settings do not change. */
  GST_OBJECT_LOCK (self->element);
  self->started = TRUE;
  path = g_strdup (self->settings.path);
  GST_OBJECT_UNLOCK (self->element);
  model = load (self, path, FALSE);
  if (!model) {
    drop_models (self);
    return FALSE;
  }
  if (!model_state_begin (&self->state, path)) {
    co_model_unref (model);
    drop_models (self);
    return FALSE;
  }
  self->told_streams = 0;
  if (!make_streams (self, model, 1)) {
    model_state_end (&self->state);
    co_model_unref (model);
    drop_models (self);
    return FALSE;
  }
  GST_OBJECT_LOCK (self->element);
  self->model = model;
  self->stats = (ModelStats) {
  0};
  GST_OBJECT_UNLOCK (self->element);
  self->last_stats = gst_util_get_timestamp ();
  self->labels_due = TRUE;
  self->n_not_finite = 0;
  return TRUE;
}

void
model_host_stop (ModelHost * self)
{
  model_state_end (&self->state);
  drop_models (self);
  replace_stream (self, NULL);
}

const CoModelInfo *
model_host_take_next (ModelHost * self)
{
  GST_OBJECT_LOCK (self->element);
  self->candidate = g_steal_pointer (&self->next_model);
  self->candidate_path = g_steal_pointer (&self->next_path);
  GST_OBJECT_UNLOCK (self->element);
  return self->candidate ? co_model_get_info (self->candidate) : NULL;
}

void
model_host_refuse_next (ModelHost * self, const gchar * why)
{
  GST_ELEMENT_WARNING (self->element, STREAM, FORMAT,
      ("The model in use stays: %s.", why), ("model-path=%s",
          self->candidate_path));
  g_clear_pointer (&self->candidate, co_model_unref);
  g_clear_pointer (&self->candidate_path, g_free);
}

gboolean
model_host_adopt_next (ModelHost * self)
{
  g_autoptr (GError) error = NULL;
  ModelStream *stream = model_stream_new (self->candidate,
      model_stream_get_n_streams (self->stream), self->n_threads, self->weights, &error);
  CoModel *old;

  if (!stream) {
    model_host_refuse_next (self, error->message);
    return FALSE;
  }
  replace_stream (self, stream);
  GST_OBJECT_LOCK (self->element);
  old = self->model;
  self->model = g_steal_pointer (&self->candidate);
  g_free (self->settings.path);
  self->settings.path = g_steal_pointer (&self->candidate_path);
  GST_OBJECT_UNLOCK (self->element);
  co_model_unref (old);
  self->labels_due = TRUE;
  return TRUE;
}

static GstFlowReturn
fail_space (ModelHost * self, const GError * error)
{
  GST_ELEMENT_ERROR (self->element, RESOURCE, NO_SPACE_LEFT, ("%s.", error->message),
      (NULL));
  return GST_FLOW_ERROR;
}

static void
count (ModelHost * self, const ModelCounts * counts, gsize n_steps)
{
  GST_OBJECT_LOCK (self->element);
  model_stats_add (&self->stats, counts, n_steps);
  GST_OBJECT_UNLOCK (self->element);
}

GstFlowReturn
model_host_forward (ModelHost * self, const ModelInput * input,
    gsize n_steps, const VectorTime * time)
{
  g_autoptr (GError) error = NULL;
  ModelCounts counts;
  gboolean ok;

  g_mutex_lock (&self->stream_lock);
  ok = model_stream_forward (self->stream, input, n_steps, time, &counts,
      &error);
  g_mutex_unlock (&self->stream_lock);
  if (!ok)
    return fail_space (self, error);
  count (self, &counts, n_steps);
  model_state_tick (&self->state);
  return GST_FLOW_OK;
}

GstFlowReturn
model_host_drain (ModelHost * self)
{
  g_autoptr (GError) error = NULL;
  ModelCounts counts;
  gboolean ok;

  g_mutex_lock (&self->stream_lock);
  ok = model_stream_drain (self->stream, &counts, &error);
  g_mutex_unlock (&self->stream_lock);
  if (!ok)
    return fail_space (self, error);
  count (self, &counts, 0);
  return GST_FLOW_OK;
}

GstStructure *
model_host_take_due_stats (ModelHost * self)
{
  GstClockTime now;

  if (!self->stats_interval)
    return NULL;
  now = gst_util_get_timestamp ();
  if (now - self->last_stats < self->stats_interval * GST_SECOND)
    return NULL;
  self->last_stats = now;
  return model_host_get_stats (self);
}

gboolean
model_host_set_memory (ModelHost * self, const float *memory, gsize n,
    GError ** error)
{
  gboolean ok;

  g_mutex_lock (&self->stream_lock);
  ok = model_stream_set_memory (self->stream, memory, n, error);
  g_mutex_unlock (&self->stream_lock);
  return ok;
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

gboolean
model_host_read_reset (ModelHost * self, GstEvent * event, gint * stream,
    gboolean * drain)
{
  gint last;

  *stream = -1;
  if (!gst_event_has_name (event, RESET_EVENT_NAME))
    return FALSE;
  last = MAX (1, model_host_get_n_streams (self)) - 1;
  gst_structure_get_int (gst_event_get_structure (event), "stream", stream);
  if (*stream < -1 || *stream > last) {
    GST_ELEMENT_WARNING (self->element, STREAM, FORMAT,
        ("Expected " RESET_EVENT_NAME " with a stream from 0 to %d, or -1 or "
            "none for all, found %d: nothing was reset.", last, *stream),
        (NULL));
    return FALSE;
  }
  *drain = *stream < 0 && GST_EVENT_IS_SERIALIZED (event);
  return TRUE;
}

void
model_host_set_labels_due (ModelHost * self)
{
  self->labels_due = TRUE;
}
