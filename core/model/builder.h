/* libcontinual: helpers of the functions that build parts
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/build.h"

G_BEGIN_DECLS

#define CO_ANY 0                /* in place of a size: any size is right */

/* A matrix in the memory of a file: element (o, i) is data[o * out_stride + i * in_stride]. */
typedef struct
{
  gsize n_out, n_in, out_stride, in_stride;
  const float *data;
  const float *bias;            /* (n_out) or NULL */
} CoMatrix;

/* The matrices of a layer that its kind packs: those of the attention, and of the first feed-forward product */
typedef struct
{
  CoMatrix q, k, v, out, linear1;
} CoMatrices;

typedef struct
{
  const CoSettings *settings;
  const CoCheckpoint *file;
  const CoScheme *scheme;
  CoMatrices *matrices;         /* (n_layers) */
  CoRotary *rotary;             /* of every layer, set by the first; NULL: none */
  GPtrArray *owned;
  gsize *owned_bytes;
  GPtrArray *scratch;           /* freed when the stack is built */
  GError **error;
} CoBuild;

/* These return FALSE with an error set if the file is wrong. */
gboolean co_build_fail (const CoBuild * b, CoError code,
    const gchar * format, ...) G_GNUC_PRINTF (3, 4);
/* Checks that @tensor is (dims[0], dims[1], …). */
gboolean co_build_check (const CoBuild * b, const CoTensor * tensor,
    gsize n_dims, const gsize * dims);
/* Checks that the layer has a tensor in that role. */
gboolean co_build_require (const CoBuild * b, const CoLayerParts * layer,
    CoRole role);
/* Checks that @tensor is NULL, because nothing uses it: @why. */
gboolean co_build_unused (const CoBuild * b, const CoTensor * tensor,
    const gchar * why);
/* Checks that the layer has the biases of all these weights or of none: modules have all or none. The weights in
 * CoScheme.own_biases are a group by themselves. */
gboolean co_build_check_biases (const CoBuild * b,
    const CoLayerParts * layer, const CoRole * weights, gsize n);
/* (n_out, n_in) and, if there is one, (n_out) */
gboolean co_build_matrix (const CoBuild * b, CoMatrix * matrix,
    const CoTensor * weight, const CoTensor * bias, gsize n_out, gsize n_in);

/* The attention whose tensors begin at role @base: CO_ROLE_Q_WEIGHT, or CO_ROLE_CROSS for a decoder's second one. Sets
 * shapes, heads and fixed keys, and @matrices, which the kind packs. */
gboolean co_build_attention (const CoBuild * b, CoAttention * attention,
    CoMatrices * matrices, const CoLayerParts * layer, CoRole base);

/* (n_out, n_in) and, if there is one, (n_out), packed; and a layer norm */
gboolean co_build_linear (const CoBuild * b, CoLinear * linear,
    const CoTensor * weight, const CoTensor * bias, gsize n_out, gsize n_in);
gboolean co_build_norm (const CoBuild * b, CoNorm * norm,
    const CoTensor * weight, const CoTensor * bias, gsize n);

/* y = W x (+ b), all sums in double; @x NULL: zeros */
void co_build_multiply (const CoMatrix * w, const float *x /* (n_in) */ ,
    const float *b /* (n_out) or NULL */ , float *y /* (n_out) */ );

/* Memory until the stack is built */
float *co_build_scratch (const CoBuild * b, gsize n);
/* W and its bias times @scale (n_out), each output by its own */
void co_build_scale (const CoBuild * b, CoMatrix * matrix,
    const float *scale);

/* Norms of queries and keys, and rotary positions */
gboolean co_build_prepare (const CoBuild * b, CoAttention * attention,
    CoMatrices * matrices, const CoLayerParts * layer);
/* The angles of the positions in a window, for a stack in window mode, whose layers share them */
void co_build_window_angles (const CoBuild * b, CoStack * stack);

/* The parts before and after the layers, in the order of forward() */
gboolean co_build_chains (const CoBuild * b, CoStack * stack,
    const CoParts * parts);

/* Zeroed memory that the model owns, in bytes */
gpointer co_build_alloc (const CoBuild * b, gsize bytes);
/* Aligned memory that the model owns: zeros; a copy of @from, NULL for NULL; a matrix in panels */
float *co_build_own (const CoBuild * b, gsize n);
const float *co_build_copy (const CoBuild * b, const float *from, gsize n);
CoLinear co_build_pack (const CoBuild * b, const CoMatrix * matrix);

/* Projections of queries, keys and values: as one matrix where they have one input; each by itself where they do not, or
 * with @apart. */
void co_build_pack_inputs (const CoBuild * b, CoAttention * attention,
    const CoMatrices * matrices, gboolean apart);
/* The output projection of a retroactive layer, and its first feed-forward product: in the carry where that is faster,
 * else packed */
void co_build_pack_carried (const CoBuild * b, CoLayer * layer);
/* The matrices of one query over a whole window */
void co_build_pack_query (const CoBuild * b, CoAttention * attention,
    const CoMatrices * matrices);

/* The weights of a first layer whose positions are counted in the window; @one_query: in row mode */
void co_build_pack_positions (const CoBuild * b, const CoStack * stack,
    CoLayer * layer, gboolean one_query);
/* The projections of the class token in the first layer; @fixed_key: it becomes a fixed key */
void co_build_class_token (const CoBuild * b, const CoStack * stack,
    CoLayer * layer, gboolean fixed_key);
/* The base of its row in a retroactive layer, whose weights are packed */
void co_build_class_base (const CoBuild * b, const CoStack * stack,
    CoLayer * layer);

/* How large keys and values become, for the kinds that never forget one: when the layers are built */
void co_build_bounds (const CoBuild * b, CoStack * stack);

/* Sets the mode of the stack and the class of every attention, by the kind. */
gboolean co_build_kind (const CoBuild * b, CoStack * stack,
    const CoParts * parts);

G_END_DECLS
