/* libcontinual: embedding, layers, norm and head
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/stack.h"
#include <string.h>

static gsize
layer_offset (const CoStack * self, gsize layer)
{
  gsize offset = 0;

  for (gsize l = 0; l < layer; l++)
    offset += co_layer_state_size (&self->layers[l]);
  return offset;
}

/* Layers above a retroactive one evaluate whole windows and keep nothing. */
static gboolean
has_windows (const CoStack * self)
{
  return self->layers[0].attention.klass->step_window != NULL;
}

gsize
co_stack_state_size (const CoStack * self)
{
  return layer_offset (self, has_windows (self) ? 1 : self->n_layers);
}

gboolean
co_stack_state_is_finite (const CoStack * self, const guint8 * states,
    gsize stride, guint n_streams)
{
  gsize n_layers = has_windows (self) ? 1 : self->n_layers;

  for (guint s = 0; s < n_streams; s++)
    for (gsize l = 0; l < n_layers; l++)
      if (!co_layer_state_is_finite (&self->layers[l],
              states + s * stride + layer_offset (self, l)))
        return FALSE;
  return TRUE;
}

gsize
co_stack_n_positions (const CoStack * self)
{
  return self->all_positions ? self->layers[0].attention.sequence_len : 1;
}

gsize
co_stack_max_answers (const CoStack * self)
{
  gsize n = 1;

  for (gsize l = 0; l < self->n_layers; l++)
    n = MAX (n, co_attention_max_answers (&self->layers[l].attention));
  return n;
}

static void
add_position (const CoStack * self, float *x /* (E) */ , guint64 position)
{
  if (self->positions)
    co_kernels->axpy (1,
        self->positions + position % self->n_positions * self->d_model, x,
        self->d_model);
}

void
co_stack_embed (const CoStack * self, CoWork * work, const float *x, gsize n)
{
  if (self->embed.w)
    co_linear (&self->embed, x, self->n_inputs, n, work->rows.x, self->d_model);
  else
    memcpy (work->rows.x, x, n * self->n_inputs * sizeof (float));
}

/* Norms and head: x is spent. */
static void
finish (const CoStack * self, float *x /* (n, E) */ , gsize n,
    float *y /* (n, D) */ )
{
  if (self->encoder_norm.gain)
    co_norm (&self->encoder_norm, x, self->encoder_norm.n, n, x, NULL);
  if (self->norm.gain)
    co_norm (&self->norm, x, self->norm.n, n, x, NULL);
  if (self->head.w)
    co_linear (&self->head, x, self->head.n_in, n, y, self->n_outputs);
  else
    memcpy (y, x, n * self->n_outputs * sizeof (float));
}

static gsize
weights_size (const CoStack * self)
{
  const CoAttention *last = &self->layers[self->n_layers - 1].attention;

  return last->n_heads * co_stack_n_positions (self) *
      co_attention_n_weights (last);
}

/* The slot of the position that asks, with the newest in slot @newest of @n. */
static gsize
query_slot (const CoStack * self, gsize newest, gsize n)
{
  return (newest + n - self->query_back) % n;
}

/* The layers above the first over the window in work->h; what asks comes out there, all positions in the order of
 * slots. */
static void
forward_window (const CoStack * self, CoWork * work, gsize n, gsize newest,
    float *weights)
{
  for (gsize l = 1; l < self->n_layers; l++) {
    gboolean last = l + 1 == self->n_layers;

    if (last && !self->all_positions)
      co_layer_forward_window_query (&self->layers[l], work, n,
          query_slot (self, newest, n), weights);
    else
      co_layer_forward_window (&self->layers[l], work, n,
          last ? weights : NULL);
  }
}

/* work->a = work->h in the order of time */
static void
order_positions (CoWork * work, gsize n, gsize newest, gsize width)
{
  gsize oldest = (newest + 1) % n;

  memcpy (work->a, work->h + oldest * width,
      (n - oldest) * width * sizeof (float));
  memcpy (work->a + (n - oldest) * width, work->h,
      oldest * width * sizeof (float));
}

/* The same for weights (H, n_queries, n keys and the fixed ones), whose queries, if there are several, and keys
 * stand in the order of slots; of a window that is not full the keys go to its end. */
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
      gsize query = n_queries > 1 ? (oldest + i) % n : 0;
      const float *from = scratch + (h * n_queries + query) * (n + x);
      float *to = weights + (h * n_queries + i) * (N + x);

      memset (to, 0, (N - n) * sizeof (float));
      for (gsize j = 0; j < n; j++)
        to[N - n + j] = from[(oldest + j) % n];
      memcpy (to + N, from + n, x * sizeof (float));
    }
}

static void
answer_windows (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, const CoSeparate * separate, CoAnswers * answers)
{
  const CoLayer *first = &self->layers[0];
  const CoLayer *last = &self->layers[self->n_layers - 1];
  const gsize E = self->d_model, N = first->attention.sequence_len;
  const gsize C = first->attention.n_carried;
  const gsize width = co_attention_proj_width (&first->attention);
  const gsize positions = co_stack_n_positions (self);
  const CoRows rows = work->rows;
  const float *u = co_layer_attention_input (first, rows.x, rows.n, work->u);
  gsize n_single = 0;

  co_attention_project (&first->attention, u, separate ? separate->key : u,
      separate ? separate->value : u, rows.n, work->p);
  co_carry_begin (first, rows.x, rows.n, work->u, work->base);
  for (gsize i = 0; i < rows.n; i++) {
    guint8 *state = states + rows.tags[i].stream * stride;
    gsize newest = *(guint64 *) state % N, n;
    float *weights = answers->weights ?
        answers->weights + answers->n * weights_size (self) : NULL;

    n = co_layer_step_window (first, work, state, work->p + i * width,
        work->base + i * C, self->n_layers == 1 ? weights : NULL);
    if (n == 0)
      continue;
    forward_window (self, work, n, newest, weights);
    if (weights && self->n_layers > 1)
      order_weights (&last->attention, weights, n, positions, newest,
          work->scratch);
    answers->tags[answers->n] = rows.tags[i];
    if (self->all_positions) {
      order_positions (work, N, newest, self->layers[0].attention.out.n_out);
      finish (self, work->a, N, answers->y + answers->n * N * self->n_outputs);
    } else {
      answers->tags[answers->n].position -= self->query_back;
      /* Rows behind this one are still to come, rows before it are spent. */
      memcpy (rows.x + n_single++ * E, work->h, E * sizeof (float));
    }
    answers->n++;
  }
  if (n_single > 0)
    finish (self, rows.x, n_single,
        answers->y + (answers->n - n_single) * self->n_outputs);
}

static void
answer_rows (const CoStack * self, CoWork * work, CoAnswers * answers)
{
  const CoRows *rows = &work->rows;

  finish (self, rows->x, rows->n, answers->y + answers->n * self->n_outputs);
  for (gsize i = 0; i < rows->n; i++)
    answers->tags[answers->n++] = rows->tags[i];
}

void
co_stack_forward_rows (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, const CoSeparate * separate, CoAnswers * answers)
{
  for (gsize i = 0; i < work->rows.n; i++)
    add_position (self, work->rows.x + i * self->d_model,
        work->rows.tags[i].position);
  if (has_windows (self)) {
    answer_windows (self, work, states, stride, separate, answers);
    return;
  }
  for (gsize l = 0; l < self->n_layers; l++) {
    gboolean last = l + 1 == self->n_layers;
    co_layer_forward_rows (&self->layers[l], work,
        states + layer_offset (self, l), stride, separate,
        last && answers->weights ?
        answers->weights + answers->n * weights_size (self) : NULL);
  }
  answer_rows (self, work, answers);
}

void
co_stack_drain (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, guint stream, guint64 newest, CoAnswers * answers)
{
  g_assert (self->n_layers == 1);       /* only bare attentions have something to drain */
  co_layer_drain (&self->layers[0], work, states, stride, stream, newest);
  answer_rows (self, work, answers);
}

gsize
co_work_lay_out (CoWork * work, const CoStack * stack, gsize max_rows,
    guint8 * memory)
{
  gsize E = MAX (stack->n_inputs, stack->n_outputs), proj = 0, context = 0;
  gsize ff = 0, scratch = 0, N = 0, key = 0, value = 0, carried = 0, bytes = 0;
  gsize rows;

  for (gsize l = 0; l < stack->n_layers; l++) {
    const CoLayer *layer = &stack->layers[l];
    const CoAttention *attention = &layer->attention;

    E = MAX (E, MAX (attention->q.n_in, attention->out.n_out));
    proj = MAX (proj, co_attention_proj_width (attention));
    context = MAX (context, attention->out.n_in);
    ff = MAX (ff, layer->linear1.n_out);
    scratch = MAX (scratch, co_attention_scratch_size (attention));
    if (layer->cross_class) {
      proj = MAX (proj, layer->cross.q.n_out);
      context = MAX (context, layer->cross.out.n_in);
    }
    if (attention->klass->window)
      N = MAX (N, attention->sequence_len);
    carried = MAX (carried, attention->n_carried);
    key = MAX (key, attention->k.n_in);
    value = MAX (value, attention->v.n_in);
  }
  rows = max_rows * co_stack_max_answers (stack);
  rows = MAX (rows, N);

#define RESERVE(member, type, count) G_STMT_START {                   \
    if (memory)                                                         \
      member = (type *) (memory + bytes);                               \
    bytes += CO_ALIGN_BYTES ((count) * sizeof (type));                  \
  } G_STMT_END
  RESERVE (work->rows.x, float, rows * E);
  RESERVE (work->rows.tags, CoTag, rows);
  RESERVE (work->answered.x, float, rows * E);
  RESERVE (work->answered.tags, CoTag, rows);
  RESERVE (work->input, float, max_rows * stack->n_inputs);
  RESERVE (work->key, float, max_rows * key);
  RESERVE (work->value, float, max_rows * value);
  RESERVE (work->u, float, rows * E);
  RESERVE (work->p, float, max_rows * co_stack_max_answers (stack) * proj);
  RESERVE (work->base, float, max_rows * carried);
  RESERVE (work->context, float, rows * context);
  RESERVE (work->a, float, MAX (rows * E, N * carried));
  RESERVE (work->ff, float, rows * ff);
  RESERVE (work->h, float, N * E);
  RESERVE (work->scratch, float, scratch);
#undef RESERVE
  return bytes;
}
