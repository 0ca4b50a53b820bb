/* continual-worker: which shards are this worker's
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "worker/names.h"

G_BEGIN_DECLS

/**
 * Leases: entries of a bucket that forgets them, renewed in time by a thread
 *
 * Each worker takes its share of the shards: their number, divided by the workers that live. Who has more gives back one by one.
 * A lease only says who works: that nobody else writes is guaranteed where it is written, by compare and swap.
 */
typedef struct _Leases Leases;

/* @model: an ID of the model, which all workers must have. NULL: *why (free it): a worker with another one lives. */
Leases *leases_new (Link * link, const WorkerNames * names,
    const WorkerOptions * options, const gchar * worker, const gchar * model,
    gchar ** why);
/* Gives back all shards. */
void leases_free (Leases * self);

/* TRUE: @shard is ours. */
gboolean leases_has (Leases * self, guint shard);

/* TRUE: @shard is ours, and should be given back with leases_release() when its streams are saved. */
gboolean leases_is_to_release (Leases * self, guint shard);
void leases_release (Leases * self, guint shard);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Leases, leases_free)

G_END_DECLS
