/* continual-worker: one stream of vectors: its outputs
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/feed-private.h"

#include <string.h>

#include "tensor/absent.h"

/* Microseconds */
#define LABELS_INTERVAL (1 * G_USEC_PER_SEC)
/* Bytes of a message at most, where the servers take more */
#define MAX_BYTES (256 * 1024)
/* Bytes of the header of one buffer at most: PTS+DURATION:BYTES! and a space */
#define BUFFER_HEADER 66

static gsize
get_output_size (const Feed * self)
{
  const CoModelInfo *info = self->context->info;

  return info->n_positions * info->n_outputs * sizeof (float);
}

/* @size 0: a gap */
static void
add_out (Feed * self, guint64 sequence, RecordTime time, gboolean discont,
    gconstpointer y, gsize size)
{
  const FeedOut *last = self->outs->len > 0 ?
      &g_array_index (self->outs, FeedOut, self->outs->len - 1) : NULL;
  const FeedOut out = { {time.pts, time.duration, size, discont}, sequence,
    last && last->sequence == sequence ? last->part + 1 : 1
  };

  g_array_append_val (self->outs, out);
  if (size > 0)
    g_byte_array_append (self->y, y, size);
}

static RecordTime
get_time (const Feed * self, gsize age)
{
  const GArray *times = self->record.times;

  return age < times->len ? g_array_index (times, RecordTime,
      times->len - 1 - age) : (RecordTime) {
  TENSOR_TIME_NONE, TENSOR_TIME_NONE};
}

static void
add_outputs (Feed * self, guint64 sequence, gboolean discont, const float *y,
    const CoOutput * outputs, gsize n)
{
  const gsize size = get_output_size (self);

  for (gsize i = 0; i < n; i++, y += size / sizeof (float)) {
    const gboolean ok = row_is_finite (y, size / sizeof (float));

    if (!ok)
      feed_tell (self, sequence, "expected a finite output, found one with a NaN or an infinity: "
          "the model overflows with these vectors; nothing is published for it");
    add_out (self, sequence, get_time (self, outputs[i].age), discont && i == 0,
        y, ok ? size : 0);
  }
}

static void
take_time (Feed * self, RecordTime time)
{
  GArray *times = self->record.times;

  if (times->len > feed_get_reach (self))
    g_array_remove_index (times, 0);
  g_array_append_val (times, time);
}

void
feed_answer (Feed * self, gsize i, CoVectorStatus status, const float *y,
    const CoOutput * outputs, gsize n)
{
  const FeedStep *step = &g_array_index (self->steps, FeedStep, i);
  const gboolean answers_itself = feed_get_reach (self) == 0
      && self->context->info->answer_interval <= 1;

  if (status == CO_VECTOR_TAKEN)
    take_time (self, step->time);
  else if (status == CO_VECTOR_REFUSED)
    feed_tell (self, step->sequence, "expected finite vectors, found one with a NaN or an infinity: it was left out");
  else if (status == CO_VECTOR_FULL)
    feed_tell (self, step->sequence, "the stream holds max_len vectors: the vector was left out; set at_max=drop-oldest or a larger max_len");
  if (n > 0)
    add_outputs (self, step->sequence, step->discont, y, outputs, n);
  else if (answers_itself)
    add_out (self, step->sequence, step->time, FALSE, NULL, 0);
}

void
feed_finish (Feed * self)
{
  if (self->ends && feed_get_reach (self) > 0) {
    CoStream *stream = slots_get_stream (self->context->slots);
    const gsize capacity = co_stream_max_outputs (stream, 0);
    g_autofree float *y = g_malloc (MAX (1, capacity) * get_output_size (self));
    g_autofree CoOutput *outputs = g_new (CoOutput, MAX (1, capacity));
    const gsize n =
        slots_drain (self->context->slots, self->slot, y, outputs, capacity);

    add_outputs (self, self->newest, FALSE, y, outputs, n);
  }
  if (self->ends) {
    co_stream_clean_state (slots_get_stream (self->context->slots), self->slot);
    self->record.over = TRUE;
    g_array_set_size (self->record.times, 0);
  }
  if (self->newest > self->record.covered) {
    self->record.covered = self->newest;
    self->dirty = TRUE;
  }
}

/* Drops what is stored already: an earlier worker answered it. */
static void
skip_answered (Feed * self)
{
  while (self->next_out < self->outs->len) {
    const FeedOut *out = &g_array_index (self->outs, FeedOut, self->next_out);

    if (out->sequence > self->answered || (out->sequence == self->answered
            && self->answered_part > 0 && out->part > self->answered_part))
      return;
    self->next_y += out->buffer.size;
    self->next_out++;
  }
}

/* Moves outs into @message, as many as it takes. */
static void
fill (Feed * self, TensorMessage * message)
{
  const gsize most = MAX (MIN (MAX_BYTES, self->context->max_payload),
      get_output_size (self));

  while (self->next_out < self->outs->len
      && message->buffers->len < TENSOR_MAX_BUFFERS) {
    const FeedOut *out = &g_array_index (self->outs, FeedOut, self->next_out);

    if (message->buffers->len > 0 && message->data->len + out->buffer.size
        + (message->buffers->len + 1) * BUFFER_HEADER > most)
      break;
    tensor_message_append (message, &out->buffer, self->y->data + self->next_y);
    message->source = out->sequence;
    message->source_part = out->part;
    self->next_y += out->buffer.size;
    self->next_out++;
  }
  if (self->next_out == self->outs->len) {
    message->source = self->newest;
    message->source_part = 0;
    message->end = self->ends;
  } else if (g_array_index (self->outs, FeedOut, self->next_out).sequence > message->source) {
    message->source_part = 0;
  }
}

static void
add_labels (Feed * self, TensorMessage * message)
{
  const gchar *const *labels = co_model_get_labels (self->context->model);
  const gint64 now = g_get_monotonic_time ();

  if (!labels || (message->index > 0 && self->labels_at > 0
          && now - self->labels_at < LABELS_INTERVAL))
    return;
  message->labels = g_strdupv ((gchar **) labels);
  self->labels_at = now;
}

Post *
feed_post_output (Feed * self)
{
  g_autoptr (TensorMessage) message = NULL;
  g_autofree gchar *id = NULL;
  natsMsg *msg;

  skip_answered (self);
  if (self->next_out == self->outs->len && !(self->ends && !self->end_posted
          && self->newest > self->answered))
    return NULL;
  message = tensor_message_new ();
  message->stream = g_strdup (self->record.stream);
  message->index = g_strcmp0 (self->out_stream, self->record.stream) == 0 ?
      self->out_index : 0;
  message->caps = g_strdup (self->out_caps);
  fill (self, message);
  add_labels (self, message);
  /* Of two messages behind the same one, JetStream takes the first. */
  id = g_strdup_printf ("%s:%" G_GUINT64_FORMAT, self->key, self->last_output);
  msg = tensor_message_write (message, self->subject, id);
  if (!msg)
    g_error ("no room for a message of %u bytes", message->data->len);
  self->end_posted = message->end;
  self->posted_index = message->index;
  self->posted_source = message->source;
  self->posted_part = message->source_part;
  return post_new (self->context->outputs, msg, self->last_output,
      self->context->worker, self);
}

void
feed_output_stored (Feed * self, const Post * post)
{
  self->last_output = post->sequence;
  if (g_strcmp0 (self->out_stream, self->record.stream) != 0) {
    g_free (self->out_stream);
    self->out_stream = g_strdup (self->record.stream);
  }
  self->out_index = self->posted_index + 1;
  self->answered = self->posted_source;
  self->answered_part = self->posted_part;
}

void
feed_clear_batch (Feed * self)
{
  g_array_set_size (self->steps, 0);
  g_byte_array_set_size (self->x, 0);
  g_array_set_size (self->outs, 0);
  g_byte_array_set_size (self->y, 0);
  self->next_out = 0;
  self->next_y = 0;
  self->ends = FALSE;
  self->end_posted = FALSE;
}
