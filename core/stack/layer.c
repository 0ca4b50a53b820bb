/* libcontinual: one layer of a stack
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/layer.h"
#include "math/team.h"
#include <string.h>

const float *
co_layer_attention_input (const CoLayer * self, const float *x, gsize n,
    float *u)
{
  if (!self->norm_first || self->bare)
    return x;
  co_norm (&self->norm1, x, self->norm1.n, n, u, NULL);
  return u;
}

static void
add (float *x /* (n) */ , const float *y /* (n) */ , gsize n)
{
  co_kernels->axpy (1, y, x, n);
}

typedef struct
{
  const CoLayer *layer;
  const CoWork *work;
  const CoTag *tags;            /* (n) */
} Crossing;

/* The contexts of rows whose queries are in work->p */
static void
cross_rows (gconstpointer data, guint thread, gsize begin, gsize end)
{
  const Crossing *x = data;
  const CoWork *work = x->work;
  const CoAttention *cross = &x->layer->cross;

  for (gsize i = begin; i < end; i++) {
    const CoMemory *memory = work->memories[x->tags[i].stream];

    x->layer->cross_class->attend (cross, co_memory_get_layer (memory, x->layer->index),
        co_memory_get_length (memory), work->p + i * cross->q.n_out,
        work->context + i * cross->out.n_in, work->cross_scratch + thread * work->cross_scratch_size);
  }
}

/* x = norm2 (x + cross-attention of x to the memory of each row's stream) */
static void
attend_to_memory (const CoLayer * self, CoWork * work,
    float *x /* (n, E) */ , const CoTag * tags, gsize n)
{
  const CoAttention *cross = &self->cross;
  guint64 macs = 0;

  g_assert (tags != NULL);      /* a decoder has no windows */
  co_linear (&cross->q, x, cross->q.n_in, n, work->p, cross->q.n_out);
  for (gsize i = 0; i < n; i++)
    macs += co_memory_get_length (work->memories[tags[i].stream]) * (cross->q.n_out + cross->out.n_in);
  co_team_run (cross_rows, &(Crossing) {self, work, tags}, n, co_team_least (macs / MAX (n, 1)));
  co_linear (&cross->out, work->context, cross->out.n_in, n, work->a,
      cross->out.n_out);
  co_add_norm (&self->norm2, x, work->a, n);
}

void
co_layer_activate (const CoLayer * self, float *ff, gsize n)
{
  const gsize width = self->linear1.n_out, F = self->linear2.n_in;

  if (!self->gated) {
    co_activate (self->activation, ff, n * width);
    return;
  }
  for (gsize r = 0; r < n; r++) {
    float *gate = ff + r * width;

    co_activate (self->activation, gate, F);
    co_kernels->multiply (gate + F, gate, F);
  }
}

void
co_layer_finish_feed_forward (const CoLayer * self, CoWork * work, float *x,
    gsize n)
{
  const gsize E = self->linear2.n_out;

  co_linear (&self->linear2, work->ff, self->linear1.n_out, n, work->a, E);
  if (self->norm_first)
    add (x, work->a, n * E);
  else
    co_add_norm (self->cross_class ? &self->norm3 : &self->norm2, x, work->a,
        n);
}

void
co_layer_finish (const CoLayer * self, CoWork * work, float *x,
    const float *a, const CoTag * tags, gsize n)
{
  const gsize E = self->linear2.n_out;
  const float *u = x;

  if (self->bare) {
    memcpy (x, a, n * self->attention.out.n_out * sizeof (float));
    return;
  }
  if (self->norm_first) {
    if (a)
      add (x, a, n * E);
    co_norm (&self->norm2, x, E, n, work->u, NULL);
    u = work->u;
  } else if (a) {
    co_add_norm (&self->norm1, x, a, n);
  } else {
    co_norm (&self->norm1, x, E, n, x, NULL);
  }
  if (self->cross_class)
    attend_to_memory (self, work, x, tags, n);
  co_linear (&self->linear1, u, E, n, work->ff, self->linear1.n_out);
  co_layer_activate (self, work->ff, n);
  co_layer_finish_feed_forward (self, work, x, n);
}
