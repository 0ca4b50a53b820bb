/* libcontinual: what a step costs
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/stack.h"

static guint64
linear_macs (const CoLinear * self, guint64 rows)
{
  return rows * self->n_in * self->n_out;
}

guint64
co_stack_macs (const CoStack * self)
{
  guint64 macs = linear_macs (&self->embed, 1);
  guint64 n = co_stack_n_positions (self);

  for (gsize l = 0; l < self->n_layers; l++) {
    const CoLayer *layer = &self->layers[l];
    const CoAttention *a = &layer->attention;
    const guint64 N = a->sequence_len;
    gboolean last = l + 1 == self->n_layers;
    guint64 rows = 1;           /* that come out */

    if (l == 0 || !self->layers[0].attention.klass->step_window) {
      macs += linear_macs (&a->q, 1) + linear_macs (&a->k, 1) +
          linear_macs (&a->v, 1) + a->klass->macs (a);
      rows = a->klass->step_window ? N : 1;
    } else if (last && !self->all_positions) {
      macs += linear_macs (&a->q, 1) + linear_macs (&a->k, 1) +
          linear_macs (&a->v, 1) + linear_macs (&a->out, 1) +
          2 * a->n_heads * N * a->k.n_in;
    } else {
      rows = N;
      macs += linear_macs (&a->q, N) + linear_macs (&a->k, N) +
          linear_macs (&a->v, N) + linear_macs (&a->out, N) +
          N * N * (a->k.n_out + a->v.n_out);
    }
    /* What a decoder's memory costs depends on its length. */
    macs += linear_macs (&layer->cross.q, rows) +
        linear_macs (&layer->cross.out, rows) +
        linear_macs (&layer->linear1, layer->carry.input.w ? 1 : rows) +
        linear_macs (&layer->linear2, rows);
  }
  return macs + linear_macs (&self->head, n);
}
