/* gst-continual: streams through a model, with times
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/stream.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "host/states.h"
#include "tensor/absent.h"

/* Most steps of a call: enough for efficient matrix products, with at most MAX_VALUES floats of outputs. */
#define MAX_STEPS 64
#define MAX_VALUES (1 << 20)

struct _ModelStream
{
  CoStream *stream;
  VectorClock *clock;
  guint n_streams;
  gsize y_size;                 /* floats of an output row */
  AttentionWeights weights_kind;
  gsize weights_size;           /* floats of the weights of an output row; 0: none */
  gsize n_memory;               /* width of a memory's vectors */
  float *memory;                /* (memory_length, n_memory): set again for streams that lost theirs; NULL: none */
  gsize memory_length;
  gsize max_steps;
  enum { NOT_RESTORED, RESTORED_ONE, RESTORED_ALL } restored;   /* which state was set, if no step followed */

  /* Buffers of the last call, for up to capacity steps and max_outputs outputs. */
  gsize capacity, max_outputs;
  float *x, *key, *value;       /* (n_streams, capacity, width) each: copies of inputs that are not aligned or not contiguous; NULL: none yet */
  float *y;                     /* (max outputs, y_size) */
  float *weights;               /* (max outputs, H, P, W) or NULL */
  CoOutput *outputs;            /* (max outputs) */
  CoVectorStatus *rows;                  /* (n_streams, capacity) */
  ModelEvent *events;           /* (max_events) */
  gsize n_events, max_events, next_event;
};

/* Caps come from other elements: they must not make this one take all memory. */
static gboolean
check_streams (CoModel * model, guint n_streams, GError ** error)
{
  const CoModelInfo *info = co_model_get_info (model);
  const guint64 half = (guint64) sysconf (_SC_PHYS_PAGES) * sysconf (_SC_PAGESIZE) / 2;
  const guint64 output = info->n_outputs * info->n_positions * sizeof (float);
  guint64 bytes;

  if (n_streams == 1)
    return TRUE;
  if (!g_uint64_checked_mul (&bytes, output, n_streams)
      || !g_uint64_checked_add (&bytes, bytes,
          co_model_get_stream_bytes (model, n_streams)))
    bytes = G_MAXUINT64;
  if (bytes <= half)
    return TRUE;
  g_set_error (error, CO_ERROR, CO_ERROR_NO_SPACE,
      "%u streams: expected some that take at most half of this machine's memory, %"
      G_GUINT64_FORMAT " bytes, found %s%" G_GUINT64_FORMAT " bytes for states of %"
      G_GSIZE_FORMAT " bytes, the work of a step and an output; split the streams up "
      "(dimensions C:T:S)", n_streams, half,
      bytes == G_MAXUINT64 ? "more than " : "", bytes, info->state_bytes);
  return FALSE;
}

ModelStream *
model_stream_new (CoModel * model, guint n_streams, guint n_threads,
    AttentionWeights weights, GError ** error)
{
  const CoModelInfo *info = co_model_get_info (model);
  CoStream *stream = check_streams (model, n_streams, error) ?
      co_stream_try_new (model, n_streams, error) : NULL;
  ModelStream *self;

  if (!stream)
    return NULL;
  self = g_new0 (ModelStream, 1);
  self->stream = stream;
  co_stream_set_n_threads (stream, n_threads);
  self->clock = vector_clock_new (n_streams, MAX (info->delay,
          info->chunk_len - 1));
  if (!self->clock) {
    g_set_error (error, CO_ERROR, CO_ERROR_NO_SPACE,
        "%u streams: expected room for their times, found less; use fewer "
        "streams", n_streams);
    model_stream_free (self);
    return NULL;
  }
  self->n_streams = n_streams;
  self->y_size = info->n_positions * info->n_outputs;
  self->weights_kind = weights;
  self->weights_size = attention_weights_get_size (weights, info);
  self->n_memory = info->n_memory;
  self->max_steps = CLAMP (MAX_VALUES / (n_streams * (gdouble) (self->y_size +
              self->weights_size * info->n_heads)), 1,
      MAX_STEPS);
  return self;
}

void
model_stream_free (ModelStream * self)
{
  co_stream_unref (self->stream);
  g_clear_pointer (&self->clock, vector_clock_free);
  g_free (self->memory);
  g_free (self->x);
  g_free (self->key);
  g_free (self->value);
  g_free (self->y);
  g_free (self->weights);
  g_free (self->outputs);
  g_free (self->rows);
  g_free (self->events);
  g_free (self);
}

CoModel *
model_stream_get_model (const ModelStream * self)
{
  return co_stream_get_model (self->stream);
}

guint
model_stream_get_n_streams (const ModelStream * self)
{
  return self->n_streams;
}

gsize
model_stream_get_output_size (const ModelStream * self)
{
  return self->n_streams * self->y_size * sizeof (float);
}

gsize
model_stream_get_weights_size (const ModelStream * self)
{
  return self->n_streams * self->weights_size * sizeof (float);
}

gsize
model_stream_get_max_steps (const ModelStream * self)
{
  return self->max_steps;
}

gboolean
model_stream_set_memory (ModelStream * self, const float *memory, gsize n,
    GError ** error)
{
  const gsize size = n * self->n_memory * sizeof (float);
  float *copy = g_try_malloc (size);

  if (!copy) {
    g_set_error (error, CO_ERROR, CO_ERROR_MEMORY,
        "memory of %" G_GSIZE_FORMAT " vectors: expected one that fits into RAM "
        "twice, found too little; give fewer vectors", n);
    return FALSE;
  }
  memcpy (copy, memory, size);
  if (!co_stream_set_memory (self->stream, CO_ALL_STREAMS, copy, n, error)) {
    g_free (copy);
    return FALSE;
  }
  g_free (self->memory);
  self->memory = copy;
  self->memory_length = n;
  return TRUE;
}

gboolean
model_stream_pass_memory (const ModelStream * self, ModelStream * to,
    GError ** error)
{
  return !self->memory || self->n_memory != to->n_memory
      || model_stream_set_memory (to, self->memory, self->memory_length, error);
}

gboolean
model_stream_has_memory (const ModelStream * self)
{
  for (guint s = 0; s < self->n_streams; s++)
    if (co_stream_get_memory_length (self->stream, s) == 0)
      return FALSE;
  return TRUE;
}

/* After a reset, or a snapshot without a memory: sets the memory again. */
static gboolean
restore_memory (ModelStream * self, GError ** error)
{
  if (!self->memory)
    return TRUE;
  for (guint s = 0; s < self->n_streams; s++)
    if (co_stream_get_memory_length (self->stream, s) == 0
        && !co_stream_set_memory (self->stream, s, self->memory,
            self->memory_length, error))
      return FALSE;
  return TRUE;
}

gboolean
model_stream_reset (ModelStream * self, gint stream, GError ** error)
{
  co_stream_clean_state (self->stream, stream);
  vector_clock_reset (self->clock, stream);
  self->restored = NOT_RESTORED;
  return restore_memory (self, error);
}

GBytes *
model_stream_get_state (const ModelStream * self, gint stream)
{
  return stream < 0 ? co_stream_get_state (self->stream) :
      co_stream_get_state_at (self->stream, stream);
}

CoStream *
model_stream_copy_state (const ModelStream * self)
{
  return co_stream_copy (self->stream);
}

gboolean
model_stream_set_state (ModelStream * self, gint stream, GBytes * state,
    GError ** error)
{
  if (!(stream < 0 ? co_stream_set_state (self->stream, state, error) :
          co_stream_set_state_at (self->stream, stream, state, error)))
    return FALSE;
  vector_clock_reset (self->clock, stream);
  self->restored = stream < 0 ? RESTORED_ALL : RESTORED_ONE;
  return restore_memory (self, error);
}

gboolean
model_stream_pass_restored (const ModelStream * self, ModelStream * to,
    GError ** error)
{
  if (self->restored == NOT_RESTORED || model_stream_get_model (self) != model_stream_get_model (to))
    return TRUE;
  if (self->restored == RESTORED_ALL) {
    g_set_error (error, CO_ERROR, CO_ERROR_STATE,
        "it is of %u stream%s, found caps of %u", self->n_streams, self->n_streams > 1 ? "s" : "", to->n_streams);
    return FALSE;
  }
  if (!states_copy (self->stream, to->stream, MIN (self->n_streams, to->n_streams), error))
    return FALSE;
  to->restored = self->restored;
  return restore_memory (to, error);
}

/* Makes room for @n times @size elements of @width bytes in *memory. */
static gboolean
grow (gpointer memory, gsize n, gsize size, gsize width)
{
  gpointer *at = memory, more;
  gsize bytes;

  if (!g_size_checked_mul (&bytes, n, size)
      || !g_size_checked_mul (&bytes, bytes, width))
    return FALSE;
  more = g_try_realloc (*at, bytes);
  if (more)
    *at = more;
  return more || bytes == 0;
}

/* @n_steps 0: for a drain. FALSE: there is less room; what was reserved before stays. */
static gboolean
reserve (ModelStream * self, gsize n_steps)
{
  const CoModelInfo *info =
      co_model_get_info (co_stream_get_model (self->stream));
  /* A drain may give more than some steps. */
  const gsize n_outputs = MAX (co_stream_max_outputs (self->stream, n_steps),
      co_stream_max_outputs (self->stream, 0));
  /* Each vector may be refused, each output may be one that is not finite, and each step a gap. */
  const gsize n_events = 2 * n_outputs + (self->n_streams + 1) * n_steps;

  if (n_steps > self->capacity) {
    if (!grow (&self->rows, self->n_streams, n_steps, sizeof *self->rows))
      return FALSE;
    self->capacity = n_steps;
    g_clear_pointer (&self->x, g_free);
    g_clear_pointer (&self->key, g_free);
    g_clear_pointer (&self->value, g_free);
  }
  if (n_events > self->max_events) {
    if (!grow (&self->events, n_events, 1, sizeof *self->events))
      return FALSE;
    self->max_events = n_events;
  }
  if (n_outputs <= self->max_outputs)
    return TRUE;
  if (!grow (&self->y, n_outputs, self->y_size, sizeof (float))
      || !grow (&self->outputs, n_outputs, 1, sizeof *self->outputs)
      || (self->weights_size && !grow (&self->weights, n_outputs,
              attention_weights_get_size (ATTENTION_WEIGHTS_HEADS, info),
              sizeof (float))))
    return FALSE;
  self->max_outputs = n_outputs;
  return TRUE;
}

static void
add_event (ModelStream * self, const ModelEvent * event)
{
  g_assert (self->n_events < self->max_events);
  self->events[self->n_events++] = *event;
}

/* The next @n of @rows as (S, n, width): in place, or copied to *copy if they are not aligned or not contiguous. NULL: there
 * are none, or there is no room for the copy. */
static const float *
gather (ModelStream * self, const VectorRows * rows, gsize n, gsize width,
    float **copy)
{
  const gsize row = width * sizeof (float);
  const guint8 *first;

  if (!rows->data)
    return NULL;
  first = (const guint8 *) rows->data + rows->from * row;
  if ((self->n_streams == 1 || n == rows->length)
      && GPOINTER_TO_SIZE (first) % sizeof (float) == 0)
    return (const float *) (gconstpointer) first;
  if (!*copy && !grow (copy, self->n_streams * self->capacity, width, sizeof (float)))
    return NULL;
  for (guint s = 0; s < self->n_streams; s++)
    memcpy (*copy + s * n * width, first + s * rows->length * row, n * row);
  return *copy;
}

static gboolean
fail_space (const ModelStream * self, gsize n_steps, GError ** error)
{
  g_set_error (error, CO_ERROR, CO_ERROR_NO_SPACE,
      "%u stream%s of %" G_GSIZE_FORMAT " vectors at once: expected room for them and "
      "for outputs of %" G_GSIZE_FORMAT " bytes each, found less; use fewer "
      "streams, or fewer vectors in a buffer", self->n_streams,
      self->n_streams == 1 ? "" : "s", n_steps, self->y_size * sizeof (float));
  return FALSE;
}

/* TRUE: output @i is finite. Else adds an event; its row does not stay NaN throughout, which would mean absent. */
static gboolean
check_output (ModelStream * self, gsize i, const VectorTime * time)
{
  float *y = self->y + i * self->y_size;

  if (row_is_finite (y, self->y_size))
    return TRUE;
  row_keep_present (y, self->y_size);
  add_event (self, &(ModelEvent) {
        .type = MODEL_NOT_FINITE,.time = *time,.stream = self->outputs[i].stream});
  return FALSE;
}

/* Adds events for the outputs @first to @end - 1 of one step: those of one age are the rows of one buffer, oldest first.
 * The time of the buffer is the newest time of its rows. (Streams that missed vectors have older ones.) */
static void
add_outputs (ModelStream * self, gsize first, gsize end)
{
  gsize oldest = 0;

  for (gsize i = first; i < end; i++)
    oldest = MAX (oldest, self->outputs[i].age);
  for (gsize age = oldest + 1; age-- > 0;) {
    ModelEvent event = {.type = MODEL_OUTPUT,.age = age,.first = first,
      .end = end
    };
    gboolean any = FALSE, ok = TRUE;

    for (gsize i = first; i < end; i++) {
      VectorTime time;

      if (self->outputs[i].age != age)
        continue;
      time = vector_clock_answer (self->clock, self->outputs[i].stream, age);
      if (!any || !GST_CLOCK_TIME_IS_VALID (event.time.pts)
          || (GST_CLOCK_TIME_IS_VALID (time.pts)
              && time.pts > event.time.pts))
        event.time = time;
      any = TRUE;
      ok = check_output (self, i, &time) && ok;
    }
    if (!ok && self->n_streams == 1)
      event.type = MODEL_GAP;
    if (any)
      add_event (self, &event);
  }
}

static void
add_gap (ModelStream * self)
{
  ModelEvent event = {.type = MODEL_GAP };

  if (vector_clock_get_unanswered (self->clock, &event.time))
    add_event (self, &event);
}

gboolean
model_stream_forward (ModelStream * self, const ModelInput * input,
    gsize n, const VectorTime * time, ModelCounts * counts, GError ** error)
{
  const CoModelInfo *info =
      co_model_get_info (co_stream_get_model (self->stream));
  CoResult result;
  CoInput in;
  GstClockTime begun;
  gsize n_outputs, o = 0;

  model_stream_discard_events (self);
  if (!reserve (self, n))
    return fail_space (self, n, error);
  result = (CoResult) {
  .capacity = self->max_outputs,.y = self->y,.weights =
        self->weights,.outputs = self->outputs,.status = self->rows};
  *counts = (ModelCounts) {
  0};
  begun = gst_util_get_timestamp ();
  in = (CoInput) {
    .x = gather (self, &input->x, n, info->n_inputs, &self->x),
    .key = gather (self, &input->key, n, info->n_keys, &self->key),
    .value = gather (self, &input->value, n, info->n_values, &self->value),
  };
  if (!in.x != !input->x.data || !in.key != !input->key.data
      || !in.value != !input->value.data)
    return fail_space (self, n, error);
  n_outputs = co_stream_forward_steps (self->stream, &in, n, TRUE, &result);
  self->restored = NOT_RESTORED;
  counts->step_time = (gst_util_get_timestamp () - begun) / n;
  counts->outputs = n_outputs;

  for (gsize step = 0; step < n; step++) {
    VectorTime now = vector_time_at (time, input->x.from + step, input->x.length);
    gsize first = o;

    vector_clock_step (self->clock, &now);
    for (guint s = 0; s < self->n_streams; s++) {
      CoVectorStatus row = self->rows[s * n + step];

      /* With one stream, a vector of NaNs is invalid, not absent. */
      if (row == CO_VECTOR_ABSENT && self->n_streams == 1)
        row = CO_VECTOR_REFUSED;
      switch (row) {
        case CO_VECTOR_TAKEN:
          vector_clock_take (self->clock, s);
          counts->vectors++;
          break;
        case CO_VECTOR_REFUSED:
          counts->refused++;
          add_event (self, &(ModelEvent) {
                .type = MODEL_REFUSED,.time = now,.stream = s});
          break;
        case CO_VECTOR_FULL:
          counts->refused++;
          add_event (self, &(ModelEvent) {
                .type = MODEL_FULL,.time = now,.stream = s});
          break;
        default:
          counts->absent++;
          break;
      }
    }
    while (o < n_outputs && self->outputs[o].step == step)
      o++;
    if (o > first)
      add_outputs (self, first, o);
    else
      add_gap (self);
  }
  return TRUE;
}

gboolean
model_stream_drain (ModelStream * self, ModelCounts * counts, GError ** error)
{
  CoResult result;

  model_stream_discard_events (self);
  if (!reserve (self, 0))
    return fail_space (self, 0, error);
  result = (CoResult) {
  .capacity = self->max_outputs,.y = self->y,.weights = self->weights,.outputs =
        self->outputs};
  *counts = (ModelCounts) {
  0};
  if (co_stream_max_outputs (self->stream, 0) == 0)
    return TRUE;
  counts->outputs = co_stream_drain (self->stream, &result);
  if (counts->outputs)
    add_outputs (self, 0, counts->outputs);
  /* Some kinds end a stream with the drain. */
  for (guint s = 0; s < self->n_streams; s++)
    if (co_stream_get_position (self->stream, s) == 0)
      vector_clock_reset (self->clock, s);
  return TRUE;
}

gboolean
model_stream_next_event (ModelStream * self, ModelEvent * event)
{
  if (self->next_event >= self->n_events)
    return FALSE;
  *event = self->events[self->next_event++];
  return TRUE;
}

void
model_stream_read (const ModelStream * self, const ModelEvent * event,
    float *y)
{
  if (self->n_streams > 1)
    row_set_absent (y, self->n_streams * self->y_size);
  for (gsize i = event->first; i < event->end; i++)
    if (self->outputs[i].age == event->age)
      memcpy (y + self->outputs[i].stream * self->y_size,
          self->y + i * self->y_size, self->y_size * sizeof (float));
}

void
model_stream_read_weights (const ModelStream * self,
    const ModelEvent * event, float *weights)
{
  const CoModelInfo *info =
      co_model_get_info (co_stream_get_model (self->stream));
  const gsize all = attention_weights_get_size (ATTENTION_WEIGHTS_HEADS, info);

  if (self->n_streams > 1)
    row_set_absent (weights, self->n_streams * self->weights_size);
  for (gsize i = event->first; i < event->end; i++)
    if (self->outputs[i].age == event->age)
      attention_weights_read (self->weights_kind, info, self->weights + i * all,
          weights + self->outputs[i].stream * self->weights_size);
}

void
model_stream_discard_events (ModelStream * self)
{
  self->n_events = self->next_event = 0;
}
