/* libcontinual: kernel attention over a window of chunks, or over all of them with decay
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * TensorFlow Models' KernelAttention with use_causal_windowed. A chunk is C vectors. The vectors of a chunk attend to one
 * another, so all are answered when the last of them arrives. A chunk attends to itself and to the W - 1 chunks before it,
 * a chunk that is a chunks older with weight decay^a; with `cache`, to all chunks before it.
 *
 * The sum over a window is not updated by subtraction, whose rounding errors would accumulate. Chunks are grouped in
 * blocks of B = ceil (W / 2). A window is a tail of the block before the last, the last block, and the open block. The
 * tails of a block are summed backwards, one for each complete chunk, while the next block fills. So every chunk costs
 * the same, and each sum is at most W additions. */
#include "attention/attention.h"
#include <math.h>
#include <string.h>

typedef struct
{
  double *open;                 /* (H, sums) the open chunk */
  double *block;                /* (H, sums) complete chunks of the open block, or of all with cache */
  double *last;                 /* (H, sums) the block before it */
  double *chunks;               /* (3, B, H, sums) the chunks of the open block; the tails of the two blocks before it */
  double *queries;              /* (C, H dk) of the open chunk */
} State;

static CoSumsShape
shape (const CoAttention * self)
{
  return (CoSumsShape) {
  self->features.n_features, self->d_value, self->features.map->logs};
}

static gsize
block_len (const CoAttention * self)
{
  return self->cache ? 0 : (self->window_len + 1) / 2;
}

static gsize
sums_size (const CoAttention * self)
{
  CoSumsShape s = shape (self);

  return self->n_heads * co_sums_size (&s);
}

static gsize
state_size (const CoAttention * self)
{
  return sizeof (CoStateHeader) + CO_ALIGN_BYTES (((3 + 3 * block_len (self)) * sums_size (self) +
          self->chunk_len * self->q.n_out) * sizeof (double));
}

static State
open_state (const CoAttention * self, CoStateHeader * header)
{
  gsize n = sums_size (self);
  double *d = co_state_numbers (header);

  return (State) {
  .open = d,.block = d + n,.last = d + 2 * n,.chunks = d + 3 * n,.queries =
        d + (3 + 3 * block_len (self)) * n};
}

static guint64
macs (const CoAttention * self)
{
  const CoFeatures *f = &self->features;

  return self->out.n_in * self->out.n_out + 2 * self->n_heads *
      (f->n_features * (self->d_value + 1) +
      (f->projection ? f->n_projected * f->n_in : 0)) +
      4 * sums_size (self) / self->chunk_len;
}

static double *
chunk_at (const CoAttention * self, const State * s, guint64 chunk)
{
  return s->chunks + chunk % (3 * block_len (self)) * sums_size (self);
}

static void
merge (const CoAttention * self, double *sums, const double *other,
    double factor)
{
  const CoSumsShape s = shape (self);
  const gsize n = co_sums_size (&s);

  for (gsize h = 0; h < self->n_heads; h++)
    co_sums_merge (&s, sums + h * n, other + h * n, factor);
}

/* sums = the window that ends with the open chunk, number @c */
static void
sum_window (const CoAttention * self, const State * s, guint64 c, double *sums)
{
  const gsize B = block_len (self);
  gsize i, tail;                /* the open chunk's place in its block; chunks before the block */

  memcpy (sums, s->open, sums_size (self) * sizeof (double));
  merge (self, sums, s->block, self->decay);
  if (self->cache)
    return;
  i = c % B;
  tail = self->window_len - 1 - i;
  if (tail >= B && c >= B) {
    merge (self, sums, s->last, pow (self->decay, i + 1));
    tail -= B;
    if (tail > 0 && c >= 2 * B)
      merge (self, sums, chunk_at (self, s, c - i - B - tail),
          pow (self->decay, i + 1 + B));
  } else if (tail > 0 && tail < B && c >= B) {
    merge (self, sums, chunk_at (self, s, c - i - tail),
        pow (self->decay, i + 1));
  }
}

/* Makes the tail of @n chunks of the last block: the tail of @n - 1 chunks and the chunk before it. A tail replaces its
 * first chunk. */
static void
extend_tail (const CoAttention * self, const State * s, guint64 block_end,
    gsize n)
{
  const CoSumsShape sums = shape (self);
  const gsize size = co_sums_size (&sums);
  double *chunk = chunk_at (self, s, block_end - n);
  const double factor = pow (self->decay, n - 1);

  for (gsize h = 0; h < self->n_heads; h++)
    co_sums_decay (&sums, chunk + h * size, factor);
  merge (self, chunk, chunk_at (self, s, block_end - n + 1), 1);
}

/* The open chunk, number @c, is complete. */
static void
close_chunk (const CoAttention * self, const State * s, guint64 c)
{
  const CoSumsShape sums = shape (self);
  const gsize B = block_len (self), size = co_sums_size (&sums);
  const gsize bytes = sums_size (self) * sizeof (double);

  for (gsize h = 0; h < self->n_heads; h++)
    co_sums_decay (&sums, s->block + h * size, self->decay);
  merge (self, s->block, s->open, 1);
  if (!self->cache) {
    gsize i = c % B;
    memcpy (chunk_at (self, s, c), s->open, bytes);
    if (c >= B && i + 2 < B)
      extend_tail (self, s, c - i, i + 2);
    if (i == B - 1) {
      memcpy (s->last, s->block, bytes);
      memset (s->block, 0, bytes);
    }
  }
  memset (s->open, 0, bytes);
}

/* Answers the vectors of the open chunk, and opens the next. */
static gsize
answer_chunk (const CoAttention * self, CoStateHeader * header, const State * s,
    float *context, double *scratch)
{
  const CoSumsShape sums = shape (self);
  const gsize size = co_sums_size (&sums), n = header->filled;
  double *window = scratch, *f = window + sums_size (self);
  double *rest = f + sums.n_features;
  float *q = (float *) (rest + sums.n_features + self->d_value + self->d_key +
      self->features.n_projected);

  sum_window (self, s, header->chunks, window);
  for (gsize j = 0; j < n; j++)
    for (gsize h = 0; h < self->n_heads; h++) {
      for (gsize i = 0; i < self->d_key; i++)
        q[i] = s->queries[j * self->q.n_out + h * self->d_key + i];
      co_features_map (&self->features, q, f, rest);
      co_sums_attend (&sums, window + h * size, f, self->features.eps,
          context + j * self->v.n_out + h * self->d_value, rest);
    }
  close_chunk (self, s, header->chunks++);
  header->filled = 0;
  return n;
}

static gsize
scratch_size (const CoAttention * self)
{
  gsize doubles = sums_size (self) + 2 * self->features.n_features +
      self->d_value + 2 * self->d_key + self->features.n_projected;

  return 2 * doubles;
}

static gsize
step (const CoAttention * self, CoStateHeader * header, const float *p,
    float *context, float *weights, float *scratch)
{
  const CoSumsShape sums = shape (self);
  const float *q = p, *k = q + self->q.n_out, *v = k + self->k.n_out;
  const State s = open_state (self, header);
  double *f = (double *) scratch;
  gsize at = header->filled % self->chunk_len;

  for (gsize h = 0; h < self->n_heads; h++) {
    co_features_map (&self->features, k + h * self->d_key, f,
        f + sums.n_features);
    co_sums_add (&sums, s.open + h * co_sums_size (&sums), f,
        v + h * self->d_value);
  }
  for (gsize i = 0; i < self->q.n_out; i++)
    s.queries[at * self->q.n_out + i] = q[i];
  header->taken++;
  header->filled = at + 1;
  if (header->filled < self->chunk_len)
    return 0;
  return answer_chunk (self, header, &s, context, (double *) scratch);
}

static gsize
drain (const CoAttention * self, CoStateHeader * header, float *context,
    float *weights, float *scratch)
{
  const State s = open_state (self, header);

  header->filled %= self->chunk_len;
  return header->filled ? answer_chunk (self, header, &s, context,
      (double *) scratch) : 0;
}

/* The sums of a window are gone after it. */
static gboolean
is_sound (const CoAttention * self, const CoStateHeader * header)
{
  const CoSumsShape sums = shape (self);
  const CoSumsBounds bounds = { header->taken, co_features_largest (&self->features, self->largest_key),
    self->largest_value, self->features.map->positive };
  const State s = open_state (self, (CoStateHeader *) header);
  const gsize n = co_sums_size (&sums);

  for (gsize h = 0; self->cache && h < self->n_heads; h++)
    if (!co_sums_are_sound (&sums, s.open + h * n, &bounds)
        || !co_sums_are_sound (&sums, s.block + h * n, &bounds))
      return FALSE;
  return TRUE;
}

const CoAttentionClass co_kernel_class = {
  .name = "kernel",
  .in_double = TRUE,
  .state_size = state_size,
  .scratch_size = scratch_size,
  .is_sound = is_sound,
  .macs = macs,
  .step = step,
  .drain = drain,
};
