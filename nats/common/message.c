/* gst-continual: tensors in messages of NATS
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/message.h"

#include <jansson.h>
#include <string.h>

#define STREAM "Continual-Stream"
#define CAPS "Continual-Caps"
#define BUFFERS "Continual-Buffers"
#define LABELS "Continual-Labels"
#define END "Continual-End"
#define SOURCE "Continual-Source"

/* Characters of the ID of a stream at most */
#define MAX_ID 128

TensorMessage *
tensor_message_new (void)
{
  TensorMessage *self = g_new0 (TensorMessage, 1);

  self->buffers = g_array_new (FALSE, FALSE, sizeof (TensorBuffer));
  self->data = g_byte_array_new ();
  return self;
}

void
tensor_message_free (TensorMessage * self)
{
  g_free (self->stream);
  g_free (self->caps);
  g_array_unref (self->buffers);
  g_byte_array_unref (self->data);
  g_strfreev (self->labels);
  g_free (self);
}

void
tensor_message_append (TensorMessage * self, const TensorBuffer * buffer,
    gconstpointer data)
{
  g_array_append_vals (self->buffers, buffer, 1);
  g_byte_array_append (self->data, data, buffer->size);
}

static void
write_time (GString * to, guint64 time)
{
  if (time == TENSOR_TIME_NONE)
    g_string_append_c (to, '-');
  else
    g_string_append_printf (to, "%" G_GUINT64_FORMAT, time);
}

static gchar *
write_buffers (const GArray * buffers)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < buffers->len; i++) {
    const TensorBuffer *b = &g_array_index (buffers, TensorBuffer, i);

    if (i > 0)
      g_string_append_c (list, ' ');
    write_time (list, b->pts);
    g_string_append_c (list, '+');
    write_time (list, b->duration);
    g_string_append_printf (list, ":%" G_GSIZE_FORMAT "%s", b->size,
        b->discont ? "!" : "");
  }
  return g_string_free (list, FALSE);
}

static gchar *
write_labels (gchar ** labels)
{
  json_t *list = json_array ();
  gchar *text;

  for (gsize i = 0; labels[i]; i++)
    json_array_append_new (list, json_string (labels[i]));
  text = json_dumps (list, JSON_COMPACT);
  json_decref (list);
  return text;
}

/* Without a value there is no header: libnats 3.4 takes the next line for the value of an empty one. */
static gboolean
set (natsMsg * msg, const gchar * name, const gchar * value)
{
  return !value || !*value || natsMsgHeader_Set (msg, name, value) == NATS_OK;
}

natsMsg *
tensor_message_write (const TensorMessage * self, const gchar * subject,
    const gchar * id)
{
  g_autofree gchar *stream =
      g_strdup_printf ("%s %" G_GUINT64_FORMAT, self->stream, self->index);
  g_autofree gchar *buffers = write_buffers (self->buffers);
  g_autofree gchar *source = NULL;
  gchar *labels = self->labels ? write_labels (self->labels) : NULL;
  natsMsg *msg = NULL;
  gboolean ok;

  if (self->source > 0 && self->source_part > 0)
    source = g_strdup_printf ("%" G_GUINT64_FORMAT " %u", self->source,
        self->source_part);
  else if (self->source > 0)
    source = g_strdup_printf ("%" G_GUINT64_FORMAT, self->source);
  ok = natsMsg_Create (&msg, subject, NULL, (const char *) self->data->data,
      (int) self->data->len) == NATS_OK
      && set (msg, "Nats-Msg-Id", id) && set (msg, STREAM, stream)
      && set (msg, CAPS, self->caps) && set (msg, BUFFERS, buffers)
      && set (msg, LABELS, labels) && set (msg, END, self->end ? "true" : NULL)
      && set (msg, SOURCE, source);
  free (labels);
  if (!ok)
    g_clear_pointer (&msg, natsMsg_Destroy);
  return msg;
}

static const gchar *
get (natsMsg * msg, const gchar * name)
{
  const char *value = NULL;

  return natsMsgHeader_Get (msg, name, &value) == NATS_OK ? value : NULL;
}

static gboolean
refuse (gchar ** why, const gchar * name, const gchar * expected,
    const gchar * found)
{
  g_autofree gchar *valid = found ? g_utf8_make_valid (found, MIN (80,
          strlen (found))) : NULL;

  *why = g_strdup_printf ("header %s: expected %s, found %s%s%s: send it with natstensorsink, or as docs/cluster.md says", name, expected,
      valid ? "\"" : "", valid ? valid : "none", valid ? "\"" : "");
  return FALSE;
}

static gboolean
read_number (const gchar ** at, guint64 * number)
{
  gchar *end;

  if (!g_ascii_isdigit (**at))
    return FALSE;
  errno = 0;
  *number = g_ascii_strtoull (*at, &end, 10);
  *at = end;
  return errno == 0;
}

static gboolean
read_time (const gchar ** at, guint64 * time)
{
  if (**at != '-')
    return read_number (at, time) && *time != TENSOR_TIME_NONE;
  ++*at;
  *time = TENSOR_TIME_NONE;
  return TRUE;
}

static gboolean
take (const gchar ** at, gchar c)
{
  if (**at != c)
    return FALSE;
  ++*at;
  return TRUE;
}

static gboolean
read_buffer (const gchar ** at, TensorBuffer * buffer)
{
  guint64 size;

  if (!read_time (at, &buffer->pts) || !take (at, '+')
      || !read_time (at, &buffer->duration) || !take (at, ':')
      || !read_number (at, &size) || size > G_MAXINT)
    return FALSE;
  buffer->size = size;
  buffer->discont = take (at, '!');
  return **at == '\0' || **at == ' ';
}

static gboolean
read_buffers (TensorMessage * self, const gchar * list, gchar ** why)
{
  const gchar *at = list;
  guint64 bytes = 0;

  while (at && *at) {
    TensorBuffer buffer;

    if (!read_buffer (&at, &buffer) || self->buffers->len == TENSOR_MAX_BUFFERS)
      return refuse (why, BUFFERS, "up to 1024 of PTS+DURATION:BYTES", list);
    bytes += buffer.size;
    g_array_append_val (self->buffers, buffer);
    while (*at == ' ')
      at++;
  }
  if (bytes == self->data->len)
    return TRUE;
  *why = g_strdup_printf ("header " BUFFERS ": expected buffers of %u bytes, as long as the payload, found %" G_GUINT64_FORMAT
      ": send it with natstensorsink, or as docs/cluster.md says", self->data->len, bytes);
  return FALSE;
}

static gboolean
is_visible (const gchar * text, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!g_ascii_isgraph (text[i]))
      return FALSE;
  return n > 0 && n <= MAX_ID;
}

static gboolean
read_stream (TensorMessage * self, const gchar * value, gchar ** why)
{
  const gchar *space = value ? strchr (value, ' ') : NULL;
  const gchar *at = space ? space + 1 : NULL;

  if (!space || !is_visible (value, space - value)
      || !read_number (&at, &self->index) || *at
      || self->index >= G_MAXINT64)
    return refuse (why, STREAM, "ID INDEX", value);
  self->stream = g_strndup (value, space - value);
  return TRUE;
}

static gboolean
read_source (TensorMessage * self, const gchar * value, gchar ** why)
{
  const gchar *at = value;
  guint64 part = 0;

  if (!value)
    return TRUE;
  if (!read_number (&at, &self->source)
      || (*at && (!take (&at, ' ') || !read_number (&at, &part)))
      || *at || part > G_MAXUINT)
    return refuse (why, SOURCE, "SEQ or SEQ N", value);
  self->source_part = (guint) part;
  return TRUE;
}

static gboolean
read_labels (TensorMessage * self, const gchar * value, gchar ** why)
{
  json_t *list = value ? json_loads (value, 0, NULL) : NULL;
  gboolean ok = !value || json_is_array (list);

  if (value && ok) {
    self->labels = g_new0 (gchar *, json_array_size (list) + 1);
    for (gsize i = 0; ok && i < json_array_size (list); i++) {
      const char *label = json_string_value (json_array_get (list, i));

      ok = label != NULL;
      self->labels[i] = g_strdup (label);
    }
  }
  json_decref (list);
  return ok || refuse (why, LABELS, "a JSON array of strings", value);
}

gboolean
tensor_message_read_place (natsMsg * msg, TensorMessage * self, gchar ** why)
{
  return read_stream (self, get (msg, STREAM), why)
      && read_source (self, get (msg, SOURCE), why);
}

TensorMessage *
tensor_message_read (natsMsg * msg, gchar ** why)
{
  g_autoptr (TensorMessage) self = tensor_message_new ();
  const gchar *caps = get (msg, CAPS);
  const gchar *end = get (msg, END);

  g_byte_array_append (self->data, (const guint8 *) natsMsg_GetData (msg),
      natsMsg_GetDataLength (msg));
  self->caps = g_strdup (caps);
  self->end = end && strcmp (end, "true") == 0;
  if (end && !self->end) {
    refuse (why, END, "true or none", end);
    return NULL;
  }
  if (!tensor_message_read_place (msg, self, why)
      || !read_buffers (self, get (msg, BUFFERS), why)
      || !read_labels (self, get (msg, LABELS), why))
    return NULL;
  if (!caps && self->data->len > 0) {
    refuse (why, CAPS, "the caps of the buffers", NULL);
    return NULL;
  }
  if (caps && !g_utf8_validate (caps, -1, NULL)) {
    refuse (why, CAPS, "UTF-8", caps);
    return NULL;
  }
  return g_steal_pointer (&self);
}
