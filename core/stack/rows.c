/* libcontinual: row mode, in which each layer maps rows to rows
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * `deep` stacks, single layers with one query, recurrent and kernel kinds. A layer maps a row to at most one row, or the
 * last row of a chunk to all rows of the chunk. Every layer has a state.
 *
 * A single layer may have a query row of its own: the class token, or the vector with the position that it has when it is
 * answered. Its keys and values are then cached from the rows without that position. */
#include "stack/rows.h"
#include "stack/layer-state.h"
#include <string.h>

/* Appends rows to work->answered for the @n vectors that were answered now: their residuals and their positions. @taken
 * vectors are in the ring; the newest of the answered ones is @back vectors older than the newest in the ring. */
static void
append_from_ring (const CoLayer * self, CoWork * work,
    const CoLayerState * state, guint64 taken, gsize back, gsize n,
    const CoTag * tag)
{
  const gsize len = co_layer_state_ring_len (self);
  const gsize E = self->bare ? 0 : self->attention.q.n_in;
  CoRows *answered = &work->answered;

  for (gsize i = 0; i < n; i++, answered->n++) {
    const gsize slot = (taken - 1 - back - (n - 1 - i)) % len;

    memcpy (answered->x + answered->n * E, state->x + slot * E,
        E * sizeof (float));
    answered->tags[answered->n] = *tag;
    answered->tags[answered->n].position = state->positions[slot];
  }
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
    rows->tags[kept] = rows->tags[i];
    memmove (rows->x + kept * E, rows->x + i * E, E * sizeof (float));
    memmove (work->context + kept * context_width,
        work->context + i * context_width, context_width * sizeof (float));
    if (weights)
      memmove (weights + kept * n_weights, weights + i * n_weights,
          n_weights * sizeof (float));
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
  const gsize E = attention->q.n_in, len = co_layer_state_ring_len (self);
  const gsize width = co_attention_proj_width (attention);
  const gsize n_weights =
      attention->n_heads * co_attention_n_weights (attention);
  const CoRows rows = work->rows;
  const float *u = co_layer_attention_input (self, rows.x, rows.n, work->u);
  CoRows *answered = &work->answered;

  /* Queries, keys and values of all rows: one product */
  co_attention_project (attention, u, separate ? separate->key : u,
      separate ? separate->value : u, rows.n, work->p);
  for (gsize i = 0; co_attention_prepares (attention) && i < rows.n; i++)
    co_attention_prepare (attention, work->p + i * width, rows.tags[i].position,
        work->angles);

  /* The attention of each row over the state of its stream */
  answered->n = 0;
  for (gsize i = 0; i < rows.n; i++) {
    const CoLayerState s =
        co_layer_state_open (self, states + rows.tags[i].stream * stride);
    const guint64 t = s.attention->taken;
    const guint64 answered_position = rows.tags[i].position -
        (stack->pool == CO_POOL_NONE ? attention->query_back : 0);
    const gboolean skips = last && co_attention_max_answers (attention) == 1
        && !co_stack_answers (stack, work, answered_position);
    gsize n;

    if (len > 1) {
      s.positions[t % len] = rows.tags[i].position;
      if (!self->bare)
        memcpy (s.x + t % len * E, rows.x + i * E, E * sizeof (float));
    }
    n = attention->klass->step (attention, s.attention, work->p + i * width,
        skips ? NULL : work->context + answered->n * attention->out.n_in,
        weights ? weights + answered->n * n_weights : NULL, work->scratch);
    if (skips)
      continue;
    if (len > 1) {
      append_from_ring (self, work, &s, t + 1, attention->query_back, n,
          &rows.tags[i]);
    } else if (n > 0) {
      if (!self->bare)
        memcpy (answered->x + answered->n * E, rows.x + i * E,
            E * sizeof (float));
      answered->tags[answered->n++] = rows.tags[i];
    }
  }

  if (end && attention->klass->drain) {
    const CoLayerState s =
        co_layer_state_open (self, states + end->stream * stride);
    const gsize n = attention->klass->drain (attention, s.attention,
        work->context + answered->n * attention->out.n_in,
        weights ? weights + answered->n * n_weights : NULL, work->scratch);

    append_from_ring (self, work, &s, s.attention->taken, 0, n, end);
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
