/* libcontinual: embedding, layers, norm and head
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/layer.h"

G_BEGIN_DECLS

/* Everything between an input vector and an output vector. Every part but the layers may be absent. */
typedef struct
{
  gsize n_inputs, n_outputs, d_model;
  CoLinear embed;
  const float *positions;       /* (n_positions, E) or NULL: recycled */
  gsize n_positions;
  CoLayer *layers;              /* (n_layers) */
  gsize n_layers;
  CoNorm encoder_norm, norm;
  CoLinear head;

  /* How windows are answered. Where the first layer is single-output, and so are all others, there are none:
   * rows go through. Else the first layer is retroactive, those above evaluate whole windows, and in the last
   * one either all positions ask or the one @query_back vectors behind the newest. */
  gboolean all_positions;
  gsize query_back;
} CoStack;

/* What a call gives, one row or window after another. */
typedef struct
{
  float *y;                     /* (…, positions, D) */
  float *weights;               /* (…, H, positions, n_weights) or NULL */
  CoTag *tags;                  /* (…) */
  gsize n;
} CoAnswers;

gsize co_stack_state_size (const CoStack * self);
/* Whether counters are sane and numbers finite in @n_streams states, @stride bytes apart. */
gboolean co_stack_state_is_finite (const CoStack * self, const guint8 * states,
    gsize stride, guint n_streams);
gsize co_stack_n_positions (const CoStack * self);
/* Answers that one row can give at most. */
gsize co_stack_max_answers (const CoStack * self);

/* Multiply-accumulates of one step of one stream. */
guint64 co_stack_macs (const CoStack * self);

/* Reserves the memory of a step for @max_rows rows at once; or only counts it, with @memory NULL. Returns bytes. */
gsize co_work_lay_out (CoWork * work, const CoStack * stack, gsize max_rows,
    guint8 * memory);

/* work->rows.x = embedded inputs, positions not added yet */
void co_stack_embed (const CoStack * self, CoWork * work,
    const float *x /* (n, C) */ , gsize n);

/* Takes the rows in work->rows, embedded and with their positions in their tags. Stream i's state lies at
 * @states + i * @stride. */
void co_stack_forward_rows (const CoStack * self, CoWork * work,
    guint8 * states, gsize stride, const CoSeparate * separate,
    CoAnswers * answers);

void co_stack_drain (const CoStack * self, CoWork * work, guint8 * states,
    gsize stride, guint stream, guint64 newest, CoAnswers * answers);

G_END_DECLS
