/* continual-worker: messages that must be stored, each behind a known one
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/link.h"

G_BEGIN_DECLS

/* A header that every worker sets to its own ID */
#define POST_SENDER "Continual-Worker"

typedef enum
{
  POST_WAITING,
  POST_STORED,
  POST_CONFLICT,                /* another message of the subject was stored before, or this one is too large for the server */
} PostState;

/* One message. @stream must store its subject; it must have a Nats-Msg-Id. */
typedef struct
{
  const gchar *stream;
  natsMsg *msg;                 /* owned */
  guint64 expected;             /* sequence of the last message of the subject; 0: there is none */
  PostState state;
  guint64 sequence;             /* POST_STORED: of it */
  gpointer owner;               /* whose message it is */
} Post;

/**
 * PostOffice: publishes messages, each by compare and swap
 *
 * A message is stored only if the last one of its subject is that which the sender knows. So of two workers that believe to
 * have the same stream only one can write to it, and nothing is stored twice, however late it comes. A cluster of NATS 2.9 compares when
 * a message comes, and not with others that are being stored: two that come at the same moment would both be. So the ID by which JetStream
 * deduplicates must say behind which message it comes: of those two it takes one.
 */
typedef struct _PostOffice PostOffice;

PostOffice *post_office_new (Link * link);
void post_office_free (PostOffice * self);

/* Takes @msg, and sets its sender. */
Post *post_new (const gchar * stream, natsMsg * msg, guint64 expected,
    const gchar * sender, gpointer owner);
void post_free (Post * self);

/* Publishes all @posts (Post *), each of another subject, and waits until each is stored or in conflict. Tries again while servers are
 * away. FALSE: *stop was set, and it did not work for some seconds; some are waiting still. */
gboolean post_office_send (PostOffice * self, GPtrArray * posts, gint * stop);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PostOffice, post_office_free)

G_END_DECLS
