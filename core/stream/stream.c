/* libcontinual: streams through a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/stream.h"
#include "math/alloc.h"
#include "math/fpmode.h"
#include <math.h>
#include <string.h>

/* Rows that go through the layers together: enough for matrix products, little enough for the caches. */
#define CHUNK_ROWS 64
/* Above this an embedded vector could overflow on its way: it is refused like an infinity. */
#define LARGEST 1e15f

CoStream *
co_stream_new (CoModel * model, guint n_streams)
{
  CoStream *self;
  gsize rows, answers, work_size;

  g_return_val_if_fail (model != NULL, NULL);
  g_return_val_if_fail (n_streams > 0, NULL);

  self = g_new0 (CoStream, 1);
  self->model = co_model_ref (model);
  self->n_streams = n_streams;
  self->stride = CO_STREAM_HEAD_SIZE + co_stack_state_size (&model->stack);
  self->max_steps = MAX (1, CHUNK_ROWS / n_streams);
  rows = self->max_steps * n_streams;
  answers = rows * co_stack_max_answers (&model->stack);
  work_size = co_work_lay_out (&self->work, &model->stack, rows, NULL);
  self->memory = co_alloc0 (1, work_size +
      CO_ALIGN_BYTES (answers * sizeof (CoTag)));
  co_work_lay_out (&self->work, &model->stack, rows, self->memory);
  self->tags = (CoTag *) (self->memory + work_size);
  self->state = co_alloc0 (n_streams, self->stride);
  self->spare = g_aligned_alloc (n_streams, self->stride, 64);
  if (model->info.n_memory)
    self->work.memories = g_new0 (CoMemory *, n_streams);
  return self;
}

void
co_stream_free (CoStream * self)
{
  if (!self)
    return;
  for (guint s = 0; self->work.memories && s < self->n_streams; s++)
    co_stream_put_memory (self, s, NULL);
  g_free (self->work.memories);
  g_aligned_free (self->work.cross_scratch);
  g_aligned_free (self->state);
  g_aligned_free (self->spare);
  g_aligned_free (self->memory);
  co_model_unref (self->model);
  g_free (self);
}

CoStream *
co_stream_copy (const CoStream * self)
{
  CoStream *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = co_stream_new (self->model, self->n_streams);
  memcpy (copy->state, self->state, self->n_streams * self->stride);
  for (guint s = 0; self->work.memories && s < self->n_streams; s++)
    co_stream_put_memory (copy, s, self->work.memories[s]);
  return copy;
}

CoModel *
co_stream_get_model (const CoStream * self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->model;
}

guint
co_stream_get_n_streams (const CoStream * self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_streams;
}

guint64
co_stream_get_position (const CoStream * self, guint stream)
{
  g_return_val_if_fail (self != NULL && stream < self->n_streams, 0);

  return co_stream_head (self, stream)->position;
}

gsize
co_stream_max_outputs (const CoStream * self, gsize n_steps)
{
  gsize answers;

  g_return_val_if_fail (self != NULL, 0);

  answers = co_stack_max_answers (&self->model->stack);
  /* Of a chunk all but one vector may have come before. */
  return self->n_streams * (n_steps + answers - 1);
}

void
co_stream_clean_state (CoStream * self, gint stream)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (stream >= -1 && stream < (gint) self->n_streams);

  for (guint s = 0; s < self->n_streams; s++)
    if (stream < 0 || s == (guint) stream) {
      memset (self->state + s * self->stride, 0, self->stride);
      if (self->work.memories)
        co_stream_put_memory (self, s, NULL);
    }
}

/* Absent, refused, or so far taken. */
static CoRow
inspect (const float *x /* (n) */ , gsize n)
{
  gsize n_nan = 0, n_inf = 0;

  for (gsize i = 0; i < n; i++) {
    n_nan += isnan (x[i]) != 0;
    n_inf += isinf (x[i]) != 0;
  }
  return n_nan == n ? CO_ROW_ABSENT : n_nan + n_inf ? CO_ROW_REFUSED :
      CO_ROW_TAKEN;
}

static gboolean
too_large (const float *x /* (n) */ , gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!(fabsf (x[i]) <= LARGEST))
      return TRUE;
  return FALSE;
}

/* Where in (S, T) a vector lies */
typedef struct
{
  const CoInput *input;
  gsize n_steps;
} Source;

static CoRow
inspect_vector (const CoStream * self, const Source * from, gsize at)
{
  const CoModelInfo *info = &self->model->info;
  const CoInput *in = from->input;
  CoRow row;

  if (in->mask && !in->mask[at])
    return CO_ROW_ABSENT;
  row = inspect (in->x + at * info->n_inputs, info->n_inputs);
  if (row == CO_ROW_TAKEN && in->key)
    row = inspect (in->key + at * info->n_keys, info->n_keys);
  if (row == CO_ROW_TAKEN && in->value)
    row = inspect (in->value + at * info->n_values, info->n_values);
  return row;
}

/* Copies the vectors of steps @from to @to that have one side by side, into work->input and its like. */
static void
gather (CoStream * self, const Source * source, gsize from, gsize to,
    CoRow * rows)
{
  const CoModelInfo *info = &self->model->info;
  const CoInput *in = source->input;
  CoWork *work = &self->work;

  work->rows.n = 0;
  for (gsize step = from; step < to; step++)
    for (guint s = 0; s < self->n_streams; s++) {
      gsize at = s * source->n_steps + step, n = work->rows.n;
      CoRow row = inspect_vector (self, source, at);

      if (row == CO_ROW_TAKEN && work->memories && !work->memories[s])
        row = CO_ROW_WAITING;
      if (rows)
        rows[at] = row;
      if (row != CO_ROW_TAKEN)
        continue;
      memcpy (work->input + n * info->n_inputs, in->x + at * info->n_inputs,
          info->n_inputs * sizeof (float));
      if (in->key)
        memcpy (work->key + n * info->n_keys, in->key + at * info->n_keys,
            info->n_keys * sizeof (float));
      if (in->value)
        memcpy (work->value + n * info->n_values,
            in->value + at * info->n_values, info->n_values * sizeof (float));
      work->rows.tags[work->rows.n++] = (CoTag) {
      .stream = s,.step = step};
    }
}

/* Gives the embedded rows their positions and closes the gaps of those that cannot be taken after all. */
static void
admit (CoStream * self, const Source * source, CoRow * rows)
{
  const CoModelInfo *info = &self->model->info;
  const gsize E = info->d_model, K = info->n_keys, V = info->n_values;
  CoWork *work = &self->work;
  gsize kept = 0;

  for (gsize i = 0; i < work->rows.n; i++) {
    CoTag tag = work->rows.tags[i];
    guint64 *position = &co_stream_head (self, tag.stream)->position;
    CoRow row = CO_ROW_TAKEN;

    if (too_large (work->rows.x + i * E, E)
        || (source->input->key && too_large (work->key + i * K, K))
        || (source->input->value && too_large (work->value + i * V, V)))
      row = CO_ROW_REFUSED;
    else if (self->model->max_len && *position >= self->model->max_len)
      row = CO_ROW_FULL;
    if (row != CO_ROW_TAKEN) {
      if (rows)
        rows[tag.stream * source->n_steps + tag.step] = row;
      continue;
    }
    tag.arrival = tag.position = (*position)++;
    work->rows.tags[kept] = tag;
    if (kept < i) {
      memcpy (work->rows.x + kept * E, work->rows.x + i * E,
          E * sizeof (float));
      memcpy (work->key + kept * K, work->key + i * K, K * sizeof (float));
      memcpy (work->value + kept * V, work->value + i * V, V * sizeof (float));
    }
    kept++;
  }
  work->rows.n = kept;
}

/* Which outputs of the call the answers are. */
static void
report (const CoTag * tags, gsize n, CoOutput * outputs)
{
  for (gsize i = 0; i < n; i++)
    outputs[i] = (CoOutput) {
    .stream = tags[i].stream,.step = tags[i].step,.age =
        tags[i].arrival - tags[i].position};
}

gsize
co_stream_forward_steps (CoStream * self, const CoInput * input,
    gsize n_steps, gboolean update_state, CoResult * result)
{
  const Source source = { input, n_steps };
  const CoStack *stack;
  CoWork *work;
  guint64 mode;
  gsize n = 0, y_size, weights_size;

  g_return_val_if_fail (self != NULL && input != NULL && result != NULL, 0);
  g_return_val_if_fail (input->x != NULL && result->y != NULL, 0);
  g_return_val_if_fail (self->model->info.bare_attention || (!input->key
          && !input->value), 0);
  g_return_val_if_fail (!result->weights || self->model->info.n_weights, 0);

  stack = &self->model->stack;
  work = &self->work;
  y_size = co_stack_n_positions (stack) * stack->n_outputs;
  weights_size = self->model->info.n_heads * co_stack_n_positions (stack) *
      self->model->info.n_weights;
  mode = co_fp_enter ();
  if (!update_state)
    memcpy (self->spare, self->state, self->n_streams * self->stride);
  for (gsize step = 0; step < n_steps; step += self->max_steps) {
    CoAnswers answers = {
      .y = result->y + n * y_size,
      .weights = result->weights ? result->weights + n * weights_size : NULL,
      .tags = self->tags,
    };
    const float *key, *value;

    gather (self, &source, step, MIN (step + self->max_steps, n_steps),
        result->rows);
    co_stack_embed (stack, work, work->input, work->rows.n);
    admit (self, &source, result->rows);
    if (work->rows.n == 0)
      continue;
    key = input->key ? work->key : work->rows.x;
    value = input->value ? work->value : key;
    co_stack_forward_rows (stack, work, self->state + CO_STREAM_HEAD_SIZE, self->stride,
        input->key || input->value ? &(CoSeparate) {
        key, value} : NULL, &answers);
    if (result->outputs)
      report (answers.tags, answers.n, result->outputs + n);
    n += answers.n;
  }
  if (!update_state)
    memcpy (self->state, self->spare, self->n_streams * self->stride);
  co_fp_leave (mode);
  return n;
}

gsize
co_stream_forward_step (CoStream * self, const float *x, float *y)
{
  CoResult result = {.y = y };

  return co_stream_forward_steps (self, &(CoInput) {
        .x = x}, 1, TRUE, &result);
}

gsize
co_stream_drain (CoStream * self, CoResult * result)
{
  const CoStack *stack;
  gsize n = 0;

  g_return_val_if_fail (self != NULL && result != NULL, 0);

  stack = &self->model->stack;
  if (co_stack_max_answers (stack) == 1)
    return 0;
  for (guint s = 0; s < self->n_streams; s++) {
    guint64 position = co_stream_head (self, s)->position;
    CoAnswers answers = {
      .y = result->y + n * stack->n_outputs,.tags = self->tags,
    };
    guint64 mode = co_fp_enter ();

    co_stack_drain (stack, &self->work, self->state + CO_STREAM_HEAD_SIZE, self->stride,
        s, position - 1, &answers);
    co_fp_leave (mode);
    if (result->outputs)
      report (answers.tags, answers.n, result->outputs + n);
    n += answers.n;
  }
  return n;
}
