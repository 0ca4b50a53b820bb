/* continual-worker: one stream of vectors: its messages
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/feed-private.h"

#include <string.h>

#include "host/caps.h"
#include "tensor/vectorcaps.h"
#include "tensor/vectorclock.h"

/* What is wrong with the caps of the record; free it. NULL: they fit, or there are none. */
static gchar *
read_caps (Feed * self)
{
  const CoModelInfo *info = self->context->info;
  GstCaps *caps, *out;
  TensorInfo tensor;
  gchar *why = NULL;

  self->caps_fit = FALSE;
  g_clear_pointer (&self->out_caps, g_free);
  if (!self->record.caps)
    return NULL;
  caps = gst_caps_from_string (self->record.caps);
  if (!caps || !gst_caps_is_fixed (caps)) {
    gst_clear_caps (&caps);
    return g_strdup_printf ("expected fixed caps of vectors, found \"%s\"", self->record.caps);
  }
  if (vector_caps_read (caps, info->n_inputs, "vectors", &tensor, &why)
      && tensor.dims[2] != 1)
    why = g_strdup_printf ("expected one stream in a buffer, found %u: publish each stream to a subject of its own (continualdemux)", tensor.dims[2]);
  if (!why) {
    out = model_caps_to_src (info, caps);
    self->caps_fit = !gst_caps_is_empty (out);
    if (self->caps_fit) {
      out = gst_caps_fixate (gst_caps_truncate (out));
      if (!gst_structure_has_field (gst_caps_get_structure (out, 0), "framerate"))
        gst_caps_set_simple (out, "framerate", GST_TYPE_FRACTION, 0, 1, NULL);
      self->out_caps = gst_caps_to_string (out);
    } else {
      why = g_strdup_printf ("expected caps in system memory, with a rate that the model's outputs can have, found \"%s\"", self->record.caps);
    }
    gst_caps_unref (out);
  }
  gst_caps_unref (caps);
  return why;
}

void
feed_take_caps (Feed * self)
{
  g_free (read_caps (self));
}

/* A gap in place of @buffer */
static void
add_gap (Feed * self, const TensorBuffer * buffer, guint64 sequence)
{
  const FeedStep step = { sequence, {buffer->pts, buffer->duration}, TRUE, FALSE };
  const gsize at = self->x->len, width = self->context->info->n_inputs * sizeof (float);

  g_array_append_val (self->steps, step);
  g_byte_array_set_size (self->x, at + width);
  memset (self->x->data + at, 0, width);
}

static void
add_vectors (Feed * self, const TensorBuffer * buffer, const guint8 * data,
    guint64 sequence)
{
  const gsize width = self->context->info->n_inputs * sizeof (float);
  const gsize n = buffer->size / width;
  const VectorTime all = { buffer->pts, buffer->duration };

  for (gsize i = 0; i < n; i++) {
    const VectorTime time = vector_time_at (&all, i, n);
    const FeedStep step = { sequence, {time.pts, time.duration}, FALSE,
      i == 0 && buffer->discont
    };

    g_array_append_val (self->steps, step);
  }
  g_byte_array_append (self->x, data, buffer->size);
}

static void
add_buffers (Feed * self, const TensorMessage * message, guint64 sequence)
{
  const gsize width = self->context->info->n_inputs * sizeof (float);
  const guint8 *data = message->data->data;

  for (guint i = 0; i < message->buffers->len; i++) {
    const TensorBuffer *b = &g_array_index (message->buffers, TensorBuffer, i);

    if (b->size > 0 && self->caps_fit && b->size % width == 0) {
      add_vectors (self, b, data, sequence);
    } else {
      if (b->size > 0 && self->caps_fit) {
        g_autofree gchar *why =
            g_strdup_printf ("expected buffers of whole vectors, %" G_GSIZE_FORMAT " bytes each, found one of %"
            G_GSIZE_FORMAT " bytes: correct the source of the buffers", width, b->size);

        feed_tell (self, sequence, why);
      }
      add_gap (self, b, sequence);
    }
    data += b->size;
  }
}

static void
begin_stream (Feed * self, const TensorMessage * message, guint64 sequence)
{
  if (message->index > 0) {
    g_autofree gchar *why = g_strdup_printf ("expected a stream from its begin, found message %" G_GUINT64_FORMAT
        " of %s first: what was before is not known, and the state begins there", message->index, message->stream);

    feed_tell (self, sequence, why);
  }
  g_free (self->record.stream);
  self->record.stream = g_strdup (message->stream);
  self->record.index = message->index;
  self->record.over = FALSE;
  g_array_set_size (self->record.times, 0);
  co_stream_clean_state (slots_get_stream (self->context->slots), self->slot);
}

static void
set_caps (Feed * self, const gchar * caps, guint64 sequence)
{
  g_autofree gchar *why = NULL;

  if (g_strcmp0 (self->record.caps, caps) != 0) {
    g_free (self->record.caps);
    self->record.caps = g_strdup (caps);
  } else if (self->caps_fit) {
    return;
  }
  why = read_caps (self);
  if (why)
    feed_tell (self, sequence, why);
}

/* TRUE: @message is of the stream and the caps of the batch. */
static gboolean
belongs (const Feed * self, const TensorMessage * message)
{
  if (self->steps->len == 0 && !self->ends)
    return TRUE;
  return !self->ends && strcmp (message->stream, self->record.stream) == 0
      && (!message->caps || g_strcmp0 (message->caps, self->record.caps) == 0);
}

static FeedAdded
add_message (Feed * self, const TensorMessage * message, guint64 sequence)
{
  const gboolean same = g_strcmp0 (message->stream, self->record.stream) == 0;

  if (message->index > (same ? self->record.index : 0) && self->hole != sequence) {
    self->hole = sequence;
    return FEED_HOLE;
  }
  if (!belongs (self, message))
    return FEED_LATER;
  self->newest = sequence;
  if (!same)
    begin_stream (self, message, sequence);
  else if (message->index < self->record.index)
    return FEED_SKIPPED;        /* it was published twice */
  if (message->index > self->record.index) {
    g_autofree gchar *why =
        g_strdup_printf ("expected message %" G_GUINT64_FORMAT " of its stream, found %" G_GUINT64_FORMAT
        ": what is between was not stored, or was removed before it was read", self->record.index, message->index);

    feed_tell (self, sequence, why);
  }
  if (same && self->record.over)
    feed_tell (self, sequence, "expected another ID behind the end of a stream, found the same: the state begins there");
  self->record.over = FALSE;
  self->record.index = message->index + 1;
  if (message->caps)
    set_caps (self, message->caps, sequence);
  add_buffers (self, message, sequence);
  self->ends = message->end;
  return FEED_ADDED;
}

FeedAdded
feed_add (Feed * self, natsMsg * msg, guint64 sequence)
{
  g_autoptr (TensorMessage) message = NULL;
  g_autofree gchar *why = NULL;

  self->used = g_get_monotonic_time ();
  if (sequence <= MAX (self->record.covered, self->newest))
    return FEED_SKIPPED;
  message = tensor_message_read (msg, &why);
  if (message)
    return add_message (self, message, sequence);
  feed_tell (self, sequence, why);
  self->newest = sequence;
  return FEED_SKIPPED;
}
