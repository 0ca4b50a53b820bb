/* continual-worker: messages that must be stored, each behind a known one
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/post.h"

#include <string.h>

/* Milliseconds, for one try */
#define PUBLISH_WAIT 2000
#define MAX_PENDING 100000
/* Microseconds */
#define RETRY_TIME (100 * 1000)
#define STOP_TIME (5 * G_USEC_PER_SEC)

struct _PostOffice
{
  Link *link;
  jsCtx *jetstream;

  GMutex lock;                  /* guards, with `changed`: */
  GCond changed;
  GHashTable *pending;          /* natsMsg * to Post * */
};

Post *
post_new (const gchar * stream, natsMsg * msg, guint64 expected,
    const gchar * sender, gpointer owner)
{
  Post *self = g_new0 (Post, 1);

  natsMsgHeader_Set (msg, POST_SENDER, sender);

  self->stream = stream;
  self->msg = msg;
  self->expected = expected;
  self->owner = owner;
  return self;
}

void
post_free (Post * self)
{
  natsMsg_Destroy (self->msg);
  g_free (self);
}

/* From a thread of the library, once for each publication */
static void
on_answer (jsCtx * jetstream, natsMsg * msg, jsPubAck * ack, jsPubAckErr * error,
    void *data)
{
  PostOffice *self = data;
  Post *post;

  g_mutex_lock (&self->lock);
  post = g_hash_table_lookup (self->pending, msg);
  if (post) {
    g_hash_table_remove (self->pending, msg);
    post->msg = msg;
    if (ack && !ack->Duplicate) {
      post->state = POST_STORED;
      post->sequence = ack->Sequence;
    } else if (ack) {           /* of an earlier try, or of somebody else */
      post->state = POST_CONFLICT;
    } else if (error && error->ErrCode == LINK_WRONG_LAST_SEQUENCE) {
      post->state = POST_CONFLICT;
    }
  } else {
    natsMsg_Destroy (msg);
  }
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

PostOffice *
post_office_new (Link * link)
{
  PostOffice *self = g_new0 (PostOffice, 1);
  jsOptions options;

  self->link = link;
  self->pending = g_hash_table_new (NULL, NULL);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  jsOptions_Init (&options);
  options.PublishAsync.AckHandler = on_answer;
  options.PublishAsync.AckHandlerClosure = self;
  options.PublishAsync.MaxPending = MAX_PENDING;
  if (natsConnection_JetStream (&self->jetstream, link_get_connection (link),
          &options) != NATS_OK)
    g_error ("JetStream: no room for a context");
  return self;
}

/* Waits until all that was published is answered, or given up by the library. */
static void
wait_for_answers (PostOffice * self)
{
  g_mutex_lock (&self->lock);
  while (g_hash_table_size (self->pending) > 0)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

void
post_office_free (PostOffice * self)
{
  wait_for_answers (self);
  jsCtx_Destroy (self->jetstream);
  g_hash_table_unref (self->pending);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

static void
publish (PostOffice * self, Post * post)
{
  jsPubOptions options;
  natsMsg *msg = post->msg;
  natsStatus s;

  jsPubOptions_Init (&options);
  options.MaxWait = PUBLISH_WAIT;
  options.ExpectLastSubjectSeq = post->expected;
  options.ExpectNoMessage = post->expected == 0;
  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->pending, msg, post);
  post->msg = NULL;
  g_mutex_unlock (&self->lock);
  s = js_PublishMsgAsync (self->jetstream, &msg, &options);
  if (s == NATS_OK)
    return;
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->pending, msg);
  post->msg = msg;
  if (s == NATS_MAX_PAYLOAD) {
    g_printerr ("continual-worker: %s: expected a message that the servers take, found one of %d bytes: raise max_payload in their "
        "configuration\n", natsMsg_GetSubject (msg), natsMsg_GetDataLength (msg));
    post->state = POST_CONFLICT;
  }
  g_mutex_unlock (&self->lock);
}

static gboolean
has_same (natsMsg * a, natsMsg * b, const gchar * header)
{
  const char *x = NULL, *y = NULL;

  natsMsgHeader_Get (a, header, &x);
  natsMsgHeader_Get (b, header, &y);
  return g_strcmp0 (x, y) == 0;
}

static gboolean
is_same (natsMsg * a, natsMsg * b)
{
  return has_same (a, b, "Nats-Msg-Id") && has_same (a, b, POST_SENDER)
      && natsMsg_GetDataLength (a) == natsMsg_GetDataLength (b)
      && memcmp (natsMsg_GetData (a), natsMsg_GetData (b), natsMsg_GetDataLength (a)) == 0;
}

/* A try whose answer was lost looks like a conflict: then the last message is ours. */
static void
settle (PostOffice * self, Post * post)
{
  natsMsg *msg = NULL;

  if (!link_get_last (self->link, post->stream, natsMsg_GetSubject (post->msg), &msg)) {
    post->state = POST_WAITING; /* not known yet */
  } else if (msg && is_same (msg, post->msg)) {
    post->state = POST_STORED;
    post->sequence = natsMsg_GetSequence (msg);
  } else if (!msg && post->expected > 0) {
    post->expected = 0;         /* the last one became too old */
    post->state = POST_WAITING;
  } else if (msg && natsMsg_GetSequence (msg) == post->expected) {
    post->state = POST_WAITING; /* nobody wrote: a leader knows its ID, and lost it */
  }
  natsMsg_Destroy (msg);
}

gboolean
post_office_send (PostOffice * self, GPtrArray * posts, gint * stop)
{
  gint64 stopped_at = 0;

  for (;;) {
    guint waiting = 0;

    for (guint i = 0; i < posts->len; i++) {
      Post *post = posts->pdata[i];

      if (post->state == POST_WAITING)
        publish (self, post);
    }
    wait_for_answers (self);
    for (guint i = 0; i < posts->len; i++) {
      Post *post = posts->pdata[i];

      if (post->state == POST_CONFLICT)
        settle (self, post);
      waiting += post->state == POST_WAITING;
    }
    if (waiting == 0)
      return TRUE;
    if (g_atomic_int_get (stop) && stopped_at == 0)
      stopped_at = g_get_monotonic_time ();
    if (stopped_at > 0 && g_get_monotonic_time () - stopped_at > STOP_TIME)
      return FALSE;
    g_usleep (RETRY_TIME);
  }
}
