/* libcontinual: one layer of a stack
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attention/cross.h"
#include "math/activation.h"
#include "stack/work.h"

G_BEGIN_DECLS

/* The first feed-forward product of a retroactive layer, updated along with the sums of the attention (stack/carry.c).
 * Absent where input.w is NULL. */
typedef struct
{
  CoLinear input;               /* E to F: G, with G b_o as its bias */
  const float *bias;            /* (F) W_1 β + b_1 */
} CoCarry;

/* nn.TransformerEncoderLayer around an attention. A bare attention has no other part. A decoder's layer attends to a
 * memory after the first norm, and has a third norm. */
typedef struct
{
  CoAttention attention;
  const CoCrossClass *cross_class;      /* NULL: no memory */
  CoAttention cross;
  gsize index;                  /* of the layer, and of its part of a memory */
  gsize state_offset;           /* in the state of a stream, in bytes; 0: no state */
  gboolean bare;
  gboolean norm_first;
  CoNorm norm1, norm2, norm3;
  CoLinear linear1, linear2;    /* linear1 has a shape only where the carry replaces it */
  gboolean gated;               /* linear1 gives gate and up, each as wide as linear2 takes: act (gate) * up */
  CoCarry carry;
  CoActivation activation;
  /* Floats per slot of the ring in its state: the residual; the base of a retroactive update; the row without its position,
   * where that is counted in the window; 0 for a bare attention */
  gsize ring_width;
} CoLayer;

/* The input of the attention: norm1 (x) of a pre-norm layer, else x */
const float *co_layer_attention_input (const CoLayer * self,
    const float *x /* (n, E) */ , gsize n, float *u /* (n, E) */ );

/* The rest of the layer, after the attention: residual, norms, cross-attention, feed-forward. @x is the residual and the
 * result; @a the attention's output, or NULL if @x contains it. @tags: NULL in a window, which no decoder has. */
void co_layer_finish (const CoLayer * self, CoWork * work,
    float *x /* (n, E) */ , const float *a /* (n, E) or NULL */ ,
    const CoTag * tags /* (n) or NULL */ , gsize n);

/* work->ff (n, linear1.n_out): the activation, or act (gate) * up in the place of gate */
void co_layer_activate (const CoLayer * self, float *ff, gsize n);

/* The end of co_layer_finish(), after the activation: work->ff (n, d_ff) to the result in @x, which is the residual */
void co_layer_finish_feed_forward (const CoLayer * self, CoWork * work,
    float *x /* (n, E) */ , gsize n);

G_END_DECLS
