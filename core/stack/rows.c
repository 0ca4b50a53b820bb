/* libcontinual: row mode, in which each layer maps rows to rows
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * `deep` stacks, single layers with one query, recurrent and kernel kinds. A layer maps a row to at most one row, or the
 * last row of a chunk to all rows of the chunk. Every layer has a state. */
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
 * stream * @stride. */
static void
forward_layer (const CoLayer * self, CoWork * work, guint8 * states,
    gsize stride, const CoSeparate * separate,
    float *weights /* (rows, H, n_weights) or NULL */ )
{
  const CoAttention *attention = &self->attention;
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

  /* The attention of each row over the state of its stream */
  answered->n = 0;
  for (gsize i = 0; i < rows.n; i++) {
    const CoLayerState s =
        co_layer_state_open (self, states + rows.tags[i].stream * stride);
    const guint64 t = s.attention->taken;
    gsize n;

    if (len > 1) {
      s.positions[t % len] = rows.tags[i].position;
      if (!self->bare)
        memcpy (s.x + t % len * E, rows.x + i * E, E * sizeof (float));
    }
    n = attention->klass->step (attention, s.attention, work->p + i * width,
        work->context + answered->n * attention->out.n_in,
        weights ? weights + answered->n * n_weights : NULL, work->scratch);
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

  /* Output projection, residual, norms and feed-forward of all answered rows */
  finish_rows (self, work);
}

/* work->rows to outputs */
static void
append_answers (const CoStack * self, CoWork * work, CoAnswers * answers)
{
  const CoRows *rows = &work->rows;

  co_stack_finish (self, rows->x, rows->n,
      answers->y + answers->n * self->n_outputs);
  for (gsize i = 0; i < rows->n; i++)
    answers->tags[answers->n++] = rows->tags[i];
}

static void
forward (const CoStack * self, CoWork * work, guint8 * states, gsize stride,
    const CoSeparate * separate, CoAnswers * answers)
{
  float *weights = answers->weights ?
      answers->weights + answers->n * co_stack_weights_size (self) : NULL;

  for (gsize l = 0; l < self->n_layers; l++)
    forward_layer (&self->layers[l], work,
        states + co_stack_state_offset (self, l), stride, separate,
        l + 1 == self->n_layers ? weights : NULL);
  append_answers (self, work, answers);
}

static void
drain (const CoStack * self, CoWork * work, guint8 * states, gsize stride,
    guint stream, guint64 newest, CoAnswers * answers)
{
  const CoLayer *layer = &self->layers[0];
  const CoAttention *attention = &layer->attention;
  const CoLayerState s = co_layer_state_open (layer,
      states + co_stack_state_offset (self, 0) + stream * stride);
  const CoTag tag = {.stream = stream,.arrival = newest };
  gsize n = 0;

  g_assert (self->n_layers == 1);       /* vectors only wait in a bare kernel attention */
  work->answered.n = 0;
  if (attention->klass->drain)
    n = attention->klass->drain (attention, s.attention, work->context,
        work->scratch);
  append_from_ring (layer, work, &s, s.attention->taken, 0, n, &tag);
  finish_rows (layer, work);
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
