/* continual-worker: a shard of the streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/shard.h"

#include <string.h>

#define BATCH 512

Shard *
shard_open (FeedContext * context, guint number, guint window,
    ReaderFunc arrived, gpointer data, gchar ** why)
{
  g_autofree gchar *subject =
      g_strdup_printf ("%s.vectors.%u.*", context->name, number);
  g_autofree gchar *durable = g_strdup_printf ("shard-%u", number);
  Reader *reader = reader_open (context->link, &(ReaderSettings) {
      context->vectors, subject, durable, READER_ALL, window, MIN (BATCH, window)},
      arrived, data, why);
  Shard *self;

  if (!reader)
    return NULL;
  self = g_new0 (Shard, 1);
  self->number = number;
  self->context = context;
  self->reader = reader;
  self->feeds = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
      (GDestroyNotify) feed_free);
  return self;
}

void
shard_close (Shard * self)
{
  natsMsg_Destroy (self->held.msg);
  reader_close (self->reader);
  g_hash_table_unref (self->feeds);
  g_free (self);
}

/* The library cannot name such a subject to JetStream: there is no way to its last output and its record. */
static void
tell_odd_key (Shard * self, const gchar * key)
{
  const gint64 now = g_get_monotonic_time ();
  g_autofree gchar *shown = g_strescape (key, NULL);
  g_autofree gchar *place = NULL, *problem = NULL;

  self->context->n_problems++;
  if (self->odd_at > 0 && now - self->odd_at < FEED_TELL_AGAIN)
    return;
  self->odd_at = now;
  problem = g_strdup_printf ("expected keys in UTF-8 without wildcards, quotes and backslashes, found %s: its messages are left out", shown);
  place = g_strdup_printf ("shard-%u", self->number);
  feed_publish_problem (self->context, place,
      json_pack ("{s:s, s:s, s:s}", "stream", shown, "worker", self->context->worker, "problem", problem));
  g_printerr ("continual-worker: shard %u: %s\n", self->number, problem);
}

/* NULL: *again: not now; else never. */
static Feed *
get_feed (Shard * self, natsMsg * msg, gboolean * again)
{
  const gchar *subject = natsMsg_GetSubject (msg);
  const gchar *key = strrchr (subject, '.') + 1;
  Feed *feed = g_hash_table_lookup (self->feeds, key);

  *again = FALSE;
  if (feed)
    return feed;
  if (!link_subject_is_valid (key)) {
    tell_odd_key (self, key);
    return NULL;
  }
  feed = feed_load (self->context, key, again);
  if (feed)
    g_hash_table_insert (self->feeds, feed->key, feed);
  return feed;
}

/* What is between the last message of @feed and @sequence, with that one. What it should have got may never have come: a record that a
 * server gave before it knew the newest one leads too far back, and acknowledgements do not. FALSE: not now. */
static gboolean
fill_hole (Shard * self, Feed * feed, guint64 sequence)
{
  const gchar *subject = natsMsg_GetSubject (self->held.msg);
  const guint64 after = MAX (feed->record.covered, feed->newest);
  GQueue messages = G_QUEUE_INIT;
  natsMsg *msg;
  FeedAdded added = FEED_ADDED;

  if (!reader_read_between (self->reader, subject, after, sequence, &messages)) {
    feed->hole = 0;             /* try again */
    return FALSE;
  }
  while ((msg = g_queue_pop_head (&messages))) {
    jsMsgMetaData *meta = NULL;

    if (added != FEED_LATER && natsMsg_GetMetaData (&meta, msg) == NATS_OK) {
      feed->hole = meta->Sequence.Stream;       /* what is missing now is missing */
      added = feed_add (feed, msg, meta->Sequence.Stream);
    }
    jsMsgMetaData_Destroy (meta);
    natsMsg_Destroy (msg);
  }
  if (added != FEED_LATER && sequence > MAX (feed->record.covered, feed->newest)) {
    feed->hole = sequence;      /* it is not in the stream any more */
    added = feed_add (feed, self->held.msg, sequence);
  }
  if (added == FEED_LATER)
    feed->hole = 0;
  return added != FEED_LATER;
}

guint
shard_gather (Shard * self, guint most, GPtrArray * active)
{
  guint n = 0;

  while (n < most && (self->held.msg || reader_next (self->reader, &self->held))) {
    gboolean again;
    Feed *feed = get_feed (self, self->held.msg, &again);

    if (again)
      break;
    if (feed) {
      const gboolean was_active = feed->newest > feed->record.covered;
      const FeedAdded added = feed_add (feed, self->held.msg, self->held.sequence);
      const gboolean later = added == FEED_LATER
          || (added == FEED_HOLE && !fill_hole (self, feed, self->held.sequence));

      if (!was_active && feed->newest > feed->record.covered)
        g_ptr_array_add (active, feed);
      if (later)
        break;
    }
    self->pending = self->held.pending;
    g_clear_pointer (&self->held.msg, natsMsg_Destroy);
    n++;
  }
  return n;
}

gboolean
shard_post_records (Shard * self, GPtrArray * posts)
{
  GHashTableIter iter;
  gpointer feed;

  g_hash_table_iter_init (&iter, self->feeds);
  while (g_hash_table_iter_next (&iter, NULL, &feed)) {
    Post *post = feed_post_record (feed);

    if (post)
      g_ptr_array_add (posts, post);
    else if (((Feed *) feed)->dirty)
      return FALSE;
  }
  return TRUE;
}

void
shard_saved (Shard * self, gint64 idle)
{
  const gint64 before = g_get_monotonic_time () - idle;
  GHashTableIter iter;
  gpointer feed;

  /* The message that is held was given, and is not covered. */
  if (!self->held.msg)
    reader_acknowledge (self->reader, TRUE);
  g_hash_table_iter_init (&iter, self->feeds);
  while (g_hash_table_iter_next (&iter, NULL, &feed))
    if (((Feed *) feed)->used < before)
      g_hash_table_iter_remove (&iter);
}
