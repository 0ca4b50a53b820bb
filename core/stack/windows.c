/* libcontinual: window mode, in which each step recomputes the window above the first layer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * `retroactive`; `single-output` with several layers; pools over all rows. The first layer alone has a state. Its attention is
 * updated (retroactive) or, where positions are counted in the window, attends with cached projections. All its outputs
 * change with every vector, so the layers above evaluate the whole window. Where one row is answered, only that row attends
 * in the last of several layers.
 *
 * A window is stored in the order of slots: position t of the stream is row t mod N, and the class token is the row after the
 * vectors. Attention does not depend on the order of keys; only outputs and weights are put in the order of time. */
#include "stack/windows.h"
#include "stack/carry.h"
#include "stack/layer-state.h"
#include <string.h>

/* ---- the first layer ---- */

/* Retroactive: one projected row updates the sums, from which work->h (n + n_class, E) follows. */
static void
update_first_layer (const CoStack * stack, CoWork * work, guint8 * state,
    const float *p /* (proj_width) */ , const float *base /* (C) */ ,
    gboolean answer, const CoWeights * weights /* or NULL */ )
{
  const CoLayer *self = &stack->layers[0];
  const CoAttention *attention = &self->attention;
  const gsize E = attention->out.n_out, C = attention->n_carried;
  const gsize N = attention->sequence_len;
  const CoLayerState s = co_layer_state_open (self, state);
  gsize n, rows;

  if (!self->bare)
    memcpy (s.x + s.attention->taken % N * C, base, C * sizeof (float));
  n = attention->klass->step_window (attention, s.attention, p,
      self->bare ? base : s.x, self->bare ? 0 : C, work->a, weights,
      work->scratch);
  rows = n + attention->n_class;
  if (!answer || (n < N && !attention->partial))
    return;
  if (self->carry.input.w) {
    co_carry_features (self, work, rows, work->h);
    co_layer_finish_feed_forward (self, work, work->h, rows);
  } else {
    memcpy (work->h, work->a, rows * E * sizeof (float));
    co_layer_finish (self, work, work->h, self->bare ? work->a : NULL, NULL,
        rows);
  }
}

/* Positions that are counted in the window: one row @x, and its projections @p, enter the rings; then all rows, with the
 * positions that they have now, go through the layer to work->h (n + n_class, E). */
static void
recompute_first_layer (const CoStack * stack, CoWork * work, guint8 * state,
    const float *x /* (d_embed) */ , const float *p /* (proj_width) or NULL */ ,
    gboolean answer, const CoWeights * weights /* or NULL */ )
{
  const CoLayer *self = &stack->layers[0];
  const CoAttention *attention = &self->attention;
  const gsize N = attention->sequence_len, D = stack->d_embed;
  const gsize E = stack->d_model;
  const CoLayerState s = co_layer_state_open (self, state);
  const gsize newest = s.attention->taken % N;
  const gsize n = MIN (s.attention->taken + 1, N), oldest = co_oldest_slot (newest, n);
  const gsize rows = n + attention->n_class;

  memcpy (s.x + newest * D, x, D * sizeof (float));
  co_cached_window_put (attention, s.attention, p);
  if (!answer || (n < N && !attention->partial))
    return;

  memcpy (work->u, s.x, n * D * sizeof (float));
  for (gsize j = 0; j < n; j++)
    co_kernels->axpy (1, stack->positions + (j + n - oldest) % n * D,
        work->u + j * D, D);
  co_chain_apply (&stack->between, work->u, D, n, work->h, work->chain);
  if (stack->class_row)
    memcpy (work->h + n * E, stack->class_row, E * sizeof (float));
  if (attention->table)
    co_cached_window_attend (attention, s.attention, n, oldest, work->a,
        weights, work->scratch);
  else
    co_attention_window (attention, co_layer_attention_input (self, work->h,
            rows, work->u), rows, oldest, work->a, weights, work->scratch);
  co_layer_finish (self, work, work->h, work->a, NULL, rows);
}

/* ---- the layers above ---- */

/* The rows of work->h (n, E) through a layer, in place */
static void
forward_window (const CoLayer * self, CoWork * work, gsize n, gsize oldest,
    const CoWeights * weights /* or NULL */ )
{
  const float *u = co_layer_attention_input (self, work->h, n, work->u);

  co_attention_window (&self->attention, u, n, oldest, work->a, weights,
      work->scratch);
  co_layer_finish (self, work, work->h, work->a, NULL, n);
}

/* The same where only row @row attends; its output is work->h (1, E) */
static void
forward_query (const CoLayer * self, CoWork * work, gsize n, gsize oldest,
    gsize row, float *weights /* (H, n + n_fixed) or NULL */ )
{
  const gsize E = self->attention.q.n_in;
  const float *u = co_layer_attention_input (self, work->h, n, work->u);

  co_attention_window_query (&self->attention, u, n, oldest, row, work->a,
      weights, work->scratch);
  memmove (work->h, work->h + row * E, E * sizeof (float));
  co_layer_finish (self, work, work->h, work->a, NULL, 1);
}

/* ---- the order of time ---- */

/* work->a = work->h (n, width) in the order of time */
static void
order_positions (CoWork * work, gsize n, gsize newest, gsize width)
{
  const gsize oldest = co_oldest_slot (newest, n);

  memcpy (work->a, work->h + oldest * width,
      (n - oldest) * width * sizeof (float));
  memcpy (work->a + (n - oldest) * width, work->h,
      oldest * width * sizeof (float));
}

/* Puts weights (H, n_queries, n keys, then class token and fixed keys) in the order of time. Several queries are in the order
 * of slots, as keys are, the class token last. The keys of a window that is not full are written at the end. */
static void
order_weights (const CoAttention * attention, float *weights, gsize n,
    gsize n_queries, gsize newest, float *scratch)
{
  const gsize N = attention->sequence_len;
  const gsize x = attention->n_fixed + attention->n_class;
  const gsize oldest = co_oldest_slot (newest, n);

  /* From the last head on: a window that is not full grows towards the end. */
  for (gsize h = attention->n_heads; h-- > 0;) {
    memcpy (scratch, weights + h * n_queries * (n + x),
        n_queries * (n + x) * sizeof (float));
    for (gsize i = 0; i < n_queries; i++) {
      const gsize query = n_queries == 1 || i == n ? i : (oldest + i) % n;
      const float *from = scratch + query * (n + x);
      float *to = weights + (h * n_queries + i) * (N + x);

      memset (to, 0, (N - n) * sizeof (float));
      for (gsize j = 0; j < n; j++)
        to[N - n + j] = from[(oldest + j) % n];
      memcpy (to + N, from + n, x * sizeof (float));
    }
  }
}

/* ---- the row that is answered ---- */

/* In the order of slots, of a pool that takes one row, or of query_index */
static gsize
answered_row (const CoStack * self, gsize n, gsize newest)
{
  if (co_stack_answers_class_token (self))
    return n;
  if (self->pool == CO_POOL_FIRST)
    return co_oldest_slot (newest, n);
  return (newest + n - self->query_back) % n;
}

static void
forward (const CoStack * self, CoWork * work, guint8 * states, gsize stride,
    const CoSeparate * separate, CoAnswers * answers)
{
  const CoLayer *first = &self->layers[0];
  const CoLayer *last = &self->layers[self->n_layers - 1];
  const CoAttention *attention = &first->attention;
  const gsize L = self->n_layers, N = attention->sequence_len;
  const gsize C = attention->n_carried, c = attention->n_class;
  const gsize width = co_attention_proj_width (attention);
  const gboolean reduces = co_pool_reduces (self->pool);
  const gboolean one_row = !self->all_positions && !reduces;
  const gsize pooled_width = co_chain_n_out (&self->rows,
      last->attention.out.n_out);
  const CoRows rows = work->rows;
  gsize n_pooled = 0;

  /* Queries, keys, values and bases of all rows: one product each */
  if (!self->window_positions) {
    const float *u = co_layer_attention_input (first, rows.x, rows.n, work->u);

    co_attention_project (attention, u, separate ? separate->key : u,
        separate ? separate->value : u, rows.n, work->p);
    for (gsize i = 0; co_attention_prepares (attention) && i < rows.n; i++)
      co_attention_prepare (attention, work->p + i * width,
          rows.tags[i].position, work->angles);
    co_carry_base (first, rows.x, rows.n, work->u, work->base);
  } else if (attention->table) {
    const float *u = rows.x;

    if (attention->table->centred) {
      co_centre_rows (first->norm1.rms, rows.x, rows.n, self->d_model, work->u);
      u = work->u;
    }
    co_attention_project (attention, u, u, u, rows.n, work->p);
  }

  for (gsize i = 0; i < rows.n; i++) {
    const guint64 position = rows.tags[i].position -
        (self->pool == CO_POOL_NONE ? self->query_back : 0);
    const gboolean answer = co_stack_answers (self, work, position);
    guint8 *state = states + first->state_offset +
        rows.tags[i].stream * stride;
    const gsize newest = ((CoStateHeader *) state)->taken % N;
    float *to = answers->weights && answer ? answers->weights +
        answers->n * co_stack_weights_size (self) : NULL;
    const gsize n = MIN (((CoStateHeader *) state)->taken + 1, N), m = n + c;
    const gsize oldest = co_oldest_slot (newest, n);
    const gsize row = one_row ? answered_row (self, n, newest) : 0;
    /* Of all rows, of those that the pool reduces to one, or of one */
    const CoWeights asked = {.to = to,.mean = !self->all_positions,.first =
          row,.end = reduces ? m : row + 1 };

    /* The layers */
    if (self->window_positions)
      recompute_first_layer (self, work, state, rows.x + i * self->d_embed,
          work->p + i * width, answer, to && L == 1 ? &asked : NULL);
    else
      update_first_layer (self, work, state, work->p + i * width,
          work->base + i * C, answer, to && L == 1 ? &asked : NULL);
    if (!answer || (n < N && !attention->partial))
      continue;
    for (gsize l = 1; l + 1 < L; l++)
      forward_window (&self->layers[l], work, m, oldest, NULL);
    if (L > 1 && one_row)
      forward_query (last, work, m, oldest, row, to);
    else if (L > 1)
      forward_window (last, work, m, oldest, to ? &asked : NULL);
    else if (one_row)
      memmove (work->h, work->h + row * last->attention.out.n_out,
          last->attention.out.n_out * sizeof (float));

    /* Its weights. Those of a retroactive first layer are in the order of time already. */
    if (to && (L > 1 || self->window_positions))
      order_weights (&last->attention, to, n, asked.mean ? 1 : m, newest,
          work->scratch);

    /* The output: all positions, the pooled row, or the row that attends */
    answers->tags[answers->n] = rows.tags[i];
    answers->tags[answers->n].position = position;
    if (self->all_positions) {
      order_positions (work, N, newest, attention->out.n_out);
      co_stack_finish (self, work, work->a, attention->out.n_out, N,
          answers->y + answers->n * N * self->n_outputs);
    } else if (reduces) {
      co_chain_apply (&self->rows, work->h, last->attention.out.n_out, m,
          work->a, work->chain);
      co_pool_reduce (self->pool, work->a, m, pooled_width,
          work->pooled + n_pooled++ * pooled_width);
    } else {
      memcpy (work->pooled + n_pooled++ * pooled_width, work->h,
          pooled_width * sizeof (float));
    }
    answers->n++;
  }

  /* What follows the pool, of all rows: one product each */
  if (n_pooled > 0)
    co_stack_finish (self, work, work->pooled, pooled_width, n_pooled,
        answers->y + (answers->n - n_pooled) * self->n_outputs);
}

static gsize
n_stateful (const CoStack * self)
{
  return 1;
}

static guint64
macs (const CoStack * self)
{
  const gboolean one_row =
      !self->all_positions && !co_pool_reduces (self->pool);
  guint64 sum = 0;

  for (gsize l = 0; l < self->n_layers; l++) {
    const CoLayer *layer = &self->layers[l];
    const CoAttention *a = &layer->attention;
    const guint64 N = a->sequence_len + a->n_class;
    const gboolean query = l > 0 && l + 1 == self->n_layers && one_row;
    const gboolean cached = l == 0 && (a->klass->step_window || a->table);
    const guint64 projected = query || cached ? 1 : N;
    const guint64 rows = query ? 1 : N;

    sum += co_linear_macs (&a->q, projected);
    sum += co_linear_macs (&a->k, projected) + co_linear_macs (&a->v, projected);
    if (query)
      sum += 2 * a->n_heads * N * a->k.n_in;
    else
      sum += a->klass->macs (a);
    if (!a->klass->step_window)
      sum += co_linear_macs (&a->out, rows);
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
