/* continual-worker: a shard of the streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/reader.h"
#include "worker/feed.h"

G_BEGIN_DECLS

/**
 * Shard: the consumer of a partition, and the streams that came in it
 */
typedef struct
{
  guint number;
  FeedContext *context;
  Reader *reader;
  GHashTable *feeds;            /* key to Feed * */
  ReaderItem held;              /* a message that waits for the next batch; msg NULL: none */
  guint64 pending;              /* messages behind the last one */
  gint64 odd_at;                /* when a key that cannot be used was told; 0: never */
  gboolean broken;              /* somebody else wrote to one of its streams: open it again, if it is still ours */
} Shard;

/* NULL: *why (free it) says why not. */
Shard *shard_open (FeedContext * context, guint number, guint window,
    ReaderFunc arrived, gpointer data, gchar ** why);
/* Forgets its streams, saved or not. */
void shard_close (Shard * self);

/* Adds up to @most messages to the batches of their streams. @active: feeds (Feed *) with something in their batch. Returns
 * how many it took. */
guint shard_gather (Shard * self, guint most, GPtrArray * active);

/* Adds the records of all streams that changed to @posts. FALSE: there is no room for one. */
gboolean shard_post_records (Shard * self, GPtrArray * posts);

/* What came is covered by records. @idle: microseconds after which a silent stream is forgotten */
void shard_saved (Shard * self, gint64 idle);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Shard, shard_close)

G_END_DECLS
