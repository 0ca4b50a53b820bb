/* gst-continual: file with a snapshot of streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/statefile.h"

#include <glib/gstdio.h>

#include "host/statepath.h"
#include "tensor/about.h"

#define GST_CAT_DEFAULT element_debug (self->element)

void
model_state_init (ModelState * self, GstElement * element, GMutex * lock,
    ModelStream ** stream)
{
  self->element = element;
  self->lock = lock;
  self->stream = stream;
  g_mutex_init (&self->file_lock);
}

void
model_state_clear (ModelState * self)
{
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->found, g_bytes_unref);
  g_mutex_clear (&self->file_lock);
}

static void
post (ModelState * self, const gchar * path, gboolean saved,
    const CoStream * stream)
{
  guint n = co_stream_get_n_streams (stream);
  GstStructure *s = gst_structure_new (STATE_MESSAGE_NAME,
      "path", G_TYPE_STRING, path, "saved", G_TYPE_BOOLEAN, saved, NULL);
  GValue positions = G_VALUE_INIT, position = G_VALUE_INIT;

  gst_value_array_init (&positions, n);
  g_value_init (&position, G_TYPE_UINT64);
  for (guint i = 0; i < n; i++) {
    g_value_set_uint64 (&position, co_stream_get_position (stream, i));
    gst_value_array_append_value (&positions, &position);
  }
  g_value_unset (&position);
  gst_structure_take_value (s, "position", &positions);
  gst_element_post_message (self->element,
      gst_message_new_element (GST_OBJECT (self->element), s));
}

/* At the first run there is no file, which is no error. */
gboolean
model_state_begin (ModelState * self, const gchar * model)
{
  g_autoptr (GError) error = NULL;
  gchar *data;
  gsize size;

  g_clear_pointer (&self->found, g_bytes_unref);
  self->last = gst_util_get_timestamp ();
  self->due = self->path != NULL;
  if (!self->due)
    return TRUE;
  self->file = state_path_claim (self->path, model, &error);
  if (!self->file) {
    self->due = FALSE;
    GST_ELEMENT_ERROR (self->element, RESOURCE, SETTINGS,
        ("The state cannot be kept: %s.", error->message), ("state-path=%s", self->path));
    return FALSE;
  }
  if (g_file_get_contents (self->file, &data, &size, &error)) {
    self->found = g_bytes_new_take (data, size);
  } else if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
    /* What is in the file may be the state: it is not replaced. */
    self->due = FALSE;
    GST_ELEMENT_WARNING (self->element, RESOURCE, OPEN_READ,
        ("The state was not restored: %s; the streams start without a past, and nothing is saved before the file can be "
            "read at a start.", error->message), ("state-path=%s", self->path));
  }
  return TRUE;
}

/* A copy: computing the checksum under the lock would delay the streams. NULL: there is no room for it. */
static CoStream *
copy_stream (ModelState * self)
{
  CoStream *copy;

  g_mutex_lock (self->lock);
  copy = *self->stream ? model_stream_copy_state (*self->stream) : NULL;
  g_mutex_unlock (self->lock);
  return copy;
}

/* The next save would overwrite the file. If the model is wrong by mistake, the state of the right one must survive. */
static void
set_aside (ModelState * self, const gchar * why)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree gchar *time = g_date_time_format (now, "%Y%m%dT%H%M%S.%f");
  g_autofree gchar *aside = g_strconcat (self->file, ".refused-", time, NULL);
  const gboolean ok = g_rename (self->file, aside) == 0;

  GST_ELEMENT_WARNING (self->element, RESOURCE, SETTINGS,
      ("The state was not restored: %s; the streams start without a past, and the file "
          "%s %s.", why, ok ? "is kept as" : "could not be kept as", aside),
      ("state-path=%s", self->path));
}

static void
restore (ModelState * self, GBytes * found)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CoStream) stream = NULL;
  gboolean ok;

  g_mutex_lock (self->lock);
  ok = model_stream_set_state (*self->stream, -1, found, &error);
  g_mutex_unlock (self->lock);
  if (!ok) {
    set_aside (self, error->message);
    return;
  }
  stream = copy_stream (self);
  if (stream)
    post (self, self->path, FALSE, stream);
}

void
model_state_restore (ModelState * self)
{
  g_autoptr (GBytes) found = g_steal_pointer (&self->found);

  if (!self->due)
    return;
  self->due = FALSE;
  if (found)
    restore (self, found);
  /* Not before: streams without any vector would overwrite those in the file. */
  g_mutex_lock (&self->file_lock);
  self->open = TRUE;
  g_mutex_unlock (&self->file_lock);
}

/* @last: later saves do nothing. */
static void
save (ModelState * self, gboolean last)
{
  g_autoptr (CoStream) stream = NULL;
  g_autoptr (GBytes) state = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *path = NULL;
  gboolean ok;

  g_mutex_lock (&self->file_lock);
  if (!self->open) {
    g_mutex_unlock (&self->file_lock);
    return;
  }
  self->open = !last;
  stream = copy_stream (self);
  /* A copy: the path may change once another thread has called model_state_end(). */
  path = g_strdup (self->path);
  state = stream ? co_stream_get_state (stream) : NULL;
  if (!state)
    g_set_error (&error, CO_ERROR, CO_ERROR_NO_SPACE,
        "expected room in memory for two copies of it, found less");
  ok = state && state_path_write (self->file, state, &error);
  g_mutex_unlock (&self->file_lock);
  if (ok)
    post (self, path, TRUE, stream);
  else
    GST_ELEMENT_WARNING (self->element, RESOURCE, WRITE,
        ("The state was not saved: %s; make room, or correct state-path.",
            error->message), ("state-path=%s", path));
}

void
model_state_end (ModelState * self)
{
  g_clear_pointer (&self->found, g_bytes_unref);
  save (self, TRUE);
  state_path_release (g_steal_pointer (&self->file));
}

static void
save_async (GstElement * element, gpointer data)
{
  ModelState *self = data;

  save (self, FALSE);
  g_atomic_int_set (&self->saving, FALSE);
}

void
model_state_tick (ModelState * self)
{
  GstClockTime now;

  if (!self->path || !self->interval)
    return;
  now = gst_util_get_timestamp ();
  if (now - self->last < self->interval * GST_SECOND
      || !g_atomic_int_compare_and_exchange (&self->saving, FALSE, TRUE))
    return;
  self->last = now;
  gst_element_call_async (self->element, save_async, self, NULL);
}
