/* libcontinual: what the builders of parts share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/build.h"

G_BEGIN_DECLS

#define CO_ANY 0                /* of a size: taken as it is */

/* Weights where the file has them: element (o, i) is data[o * out_stride + i * in_stride]. */
typedef struct
{
  gsize n_out, n_in, out_stride, in_stride;
  const float *data;
  const float *bias;            /* (n_out) or NULL */
} CoMatrix;

/* Those of an attention, and of a layer's first feed-forward product, whose packing its kind decides */
typedef struct
{
  CoMatrix q, k, v, out, linear1;
} CoMatrices;

typedef struct
{
  const CoSettings *settings;
  const CoSafetensors *file;
  const CoScheme *scheme;
  CoMatrices *matrices;         /* (n_layers) */
  GPtrArray *owned;
  gsize *owned_bytes;
  GError **error;
} CoBuild;

/* All of these return FALSE with an error set if the file is not what it should be. */
gboolean co_build_fail (const CoBuild * b, CoError code,
    const gchar * format, ...) G_GNUC_PRINTF (3, 4);
/* Whether @tensor is (dims[0], dims[1], …). */
gboolean co_build_check (const CoBuild * b, const CoTensor * tensor,
    gsize n_dims, const gsize * dims);
/* Whether the layer has a tensor in that role. */
gboolean co_build_require (const CoBuild * b, const CoLayerParts * layer,
    CoRole role);
/* Whether there is no tensor that has no use. */
gboolean co_build_unused (const CoBuild * b, const CoTensor * tensor,
    const gchar * why);
/* Whether the layer has the biases of all these weights or of none: modules are made with both or with neither. */
gboolean co_build_check_biases (const CoBuild * b,
    const CoLayerParts * layer, const CoRole * weights, gsize n);
/* (n_out, n_in) and, if there is one, (n_out) */
gboolean co_build_matrix (const CoBuild * b, CoMatrix * matrix,
    const CoTensor * weight, const CoTensor * bias, gsize n_out, gsize n_in);

/* The attention whose tensors begin at role @base: CO_ROLE_Q_WEIGHT, or CO_ROLE_CROSS for a decoder's second one. Sets
 * shapes, heads and fixed keys; what is packed of @matrices is the kind's to say. */
gboolean co_build_attention (const CoBuild * b, CoAttention * attention,
    CoMatrices * matrices, const CoLayerParts * layer, CoRole base);

/* Memory of the model's own, aligned and zero; a copy in it, NULL of NULL; and panels. */
float *co_build_own (const CoBuild * b, gsize n);
const float *co_build_copy (const CoBuild * b, const float *from, gsize n);
CoLinear co_build_pack (const CoBuild * b, const CoMatrix * matrix);

/* Projections of queries, keys and values: as one where they have one input, and, with @apart or if not, each. */
void co_build_pack_inputs (const CoBuild * b, CoAttention * attention,
    const CoMatrices * matrices, gboolean apart);
/* The output projection of a layer below whole windows, and the first feed-forward product, carried along where that
 * pays and packed where it does not */
void co_build_pack_carried (const CoBuild * b, CoLayer * layer);
/* Everything that one query over a whole window needs */
void co_build_pack_query (const CoBuild * b, CoAttention * attention,
    const CoMatrices * matrices);

/* Gives every layer the class that the kind of attention asks for. */
gboolean co_build_kind (const CoBuild * b, CoStack * stack,
    const CoParts * parts);

G_END_DECLS
