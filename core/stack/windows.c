/* libcontinual: window mode, in which each step recomputes the window above the first layer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * `retroactive`, and `single-output` with several layers. The attention of the first layer is updated: it alone has a state.
 * Its N outputs all change with every vector, so the layers above evaluate the whole window. In the last layer of
 * `single-output` only one position attends.
 *
 * A window is stored in the order of slots: position t of the stream is row t mod N. Attention does not depend on the
 * order of keys; only outputs and weights are put in the order of time. */
#include "stack/windows.h"
#include "stack/carry.h"
#include "stack/layer-state.h"
#include <string.h>

/* One projected row through the first layer: work->h (n, E). Returns n, or 0 while the window fills. */
static gsize
update_first_layer (const CoLayer * self, CoWork * work, guint8 * state,
    const float *p /* (proj_width) */ , const float *base /* (C) */ ,
    float *weights /* (H, N, n_weights) or NULL */ )
{
  const CoAttention *attention = &self->attention;
  const gsize E = attention->out.n_out, C = attention->n_carried;
  const gsize N = attention->sequence_len;
  const CoLayerState s = co_layer_state_open (self, state);
  gsize n;

  if (!self->bare)
    memcpy (s.x + s.attention->taken % N * C, base, C * sizeof (float));
  n = attention->klass->step_window (attention, s.attention, p,
      self->bare ? base : s.x, self->bare ? 0 : C, work->a, weights,
      work->scratch);
  if (n < N && !attention->partial)
    return 0;
  if (self->carry.input.w) {
    co_carry_features (self, work, n, work->h);
    co_layer_finish_feed_forward (self, work, work->h, n);
  } else {
    memcpy (work->h, work->a, n * E * sizeof (float));
    co_layer_finish (self, work, work->h, self->bare ? work->a : NULL, NULL, n);
  }
  return n;
}

/* The window in work->h (n, E) through a layer above the first, in place */
static void
forward_window (const CoLayer * self, CoWork * work, gsize n,
    float *weights /* (H, n, n_weights) or NULL */ )
{
  const float *u = co_layer_attention_input (self, work->h, n, work->u);

  co_attention_window (&self->attention, u, n, work->a, weights, work->scratch);
  co_layer_finish (self, work, work->h, work->a, NULL, n);
}

/* The same where only the position in slot @slot attends; its output is work->h (1, E) */
static void
forward_query (const CoLayer * self, CoWork * work, gsize n, gsize slot,
    float *weights /* (H, n_weights) or NULL */ )
{
  const gsize E = self->attention.q.n_in;
  const float *u = co_layer_attention_input (self, work->h, n, work->u);

  co_attention_window_query (&self->attention, u, n, slot, work->a, weights,
      work->scratch);
  if (!self->bare)
    memmove (work->h, work->h + slot * E, E * sizeof (float));
  co_layer_finish (self, work, work->h, work->a, NULL, 1);
}

/* work->a = work->h (n, width) in the order of time */
static void
order_positions (CoWork * work, gsize n, gsize newest, gsize width)
{
  const gsize oldest = (newest + 1) % n;

  memcpy (work->a, work->h + oldest * width,
      (n - oldest) * width * sizeof (float));
  memcpy (work->a + (n - oldest) * width, work->h,
      oldest * width * sizeof (float));
}

/* Puts weights (H, n_queries, n keys, then the fixed ones) in the order of time. Several queries are in the order of slots,
 * as keys are. The keys of a window that is not full are written at the end. */
static void
order_weights (const CoAttention * attention, float *weights, gsize n,
    gsize n_queries, gsize newest, float *scratch)
{
  const gsize N = attention->sequence_len, x = attention->n_fixed;
  const gsize oldest = (newest + 1) % n;

  memcpy (scratch, weights,
      attention->n_heads * n_queries * (n + x) * sizeof (float));
  for (gsize h = 0; h < attention->n_heads; h++)
    for (gsize i = 0; i < n_queries; i++) {
      const gsize query = n_queries > 1 ? (oldest + i) % n : 0;
      const float *from = scratch + (h * n_queries + query) * (n + x);
      float *to = weights + (h * n_queries + i) * (N + x);

      memset (to, 0, (N - n) * sizeof (float));
      for (gsize j = 0; j < n; j++)
        to[N - n + j] = from[(oldest + j) % n];
      memcpy (to + N, from + n, x * sizeof (float));
    }
}

static void
forward (const CoStack * self, CoWork * work, guint8 * states, gsize stride,
    const CoSeparate * separate, CoAnswers * answers)
{
  const CoLayer *first = &self->layers[0];
  const CoLayer *last = &self->layers[self->n_layers - 1];
  const gsize E = self->d_model, N = first->attention.sequence_len;
  const gsize C = first->attention.n_carried, L = self->n_layers;
  const gsize width = co_attention_proj_width (&first->attention);
  const CoRows rows = work->rows;
  const float *u = co_layer_attention_input (first, rows.x, rows.n, work->u);
  gsize n_single = 0;

  /* Queries, keys, values and bases of all rows: one product each */
  co_attention_project (&first->attention, u, separate ? separate->key : u,
      separate ? separate->value : u, rows.n, work->p);
  co_carry_base (first, rows.x, rows.n, work->u, work->base);

  for (gsize i = 0; i < rows.n; i++) {
    guint8 *state = states + co_stack_state_offset (self, 0) +
        rows.tags[i].stream * stride;
    const gsize newest = ((CoStateHeader *) state)->taken % N;
    float *weights = answers->weights ?
        answers->weights + answers->n * co_stack_weights_size (self) : NULL;
    CoTag *tag = &answers->tags[answers->n];
    gsize n;

    /* The layers */
    n = update_first_layer (first, work, state, work->p + i * width,
        work->base + i * C, L == 1 ? weights : NULL);
    if (n == 0)
      continue;
    for (gsize l = 1; l + 1 < L; l++)
      forward_window (&self->layers[l], work, n, NULL);
    if (L > 1 && self->all_positions)
      forward_window (last, work, n, weights);
    else if (L > 1)
      forward_query (last, work, n, (newest + n - self->query_back) % n,
          weights);

    /* The output: all positions, or the row of the one that attends */
    if (weights && L > 1)
      order_weights (&last->attention, weights, n, co_stack_n_positions (self),
          newest, work->scratch);
    *tag = rows.tags[i];
    if (self->all_positions) {
      order_positions (work, N, newest, first->attention.out.n_out);
      co_stack_finish (self, work->a, N,
          answers->y + answers->n * N * self->n_outputs);
    } else {
      tag->position -= self->query_back;
      /* Later rows are still needed; the memory of earlier ones is free. */
      memcpy (rows.x + n_single++ * E, work->h, E * sizeof (float));
    }
    answers->n++;
  }

  /* Norms and head of all single positions: one product */
  if (n_single > 0)
    co_stack_finish (self, rows.x, n_single,
        answers->y + (answers->n - n_single) * self->n_outputs);
}

static gsize
n_stateful (const CoStack * self)
{
  return 1;
}

static guint64
macs (const CoStack * self)
{
  guint64 sum = 0;

  for (gsize l = 0; l < self->n_layers; l++) {
    const CoLayer *layer = &self->layers[l];
    const CoAttention *a = &layer->attention;
    const guint64 N = a->sequence_len;
    const gboolean query = l + 1 == self->n_layers && !self->all_positions;
    const guint64 projected = l > 0 && !query ? N : 1;
    const guint64 rows = query ? 1 : N;

    sum += co_linear_macs (&a->q, projected);
    sum += co_linear_macs (&a->k, projected) + co_linear_macs (&a->v, projected);
    if (l == 0)
      sum += a->klass->macs (a);
    else if (query)
      sum += co_linear_macs (&a->out, 1) + 2 * a->n_heads * N * a->k.n_in;
    else
      sum += co_linear_macs (&a->out, N) + N * N * (a->k.n_out + a->v.n_out);
    sum += co_linear_macs (&layer->linear1, layer->carry.input.w ? 1 : rows) +
        co_linear_macs (&layer->linear2, rows);
  }
  return sum;
}

const CoMode co_window_mode = {
  .name = "windows",
  .n_stateful = n_stateful,
  .macs = macs,
  .forward = forward,
};
