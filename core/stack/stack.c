/* libcontinual: embedding, layers, norms and head
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/stack.h"
#include "stack/layer-state.h"
#include <string.h>

void
co_stack_lay_out_state (CoStack * self)
{
  const gsize n_layers = self->mode->n_stateful (self);

  self->state_size = sizeof (CoStreamHeader);
  for (gsize l = 0; l < n_layers; l++) {
    self->layers[l].state_offset = self->state_size;
    self->state_size += co_layer_state_size (&self->layers[l]);
  }
}

gboolean
co_stack_state_is_sound (const CoStack * self, const guint8 * states,
    gsize stride, guint n_streams)
{
  const gsize n_layers = self->mode->n_stateful (self);

  for (guint s = 0; s < n_streams; s++) {
    const guint8 *state = states + s * stride;

    if (((const CoStreamHeader *) state)->position > G_MAXINT64)
      return FALSE;
    for (gsize l = 0; l < n_layers; l++)
      if (!co_layer_state_is_sound (&self->layers[l],
              state + self->layers[l].state_offset))
        return FALSE;
  }
  return TRUE;
}

CoScores
co_stack_get_scores (const CoStack * self)
{
  const CoChain *chain = self->after.n ? &self->after : &self->rows;
  const CoOp *op = chain->n ? &chain->ops[chain->n - 1] : NULL;

  if (op && op->klass == &co_op_softmax)
    return CO_SCORES_PROBABILITIES;
  if (op && op->klass == &co_op_activation
      && op->activation != CO_ACTIVATION_IDENTITY)
    return CO_SCORES_OTHER;
  return CO_SCORES_LOGITS;
}

void
co_stack_put_fixed (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, guint n_streams)
{
  const gsize n_layers = self->mode->n_stateful (self);

  for (guint s = 0; s < n_streams; s++)
    for (gsize l = 0; l < n_layers; l++)
      co_layer_state_put_fixed (&self->layers[l],
          states + s * stride + self->layers[l].state_offset, work->scratch);
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

gsize
co_stack_max_drained (const CoStack * self)
{
  return self->ends_at_drain ? self->query_back : co_stack_max_answers (self) - 1;
}

gsize
co_stack_weights_size (const CoStack * self)
{
  const CoAttention *last = &self->layers[self->n_layers - 1].attention;

  return last->n_heads * co_stack_n_positions (self) *
      co_attention_n_weights (last);
}

gsize
co_stack_warm_up (const CoStack * self)
{
  const gsize n_layers = self->mode->n_stateful (self);
  gsize n = 1;

  for (gsize l = 0; l < n_layers; l++) {
    const CoAttention *attention = &self->layers[l].attention;

    if (attention->sequence_len && !attention->partial)
      n += attention->sequence_len - 1;
    else
      n += attention->query_back;
  }
  return n;
}

gboolean
co_stack_answers (const CoStack * self, const CoWork * work, guint64 position)
{
  guint64 first;

  if (work->answer_interval == 1)
    return TRUE;
  first = co_stack_warm_up (self) - 1;
  if (self->pool == CO_POOL_NONE)
    first -= self->query_back;
  return (position - first) % work->answer_interval == 0;
}

guint64
co_stack_macs (const CoStack * self)
{
  const guint64 rows = self->layers[0].attention.sequence_len +
      self->layers[0].attention.n_class;

  return co_chain_macs (&self->before, 1) + self->mode->macs (self) +
      co_chain_macs (&self->rows, rows) +
      co_chain_macs (&self->after, co_stack_n_positions (self));
}

void
co_stack_embed (const CoStack * self, CoWork * work, const float *x, gsize n)
{
  co_chain_apply (&self->before, x, self->n_inputs, n, work->rows.x,
      work->chain);
}

void
co_stack_forward (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, const CoSeparate * separate, CoAnswers * answers)
{
  const gsize E = self->d_embed;
  CoRows *rows = &work->rows;

  if (!self->window_positions) {
    for (gsize i = 0; self->positions && i < rows->n; i++)
      co_kernels->axpy (1,
          self->positions + rows->tags[i].position % self->n_positions * E,
          rows->x + i * E, E);
    if (self->between.n) {
      float *x = work->answered.x;

      co_chain_apply (&self->between, rows->x, E, rows->n, x, work->chain);
      work->answered.x = rows->x;
      rows->x = x;
    }
  }
  self->mode->forward (self, work, states, stride, separate, answers);
}

void
co_stack_finish (const CoStack * self, CoWork * work, const float *x,
    gsize width, gsize n, float *y)
{
  co_chain_apply (&self->after, x, width, n, y, work->chain);
}

gsize
co_work_lay_out (CoWork * work, const CoStack * stack, gsize max_rows,
    guint8 * memory)
{
  const CoAttention *first = &stack->layers[0].attention;
  /* Rows of a window, in window mode */
  const gsize N = first->klass->whole_window ? first->sequence_len +
      first->n_class : 0;
  gsize E = MAX (stack->n_inputs, stack->n_outputs), proj = 0, context = 0;
  gsize ff = 0, scratch = 0, key = 0, value = 0, carried = 0, angles = 0;
  gsize rows, most, widest, bytes = 0;

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
    carried = MAX (carried, attention->n_carried);
    angles = MAX (angles, attention->rotary ? attention->rotary->n : 0);
    key = MAX (key, attention->k.n_in);
    value = MAX (value, attention->v.n_in);
  }
  /* A drained vector may pass through all layers behind the one that it waited for. */
  max_rows = MAX (max_rows, co_stack_max_drained (stack));
  E = MAX (E, MAX (stack->d_model, stack->d_embed));
  widest = MAX (co_chain_widest (&stack->before, stack->n_inputs),
      co_chain_widest (&stack->between, stack->d_embed));
  widest = MAX (widest, co_chain_widest (&stack->rows, E));
  widest = MAX (widest, co_chain_widest (&stack->after,
          co_chain_n_out (&stack->rows, E)));
  if (((double) max_rows * co_stack_max_answers (stack) + N) *
      ((double) E + proj + context + ff + key + value + carried + widest +
          sizeof (CoTag)) > (double) (G_MAXSSIZE / 64))
    return G_MAXSIZE;
  work->scratch_size = scratch;
  rows = max_rows * co_stack_max_answers (stack);
  most = MAX (rows, N);

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
  RESERVE (work->u, float, most * E);
  RESERVE (work->p, float, rows * proj);
  RESERVE (work->base, float, max_rows * carried);
  RESERVE (work->context, float, N ? 0 : rows * context);
  RESERVE (work->a, float, MAX (most * E, N * carried));
  RESERVE (work->ff, float, most * ff);
  RESERVE (work->h, float, N * E);
  RESERVE (work->angles, float, angles);
  RESERVE (work->pooled, float, N ? max_rows * widest : 0);
  RESERVE (work->chain, float, 2 * most * widest);
  RESERVE (work->scratch, float, scratch);
#undef RESERVE
  return bytes;
}
