/* continual-worker: a slot of one CoStream for each stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

G_BEGIN_DECLS

/**
 * Slots: as many streams of one model as are needed, stepped together
 *
 * One thread uses them.
 */
typedef struct _Slots Slots;

#define SLOTS_NONE G_MAXUINT

Slots *slots_new (CoModel * model, guint n_threads);
void slots_free (Slots * self);

/* A fresh stream; more slots are made where none is free. SLOTS_NONE, with CO_ERROR_NO_SPACE: there is no room. */
guint slots_take (Slots * self, GError ** error);
void slots_give_back (Slots * self, guint slot);

/* The streams: used slots and free ones. Until the next slots_take() */
CoStream *slots_get_stream (Slots * self);

/* Answers what waits in @slot, as co_stream_drain() of that stream alone, and resets it. @y: room for co_stream_max_outputs (…, 0)
 * outputs of a single stream. Returns their number. */
gsize slots_drain (Slots * self, guint slot, float *y, CoOutput * outputs,
    gsize capacity);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Slots, slots_free)

G_END_DECLS
