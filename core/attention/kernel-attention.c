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
#include "math/kernels.h"
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

/* sums = sum_t a[t] of[t], where of[0] may be sums: of one head */
static void
combine (const CoSumsShape * shape, double *sums, gsize n_terms,
    const double *a, const double *const *of)
{
  const gsize size = co_sums_size (shape);

  if (!shape->logs) {           /* all shifts are 0 */
    co_kernels->combine_double (n_terms, a, of, sums, size);
    return;
  }
  if (sums != of[0])
    memcpy (sums, of[0], size * sizeof (double));
  co_sums_decay (shape, sums, a[0]);
  for (gsize t = 1; t < n_terms; t++)
    co_sums_merge (shape, sums, of[t], a[t]);
}

/* How the chunks of all heads are summed when the open one is complete */
typedef struct
{
  State state;
  guint64 c;                    /* the open chunk's number */
  gsize n_terms;                /* of the window that ends with it */
  double a[4];
  const double *of[4];
  double tail_decay;            /* of the chunk that a tail begins with */
} Closing;

static Closing
find_closing (const CoAttention * self, const State * s, guint64 c)
{
  const gsize B = block_len (self);
  Closing x = {.state = *s,.c = c,.n_terms = 2,.a = { 1, self->decay },.of = { s->open, s->block } };
  gsize i, tail;                /* the open chunk's place in its block; chunks before the block */

  if (self->cache || c < B)
    return x;
  i = c % B;
  tail = self->window_len - 1 - i;
  x.tail_decay = pow (self->decay, i + 1);
  if (tail >= B) {
    x.of[x.n_terms] = s->last;
    x.a[x.n_terms++] = x.tail_decay;
    tail -= B;
    if (tail > 0 && c >= 2 * B) {
      x.of[x.n_terms] = chunk_at (self, s, c - i - B - tail);
      x.a[x.n_terms++] = pow (self->decay, i + 1 + B);
    }
  } else if (tail > 0) {
    x.of[x.n_terms] = chunk_at (self, s, c - i - tail);
    x.a[x.n_terms++] = x.tail_decay;
  }
  return x;
}

/* sums = the window that ends with the open chunk, of the head whose sums are @at numbers after the first's */
static void
sum_window (const CoSumsShape * shape, const Closing * x, gsize at, double *sums)
{
  const double *of[4];

  for (gsize t = 0; t < x->n_terms; t++)
    of[t] = x->of[t] + at;
  combine (shape, sums, x->n_terms, x->a, of);
}

/* Makes the tail of i + 2 chunks of the last block, where i is the open chunk's place in its own: the tail of i + 1 chunks and
 * the chunk before it. A tail replaces its first chunk. */
static void
extend_tail (const CoAttention * self, const CoSumsShape * shape,
    const Closing * x, gsize at)
{
  const guint64 first = x->c - 2 * (x->c % block_len (self)) - 2;
  double *chunk = chunk_at (self, &x->state, first) + at;
  const double *const of[] = { chunk, chunk_at (self, &x->state, first + 1) + at };
  const double a[] = { x->tail_decay, 1 };

  combine (shape, chunk, 2, a, of);
}

/* The open chunk of a head is complete. */
static void
close_chunk (const CoAttention * self, const CoSumsShape * shape,
    const Closing * x, gsize at)
{
  const gsize B = block_len (self), bytes = co_sums_size (shape) * sizeof (double);
  double *open = x->state.open + at, *block = x->state.block + at;
  const double *const of[] = { block, open };
  const double a[] = { self->decay, 1 };

  combine (shape, block, 2, a, of);
  if (!self->cache) {
    const gsize i = x->c % B;

    memcpy (chunk_at (self, &x->state, x->c) + at, open, bytes);
    if (x->c >= B && i + 2 < B)
      extend_tail (self, shape, x, at);
    if (i == B - 1) {
      memcpy (x->state.last + at, block, bytes);
      memset (block, 0, bytes);
    }
  }
  memset (open, 0, bytes);
}

/* Answers the @n vectors of a head's open chunk, and opens the next. */
static void
answer_head (const CoAttention * self, const CoSumsShape * shape,
    const Closing * x, gsize h, gsize n, float *context, double *scratch)
{
  double *window = scratch, *f = window + co_sums_size (shape), *rest = f + shape->n_features;
  float *q = (float *) (rest + shape->n_features + self->d_value + 2 + self->d_key +
      self->features.n_projected);

  sum_window (shape, x, h * co_sums_size (shape), window);
  for (gsize j = 0; j < n; j++) {
    for (gsize i = 0; i < self->d_key; i++)
      q[i] = x->state.queries[j * self->q.n_out + h * self->d_key + i];
    co_features_map (&self->features, q, f, rest);
    co_sums_attend (shape, window, f, self->features.eps,
        context + j * self->v.n_out + h * self->d_value, rest);
  }
  close_chunk (self, shape, x, h * co_sums_size (shape));
}

static gsize
scratch_size (const CoAttention * self)
{
  const CoSumsShape sums = shape (self);
  gsize doubles = co_sums_size (&sums) + 2 * self->features.n_features +
      self->d_value + 2 + 2 * self->d_key + self->features.n_projected;

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
  const gboolean complete = at + 1 == self->chunk_len;
  Closing closing;

  for (gsize i = 0; i < self->q.n_out; i++)
    s.queries[at * self->q.n_out + i] = q[i];
  if (complete)
    closing = find_closing (self, &s, header->chunks);
  /* All of a head's sums, while they are in the nearest cache */
  for (gsize h = 0; h < self->n_heads; h++) {
    co_features_map (&self->features, k + h * self->d_key, f,
        f + sums.n_features);
    co_sums_add (&sums, s.open + h * co_sums_size (&sums), f,
        v + h * self->d_value, f + sums.n_features);
    if (complete)
      answer_head (self, &sums, &closing, h, at + 1, context, (double *) scratch);
  }
  header->taken++;
  header->filled = complete ? 0 : at + 1;
  header->chunks += complete;
  return complete ? at + 1 : 0;
}

static gsize
drain (const CoAttention * self, CoStateHeader * header, float *context,
    float *weights, float *scratch)
{
  const CoSumsShape sums = shape (self);
  const State s = open_state (self, header);
  const gsize n = header->filled % self->chunk_len;
  const Closing closing = find_closing (self, &s, header->chunks);

  header->filled = 0;
  if (n == 0)
    return 0;
  for (gsize h = 0; h < self->n_heads; h++)
    answer_head (self, &sums, &closing, h, n, context, (double *) scratch);
  header->chunks++;
  return n;
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
