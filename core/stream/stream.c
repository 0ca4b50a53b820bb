/* libcontinual: streams through a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/stream.h"
#include "math/alloc.h"
#include <math.h>
#include <string.h>

/* Rows processed at once: enough for matrix products, few enough for the caches */
#define CHUNK_ROWS 64

G_DEFINE_BOXED_TYPE (CoStream, co_stream, co_stream_ref, co_stream_unref)

gboolean
co_stream_fail_space (GError ** error, const gchar * what, guint64 bytes,
    const gchar * todo)
{
  g_set_error (error, CO_ERROR, CO_ERROR_NO_SPACE,
      "%s: expected room for %" G_GUINT64_FORMAT " bytes (%.3g MB), found less; "
      "%s", what, bytes, bytes / 1e6, todo);
  return FALSE;
}

/* Rows processed at once */
static gsize
count_rows (guint n_streams)
{
  return MAX (1, CHUNK_ROWS / n_streams) * (gsize) n_streams;
}

/* What the streams reserve, in bytes */
typedef struct
{
  gsize work, tags;             /* of a step */
  gsize state;                  /* of one stream, twice */
  guint64 all;                  /* G_MAXUINT64: more than can be counted */
} Sizes;

static Sizes
count_bytes (const CoStack * stack, guint n_streams)
{
  const gsize rows = count_rows (n_streams);
  const gsize answers = MAX (rows * co_stack_max_answers (stack),
      co_stack_max_drained (stack));
  CoWork work;
  Sizes sizes = {
    .work = co_work_lay_out (&work, stack, rows, NULL),
    .tags = CO_ALIGN_BYTES (answers * sizeof (CoTag)),
    .state = stack->state_size,
  };

  /* Where the work can be counted, so can the tags, which are part of it. */
  if (sizes.work == G_MAXSIZE
      || !g_uint64_checked_mul (&sizes.all, 2 * (guint64) n_streams, sizes.state)
      || !g_uint64_checked_add (&sizes.all, sizes.all, sizes.work)
      || !g_uint64_checked_add (&sizes.all, sizes.all, sizes.tags))
    sizes.all = G_MAXUINT64;
  return sizes;
}

guint64
co_model_get_stream_bytes (const CoModel * self, guint n_streams)
{
  g_return_val_if_fail (self != NULL, 0);
  g_return_val_if_fail (n_streams > 0, 0);

  return count_bytes (&self->stack, n_streams).all;
}

static gboolean
reserve (CoStream * self, const Sizes * sizes)
{
  const CoStack *stack = &self->model->stack;

  if (sizes->all > co_ram ())
    return FALSE;
  self->memory = co_try_alloc0 (1, sizes->work + sizes->tags);
  self->state = co_try_alloc0 (self->n_streams, sizes->state);
  self->spare = co_try_alloc0 (self->n_streams, sizes->state);
  if (self->model->info.n_memory)
    self->work.memories = g_try_new0 (CoMemory *, self->n_streams);
  if (!self->memory || !self->state || !self->spare
      || (self->model->info.n_memory && !self->work.memories))
    return FALSE;
  co_work_lay_out (&self->work, stack, count_rows (self->n_streams), self->memory);
  self->tags = (CoTag *) (self->memory + sizes->work);
  return TRUE;
}

CoStream *
co_stream_try_new (CoModel * model, guint n_streams, GError ** error)
{
  g_autoptr (CoStream) self = NULL;
  g_autofree gchar *what = NULL;
  Sizes sizes;

  g_return_val_if_fail (model != NULL, NULL);
  g_return_val_if_fail (n_streams > 0, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  sizes = count_bytes (&model->stack, n_streams);
  self = g_new0 (CoStream, 1);
  self->model = co_model_ref (model);
  self->ref_count = 1;
  self->n_streams = n_streams;
  self->n_threads = self->n_room = 1;
  self->stride = sizes.state;
  self->max_steps = count_rows (n_streams) / n_streams;
  self->work.answer_interval = model->stack.answer_interval;
  if (reserve (self, &sizes))
    return g_steal_pointer (&self);
  what = g_strdup_printf ("%u stream%s of %s, with two states of %" G_GSIZE_FORMAT
      " bytes each and %" G_GSIZE_FORMAT " bytes for a step", n_streams,
      n_streams == 1 ? "" : "s", model->name, sizes.state, sizes.work);
  co_stream_fail_space (error, what, sizes.all, n_streams > 1 ?
      "use fewer streams, or a model with a shorter window" :
      "lower the window (sequence_len, attention_windows, max_len)");
  return NULL;
}

CoStream *
co_stream_new (CoModel * model, guint n_streams)
{
  g_autoptr (GError) error = NULL;
  CoStream *self = co_stream_try_new (model, n_streams, &error);

  if (error)
    g_error ("%s", error->message);
  return self;
}

CoStream *
co_stream_ref (CoStream * self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
co_stream_unref (CoStream * self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  for (guint s = 0; self->work.memories && s < self->n_streams; s++)
    co_stream_put_memory (self, s, NULL);
  g_free (self->work.memories);
  co_free (self->work.cross_scratch);
  co_free (self->state);
  co_free (self->spare);
  co_free (self->memory);
  co_free (self->team_scratch);
  co_model_unref (self->model);
  g_free (self);
}

CoStream *
co_stream_copy (const CoStream * self)
{
  CoStream *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = co_stream_try_new (self->model, self->n_streams, NULL);
  if (copy)
    co_stream_set_n_threads (copy, self->n_threads);
  if (!copy || !co_stream_reserve_scratch (copy, self->work.cross_scratch_size)) {
    g_clear_pointer (&copy, co_stream_unref);
    return NULL;
  }
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

  return co_stream_header (self, stream)->position;
}

gsize
co_stream_max_outputs (const CoStream * self, gsize n_steps)
{
  gsize answers;

  g_return_val_if_fail (self != NULL, 0);

  if (n_steps == 0)
    return self->n_streams * co_stack_max_drained (&self->model->stack);
  answers = co_stack_max_answers (&self->model->stack);
  /* Of a chunk all but one vector may have come before. */
  return self->n_streams * (n_steps + answers - 1);
}

void
co_stream_clean_state (CoStream * self, guint stream)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (stream == CO_ALL_STREAMS || stream < self->n_streams);

  for (guint s = 0; s < self->n_streams; s++)
    if (stream == CO_ALL_STREAMS || s == stream) {
      memset (self->state + s * self->stride, 0, self->stride);
      if (self->work.memories)
        co_stream_put_memory (self, s, NULL);
    }
}

/* Absent, refused or, so far, taken */
static CoVectorStatus
inspect (const float *x /* (n) */ , gsize n)
{
  gsize n_nan = 0, n_large = 0;

  for (gsize i = 0; i < n; i++) {
    n_nan += isnan (x[i]) != 0;
    n_large += fabsf (x[i]) > CO_LARGEST;
  }
  return n_nan == n ? CO_VECTOR_ABSENT : n_nan + n_large ? CO_VECTOR_REFUSED :
      CO_VECTOR_TAKEN;
}

static gboolean
too_large (const float *x /* (n) */ , gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!(fabsf (x[i]) <= CO_LARGEST))
      return TRUE;
  return FALSE;
}

/* The vectors of a call: vector (s, t) is at s * n_steps + t */
typedef struct
{
  const CoInput *input;
  gsize n_steps;
} Source;

static CoVectorStatus
inspect_vector (const CoStream * self, const Source * from, gsize at)
{
  const CoModelInfo *info = &self->model->info;
  const CoInput *in = from->input;
  CoVectorStatus status;

  if (in->mask && !in->mask[at])
    return CO_VECTOR_ABSENT;
  status = inspect (in->x + at * info->n_inputs, info->n_inputs);
  if (status == CO_VECTOR_TAKEN && in->key)
    status = inspect (in->key + at * info->n_keys, info->n_keys);
  if (status == CO_VECTOR_TAKEN && in->value)
    status = inspect (in->value + at * info->n_values, info->n_values);
  return status;
}

/* Copies the vectors of steps @from to @to that are taken, side by side, to work->input, key and value. */
static void
gather (CoStream * self, const Source * source, gsize from, gsize to,
    CoVectorStatus * statuses)
{
  const CoModelInfo *info = &self->model->info;
  const CoInput *in = source->input;
  CoWork *work = &self->work;

  work->rows.n = 0;
  for (gsize step = from; step < to; step++)
    for (guint s = 0; s < self->n_streams; s++) {
      gsize at = s * source->n_steps + step, n = work->rows.n;
      CoVectorStatus status = inspect_vector (self, source, at);

      if (status == CO_VECTOR_TAKEN && work->memories && !work->memories[s])
        status = CO_VECTOR_WAITING;
      if (statuses)
        statuses[at] = status;
      if (status != CO_VECTOR_TAKEN)
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

/* Gives the embedded rows their positions. Removes rows that are too large or beyond max_len. */
static void
admit (CoStream * self, const Source * source, CoVectorStatus * statuses)
{
  const CoModelInfo *info = &self->model->info;
  const gsize E = self->model->stack.d_embed;
  const gsize K = info->n_keys, V = info->n_values;
  const guint64 max_len = self->model->stack.max_len;
  CoWork *work = &self->work;
  gsize kept = 0;

  for (gsize i = 0; i < work->rows.n; i++) {
    CoTag tag = work->rows.tags[i];
    guint64 *position = &co_stream_header (self, tag.stream)->position;
    CoVectorStatus status = CO_VECTOR_TAKEN;

    if (too_large (work->rows.x + i * E, E)
        || (source->input->key && too_large (work->key + i * K, K))
        || (source->input->value && too_large (work->value + i * V, V)))
      status = CO_VECTOR_REFUSED;
    else if (max_len && *position >= max_len)
      status = CO_VECTOR_FULL;
    if (status != CO_VECTOR_TAKEN) {
      if (statuses)
        statuses[tag.stream * source->n_steps + tag.step] = status;
      continue;
    }
    tag.arrival = tag.position = (*position)++;
    work->rows.tags[kept] = tag;
    if (kept < i) {
      memcpy (work->rows.x + kept * E, work->rows.x + i * E,
          E * sizeof (float));
      if (source->input->key)
        memcpy (work->key + kept * K, work->key + i * K, K * sizeof (float));
      if (source->input->value)
        memcpy (work->value + kept * V, work->value + i * V,
            V * sizeof (float));
    }
    kept++;
  }
  work->rows.n = kept;
}

/* The vectors that the outputs of a call answer */
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
  CoCall before;
  gsize n = 0, y_size, weights_size;

  g_return_val_if_fail (self != NULL && input != NULL && result != NULL, 0);
  g_return_val_if_fail (input->x != NULL && result->y != NULL, 0);
  g_return_val_if_fail (self->model->info.bare_attention || (!input->key
          && !input->value), 0);
  g_return_val_if_fail (!result->weights || self->model->info.n_weights, 0);
  g_return_val_if_fail (result->capacity >= co_stream_max_outputs (self,
          n_steps), 0);

  stack = &self->model->stack;
  work = &self->work;
  y_size = co_stack_n_positions (stack) * stack->n_outputs;
  weights_size = co_stack_weights_size (stack);
  before = co_stream_begin_call (self);
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
        result->status);
    co_stack_embed (stack, work, work->input, work->rows.n);
    admit (self, &source, result->status);
    if (work->rows.n == 0)
      continue;
    key = input->key ? work->key : work->rows.x;
    value = input->value ? work->value : key;
    co_stack_forward (stack, work, self->state, self->stride, input->key || input->value ? &(CoSeparate) {
        key, value} : NULL, &answers);
    if (result->outputs)
      report (answers.tags, answers.n, result->outputs + n);
    n += answers.n;
  }
  if (!update_state)
    memcpy (self->state, self->spare, self->n_streams * self->stride);
  co_stream_end_call (before);
  return n;
}

gsize
co_stream_forward_step (CoStream * self, const float *x, float *y)
{
  CoResult result = {.y = y };

  g_return_val_if_fail (self != NULL && x != NULL && y != NULL, 0);
  g_return_val_if_fail (self->model->info.chunk_len == 1, 0);

  result.capacity = self->n_streams;
  return co_stream_forward_steps (self, &(CoInput) {
        .x = x}, 1, TRUE, &result);
}

gsize
co_stream_drain (CoStream * self, CoResult * result)
{
  const CoStack *stack;
  CoCall before;
  gsize n = 0;

  g_return_val_if_fail (self != NULL && result != NULL, 0);

  stack = &self->model->stack;
  if (co_stack_max_drained (stack) == 0)
    return 0;
  g_return_val_if_fail (result->y != NULL, 0);
  g_return_val_if_fail (result->capacity >= co_stream_max_outputs (self, 0), 0);
  before = co_stream_begin_call (self);
  for (guint s = 0; s < self->n_streams; s++) {
    guint64 position = co_stream_header (self, s)->position;
    CoAnswers answers = {
      .y = result->y + n * stack->n_outputs,
      .weights = result->weights ? result->weights +
          n * co_stack_weights_size (stack) : NULL,
      .tags = self->tags,
    };

    if (position == 0)
      continue;
    stack->mode->drain (stack, &self->work, self->state, self->stride, s,
        position - 1, &answers);
    if (result->outputs)
      report (answers.tags, answers.n, result->outputs + n);
    n += answers.n;
    if (stack->ends_at_drain)
      memset (self->state + s * self->stride, 0, self->stride);
  }
  co_stream_end_call (before);
  return n;
}
