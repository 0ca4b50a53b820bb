/* libcontinual: embedding, layers, norms and head
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/stack.h"
#include "stack/layer-state.h"
#include <string.h>

gsize
co_stack_state_offset (const CoStack * self, gsize layer)
{
  gsize offset = sizeof (CoStreamHeader);

  for (gsize l = 0; l < layer; l++)
    offset += co_layer_state_size (&self->layers[l]);
  return offset;
}

gsize
co_stack_state_size (const CoStack * self)
{
  return co_stack_state_offset (self, self->mode->n_stateful (self));
}

gboolean
co_stack_state_is_finite (const CoStack * self, const guint8 * states,
    gsize stride, guint n_streams)
{
  const gsize n_layers = self->mode->n_stateful (self);

  for (guint s = 0; s < n_streams; s++) {
    const guint8 *state = states + s * stride;

    if (((const CoStreamHeader *) state)->position > G_MAXINT64)
      return FALSE;
    for (gsize l = 0; l < n_layers; l++)
      if (!co_layer_state_is_finite (&self->layers[l],
              state + co_stack_state_offset (self, l)))
        return FALSE;
  }
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
  }
  return n;
}

guint64
co_stack_macs (const CoStack * self)
{
  return co_linear_macs (&self->embed, 1) + self->mode->macs (self) +
      co_linear_macs (&self->head, co_stack_n_positions (self));
}

void
co_stack_embed (const CoStack * self, CoWork * work, const float *x, gsize n)
{
  if (self->embed.w)
    co_linear (&self->embed, x, self->n_inputs, n, work->rows.x, self->d_model);
  else
    memcpy (work->rows.x, x, n * self->n_inputs * sizeof (float));
}

void
co_stack_forward (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, const CoSeparate * separate, CoAnswers * answers)
{
  const gsize E = self->d_model;

  for (gsize i = 0; self->positions && i < work->rows.n; i++)
    co_kernels->axpy (1, self->positions +
        work->rows.tags[i].position % self->n_positions * E,
        work->rows.x + i * E, E);
  self->mode->forward (self, work, states, stride, separate, answers);
}

void
co_stack_finish (const CoStack * self, float *x, gsize n, float *y)
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
