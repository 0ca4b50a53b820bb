/* gst-continual: buffers on their way to a subject
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/outbox.h"

/* Milliseconds, for one try */
#define PUBLISH_WAIT 2000
/* Microseconds */
#define RETRY_TIME (100 * 1000)
#define PATIENCE (1 * G_USEC_PER_SEC)   /* before it is told that a message is not taken */

struct _Outbox
{
  Link *link;
  OutboxSettings settings;
  gchar *subject;
  OutboxFunc news;
  gpointer data;
  GThread *thread;

  /* Of the caller's thread */
  gchar *stream;                /* ID; NULL: begin one */
  guint64 index;                /* of the next message */
  gchar *caps;
  gchar **labels;
  gboolean labels_due;
  guint64 labels_at;            /* running time when they were sent; TENSOR_TIME_NONE: not yet */

  GMutex lock;                  /* guards, with `changed`: */
  GCond changed;
  TensorMessage *next;          /* being filled; NULL: none */
  gboolean sealed;              /* nothing may be added to it */
  gboolean sending;             /* one is on its way */
  gboolean flushing, stopping, failed;
};

/* Waits before the next try. FALSE: stopping */
static gboolean
pause_thread (Outbox * self)
{
  const gint64 until = g_get_monotonic_time () + RETRY_TIME;
  gboolean stopping;

  g_mutex_lock (&self->lock);
  while (!self->stopping && g_cond_wait_until (&self->changed, &self->lock, until));
  stopping = self->stopping;
  g_mutex_unlock (&self->lock);
  return !stopping;
}

/* One try. NULL: stored. Else what went wrong; *hopeless: it will not go better the next time. */
static gchar *
publish (Outbox * self, const TensorMessage * message, gboolean * hopeless)
{
  g_autofree gchar *id =
      g_strdup_printf ("%s-%" G_GUINT64_FORMAT, message->stream, message->index);
  natsMsg *msg = tensor_message_write (message, self->subject, id);
  jsPubOptions options;
  natsStatus s;

  if (!msg)
    return g_strdup ("there is no room for the message");
  jsPubOptions_Init (&options);
  options.MaxWait = PUBLISH_WAIT;
  s = link_is_connected (self->link) ? js_PublishMsg (NULL,
      link_get_jetstream (self->link), msg, &options, NULL)
      : NATS_CONNECTION_DISCONNECTED;
  natsMsg_Destroy (msg);
  *hopeless = s == NATS_MAX_PAYLOAD || s == NATS_INVALID_SUBJECT;
  if (s == NATS_OK)
    return NULL;
  if (s == NATS_NO_RESPONDERS)
    return g_strdup_printf ("expected a JetStream stream that stores subject %s, found none: create one (`nats stream add`, or "
        "continual-worker does), or correct the subject; the server may be starting, too", self->subject);
  return link_explain (s);
}

static void
send_message (Outbox * self, const TensorMessage * message)
{
  const gint64 begin = g_get_monotonic_time ();
  gboolean told = FALSE, hopeless = FALSE;

  for (;;) {
    g_autofree gchar *why = publish (self, message, &hopeless);

    if (!why)
      break;
    if (hopeless) {
      self->news (OUTBOX_FAILED, why, self->data);
      g_mutex_lock (&self->lock);
      self->failed = TRUE;
      g_mutex_unlock (&self->lock);
      return;
    }
    if (!told && g_get_monotonic_time () >= begin + PATIENCE) {
      told = TRUE;
      self->news (OUTBOX_WAITING, why, self->data);
    }
    if (!pause_thread (self))
      return;
  }
  if (told)
    self->news (OUTBOX_RECOVERED, NULL, self->data);
}

static gpointer
run (gpointer data)
{
  Outbox *self = data;

  g_mutex_lock (&self->lock);
  while (!self->stopping) {
    TensorMessage *message = self->next;

    if (!message || self->failed) {
      g_cond_wait (&self->changed, &self->lock);
      continue;
    }
    self->next = NULL;
    self->sealed = FALSE;
    self->sending = TRUE;
    g_cond_broadcast (&self->changed);
    g_mutex_unlock (&self->lock);
    send_message (self, message);
    tensor_message_free (message);
    g_mutex_lock (&self->lock);
    self->sending = FALSE;
    g_cond_broadcast (&self->changed);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

Outbox *
outbox_new (Link * link, const OutboxSettings * settings, OutboxFunc news,
    gpointer data)
{
  Outbox *self = g_new0 (Outbox, 1);

  self->link = link;
  self->settings = *settings;
  self->subject = g_strdup (settings->subject);
  self->settings.max_bytes =
      MIN (settings->max_bytes, link_get_max_payload (link));
  self->news = news;
  self->data = data;
  self->labels_at = TENSOR_TIME_NONE;
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->thread = g_thread_new ("natstensorsink", run, self);
  return self;
}

void
outbox_free (Outbox * self)
{
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  if (self->next)
    tensor_message_free (self->next);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->subject);
  g_free (self->stream);
  g_free (self->caps);
  g_strfreev (self->labels);
  g_free (self);
}

/* What comes next does not belong into the message that is being filled. */
static void
seal (Outbox * self)
{
  g_mutex_lock (&self->lock);
  self->sealed = self->next != NULL;
  g_mutex_unlock (&self->lock);
}

void
outbox_begin_stream (Outbox * self)
{
  seal (self);
  g_clear_pointer (&self->stream, g_free);
}

void
outbox_set_caps (Outbox * self, const gchar * caps)
{
  if (g_strcmp0 (self->caps, caps) == 0)
    return;
  seal (self);
  g_free (self->caps);
  self->caps = g_strdup (caps);
}

void
outbox_set_labels (Outbox * self, gchar ** labels)
{
  seal (self);
  g_strfreev (self->labels);
  self->labels = g_strdupv (labels);
  self->labels_due = TRUE;
}

/* Under the lock: waits until there is a message that @size more bytes may be added to. */
static gboolean
wait_for_room (Outbox * self, gsize size)
{
  while (!self->flushing && !self->failed && self->next && (self->sealed
          || self->next->buffers->len == TENSOR_MAX_BUFFERS / 4
          || self->next->data->len + size > self->settings.max_bytes))
    g_cond_wait (&self->changed, &self->lock);
  return !self->flushing && !self->failed;
}

/* Under the lock: the message that is being filled, at the running time @time */
static TensorMessage *
get_next (Outbox * self, guint64 time)
{
  if (self->next)
    return self->next;
  if (!self->stream) {
    self->stream = g_uuid_string_random ();
    self->index = 0;
    self->labels_due = self->labels != NULL;
  }
  self->next = tensor_message_new ();
  self->next->stream = g_strdup (self->stream);
  self->next->index = self->index++;
  self->next->caps = g_strdup (self->caps);
  if (self->labels && self->settings.labels_interval > 0
      && time != TENSOR_TIME_NONE && (self->labels_at == TENSOR_TIME_NONE
          || time < self->labels_at
          || time - self->labels_at >= self->settings.labels_interval))
    self->labels_due = TRUE;
  if (self->labels_due) {
    self->next->labels = g_strdupv (self->labels);
    self->labels_due = FALSE;
    self->labels_at = time;
  }
  return self->next;
}

gboolean
outbox_push (Outbox * self, const TensorBuffer * buffer, gconstpointer data)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = wait_for_room (self, buffer->size);
  if (ok) {
    tensor_message_append (get_next (self, buffer->pts), buffer, data);
    g_cond_broadcast (&self->changed);
  }
  g_mutex_unlock (&self->lock);
  return ok;
}

gboolean
outbox_end_stream (Outbox * self)
{
  gboolean ok;

  if (!self->stream)
    return TRUE;
  g_mutex_lock (&self->lock);
  ok = wait_for_room (self, 0);
  if (ok) {
    get_next (self, TENSOR_TIME_NONE)->end = TRUE;
    self->sealed = TRUE;
    g_cond_broadcast (&self->changed);
  }
  g_mutex_unlock (&self->lock);
  if (ok)
    g_clear_pointer (&self->stream, g_free);
  return ok;
}

gboolean
outbox_drain (Outbox * self, gint64 timeout)
{
  const gint64 until =
      timeout < 0 ? G_MAXINT64 : g_get_monotonic_time () + timeout;
  gboolean done;

  g_mutex_lock (&self->lock);
  while ((self->next || self->sending) && !self->flushing && !self->failed
      && g_cond_wait_until (&self->changed, &self->lock, until));
  done = !self->next && !self->sending && !self->failed;
  g_mutex_unlock (&self->lock);
  return done;
}

void
outbox_set_flushing (Outbox * self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->flushing = flushing;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

gboolean
outbox_has_failed (Outbox * self)
{
  gboolean failed;

  g_mutex_lock (&self->lock);
  failed = self->failed;
  g_mutex_unlock (&self->lock);
  return failed;
}
