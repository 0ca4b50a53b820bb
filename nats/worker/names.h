/* continual-worker: subjects, streams and buckets
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *   NAME.vectors.KEY           what edges publish; the servers map it to
 *   NAME.vectors.SHARD.KEY     in the stream NAME-vectors
 *   NAME.outputs.KEY           in the stream NAME-outputs
 *   NAME.problems.KEY          (not stored) what is wrong with a stream
 *   NAME.problems.shard-N      (not stored) keys that cannot be used
 *   NAME.stats.WORKER          (not stored) what a worker does
 *   bucket NAME-states         for each KEY its snapshot, and the sequence that it covers
 *   bucket NAME-leases         shard.N: who holds it; worker.ID: who lives
 */
#pragma once

#include "common/link.h"
#include "worker/options.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *vectors, *outputs, *states_bucket, *states, *leases_bucket;    /* states: the stream under the bucket */
} WorkerNames;

WorkerNames *worker_names_new (const gchar * name);
void worker_names_free (WorkerNames * self);

/* The key as the bucket takes it: other characters than letters, digits, - and _ as =XX. */
gchar *worker_names_escape (const gchar * key);

/* Creates the streams and buckets that do not exist yet. FALSE: *why (free it); *again: the servers did not do it now, as while they
 * elect a leader. */
gboolean worker_names_create (const WorkerNames * self, Link * link,
    const WorkerOptions * options, gboolean * again, gchar ** why);

/* TRUE: messages are stored in partition @shard. */
gboolean worker_names_has_shard (const WorkerNames * self, Link * link,
    const WorkerOptions * options, guint shard);

G_END_DECLS
