/* continual-worker: one stream of vectors: what the servers keep of it
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/feed-private.h"

#include <jansson.h>
#include <string.h>

#include "worker/names.h"

void
feed_publish_problem (const FeedContext * context, const gchar * key,
    json_t * problem)
{
  g_autofree gchar *subject =
      g_strdup_printf ("%s.problems.%s", context->name, key);
  gchar *text = problem ? json_dumps (problem, JSON_COMPACT) : NULL;

  if (text)
    natsConnection_PublishString (link_get_connection (context->link), subject,
        text);
  free (text);
  json_decref (problem);
}

void
feed_tell (Feed * self, guint64 sequence, const gchar * problem)
{
  const gint64 now = g_get_monotonic_time ();
  g_autofree gchar *key = g_utf8_make_valid (self->key, -1);
  g_autofree gchar *valid = g_utf8_make_valid (problem, -1);

  self->context->n_problems++;
  if (g_strcmp0 (problem, self->problem) == 0
      && now - self->problem_at < FEED_TELL_AGAIN)
    return;
  g_free (self->problem);
  self->problem = g_strdup (problem);
  self->problem_at = now;
  feed_publish_problem (self->context, self->key,
      json_pack ("{s:s, s:I, s:s, s:s}", "stream", key, "sequence",
          (json_int_t) sequence, "worker", self->context->worker, "problem", valid));
  g_printerr ("continual-worker: stream %s, message %" G_GUINT64_FORMAT
      ": %s\n", self->key, sequence, problem);
}

/* The state goes on where the record ends, or begins anew. */
static void
read_record (Feed * self, natsMsg * msg)
{
  g_autoptr (GBytes) snapshot = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *why = NULL;

  self->revision = natsMsg_GetSequence (msg);
  if (natsMsg_GetDataLength (msg) == 0) /* it was deleted */
    return;
  if (!record_read (&self->record, natsMsg_GetData (msg),
          natsMsg_GetDataLength (msg), &snapshot, &why)) {
    feed_tell (self, self->record.covered, why);
    return;
  }
  if (!snapshot || co_stream_set_state_at (slots_get_stream (self->context->slots),
          self->slot, snapshot, &error))
    return;
  feed_tell (self, self->record.covered, error->message);
  g_clear_pointer (&self->record.stream, g_free);
  g_array_set_size (self->record.times, 0);
}

static void
read_last_output (Feed * self, natsMsg * msg)
{
  g_autoptr (TensorMessage) last = tensor_message_new ();
  g_autofree gchar *why = NULL;

  self->last_output = natsMsg_GetSequence (msg);
  if (!tensor_message_read_place (msg, last, &why)) {
    feed_tell (self, 0, why);
    return;
  }
  self->out_stream = g_strdup (last->stream);
  self->out_index = last->index + 1;
  self->answered = last->source;
  self->answered_part = last->source_part;
}

static Feed *
new (FeedContext * context, const gchar * key)
{
  Feed *self = g_new0 (Feed, 1);
  g_autofree gchar *escaped = worker_names_escape (key);

  self->context = context;
  self->key = g_strdup (key);
  self->subject = g_strdup_printf ("%s.outputs.%s", context->name, key);
  self->state_subject =
      g_strdup_printf ("$KV.%s-states.%s", context->name, escaped);
  self->slot = SLOTS_NONE;
  record_init (&self->record);
  self->steps = g_array_new (FALSE, FALSE, sizeof (FeedStep));
  self->x = g_byte_array_new ();
  self->outs = g_array_new (FALSE, FALSE, sizeof (FeedOut));
  self->y = g_byte_array_new ();
  self->used = g_get_monotonic_time ();
  return self;
}

Feed *
feed_load (FeedContext * context, const gchar * key, gboolean * again)
{
  Feed *self = new (context, key);
  g_autoptr (GError) error = NULL;
  natsMsg *record = NULL, *output = NULL;

  *again = !link_get_last (context->link, context->states, self->state_subject, &record)
      || !link_get_last (context->link, context->outputs, self->subject, &output);
  if (!*again) {
    self->slot = slots_take (context->slots, &error);
    if (error)
      feed_tell (self, 0, error->message);
  }
  if (self->slot != SLOTS_NONE && record)
    read_record (self, record);
  if (self->slot != SLOTS_NONE && output)
    read_last_output (self, output);
  natsMsg_Destroy (record);
  natsMsg_Destroy (output);
  if (self->slot == SLOTS_NONE) {
    feed_free (self);
    return NULL;
  }
  feed_take_caps (self);
  return self;
}

void
feed_free (Feed * self)
{
  if (self->slot != SLOTS_NONE)
    slots_give_back (self->context->slots, self->slot);
  record_clear (&self->record);
  g_array_unref (self->steps);
  g_byte_array_unref (self->x);
  g_array_unref (self->outs);
  g_byte_array_unref (self->y);
  g_free (self->key);
  g_free (self->subject);
  g_free (self->state_subject);
  g_free (self->out_caps);
  g_free (self->out_stream);
  g_free (self->problem);
  g_free (self);
}

Post *
feed_post_record (Feed * self)
{
  FeedContext *context = self->context;
  g_autoptr (GBytes) snapshot = NULL, bytes = NULL;
  g_autofree gchar *id = NULL;
  natsMsg *msg = NULL;

  if (!self->dirty)
    return NULL;
  if (!self->record.over && self->record.stream) {
    snapshot = co_stream_get_state_at (slots_get_stream (context->slots), self->slot);
    if (!snapshot)
      return NULL;
  }
  bytes = record_write (&self->record, snapshot);
  if (natsMsg_Create (&msg, self->state_subject, NULL,
          g_bytes_get_data (bytes, NULL), (int) g_bytes_get_size (bytes)) != NATS_OK)
    return NULL;
  /* Of two records behind the same one, JetStream takes the first. */
  id = g_strdup_printf ("%s:%" G_GUINT64_FORMAT, self->key, self->revision);
  natsMsgHeader_Set (msg, "Nats-Msg-Id", id);
  return post_new (context->states, msg, self->revision, context->worker, self);
}

void
feed_record_stored (Feed * self, const Post * post)
{
  self->revision = post->sequence;
  self->dirty = FALSE;
}
