/* gst-continual: a durable consumer that gives every message once and in order
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pull requests are JetStream's API (ADR-13 of NATS): a JSON object to $JS.API.CONSUMER.MSG.NEXT, answered by messages to an inbox. The
 * library's own fetch waits until a batch is full; a live stream must not. */
#include "common/reader.h"

#include <string.h>

/* Microseconds */
#define REQUEST_TIME (1 * G_USEC_PER_SEC)       /* of a pull request: a leader that dies takes those with it */
#define RETRY_TIME (200 * 1000)
#define CHECK_TIME (1 * G_USEC_PER_SEC) /* between two questions whether something was delivered that did not come */
/* Nanoseconds, for the server */
#define ACK_WAIT (G_GINT64_CONSTANT (60000000000))
#define FORGET_TIME (G_GINT64_CONSTANT (300000000000))
#define CATCH_UP_FORGET_TIME (G_GINT64_CONSTANT (10000000000))
/* Milliseconds */
#define CATCH_UP_WAIT 2000
#define ACK_SYNC_WAIT 2000

struct _Reader
{
  Link *link;
  gchar *stream, *subject, *durable;
  gboolean named;
  guint batch;
  ReaderFunc arrived;
  gpointer data;

  natsSubscription *sub;
  gchar *inbox, *next;          /* subjects: of answers, of requests */

  GMutex lock;                  /* guards, with `ended`: */
  GCond ended;
  GQueue came;                  /* natsMsg * */
  gboolean over;                /* on_message() is not called any more */
  guint requested;              /* messages that the server may still send */

  gint64 request_until;         /* monotonic time */
  guint reconnects;             /* of the link, when it was requested */
  GQueue missing;               /* natsMsg *: read from the stream, come before those */
  guint64 last;                 /* sequence of the message that was given last */
  guint64 last_delivery;        /* the consumer's count of that which came last */
  guint64 delivered;            /* at the start: sequence up to which an earlier reader got messages; 0: caught up */
  guint64 delivered_count;
  gint64 retry_at;              /* monotonic time; 0: now */
  gint64 check_at;              /* monotonic time; 0: nothing is due */
  guint64 checked_count, checked;       /* what was delivered at the last check: the consumer's count, and the sequence */
  guint64 n_given;              /* since the last acknowledgement */
  gchar *ack;                   /* subject that acknowledges `ack_sequence` and all before; NULL: none */
  guint64 ack_sequence;
};

/* Of a message that a consumer delivered */
typedef struct
{
  guint64 sequence, count, pending;
} Place;

static gboolean
get_place (natsMsg * msg, Place * place)
{
  jsMsgMetaData *meta = NULL;

  if (natsMsg_GetMetaData (&meta, msg) != NATS_OK)
    return FALSE;
  *place = (Place) {
  meta->Sequence.Stream, meta->Sequence.Consumer, meta->NumPending};
  jsMsgMetaData_Destroy (meta);
  return TRUE;
}

static void
on_message (natsConnection * connection, natsSubscription * sub, natsMsg * msg,
    void *data)
{
  Reader *self = data;

  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->came, msg);
  g_mutex_unlock (&self->lock);
  self->arrived (self->data);
}

static void
on_complete (void *data)
{
  Reader *self = data;

  g_mutex_lock (&self->lock);
  self->over = TRUE;
  g_cond_signal (&self->ended);
  g_mutex_unlock (&self->lock);
}

static void
destroy (gpointer msg)
{
  natsMsg_Destroy (msg);
}

static gchar *
make_name (const gchar * prefix)
{
  g_autofree gchar *uuid = g_uuid_string_random ();

  return g_strdup_printf ("%s-%.13s", prefix, uuid);
}

static gboolean
find_consumer (Reader * self, const ReaderSettings * settings, gchar ** why)
{
  jsConsumerInfo *info = NULL;
  jsConsumerConfig config;
  jsErrCode code = 0;
  natsStatus s;
  g_autofree gchar *text = NULL;

  jsConsumerConfig_Init (&config);
  config.Durable = self->durable;
  config.FilterSubject = self->subject;
  config.AckPolicy = js_AckAll;
  config.AckWait = ACK_WAIT;
  config.MaxAckPending = settings->window;
  config.DeliverPolicy = settings->start == READER_ALL ? js_DeliverAll :
      settings->start == READER_NEW ? js_DeliverNew : js_DeliverLast;
  if (!self->named)
    config.InactiveThreshold = FORGET_TIME;
  s = js_GetConsumerInfo (&info, link_get_jetstream (self->link), self->stream,
      self->durable, NULL, &code);
  if (s == NATS_NOT_FOUND || code == LINK_NO_CONSUMER)
    s = js_AddConsumer (&info, link_get_jetstream (self->link), self->stream,
        &config, NULL, &code);
  if (s != NATS_OK) {
    text = link_explain (s);
    *why = g_strdup_printf ("stream %s: expected a durable consumer %s, found: %s", self->stream, self->durable, text);
    return FALSE;
  }
  if (info->Config && (info->Config->AckPolicy != js_AckAll
          || g_strcmp0 (info->Config->FilterSubject, self->subject) != 0
          || info->Config->DeliverSubject)) {
    *why = g_strdup_printf ("consumer %s of stream %s: expected a pull consumer of %s that acknowledges all, found another one (of %s): choose "
        "another name", self->durable, self->stream, self->subject,
        info->Config->FilterSubject ? info->Config->FilterSubject : "all");
    jsConsumerInfo_Destroy (info);
    return FALSE;
  }
  self->last = info->AckFloor.Stream;
  self->last_delivery = info->Delivered.Consumer;
  if (info->Delivered.Stream > self->last) {
    self->delivered = info->Delivered.Stream;
    self->delivered_count = info->Delivered.Consumer;
  }
  jsConsumerInfo_Destroy (info);
  return TRUE;
}

Reader *
reader_open (Link * link, const ReaderSettings * settings, ReaderFunc arrived,
    gpointer data, gchar ** why)
{
  g_autoptr (Reader) self = g_new0 (Reader, 1);
  natsInbox *inbox = NULL;
  natsStatus s;

  g_mutex_init (&self->lock);
  g_cond_init (&self->ended);
  self->link = link;
  self->stream = g_strdup (settings->stream);
  self->subject = g_strdup (settings->subject);
  self->named = settings->durable != NULL;
  self->durable = self->named ? g_strdup (settings->durable) :
      make_name ("continual");
  self->batch = settings->batch;
  self->arrived = arrived;
  self->data = data;
  if (!find_consumer (self, settings, why))
    return NULL;
  s = natsInbox_Create (&inbox);
  if (s == NATS_OK) {
    self->inbox = g_strdup (inbox);
    natsInbox_Destroy (inbox);
    s = natsConnection_Subscribe (&self->sub, link_get_connection (link),
        self->inbox, on_message, self);
  }
  if (s == NATS_OK)
    s = natsSubscription_SetPendingLimits (self->sub, -1, -1);
  if (s == NATS_OK)
    s = natsSubscription_SetOnCompleteCB (self->sub, on_complete, self);
  if (s != NATS_OK) {
    *why = link_explain (s);
    return NULL;
  }
  self->next = g_strdup_printf ("$JS.API.CONSUMER.MSG.NEXT.%s.%s", self->stream,
      self->durable);
  return g_steal_pointer (&self);
}

void
reader_close (Reader * self)
{
  if (self->sub) {
    if (natsSubscription_Unsubscribe (self->sub) == NATS_OK) {
      g_mutex_lock (&self->lock);
      while (!self->over)
        g_cond_wait (&self->ended, &self->lock);
      g_mutex_unlock (&self->lock);
    }
    natsSubscription_Destroy (self->sub);
  }
  if (!self->named && self->next)
    js_DeleteConsumer (link_get_jetstream (self->link), self->stream,
        self->durable, NULL, NULL);
  g_queue_clear_full (&self->came, destroy);
  g_queue_clear_full (&self->missing, destroy);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->ended);
  g_free (self->stream);
  g_free (self->subject);
  g_free (self->durable);
  g_free (self->inbox);
  g_free (self->next);
  g_free (self->ack);
  g_free (self);
}

static gboolean
request (Reader * self, const gchar * consumer, const gchar * inbox,
    guint n, gint64 time)
{
  g_autofree gchar *body =
      g_strdup_printf ("{\"batch\":%u,\"expires\":%" G_GINT64_FORMAT "}", n,
      time * 1000);

  return natsConnection_PublishRequestString (link_get_connection (self->link),
      consumer, inbox, body) == NATS_OK;
}

/* Keeps at least half a batch on its way. */
static void
pull (Reader * self)
{
  const gint64 now = g_get_monotonic_time ();
  const guint reconnects = link_count_reconnects (self->link);
  guint waiting, n = 0;

  g_mutex_lock (&self->lock);
  if (now >= self->request_until || reconnects != self->reconnects)
    self->requested = 0;
  waiting = self->came.length + self->requested;
  if (waiting <= self->batch / 2)
    n = self->batch - waiting;
  self->requested += n;
  g_mutex_unlock (&self->lock);
  if (n == 0 || !link_is_connected (self->link))
    return;
  self->reconnects = reconnects;
  self->request_until = now + REQUEST_TIME + REQUEST_TIME / 4;
  request (self, self->next, self->inbox, n, REQUEST_TIME);
}

/* TRUE: between @at and @target the stream has no message of @subject: they became too old, or are of other subjects, which a consumer
 * counts as delivered, too. A server that has just started may not have all messages yet: it must have come to @target. */
static gboolean
is_complete (Reader * self, const gchar * subject, guint64 at, guint64 target)
{
  jsStreamInfo *info = NULL;
  natsMsg *last = NULL;
  gboolean gone = FALSE, there = FALSE, complete;

  if (js_GetStreamInfo (&info, link_get_jetstream (self->link), self->stream,
          NULL, NULL) == NATS_OK) {
    gone = info->State.FirstSeq > target;
    there = info->State.LastSeq >= target;
  }
  jsStreamInfo_Destroy (info);
  complete = gone || (there && link_get_last (self->link, self->stream, subject, &last)
      && (!last || natsMsg_GetSequence (last) <= at));
  natsMsg_Destroy (last);
  return complete;
}

/* Pulls what a consumer has, up to sequence @target. */
static natsStatus
pull_all (Reader * self, const gchar * name, guint64 pending, guint64 after,
    guint64 target, guint64 * at, GQueue * messages)
{
  g_autofree gchar *next =
      g_strdup_printf ("$JS.API.CONSUMER.MSG.NEXT.%s.%s", self->stream, name);
  natsInbox *inbox = NULL;
  natsSubscription *sub = NULL;
  natsStatus s = natsInbox_Create (&inbox);

  if (s == NATS_OK)
    s = natsConnection_SubscribeSync (&sub, link_get_connection (self->link), inbox);
  while (s == NATS_OK && pending > 0 && *at < target) {
    guint n = MIN (pending, 256);

    if (!request (self, next, inbox, n, CATCH_UP_WAIT * 1000))
      s = NATS_ERR;
    for (; s == NATS_OK && n > 0; n--) {
      natsMsg *msg = NULL;
      Place place;

      s = natsSubscription_NextMsg (&msg, sub, CATCH_UP_WAIT);
      if (s != NATS_OK)
        break;
      if (!get_place (msg, &place)) {   /* a status: nothing more comes of this request */
        natsMsg_Destroy (msg);
        s = NATS_ERR;
        break;
      }
      *at = place.sequence;
      pending = place.pending;
      if (*at > after && *at <= target)
        g_queue_push_tail (messages, msg);
      else
        natsMsg_Destroy (msg);
    }
  }
  natsSubscription_Destroy (sub);
  natsInbox_Destroy (inbox);
  return s;
}

gboolean
reader_read_between (Reader * self, const gchar * subject, guint64 after,
    guint64 target, GQueue * messages)
{
  g_autofree gchar *name = make_name ("catch-up");
  jsConsumerConfig config;
  jsConsumerInfo *info = NULL;
  guint64 at = after, pending;
  natsStatus s;

  jsConsumerConfig_Init (&config);
  config.Name = name;
  config.FilterSubject = subject;
  config.AckPolicy = js_AckNone;
  config.DeliverPolicy = js_DeliverByStartSequence;
  config.OptStartSeq = after + 1;
  config.InactiveThreshold = CATCH_UP_FORGET_TIME;
  if (js_AddConsumer (&info, link_get_jetstream (self->link), self->stream,
          &config, NULL, NULL) != NATS_OK)
    return FALSE;
  pending = info->NumPending;
  jsConsumerInfo_Destroy (info);
  s = pull_all (self, name, pending, after, target, &at, messages);
  js_DeleteConsumer (link_get_jetstream (self->link), self->stream, name, NULL, NULL);
  if (s == NATS_OK && (at >= target || is_complete (self, subject, at, target)))
    return TRUE;
  g_queue_clear_full (messages, destroy);
  return FALSE;
}

/* Reads what is behind `last` up to sequence @to from the stream. FALSE: it did not work, try again. */
static gboolean
catch_up (Reader * self, guint64 to)
{
  return reader_read_between (self, self->subject, self->last, to, &self->missing);
}

/* catch_up(), at most once in RETRY_TIME. FALSE: not now, or it failed. */
static gboolean
catch_up_later (Reader * self, guint64 to)
{
  const gint64 now = g_get_monotonic_time ();

  if (now < self->retry_at || !link_is_connected (self->link))
    return FALSE;
  self->retry_at = now + RETRY_TIME;
  if (!catch_up (self, to))
    return FALSE;
  self->retry_at = 0;
  return TRUE;
}

static void
set_ack (Reader * self, gchar * subject, guint64 sequence)
{
  g_free (self->ack);
  self->ack = subject;
  self->ack_sequence = sequence;
}

/* What an earlier reader got and did not acknowledge */
static gboolean
take_over (Reader * self)
{
  Place place;

  if (!catch_up_later (self, self->delivered))
    return FALSE;
  /* The acknowledgement of the last one, as its delivery had it */
  if (self->missing.length > 0 && get_place (g_queue_peek_tail (&self->missing), &place))
    set_ack (self, g_strdup_printf ("$JS.ACK.%s.%s.1.%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT ".0.0", self->stream,
            self->durable, place.sequence, self->delivered_count),
        place.sequence);
  self->delivered = 0;
  return TRUE;
}

static gboolean
give (Reader * self, natsMsg * msg, const Place * place, ReaderItem * item)
{
  self->last = place->sequence;
  self->n_given++;
  *item = (ReaderItem) {
  msg, place->sequence, place->pending};
  return TRUE;
}

static gboolean
give_missing (Reader * self, ReaderItem * item)
{
  natsMsg *msg;
  Place place;

  while ((msg = g_queue_pop_head (&self->missing))) {
    if (get_place (msg, &place) && place.sequence > self->last)
      return give (self, msg, &place, item);
    natsMsg_Destroy (msg);
  }
  return FALSE;
}

/* For a queue that is empty. A message that was already delivered at the last check and is not here was delivered to an earlier
 * reader, or lost with a connection: it is read from the stream. Without this check it would be missed until a newer one comes. */
static gboolean
check_silence (Reader * self)
{
  const gint64 now = g_get_monotonic_time ();
  jsConsumerInfo *info = NULL;

  if (self->check_at == 0)
    self->check_at = now + CHECK_TIME;
  if (now < self->check_at || !link_is_connected (self->link))
    return FALSE;
  self->check_at = now + CHECK_TIME;
  if (self->checked_count > self->last_delivery && self->checked > self->last) {
    if (!catch_up (self, self->checked))
      return FALSE;
    self->last_delivery = self->checked_count;
    return self->missing.length > 0;
  }
  if (js_GetConsumerInfo (&info, link_get_jetstream (self->link), self->stream,
          self->durable, NULL, NULL) == NATS_OK) {
    self->checked_count = info->Delivered.Consumer;
    self->checked = info->Delivered.Stream;
  }
  jsConsumerInfo_Destroy (info);
  return FALSE;
}

static natsMsg *
peek (Reader * self)
{
  natsMsg *msg;

  g_mutex_lock (&self->lock);
  msg = g_queue_peek_head (&self->came);
  g_mutex_unlock (&self->lock);
  return msg;
}

static void
pop (Reader * self, gboolean is_status)
{
  g_mutex_lock (&self->lock);
  g_queue_pop_head (&self->came);
  if (is_status)                /* the request is over */
    self->requested = 0;
  else if (self->requested > 0)
    self->requested--;
  g_mutex_unlock (&self->lock);
}

gboolean
reader_next (Reader * self, ReaderItem * item)
{
  natsMsg *msg;
  Place place;

  pull (self);
  if (self->delivered > 0 && !take_over (self))
    return FALSE;
  if (give_missing (self, item))
    return TRUE;
  while ((msg = peek (self))) {
    if (!get_place (msg, &place)) {
      pop (self, TRUE);
      natsMsg_Destroy (msg);
      continue;
    }
    if (place.sequence > self->last + 1 && place.count != self->last_delivery + 1) {
      /* Some deliveries did not come. */
      if (!catch_up_later (self, place.sequence))
        return FALSE;
      self->last_delivery = place.count - 1;
      if (give_missing (self, item))
        return TRUE;
    }
    pop (self, FALSE);
    self->last_delivery = place.count;
    if (place.sequence <= self->last) { /* given again */
      if (place.sequence > self->ack_sequence)
        set_ack (self, g_strdup (natsMsg_GetReply (msg)), place.sequence);
      natsMsg_Destroy (msg);
      continue;
    }
    set_ack (self, g_strdup (natsMsg_GetReply (msg)), place.sequence);
    self->check_at = 0;
    return give (self, msg, &place, item);
  }
  return check_silence (self) && give_missing (self, item);
}

gboolean
reader_acknowledge (Reader * self, gboolean sync)
{
  natsMsg *answer = NULL;
  natsStatus s;

  if (!self->ack || self->ack_sequence > self->last)
    return self->n_given == 0;
  if (sync)
    s = natsConnection_RequestString (&answer, link_get_connection (self->link),
        self->ack, "+ACK", ACK_SYNC_WAIT);
  else
    s = natsConnection_PublishString (link_get_connection (self->link), self->ack, "+ACK");
  natsMsg_Destroy (answer);
  if (s != NATS_OK)
    return FALSE;
  if (self->ack_sequence == self->last) {
    self->n_given = 0;
    set_ack (self, NULL, 0);
  }
  return TRUE;
}

guint64
reader_count_unacknowledged (const Reader * self)
{
  return self->n_given;
}
