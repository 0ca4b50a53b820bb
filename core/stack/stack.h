/* libcontinual: embedding, layers, norms and head
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/model.h>

#include "stack/chain.h"
#include "stack/layer.h"
#include "stack/pool.h"

G_BEGIN_DECLS

typedef struct _CoStack CoStack;

/* A larger number could overflow in the layers: it is refused like an infinity. */
#define CO_LARGEST 1e15f

/* The outputs of a call, one row or window after another */
typedef struct
{
  float *y;                     /* (n, positions, D) */
  float *weights;               /* (n, H, positions, n_weights) or NULL */
  CoTag *tags;                  /* (n) */
  gsize n;
} CoAnswers;

/* How vectors go through the layers */
typedef struct
{
  const gchar *name;

  /* The first layers, which have a state */
  gsize (*n_stateful) (const CoStack * self);

  /* Multiply-accumulates of the layers for one step of one stream, without a decoder's attention to its memory */
  guint64 (*macs) (const CoStack * self);

  /* Takes the rows in work->rows, with recycled positions added. Stream i's state is at @states + i * @stride. */
  void (*forward) (const CoStack * self, CoWork * work, guint8 * states,
      gsize stride, const CoSeparate * separate, CoAnswers * answers);

  /* At the end of stream @stream, whose newest vector has position @newest: answers the vectors that still wait. NULL: none
   * ever do. */
  void (*drain) (const CoStack * self, CoWork * work, guint8 * states,
      gsize stride, guint stream, guint64 newest, CoAnswers * answers);
} CoMode;

/* Everything between an input vector and an output vector. Every part but the layers may be absent. */
struct _CoStack
{
  const CoMode *mode;
  gsize n_inputs, n_outputs, d_model;

  CoChain before;               /* from an input vector to the row to which a position is added */
  gsize d_embed;                /* width of that row */
  const float *positions;       /* (n_positions, d_embed) or NULL */
  gsize n_positions;
  gboolean window_positions;    /* counted in the window; else since the reset, modulo n_positions */
  CoChain between;              /* from there to the layers */
  const float *class_row;       /* (E) the class token's row at the layers, or NULL */
  CoLayer *layers;              /* (n_layers) */
  gsize n_layers;
  CoChain rows;                 /* of every row that leaves the layers, where the pool needs all of them */
  CoPool pool;
  CoChain after;                /* from the row that is answered to the output */

  gboolean all_positions;       /* an output is all positions; else the row of the pool, or the one @query_back before the newest */
  gsize query_back;             /* vectors from the answered one to the newest */
  gboolean ends_at_drain;       /* the vectors that a drain answers cannot be followed: it resets the stream */
  guint64 max_len;              /* vectors after which a stream takes no more; 0: never */
  guint64 answer_interval;      /* of a stream: every K-th vector is answered */
  gsize state_size;             /* bytes of the state of one stream: a CoStreamHeader, then the states of the layers that have one */
};

/* The begin of the state of one stream. Zero is a fresh one. */
typedef struct
{
  guint64 position;             /* vectors taken since the reset */
  guint64 unused[7];
} CoStreamHeader;

G_STATIC_ASSERT (sizeof (CoStreamHeader) == 64);

/* Sets state_size, and state_offset of the layers that have a state: once, when the layers are built. */
void co_stack_lay_out_state (CoStack * self);
/* Whether @n_streams states, @stride bytes apart, are such as streams come to: then they recover, whatever is in them */
gboolean co_stack_state_is_sound (const CoStack * self, const guint8 * states,
    gsize stride, guint n_streams);
/* Writes what the model itself keeps in states, the fixed keys. */
void co_stack_put_fixed (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, guint n_streams);
/* Whether the row that is answered is the class token's */
static inline gboolean
co_stack_answers_class_token (const CoStack * self)
{
  return self->class_row && (self->pool == CO_POOL_CLS || self->pool == CO_POOL_FIRST);
}

/* Whether the vector at @position is answered, of those that could be */
gboolean co_stack_answers (const CoStack * self, const CoWork * work,
    guint64 position);
/* What the last map of the stack makes of an output */
CoScores co_stack_get_scores (const CoStack * self);
/* Vectors in one output */
gsize co_stack_n_positions (const CoStack * self);
/* Outputs of one row at most, and of a drain of one stream */
gsize co_stack_max_answers (const CoStack * self);
gsize co_stack_max_drained (const CoStack * self);
/* Floats of the attention weights of one output */
gsize co_stack_weights_size (const CoStack * self);
/* Number of the vector that gives the first output, from 1 */
gsize co_stack_warm_up (const CoStack * self);
/* Multiply-accumulates of one step of one stream, without a decoder's attention to its memory */
guint64 co_stack_macs (const CoStack * self);

/* Reserves the scratch memory of a step for @max_rows rows at once; or only counts it, with @memory NULL. Returns bytes;
 * G_MAXSIZE, if they are more than can be counted. */
gsize co_work_lay_out (CoWork * work, const CoStack * stack, gsize max_rows,
    guint8 * memory);

/* work->rows.x = the inputs through the first chain */
void co_stack_embed (const CoStack * self, CoWork * work,
    const float *x /* (n, C) */ , gsize n);

/* Takes the rows in work->rows, through the first chain and with their positions in their tags. Stream i's state is at
 * @states + i * @stride. */
void co_stack_forward (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, const CoSeparate * separate, CoAnswers * answers);

/* From rows that leave the layers to outputs */
void co_stack_finish (const CoStack * self, CoWork * work,
    const float *x /* (n, width) */ , gsize width, gsize n,
    float *y /* (n, D) */ );

G_END_DECLS
