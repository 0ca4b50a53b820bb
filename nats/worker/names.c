/* continual-worker: subjects, streams and buckets
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/names.h"

#include <string.h>

/* Nanoseconds in which JetStream knows the ID of a message again */
#define DUPLICATES (G_GINT64_CONSTANT (120000000000))
#define NANOSECONDS 1e9

WorkerNames *
worker_names_new (const gchar * name)
{
  WorkerNames *self = g_new0 (WorkerNames, 1);

  self->vectors = g_strdup_printf ("%s-vectors", name);
  self->outputs = g_strdup_printf ("%s-outputs", name);
  self->states_bucket = g_strdup_printf ("%s-states", name);
  self->states = g_strdup_printf ("KV_%s-states", name);
  self->leases_bucket = g_strdup_printf ("%s-leases", name);
  return self;
}

void
worker_names_free (WorkerNames * self)
{
  g_free (self->vectors);
  g_free (self->outputs);
  g_free (self->states_bucket);
  g_free (self->states);
  g_free (self->leases_bucket);
  g_free (self);
}

gchar *
worker_names_escape (const gchar * key)
{
  GString *s = g_string_new (NULL);

  for (; *key; key++) {
    if (g_ascii_isalnum (*key) || *key == '-' || *key == '_')
      g_string_append_c (s, *key);
    else
      g_string_append_printf (s, "=%02X", (guint8) *key);
  }
  return g_string_free (s, FALSE);
}

static gboolean
fail (gboolean * again, gchar ** why, const gchar * what, const gchar * name,
    natsStatus s)
{
  g_autofree gchar *text = link_explain (s);

  *again = TRUE;
  *why = g_strdup_printf ("%s %s: expected it, or the right to create it, found: %s", what, name, text);
  return FALSE;
}

static gboolean
create_stream (Link * link, const gchar * name, const gchar * subject,
    const WorkerOptions * options, gboolean * again, gchar ** why)
{
  jsStreamInfo *info = NULL;
  jsStreamConfig config;
  jsErrCode code = 0;
  natsStatus s = js_GetStreamInfo (&info, link_get_jetstream (link), name, NULL,
      &code);
  gboolean ok;

  if (s == NATS_NOT_FOUND || code == LINK_NO_STREAM) {
    jsStreamConfig_Init (&config);
    config.Name = name;
    config.Subjects = &subject;
    config.SubjectsLen = 1;
    config.Replicas = options->replicas;
    config.MaxAge = (int64_t) (options->max_age * NANOSECONDS);
    config.Duplicates = MIN (config.MaxAge, DUPLICATES);
    config.AllowDirect = true;
    s = js_AddStream (&info, link_get_jetstream (link), &config, NULL, &code);
  }
  if (s != NATS_OK)
    return fail (again, why, "stream", name, s);
  ok = info->Config && info->Config->SubjectsLen == 1
      && strcmp (info->Config->Subjects[0], subject) == 0;
  jsStreamInfo_Destroy (info);
  if (!ok)
    *why = g_strdup_printf ("stream %s: expected the subject %s, found others: choose another --name", name, subject);
  return ok;
}

static gboolean
create_bucket (Link * link, const gchar * name, gdouble ttl,
    const WorkerOptions * options, gboolean * again, gchar ** why)
{
  kvStore *bucket = NULL;
  kvConfig config;
  natsStatus s = js_KeyValue (&bucket, link_get_jetstream (link), name);

  if (s == NATS_NOT_FOUND) {
    kvConfig_Init (&config);
    config.Bucket = name;
    config.Replicas = options->replicas;
    config.TTL = (int64_t) (ttl * NANOSECONDS);
    s = js_CreateKeyValue (&bucket, link_get_jetstream (link), &config);
  }
  if (s != NATS_OK)
    return fail (again, why, "bucket", name, s);
  if (ttl > 0) {
    kvStatus *status = NULL;
    const int64_t expected = (int64_t) (ttl * NANOSECONDS);
    int64_t found = expected;

    if (kvStore_Status (&status, bucket) == NATS_OK)
      found = kvStatus_TTL (status);
    kvStatus_Destroy (status);
    if (found != expected) {
      kvStore_Destroy (bucket);
      *why = g_strdup_printf ("bucket %s: expected leases of %g seconds, found %g: start all workers with the same --lease, or delete the "
          "bucket while none runs", name, ttl, found / NANOSECONDS);
      return FALSE;
    }
  }
  kvStore_Destroy (bucket);
  return TRUE;
}

gboolean
worker_names_create (const WorkerNames * self, Link * link,
    const WorkerOptions * options, gboolean * again, gchar ** why)
{
  g_autofree gchar *vectors = g_strdup_printf ("%s.vectors.*.*", options->name);
  g_autofree gchar *outputs = g_strdup_printf ("%s.outputs.*", options->name);

  *again = FALSE;
  return create_stream (link, self->vectors, vectors, options, again, why)
      && create_stream (link, self->outputs, outputs, options, again, why)
      && create_bucket (link, self->states_bucket, 0, options, again, why)
      && create_bucket (link, self->leases_bucket, options->lease, options, again, why);
}

gboolean
worker_names_has_shard (const WorkerNames * self, Link * link,
    const WorkerOptions * options, guint shard)
{
  g_autofree gchar *subject = g_strdup_printf ("%s.vectors.%u.*", options->name, shard);
  jsStreamInfo *info = NULL;
  jsOptions js;
  gboolean found;

  jsOptions_Init (&js);
  js.Stream.Info.SubjectsFilter = subject;
  found = js_GetStreamInfo (&info, link_get_jetstream (link), self->vectors, &js, NULL) == NATS_OK
      && info->State.Subjects && info->State.Subjects->Count > 0;
  jsStreamInfo_Destroy (info);
  return found;
}
