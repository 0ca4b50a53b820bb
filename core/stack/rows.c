/* libcontinual: row mode, in which each layer maps rows to rows
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * `deep` stacks, single layers with one query, recurrent and kernel kinds. A layer maps a row to at most one row, or the
 * last row of a chunk to all rows of the chunk. Every layer has a state.
 *
 * A single layer may have a query row of its own: the class token, or the vector with the position that it has when it is
 * answered. Its keys and values are then cached from the rows without that position. */
#include "stack/rows.h"
#include "math/team.h"
#include "stack/layer-state.h"
#include <string.h>

/* Writes rows to work->answered from @at on for the @n vectors that were answered now: their residuals and their positions.
 * @taken vectors are in the ring; the newest of the answered ones is @back vectors older than the newest in the ring. */
static void
copy_from_ring (const CoLayer * self, CoWork * work,
    const CoLayerState * state, guint64 taken, gsize back, gsize at, gsize n,
    const CoTag * tag)
{
  const gsize len = co_layer_state_ring_len (self);
  const gsize E = self->bare ? 0 : self->attention.q.n_in;
  CoRows *answered = &work->answered;

  for (gsize i = 0; i < n; i++, at++) {
    const gsize slot = (taken - 1 - back - (n - 1 - i)) % len;

    memcpy (answered->x + at * E, state->x + slot * E, E * sizeof (float));
    answered->tags[at] = *tag;
    answered->tags[at].position = state->positions[slot];
  }
}

/* Moves row @from of work->answered, its context and its weights to @to, which is before it. */
static void
move_row (CoWork * work, gsize from, gsize to, gsize width,
    gsize context_width, float *weights /* or NULL */ , gsize n_weights)
{
  CoRows *rows = &work->answered;

  rows->tags[to] = rows->tags[from];
  memcpy (rows->x + to * width, rows->x + from * width, width * sizeof (float));
  memcpy (work->context + to * context_width,
      work->context + from * context_width, context_width * sizeof (float));
  if (weights)
    memcpy (weights + to * n_weights, weights + from * n_weights,
        n_weights * sizeof (float));
}

/* Removes the rows of work->answered, and their contexts, that answer-interval leaves out. */
static void
keep_answers (const CoStack * self, CoWork * work, gsize context_width,
    gsize n_weights, float *weights /* (rows, n_weights) or NULL */ )
{
  CoRows *rows = &work->answered;
  const gsize E = self->layers[0].bare ? 0 : self->layers[0].attention.q.n_in;
  gsize kept = 0;

  for (gsize i = 0; i < rows->n; i++) {
    if (!co_stack_answers (self, work, rows->tags[i].position))
      continue;
    if (kept < i)
      move_row (work, i, kept, E, context_width, weights, n_weights);
    kept++;
  }
  rows->n = kept;
}

/* The contexts of the rows in work->answered to the layer's output in work->rows */
static void
finish_rows (const CoLayer * self, CoWork * work)
{
  const CoRows rows = work->answered;
  const CoLinear *out = &self->attention.out;

  co_linear (out, work->context, out->n_in, rows.n, work->a, out->n_out);
  co_layer_finish (self, work, rows.x, work->a, rows.tags, rows.n);
  work->answered = work->rows;
  work->rows = rows;
}

/* One more than the largest stream of a row */
static gsize
count_streams (const CoRows * rows)
{
  gsize n = 1;

  for (gsize i = 0; i < rows->n; i++)
    n = MAX (n, (gsize) rows->tags[i].stream + 1);
  return n;
}

/* The attention of a layer for rows of several streams */
typedef struct
{
  const CoStack *stack;
  const CoLayer *layer;
  CoWork *work;
  guint8 *states;
  gsize stride;
  float *weights;               /* (rows, H, n_weights) or NULL */
  gsize scratch_size;           /* floats of a thread */
} Attending;

/* Takes row @i, whose answers are rows of work->answered from @at on. Returns their number. */
static gsize
attend_row (const Attending * a, gsize i, gsize at, guint thread)
{
  const CoLayer *self = a->layer;
  const CoAttention *attention = &self->attention;
  const CoRows *rows = &a->work->rows;
  const CoTag *tag = &rows->tags[i];
  CoRows *answered = &a->work->answered;
  const gboolean last = self == &a->stack->layers[a->stack->n_layers - 1];
  const gsize E = attention->q.n_in, len = co_layer_state_ring_len (self);
  const gsize n_weights = attention->n_heads * co_attention_n_weights (attention);
  const CoLayerState s = co_layer_state_open (self, a->states + tag->stream * a->stride);
  const guint64 t = s.attention->taken;
  const guint64 answered_position = tag->position -
      (a->stack->pool == CO_POOL_NONE ? attention->query_back : 0);
  const gboolean skips = last && co_attention_max_answers (attention) == 1
      && !co_stack_answers (a->stack, a->work, answered_position);
  gsize n;

  if (len > 1) {
    s.positions[t % len] = tag->position;
    if (!self->bare)
      memcpy (s.x + t % len * E, rows->x + i * E, E * sizeof (float));
  }
  n = attention->klass->step (attention, s.attention,
      a->work->p + i * co_attention_proj_width (attention),
      skips ? NULL : a->work->context + at * attention->out.n_in,
      a->weights ? a->weights + at * n_weights : NULL, a->work->scratch + thread * a->scratch_size);
  if (skips)
    return 0;
  if (len > 1) {
    copy_from_ring (self, a->work, &s, t + 1, attention->query_back, at, n, tag);
  } else if (n > 0) {
    if (!self->bare)
      memcpy (answered->x + at * E, rows->x + i * E, E * sizeof (float));
    answered->tags[at] = *tag;
  }
  return n;
}

/* The stream of a row that is not answered */
#define NO_STREAM G_MAXUINT

/* The rows of streams @begin to @end - 1, each answered by at most one: a row's answer has the row's index. */
static void
attend_streams (gconstpointer data, guint thread, gsize begin, gsize end)
{
  const Attending *a = data;
  const CoRows *rows = &a->work->rows;

  for (gsize i = 0; i < rows->n; i++)
    if (rows->tags[i].stream >= begin && rows->tags[i].stream < end
        && attend_row (a, i, i, thread) == 0)
      a->work->answered.tags[i].stream = NO_STREAM;
}

/* Removes rows that are not answered from work->answered, their contexts and weights. */
static void
close_gaps (const Attending * a)
{
  const CoAttention *attention = &a->layer->attention;
  const gsize E = a->layer->bare ? 0 : attention->q.n_in;
  const gsize n_weights = attention->n_heads * co_attention_n_weights (attention);
  CoRows *rows = &a->work->answered;
  gsize kept = 0;

  for (gsize i = 0; i < a->work->rows.n; i++) {
    if (rows->tags[i].stream == NO_STREAM)
      continue;
    if (kept < i)
      move_row (a->work, i, kept, E, attention->out.n_in, a->weights, n_weights);
    kept++;
  }
  rows->n = kept;
}

/* work->rows through one layer, in place. Each row belongs to the stream of its tag, whose state is at @states +
 * stream * @stride. @end: NULL, or the tag of a stream that ends after these rows: the vectors that still wait are answered. */
static void
forward_layer (const CoStack * stack, gsize l, CoWork * work, guint8 * states,
    gsize stride, const CoSeparate * separate, const CoTag * end,
    float *weights /* (rows, H, n_weights) or NULL */ )
{
  const CoLayer *self = &stack->layers[l];
  const CoAttention *attention = &self->attention;
  const gboolean last = l + 1 == stack->n_layers;
  const gsize width = co_attention_proj_width (attention);
  const gsize n_weights =
      attention->n_heads * co_attention_n_weights (attention);
  const CoRows rows = work->rows;
  const float *u = co_layer_attention_input (self, rows.x, rows.n, work->u);
  const Attending attending = { stack, self, work, states, stride, weights,
    co_attention_scratch_size (attention)
  };
  CoRows *answered = &work->answered;

  /* Queries, keys and values of all rows: one product */
  co_attention_project (attention, u, separate ? separate->key : u,
      separate ? separate->value : u, rows.n, work->p);
  for (gsize i = 0; co_attention_prepares (attention) && i < rows.n; i++)
    co_attention_prepare (attention, work->p + i * width, rows.tags[i].position,
        work->angles);

  /* The attention of each row over the state of its stream */
  answered->n = 0;
  if (co_attention_max_answers (attention) == 1 && rows.n > 1) {
    const gsize n_streams = count_streams (&rows);
    const guint64 macs = attention->klass->macs (attention) - co_linear_macs (&attention->out, 1);

    co_team_run (attend_streams, &attending, n_streams, co_team_least (macs * rows.n / n_streams));
    close_gaps (&attending);
  } else {
    for (gsize i = 0; i < rows.n; i++)
      answered->n += attend_row (&attending, i, answered->n, 0);
  }

  if (end && attention->klass->drain) {
    const CoLayerState s =
        co_layer_state_open (self, states + end->stream * stride);
    const gsize n = attention->klass->drain (attention, s.attention,
        work->context + answered->n * attention->out.n_in,
        weights ? weights + answered->n * n_weights : NULL, work->scratch);

    copy_from_ring (self, work, &s, s.attention->taken, 0, answered->n, n, end);
    answered->n += n;
  }

  /* Output projection, residual, norms and feed-forward of all answered rows */
  if (last && (end || co_attention_max_answers (attention) > 1))
    keep_answers (stack, work, attention->out.n_in, n_weights, weights);
  finish_rows (self, work);
}

/* work->rows to outputs */
static void
append_answers (const CoStack * self, CoWork * work, CoAnswers * answers)
{
  const CoRows *rows = &work->rows;

  co_stack_finish (self, work, rows->x, self->layers[0].attention.out.n_out,
      rows->n, answers->y + answers->n * self->n_outputs);
  for (gsize i = 0; i < rows->n; i++, answers->n++) {
    answers->tags[answers->n] = rows->tags[i];
    if (self->pool != CO_POOL_NONE)     /* has the newest vector's time */
      answers->tags[answers->n].position = rows->tags[i].arrival;
  }
}

static gboolean
has_query_rows (const CoStack * self)
{
  return co_stack_answers_class_token (self) || self->window_positions;
}

/* work->rows become the query rows; their keys and values are projected from work->key. */
static void
set_query_rows (const CoStack * self, CoWork * work)
{
  const CoLayer *layer = &self->layers[0];
  const CoAttention *attention = &layer->attention;
  const gsize E = self->d_model, N = attention->sequence_len;
  CoRows *rows = &work->rows;

  if (self->window_positions && attention->table->centred)
    co_centre_rows (layer->norm1.rms, rows->x, rows->n, E, work->key);
  else if (!self->window_positions && layer->norm_first)
    co_norm (&layer->norm1, rows->x, E, rows->n, work->key, NULL);
  else
    memcpy (work->key, rows->x, rows->n * E * sizeof (float));
  for (gsize i = 0; i < rows->n; i++) {
    float *x = rows->x + i * E;

    if (co_stack_answers_class_token (self)) {
      memcpy (x, self->class_row, E * sizeof (float));
    } else {
      const gsize full = N - 1 - attention->query_back;
      const gsize at = attention->partial ? MIN (rows->tags[i].position, full)
          : full;

      co_kernels->axpy (1, self->positions + at * E, x, E);
    }
  }
}

static void
forward (const CoStack * self, CoWork * work, guint8 * states, gsize stride,
    const CoSeparate * separate, CoAnswers * answers)
{
  const CoSeparate queried = { work->key, work->key };
  float *weights = answers->weights ?
      answers->weights + answers->n * co_stack_weights_size (self) : NULL;

  if (has_query_rows (self)) {
    set_query_rows (self, work);
    separate = &queried;
  }
  for (gsize l = 0; l < self->n_layers; l++)
    forward_layer (self, l, work, states + self->layers[l].state_offset,
        stride, separate, NULL, l + 1 == self->n_layers ? weights : NULL);
  append_answers (self, work, answers);
}

static void
drain (const CoStack * self, CoWork * work, guint8 * states, gsize stride,
    guint stream, guint64 newest, CoAnswers * answers)
{
  const CoTag end = {.stream = stream,.arrival = newest };
  float *weights = answers->weights ?
      answers->weights + answers->n * co_stack_weights_size (self) : NULL;

  work->rows.n = 0;
  for (gsize l = 0; l < self->n_layers; l++)
    forward_layer (self, l, work, states + self->layers[l].state_offset,
        stride, NULL, &end, l + 1 == self->n_layers ? weights : NULL);
  append_answers (self, work, answers);
}

static gsize
n_stateful (const CoStack * self)
{
  return self->n_layers;
}

static guint64
macs (const CoStack * self)
{
  guint64 sum = 0;

  for (gsize l = 0; l < self->n_layers; l++) {
    const CoLayer *layer = &self->layers[l];
    const CoAttention *a = &layer->attention;

    sum += co_linear_macs (&a->q, 1) + co_linear_macs (&a->k, 1) +
        co_linear_macs (&a->v, 1) + a->klass->macs (a) +
        co_linear_macs (&layer->cross.q, 1) +
        co_linear_macs (&layer->cross.out, 1) +
        co_linear_macs (&layer->linear1, 1) +
        co_linear_macs (&layer->linear2, 1);
  }
  return sum;
}

const CoMode co_row_mode = {
  .name = "rows",
  .n_stateful = n_stateful,
  .macs = macs,
  .forward = forward,
  .drain = drain,
};
