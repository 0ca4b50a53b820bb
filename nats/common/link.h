/* gst-continual: a connection to NATS
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <nats/nats.h>

G_BEGIN_DECLS

#define LINK_DEFAULT_SERVERS "nats://127.0.0.1:4222"
/* Bytes of a message that headers may take beside the payload */
#define LINK_HEADER_ROOM 8192

typedef struct
{
  const gchar *servers;         /* URLs, separated by commas */
  const gchar *credentials;     /* file that `nsc` makes; NULL: none */
  const gchar *name;            /* as the servers list it */
} LinkSettings;

/**
 * Link: a connection to a server out of several, and its JetStream
 *
 * It connects again by itself, for ever. From any thread.
 */
typedef struct _Link Link;

/* Called from a thread of the library when the connection was lost or is back; must not block. */
typedef void (*LinkFunc) (gboolean connected, gpointer data);

/* @servers with "..." for names, passwords and tokens, for messages; free it. */
gchar *link_hide_secrets (const gchar * servers);

/* NULL: *why (free it) says what was expected and what was found. */
Link *link_open (const LinkSettings * settings, LinkFunc changed,
    gpointer data, gchar ** why);
void link_close (Link * self);

natsConnection *link_get_connection (const Link * self);
jsCtx *link_get_jetstream (const Link * self);

gboolean link_is_connected (const Link * self);

/* How often the connection was lost and came back */
guint link_count_reconnects (const Link * self);

/* Bytes of a payload at most */
gsize link_get_max_payload (const Link * self);

/* The JetStream stream that stores @subject. NULL: *why (free it) says why not. */
gchar *link_find_stream (Link * self, const gchar * subject, gchar ** why);

/* What went wrong, in words; free it. */
gchar *link_explain (natsStatus status);

/* The last message of @subject in @stream; natsMsg_Destroy() it. NULL: there is none. FALSE: the servers did not answer. */
gboolean link_get_last (Link * self, const gchar * stream,
    const gchar * subject, natsMsg ** msg);

/* TRUE: @subject is one subject: of tokens, without wildcards. */
gboolean link_subject_is_valid (const gchar * subject);

/* CAS failed: the sequence was not the last one of the subject. */
#define LINK_WRONG_LAST_SEQUENCE 10071
#define LINK_NO_MESSAGE 10037
#define LINK_NO_STREAM 10059
#define LINK_NO_CONSUMER 10014

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Link, link_close)

G_END_DECLS
