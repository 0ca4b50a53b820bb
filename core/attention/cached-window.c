/* libcontinual: cached projections of a whole window, with positions that are counted in the window
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The first layer of a stack in window mode. Every row of the window changes with every step, because its position does. The
 * projections of the vectors are cached without positions (attention/positions.h); a step adds the positions' and attends
 * with every row. Where something between the positions and the layer forbids that (no table), nothing but the number of
 * vectors is kept. */
#include "attention/attention.h"
#include <string.h>

typedef struct
{
  float *p;                     /* (N, width) */
  float *centred;               /* (N, E) pre-norm */
  float *squares;               /* (N) */
} State;

static State
open_state (const CoAttention * self, CoStateHeader * header)
{
  const CoPositionTable *table = self->table;
  State s = {.p = co_state_numbers (header) };

  s.centred = s.p + self->sequence_len * table->width;
  s.squares = s.centred + self->sequence_len * table->d_model;
  return s;
}

static gsize
state_size (const CoAttention * self)
{
  const CoPositionTable *table = self->table;
  gsize floats = 0;

  if (table)
    floats += self->sequence_len * table->width;
  if (table && table->centred)
    floats += self->sequence_len * (table->d_model + 1);
  return sizeof (CoStateHeader) + CO_ALIGN_BYTES (floats * sizeof (float));
}

static gsize
scratch_size (const CoAttention * self)
{
  return co_attention_window_scratch_size (self) + self->qkv.n_in;
}

void
co_cached_window_put (const CoAttention * self, CoStateHeader * header,
    const float *p)
{
  const CoPositionTable *table = self->table;
  const gsize slot = header->taken++ % self->sequence_len;

  if (!table)
    return;
  const State s = open_state (self, header);

  memcpy (s.p + slot * table->width, p, table->width * sizeof (float));
  if (table->centred) {
    const gsize E = table->d_model;
    const float *centred = p + table->width;

    memcpy (s.centred + slot * E, centred, E * sizeof (float));
    s.squares[slot] = co_kernels->dot (centred, centred, E);
  }
}

/* The projections of the @n vectors in the order of slots, with their positions. @z (E): scratch */
static void
add_positions (const CoAttention * self, CoStateHeader * header, gsize n,
    gsize oldest, float *p /* (n, width) */ , float *z)
{
  const CoPositionTable *table = self->table;
  const State s = open_state (self, header);
  const gsize width = table->width, E = table->d_model;

  for (gsize j = 0; j < n; j++) {
    const gsize i = (j + n - oldest) % n;
    const float *cached = s.p + j * width, *position = table->p + i * width;
    float *row = p + j * width, r;

    if (!table->centred) {
      for (gsize e = 0; e < width; e++)
        row[e] = cached[e] + position[e];
      continue;
    }
    if (co_position_scale (table, s.centred + j * E, s.squares[j], i, &r)) {
      for (gsize e = 0; e < width; e++)
        row[e] = (cached[e] + position[e]) * r + table->constant[e];
    } else {
      r = co_position_sum (table, s.centred + j * E, i, z);
      co_linear (&self->qkv, z, E, 1, row, width);
      for (gsize e = 0; e < width; e++)
        row[e] = row[e] * r + table->constant[e];
    }
  }
}

void
co_cached_window_attend (const CoAttention * self, CoStateHeader * header,
    gsize n, gsize oldest, float *y, const CoWeights * weights, float *scratch)
{
  const gsize width = self->table->width, rows = n + self->n_class;
  float *p = scratch, *rest = p + rows * width;

  add_positions (self, header, n, oldest, p, rest);
  if (co_attention_prepares (self))
    co_attention_prepare_window (self, p, n, oldest);
  if (self->n_class)
    memcpy (p + n * width, self->class_p, width * sizeof (float));
  co_attention_window_projected (self, p, rows, y, weights, rest);
}

static guint64
macs (const CoAttention * self)
{
  const guint64 N = self->sequence_len, rows = N + self->n_class;

  return rows * rows * (self->q.n_out + self->out.n_in) +
      (self->table && self->table->centred ? N * self->table->d_model : 0);
}

const CoAttentionClass co_cached_window_class = {
  .name = "cached-window",
  .window = TRUE,
  .whole_window = TRUE,
  .state_size = state_size,
  .scratch_size = scratch_size,
  .macs = macs,
};
