/* libcontinual: the state of one layer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/layer.h"

G_BEGIN_DECLS

/* The state of the attention, then a ring of the last vectors: what their answers still need. */
typedef struct
{
  CoStateHeader *attention;
  guint64 *positions;           /* (len) position of the vector in each slot */
  float *x;                     /* (len, width) the vector t in slot t % len */
} CoLayerState;

/* Slots of the ring: one for each vector that waits for its answer. 1: no ring, the row at hand suffices, unless the layer
 * answers windows. */
gsize co_layer_state_ring_len (const CoLayer * self);
/* Bytes; a multiple of 64 */
gsize co_layer_state_size (const CoLayer * self);
/* @memory: aligned to 64 */
CoLayerState co_layer_state_open (const CoLayer * self, guint8 * memory);
/* Whether a counter is sane, and all numbers are finite and such as a stream comes to */
gboolean co_layer_state_is_sound (const CoLayer * self,
    const guint8 * memory);
/* Writes the fixed keys anew, which a stream writes with its first vector. */
void co_layer_state_put_fixed (const CoLayer * self, guint8 * memory,
    float *scratch);

G_END_DECLS
