/* libcontinual: one layer of a stack
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/layer.h"
#include <math.h>
#include <string.h>

/* Vectors whose residual is still asked for: those between the one that is answered and the newest, or, in a
 * window, all of them. 1 means the row at hand. */
static gsize
ring_len (const CoLayer * self)
{
  const CoAttention *attention = &self->attention;

  if (attention->klass->step_window)
    return attention->sequence_len;
  return MAX (attention->query_back + 1, co_attention_max_answers (attention));
}

/* A window of one vector has a ring as well: the attention fills it and reads it back. */
static gboolean
has_ring (const CoLayer * self)
{
  return ring_len (self) > 1 || self->attention.klass->step_window;
}

typedef struct
{
  gpointer attention;
  guint64 *positions;           /* (ring_len) */
  float *x;                     /* (ring_len, ring_width) the newest in slot t % ring_len */
} State;

/* A row's residual; in a window what its sums are added to. */
static gsize
ring_width (const CoLayer * self)
{
  if (self->bare)
    return 0;
  return self->attention.klass->step_window ? self->attention.n_carried
      : self->attention.q.n_in;
}

static State
open_state (const CoLayer * self, guint8 * memory)
{
  gsize len = ring_len (self);
  guint8 *positions = memory + self->attention.klass->state_size (&self->attention);

  return (State) {
  .attention = memory,.positions = (guint64 *) positions,.x =
        (float *) (positions + CO_ALIGN_BYTES (len * sizeof (guint64)))};
}

gsize
co_layer_state_size (const CoLayer * self)
{
  gsize len = ring_len (self), width = ring_width (self);
  gsize size = self->attention.klass->state_size (&self->attention);

  if (has_ring (self))
    size += CO_ALIGN_BYTES (len * sizeof (guint64)) +
        CO_ALIGN_BYTES (len * width * sizeof (float));
  return size;
}

static gboolean
all_finite (const float *x /* (n) */ , gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (x[i]))
      return FALSE;
  return TRUE;
}

static gboolean
all_finite_double (const double *x /* (n) */ , gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (x[i]))
      return FALSE;
  return TRUE;
}

gboolean
co_layer_state_is_finite (const CoLayer * self, const guint8 * memory)
{
  const CoAttention *attention = &self->attention;
  const gsize size = attention->klass->state_size (attention), len = ring_len (self);
  const State s = open_state (self, (guint8 *) memory);

  if (*(const guint64 *) memory > G_MAXINT64)
    return FALSE;
  if (attention->klass->in_double
      ? !all_finite_double ((const double *) (memory + 64), (size - 64) / sizeof (double))
      : !all_finite ((const float *) (memory + 64), (size - 64) / sizeof (float)))
    return FALSE;
  return !has_ring (self) || all_finite (s.x, len * ring_width (self));
}

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

/* x becomes norm2 (x + what the memory of each row's stream answers) */
static void
ask_memory (const CoLayer * self, CoWork * work, float *x /* (n, E) */ ,
    const CoTag * tags, gsize n)
{
  const CoAttention *cross = &self->cross;

  g_assert (tags != NULL);      /* a decoder has no windows */
  co_linear (&cross->q, x, cross->q.n_in, n, work->p, cross->q.n_out);
  for (gsize i = 0; i < n; i++)
    self->cross_class->ask (cross,
        co_memory_get_layer (work->memories[tags[i].stream], self->index),
        co_memory_get_length (work->memories[tags[i].stream]),
        work->p + i * cross->q.n_out, work->context + i * cross->out.n_in,
        work->cross_scratch);
  co_linear (&cross->out, work->context, cross->out.n_in, n, work->a,
      cross->out.n_out);
  co_add_norm (&self->norm2, x, work->a, n);
}

/* Everything behind the features of the feed-forward in work->ff: x is the residual and the result. */
static void
finish_feed_forward (const CoLayer * self, CoWork * work,
    float *x /* (n, E) */ , gsize n)
{
  const gsize E = self->linear2.n_out;

  co_linear (&self->linear2, work->ff, self->linear2.n_in, n, work->a, E);
  if (self->norm_first)
    add (x, work->a, n * E);
  else
    co_add_norm (self->cross_class ? &self->norm3 : &self->norm2, x, work->a,
        n);
}

/* Everything behind the attention: x is the residual and the result, a what the attention gave, or NULL if that has been
 * added. */
static void
finish (const CoLayer * self, CoWork * work, float *x /* (n, E) */ ,
    const float *a /* (n, E) or NULL */ , const CoTag * tags /* (n) */ ,
    gsize n)
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
    ask_memory (self, work, x, tags, n);
  co_linear (&self->linear1, u, E, n, work->ff, self->linear1.n_out);
  co_activate (self->activation, work->ff, n * self->linear1.n_out);
  finish_feed_forward (self, work, x, n);
}

/* The contexts of the rows in work->answered, projected; the layer's output ends up in work->rows. */
static void
finish_rows (const CoLayer * self, CoWork * work)
{
  CoRows rows = work->answered;

  co_linear (&self->attention.out, work->context, self->attention.out.n_in,
      rows.n, work->a, self->attention.out.n_out);
  finish (self, work, rows.x, work->a, rows.tags, rows.n);
  work->answered = work->rows;
  work->rows = rows;
}

/* Rows for the @n newest answers, the last of them @back vectors behind @t, the number of vectors taken. */
static void
answer (const CoLayer * self, CoWork * work, const State * state, guint64 t,
    gsize back, gsize n, const CoTag * tag)
{
  const gsize len = ring_len (self), E = self->bare ? 0 : self->attention.q.n_in;
  CoRows *rows = &work->answered;

  for (gsize i = 0; i < n; i++, rows->n++) {
    gsize slot = (t - 1 - back - (n - 1 - i)) % len;
    memcpy (rows->x + rows->n * E, state->x + slot * E, E * sizeof (float));
    rows->tags[rows->n] = *tag;
    rows->tags[rows->n].position = state->positions[slot];
  }
}

void
co_layer_forward_rows (const CoLayer * self, CoWork * work, guint8 * states,
    gsize stride, const CoSeparate * separate, float *weights)
{
  const CoAttention *attention = &self->attention;
  const gsize E = attention->q.n_in, context_width = attention->out.n_in;
  const gsize width = co_attention_proj_width (attention);
  const gsize len = ring_len (self);
  const gsize n_weights =
      attention->n_heads * co_attention_n_weights (attention);
  const CoRows rows = work->rows;
  const float *u = co_layer_attention_input (self, rows.x, rows.n, work->u);
  CoRows *answered = &work->answered;

  co_attention_project (attention, u, separate ? separate->key : u,
      separate ? separate->value : u, rows.n, work->p);
  answered->n = 0;
  for (gsize i = 0; i < rows.n; i++) {
    State s = open_state (self, states + rows.tags[i].stream * stride);
    guint64 t = *(guint64 *) s.attention;
    gsize n;

    if (len > 1) {
      s.positions[t % len] = rows.tags[i].position;
      if (!self->bare)
        memcpy (s.x + t % len * E, rows.x + i * E, E * sizeof (float));
    }
    n = attention->klass->step (attention, s.attention, work->p + i * width,
        work->context + answered->n * context_width,
        weights ? weights + answered->n * n_weights : NULL, work->scratch);
    if (len > 1) {
      answer (self, work, &s, t + 1, attention->query_back, n, &rows.tags[i]);
    } else if (n > 0) {
      if (!self->bare)
        memcpy (answered->x + answered->n * E, rows.x + i * E,
            E * sizeof (float));
      answered->tags[answered->n++] = rows.tags[i];
    }
  }
  finish_rows (self, work);
}

void
co_layer_drain (const CoLayer * self, CoWork * work, guint8 * states,
    gsize stride, guint stream, guint64 newest)
{
  const CoAttention *attention = &self->attention;
  State s = open_state (self, states + stream * stride);
  CoTag tag = {.stream = stream,.arrival = newest };
  gsize n = 0;

  work->answered.n = 0;
  if (attention->klass->drain)
    n = attention->klass->drain (attention, s.attention, work->context,
        work->scratch);
  answer (self, work, &s, *(guint64 *) s.attention, 0, n, &tag);
  finish_rows (self, work);
}

gsize
co_layer_step_window (const CoLayer * self, CoWork * work, guint8 * state,
    const float *p, const float *base, float *weights)
{
  const CoAttention *attention = &self->attention;
  const gsize E = attention->out.n_out, C = attention->n_carried;
  const gsize N = attention->sequence_len;
  State s = open_state (self, state);
  guint64 t = *(guint64 *) s.attention;
  gsize n;

  if (!self->bare)
    memcpy (s.x + t % N * C, base, C * sizeof (float));
  n = attention->klass->step_window (attention, s.attention, p,
      self->bare ? base : s.x, self->bare ? 0 : C, work->a, weights,
      work->scratch);
  if (n < N && !attention->partial)
    return 0;
  if (self->carry.input.w) {
    co_carry_end (self, work, n, work->h);
    finish_feed_forward (self, work, work->h, n);
  } else {
    memcpy (work->h, work->a, n * E * sizeof (float));
    finish (self, work, work->h, self->bare ? work->a : NULL, NULL, n);
  }
  return n;
}

void
co_layer_forward_window (const CoLayer * self, CoWork * work, gsize n,
    float *weights)
{
  const float *u = co_layer_attention_input (self, work->h, n, work->u);

  co_attention_window (&self->attention, u, n, work->a, weights, work->scratch);
  finish (self, work, work->h, work->a, NULL, n);
}

void
co_layer_forward_window_query (const CoLayer * self, CoWork * work, gsize n,
    gsize row, float *weights)
{
  const gsize E = self->attention.q.n_in;
  const float *u = co_layer_attention_input (self, work->h, n, work->u);

  co_attention_window_query (&self->attention, u, n, row, work->a, weights,
      work->scratch);
  if (!self->bare)
    memmove (work->h, work->h + row * E, E * sizeof (float));
  finish (self, work, work->h, work->a, NULL, 1);
}
