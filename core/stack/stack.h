/* libcontinual: embedding, layers, norms and head
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/layer.h"

G_BEGIN_DECLS

typedef struct _CoStack CoStack;

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

  /* Takes the rows in work->rows, embedded and with their positions added. Stream i's state is at @states + i * @stride. */
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
  CoLinear embed;
  const float *positions;       /* (n_positions, E) or NULL: recycled */
  gsize n_positions;
  CoLayer *layers;              /* (n_layers) */
  gsize n_layers;
  CoNorm encoder_norm, norm;
  CoLinear head;

  gboolean all_positions;       /* window mode: an output is all positions, or the one @query_back before the newest */
  gsize query_back;
  guint64 max_len;              /* vectors after which a stream takes no more; 0: never */
};

/* The begin of the state of one stream. Zero is a fresh one. */
typedef struct
{
  guint64 position;             /* vectors taken since the reset */
  guint64 unused[7];
} CoStreamHeader;

G_STATIC_ASSERT (sizeof (CoStreamHeader) == 64);

/* Bytes of the state of one stream: a CoStreamHeader, then the states of the layers that have one */
gsize co_stack_state_size (const CoStack * self);
/* The offset of layer @layer's state */
gsize co_stack_state_offset (const CoStack * self, gsize layer);
/* Whether counters are sane and numbers are finite in @n_streams states, @stride bytes apart */
gboolean co_stack_state_is_finite (const CoStack * self, const guint8 * states,
    gsize stride, guint n_streams);
/* Vectors in one output */
gsize co_stack_n_positions (const CoStack * self);
/* Outputs of one row at most */
gsize co_stack_max_answers (const CoStack * self);
/* Floats of the attention weights of one output */
gsize co_stack_weights_size (const CoStack * self);
/* Number of the vector that gives the first output, from 1 */
gsize co_stack_warm_up (const CoStack * self);
/* Multiply-accumulates of one step of one stream, without a decoder's attention to its memory */
guint64 co_stack_macs (const CoStack * self);

/* Reserves the scratch memory of a step for @max_rows rows at once; or only counts it, with @memory NULL. Returns bytes. */
gsize co_work_lay_out (CoWork * work, const CoStack * stack, gsize max_rows,
    guint8 * memory);

/* work->rows.x = embedded inputs, without positions */
void co_stack_embed (const CoStack * self, CoWork * work,
    const float *x /* (n, C) */ , gsize n);

/* Takes the rows in work->rows, embedded and with their positions in their tags. Stream i's state is at
 * @states + i * @stride. */
void co_stack_forward (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, const CoSeparate * separate, CoAnswers * answers);

/* The norms and the head after the layers; overwrites x */
void co_stack_finish (const CoStack * self, float *x /* (n, E) */ , gsize n,
    float *y /* (n, D) */ );

G_END_DECLS
