/* continual-worker: what the bucket keeps of a stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/record.h"

#include <jansson.h>
#include <string.h>

#include "common/message.h"

#define VERSION 1
/* A line of JSON holds at most so many times. */
#define MAX_TIMES (1 << 16)

void
record_init (Record * self)
{
  *self = (Record) {
  .times = g_array_new (FALSE, FALSE, sizeof (RecordTime))};
}

void
record_clear (Record * self)
{
  g_free (self->stream);
  g_free (self->caps);
  g_array_unref (self->times);
}

static json_t *
write_time (guint64 time)
{
  return time == TENSOR_TIME_NONE ? json_null () : json_integer (time);
}

static guint64
read_time (const json_t * value)
{
  return json_is_integer (value) ? (guint64) json_integer_value (value) :
      TENSOR_TIME_NONE;
}

GBytes *
record_write (const Record * self, GBytes * snapshot)
{
  json_t *times = json_array ();
  json_t *root = json_pack ("{s:i, s:I, s:I, s:b}", "version", VERSION,
      "index", (json_int_t) self->index, "covered", (json_int_t) self->covered,
      "over", self->over);
  GByteArray *bytes = g_byte_array_new ();
  gchar *line;
  gsize size = 0;
  gconstpointer data = snapshot ? g_bytes_get_data (snapshot, &size) : NULL;

  for (guint i = 0; i < self->times->len; i++) {
    const RecordTime *t = &g_array_index (self->times, RecordTime, i);

    json_array_append_new (times, write_time (t->pts));
    json_array_append_new (times, write_time (t->duration));
  }
  json_object_set_new (root, "times", times);
  if (self->stream)
    json_object_set_new (root, "stream", json_string (self->stream));
  if (self->caps)
    json_object_set_new (root, "caps", json_string (self->caps));
  line = json_dumps (root, JSON_COMPACT);
  json_decref (root);
  g_byte_array_append (bytes, (const guint8 *) line, strlen (line));
  g_byte_array_append (bytes, (const guint8 *) "\n", 1);
  free (line);
  if (size > 0)
    g_byte_array_append (bytes, data, size);
  return g_byte_array_free_to_bytes (bytes);
}

static gboolean
read_times (Record * self, const json_t * times)
{
  const gsize n = json_array_size (times);

  if (n % 2 || n > 2 * MAX_TIMES)
    return FALSE;
  for (gsize i = 0; i < n; i += 2) {
    const RecordTime t = { read_time (json_array_get (times, i)),
      read_time (json_array_get (times, i + 1))
    };

    g_array_append_val (self->times, t);
  }
  return TRUE;
}

gboolean
record_read (Record * self, gconstpointer data, gsize size, GBytes ** snapshot,
    gchar ** why)
{
  const gchar *end = size > 0 ? memchr (data, '\n', size) : NULL;
  const gsize line = end ? end - (const gchar *) data : 0;
  /* Jansson skips some NULs. */
  json_t *root = line && !memchr (data, '\0', line) ? json_loadb (data, line, 0, NULL) : NULL;
  json_int_t version = 0, index = -1, covered = -1;
  const char *stream = NULL, *caps = NULL;
  json_t *times = NULL;
  int over = 0;
  gboolean ok;

  *snapshot = NULL;
  ok = root && json_unpack (root, "{s:I, s:I, s:I, s:b, s:o, s?s, s?s}",
      "version", &version, "index", &index, "covered", &covered, "over", &over,
      "times", &times, "stream", &stream, "caps", &caps) == 0
      && version == VERSION && index >= 0 && covered >= 0 && json_is_array (times);
  if (ok) {
    self->index = index;
    self->covered = covered;
    self->over = over;
    self->stream = g_strdup (stream);
    self->caps = g_strdup (caps);
    ok = read_times (self, times);
  }
  json_decref (root);
  if (!ok) {
    *why = g_strdup_printf ("expected a record of version %d, a line of JSON and a snapshot, found %" G_GSIZE_FORMAT
        " other bytes: the stream begins anew", VERSION, size);
    return FALSE;
  }
  if (size > line + 1)
    *snapshot = g_bytes_new ((const guint8 *) data + line + 1, size - line - 1);
  return TRUE;
}
