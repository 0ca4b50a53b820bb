/* gst-continual: a connection to NATS
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/link.h"

#include <string.h>

/* Milliseconds */
#define CONNECT_TIMEOUT 3000
#define RECONNECT_WAIT 100
#define RECONNECT_JITTER 100
#define PING_INTERVAL 5000
#define API_WAIT 2000

struct _Link
{
  natsConnection *connection;
  jsCtx *jetstream;
  gint ref_count;               /* atomic: of the owner, and of a thread of the library until the connection is closed */
  gint reconnects;              /* atomic */

  GMutex lock;                  /* guards: */
  LinkFunc changed;
  gpointer data;
};

static void
unref (Link * self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
tell (Link * self, gboolean connected)
{
  g_mutex_lock (&self->lock);
  if (self->changed)
    self->changed (connected, self->data);
  g_mutex_unlock (&self->lock);
}

gchar *
link_explain (natsStatus status)
{
  natsStatus last = NATS_OK;
  const char *text = nats_GetLastError (&last);

  return g_strdup (text && *text && last == status ? text :
      natsStatus_GetText (status));
}

static void
on_disconnected (natsConnection * connection, void *data)
{
  tell (data, FALSE);
}

static void
on_reconnected (natsConnection * connection, void *data)
{
  Link *self = data;

  g_atomic_int_inc (&self->reconnects);
  tell (self, TRUE);
}

/* The last call of the library */
static void
on_closed (natsConnection * connection, void *data)
{
  unref (data);
}

/* Errors come back from the calls; without this, the library writes some of them to stderr. */
static void
on_error (natsConnection * connection, natsSubscription * sub,
    natsStatus status, void *data)
{
}

static natsStatus
connect_to (Link * self, const LinkSettings * settings)
{
  g_auto (GStrv) servers = g_strsplit (settings->servers, ",", -1);
  natsOptions *options = NULL;
  jsOptions js;
  natsStatus s;

  for (gsize i = 0; servers[i]; i++)
    g_strstrip (servers[i]);
  s = natsOptions_Create (&options);
  if (s == NATS_OK)
    s = natsOptions_SetServers (options, (const char **) servers,
        (int) g_strv_length (servers));
  if (s == NATS_OK && settings->name)
    s = natsOptions_SetName (options, settings->name);
  if (s == NATS_OK && settings->credentials)
    s = natsOptions_SetUserCredentialsFromFiles (options, settings->credentials, NULL);
  if (s == NATS_OK)
    s = natsOptions_SetTimeout (options, CONNECT_TIMEOUT);
  if (s == NATS_OK)
    s = natsOptions_SetMaxReconnect (options, -1);
  if (s == NATS_OK)
    s = natsOptions_SetReconnectWait (options, RECONNECT_WAIT);
  if (s == NATS_OK)
    s = natsOptions_SetReconnectJitter (options, RECONNECT_JITTER,
        RECONNECT_JITTER);
  if (s == NATS_OK)
    s = natsOptions_SetPingInterval (options, PING_INTERVAL);
  if (s == NATS_OK)
    s = natsOptions_SetSendAsap (options, true);
  if (s == NATS_OK)
    s = natsOptions_SetDisconnectedCB (options, on_disconnected, self);
  if (s == NATS_OK)
    s = natsOptions_SetReconnectedCB (options, on_reconnected, self);
  if (s == NATS_OK)
    s = natsOptions_SetErrorHandler (options, on_error, self);
  if (s == NATS_OK)
    s = natsOptions_SetClosedCB (options, on_closed, self);
  if (s == NATS_OK) {
    g_atomic_int_inc (&self->ref_count);
    s = natsConnection_Connect (&self->connection, options);
    if (s != NATS_OK)
      g_atomic_int_add (&self->ref_count, -1);
  }
  natsOptions_Destroy (options);
  jsOptions_Init (&js);
  js.Wait = API_WAIT;
  if (s == NATS_OK)
    s = natsConnection_JetStream (&self->jetstream, self->connection, &js);
  return s;
}

gchar *
link_hide_secrets (const gchar * servers)
{
  g_autoptr (GRegex) secret = g_regex_new ("(^|,)(\\s*[^,/:@]*://)?[^,]*@", G_REGEX_DEFAULT, 0, NULL);

  return g_regex_replace (secret, servers, -1, 0, "\\1\\2...@", 0, NULL);
}

Link *
link_open (const LinkSettings * settings, LinkFunc changed, gpointer data,
    gchar ** why)
{
  Link *self = g_new0 (Link, 1);
  natsStatus s;

  self->ref_count = 1;
  g_mutex_init (&self->lock);
  self->changed = changed;
  self->data = data;
  s = connect_to (self, settings);
  if (s == NATS_OK)
    return self;
  {
    g_autofree gchar *text = link_explain (s);
    g_autofree gchar *servers = link_hide_secrets (settings->servers);
    const gboolean tls = strstr (text, "SSL") || strstr (text, "certificate");

    *why = g_strdup_printf ("servers %s: expected a NATS server to connect to, found: %s%s%s; %s", servers, text,
        settings->credentials ? ", with credentials " : "",
        settings->credentials ? settings->credentials : "", tls ?
        "check that the host is one of the server's certificate, and give the authority that signed it in the environment "
        "variable SSL_CERT_FILE" : "start nats-server, or correct the addresses or the credentials");
  }
  link_close (self);
  return NULL;
}

void
link_close (Link * self)
{
  g_mutex_lock (&self->lock);
  self->changed = NULL;
  g_mutex_unlock (&self->lock);
  if (self->jetstream)
    jsCtx_Destroy (self->jetstream);
  if (self->connection) {
    natsConnection_Close (self->connection);
    natsConnection_Destroy (self->connection);
  }
  unref (self);
}

natsConnection *
link_get_connection (const Link * self)
{
  return self->connection;
}

jsCtx *
link_get_jetstream (const Link * self)
{
  return self->jetstream;
}

gboolean
link_is_connected (const Link * self)
{
  return natsConnection_Status (self->connection) == NATS_CONN_STATUS_CONNECTED;
}

guint
link_count_reconnects (const Link * self)
{
  return g_atomic_int_get (&self->reconnects);
}

gsize
link_get_max_payload (const Link * self)
{
  const int64_t most = natsConnection_GetMaxPayload (self->connection);

  return most > 2 * LINK_HEADER_ROOM ? most - LINK_HEADER_ROOM : most / 2;
}

gchar *
link_find_stream (Link * self, const gchar * subject, gchar ** why)
{
  jsStreamNamesList *names = NULL;
  jsOptions options;
  jsErrCode code = 0;
  natsStatus s;
  gchar *stream = NULL;

  jsOptions_Init (&options);
  options.Stream.Info.SubjectsFilter = subject;
  s = js_StreamNames (&names, self->jetstream, &options, &code);
  if (s == NATS_OK && names->Count > 0)
    stream = g_strdup (names->List[0]);
  jsStreamNamesList_Destroy (names);
  if (!stream) {
    g_autofree gchar *text = s == NATS_OK || s == NATS_NOT_FOUND ?
        g_strdup ("none") : link_explain (s);

    *why = g_strdup_printf ("subject %s: expected a JetStream stream that stores it, found %s; create one (`nats stream add`, or "
        "continual-worker does), or correct the subject", subject, text);
  }
  return stream;
}

gboolean
link_get_last (Link * self, const gchar * stream, const gchar * subject,
    natsMsg ** msg)
{
  jsErrCode code = 0;
  natsStatus s;

  *msg = NULL;
  s = js_GetLastMsg (msg, self->jetstream, stream, subject, NULL, &code);
  /* A server that has just started may not know the stream yet, which is not found then, either. */
  return s == NATS_OK || (s == NATS_NOT_FOUND && code == LINK_NO_MESSAGE);
}

gboolean
link_subject_is_valid (const gchar * subject)
{
  g_auto (GStrv) tokens = subject ? g_strsplit (subject, ".", -1) : NULL;

  /* JetStream names subjects in JSON, which libnats 3.4 does not escape. */
  if (!tokens || !tokens[0] || !g_utf8_validate (subject, -1, NULL))
    return FALSE;
  for (gsize i = 0; tokens[i]; i++) {
    if (!*tokens[i])
      return FALSE;
    for (const gchar *c = tokens[i]; *c; c++)
      if (strchr ("*>\"\\", *c) || g_ascii_isspace (*c) || g_ascii_iscntrl (*c))
        return FALSE;
  }
  return TRUE;
}
