/* gst-continual: a durable consumer that gives every message once and in order
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/link.h"

G_BEGIN_DECLS

typedef enum
{
  READER_ALL,                   /* from the first message that the stream still has */
  READER_NEW,                   /* from the next one */
  READER_LAST                   /* from the last one */
} ReaderStart;

typedef struct
{
  const gchar *stream, *subject;        /* subject: may have wildcards */
  const gchar *durable;         /* name of the consumer; NULL: one that the server forgets after some minutes */
  ReaderStart start;            /* of a consumer that does not exist yet */
  guint window;                 /* messages that are not acknowledged, at most */
  guint batch;                  /* messages that wait here, at most */
} ReaderSettings;

/**
 * Reader: a durable pull consumer of JetStream
 *
 * JetStream gives a message again that was not acknowledged in time, behind newer ones; and messages that were on their way
 * when a connection broke come late. The reader notices what is missing, and reads it from the stream first. So every
 * message is given once, in the order of the stream. An acknowledgement covers all messages before it. The next reader of the same
 * name begins behind the last one.
 *
 * One thread uses it.
 */
typedef struct _Reader Reader;

/* What a message is */
typedef struct
{
  natsMsg *msg;                 /* natsMsg_Destroy() it */
  guint64 sequence;             /* in the stream */
  guint64 pending;              /* messages behind it */
} ReaderItem;

/* Called from another thread when messages have come; must not block. */
typedef void (*ReaderFunc) (gpointer data);

/* Creates the consumer, unless it exists. NULL: *why (free it) says why not. */
Reader *reader_open (Link * link, const ReaderSettings * settings,
    ReaderFunc arrived, gpointer data, gchar ** why);
/* A consumer without a name of its own is deleted. */
void reader_close (Reader * self);

/* FALSE: none has come. Waits only where messages are missing, for some seconds at most. */
gboolean reader_next (Reader * self, ReaderItem * item);

/* Appends to @messages (natsMsg *) those of @subject behind sequence @after, up to sequence @target of the stream. FALSE: the servers did
 * not give all of them, or have not come to @target yet; try again. */
gboolean reader_read_between (Reader * self, const gchar * subject,
    guint64 after, guint64 target, GQueue * messages);

/* Acknowledges all messages that reader_next() gave. @sync: waits until the server has it. FALSE: it does not know yet; a later
 * call covers these, too. */
gboolean reader_acknowledge (Reader * self, gboolean sync);

/* Messages that reader_next() gave and that are not acknowledged */
guint64 reader_count_unacknowledged (const Reader * self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reader, reader_close)

G_END_DECLS
