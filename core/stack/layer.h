/* libcontinual: one layer of a stack
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attention/cross.h"
#include "math/activation.h"
#include "stack/carry.h"
#include "stack/work.h"

G_BEGIN_DECLS

/* nn.TransformerEncoderLayer around an attention; a bare attention has nothing but it. A decoder's layer asks a
 * memory behind the first norm, and has a third one. */
struct _CoLayer
{
  CoAttention attention;
  const CoCrossClass *cross_class;      /* NULL: no memory */
  CoAttention cross;
  gsize index;                  /* of the layer, and so of its part of a memory */
  gboolean bare;
  gboolean norm_first;
  CoNorm norm1, norm2, norm3;
  CoLinear linear1, linear2;    /* linear1's weights are the carry's, if there is one */
  CoCarry carry;
  CoActivation activation;
};

/* Bytes of one stream's state; it lies aligned to 64. */
gsize co_layer_state_size (const CoLayer * self);

gboolean co_layer_state_is_finite (const CoLayer * self, const guint8 * state);

/* Rows of a stream through the layer: work->rows in, the rows that are answered out, in the same place. Each row
 * belongs to the stream its tag names, whose state lies at @states + stream * @stride. */
void co_layer_forward_rows (const CoLayer * self, CoWork * work,
    guint8 * states, gsize stride, const CoSeparate * separate,
    float *weights /* (rows, H, n_weights) or NULL */ );

/* At the end of stream @stream: work->rows is what the layer still owed. */
void co_layer_drain (const CoLayer * self, CoWork * work, guint8 * states,
    gsize stride, guint stream, guint64 newest);

/* One row of a stream through a layer whose attention answers the whole window: work->h (n, E) in the order of
 * slots; returns n, or 0 while nothing comes out. @p is the row projected, @base what co_carry_begin made of it. */
gsize co_layer_step_window (const CoLayer * self, CoWork * work,
    guint8 * state, const float *p /* (proj_width) */ ,
    const float *base /* (C) */ ,
    float *weights /* (H, N, n_weights) or NULL */ );

/* A whole window through the layer, work->h (n, E) in place. */
void co_layer_forward_window (const CoLayer * self, CoWork * work, gsize n,
    float *weights /* (H, n, n_weights) or NULL */ );

/* The same, where only position @row asks; its output comes to work->h (1, E). */
void co_layer_forward_window_query (const CoLayer * self, CoWork * work,
    gsize n, gsize row, float *weights /* (H, n_weights) or NULL */ );

/* What the attention projects: norm1 of @x where norms come first, else @x itself. */
const float *co_layer_attention_input (const CoLayer * self,
    const float *x /* (n, E) */ , gsize n, float *u /* (n, E) */ );

G_END_DECLS
