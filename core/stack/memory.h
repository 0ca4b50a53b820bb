/* libcontinual: the memory of a decoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Vectors, and their keys and values in each layer. Immutable, reference counted. */
typedef struct _CoMemory CoMemory;

/* @sizes: bytes of each layer's part, zero and aligned to 64. NULL: it does not fit into RAM */
CoMemory *co_memory_new (const float *vectors /* (n, n_features) */ , gsize n,
    gsize n_features, const gsize * sizes, gsize n_layers);
CoMemory *co_memory_ref (CoMemory * self);
void co_memory_unref (CoMemory * self);

gpointer co_memory_get_layer (const CoMemory * self, gsize layer);
gsize co_memory_get_length (const CoMemory * self);
const float *co_memory_get_vectors (const CoMemory * self);

G_END_DECLS
