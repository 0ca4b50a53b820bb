/* continual-worker: one step after another of many streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "worker/feed.h"

G_BEGIN_DECLS

/* Counts of all batches */
typedef struct
{
  guint64 vectors, outputs, batches;
  gint64 step_time;             /* microseconds in steps */
} BatchCounts;

/* Steps the batches of @feeds (Feed *), all streams together, and fills their outs. */
void batch_run (FeedContext * context, GPtrArray * feeds, BatchCounts * counts);

/* Posts their outputs, in order. Feeds that somebody else wrote to move from @feeds to @lost. FALSE: *stop was set and the servers
 * did not answer: some outputs are not stored. */
gboolean batch_post (PostOffice * office, GPtrArray * feeds, GPtrArray * lost,
    gint * stop);

G_END_DECLS
