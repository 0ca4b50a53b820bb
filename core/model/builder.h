/* libcontinual: what the builders of parts share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/build.h"

G_BEGIN_DECLS

#define CO_ANY 0                /* of a size: taken as it is */

typedef struct
{
  const CoSettings *settings;
  const CoSafetensors *file;
  const CoScheme *scheme;
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
/* (n_out, n_in) and, if there is one, (n_out) */
gboolean co_build_linear (const CoBuild * b, CoLinear * linear,
    const CoTensor * weight, const CoTensor * bias, gsize n_out, gsize n_in);

/* Floats of the model's own, aligned and zero. */
float *co_build_own (const CoBuild * b, gsize n);

/* The attention whose tensors begin at role @base: CO_ROLE_Q_WEIGHT, or CO_ROLE_CROSS for a decoder's second one. Its
 * class, window and features are not set. */
gboolean co_build_attention (const CoBuild * b, CoAttention * attention,
    const CoLayerParts * layer, CoRole base);

/* Gives every layer the class that the kind of attention asks for. */
gboolean co_build_kind (const CoBuild * b, CoStack * stack,
    const CoParts * parts);

G_END_DECLS
