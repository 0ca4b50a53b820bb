/* A stream of random vectors, published to a subject, and its outputs, compared with those of one process
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "line.h"

#include <math.h>
#include <string.h>

static void
on_news (OutboxNews news, const gchar * why, gpointer data)
{
  if (news == OUTBOX_FAILED)
    g_error ("%s", why);
}

Line *
line_new (const gchar * key, Link * link, CoModel * model, guint seed)
{
  const CoModelInfo *info = co_model_get_info (model);
  Line *self = g_new0 (Line, 1);
  g_autofree gchar *subject = NULL, *caps = NULL;

  self->key = g_strdup (key);
  self->info = info;
  subject = g_strdup_printf ("continual.vectors.%s", self->key);
  self->outbox = outbox_new (link, &(OutboxSettings) {
      subject, 65536, 0}, on_news, NULL);
  self->truth = co_stream_new (model, 1);
  self->random = g_rand_new_with_seed (seed ^ g_str_hash (key));
  self->y = g_array_new (FALSE, FALSE, sizeof (float));
  self->came = g_array_new (FALSE, FALSE, sizeof (float));
  self->y_size = info->n_positions * info->n_outputs;
  self->times = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->y_pts = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->came_pts = g_array_new (FALSE, FALSE, sizeof (guint64));
  caps = g_strdup_printf ("other/tensors, format=(string)static, num_tensors=(int)1, types=(string)float32, dimensions=(string)%"
      G_GSIZE_FORMAT ":1:1:1, framerate=(fraction)100/1", info->n_inputs);
  outbox_set_caps (self->outbox, caps);
  return self;
}

void
line_free (Line * self)
{
  outbox_free (self->outbox);
  co_stream_unref (self->truth);
  g_rand_free (self->random);
  g_array_unref (self->times);
  g_array_unref (self->y);
  g_array_unref (self->y_pts);
  g_array_unref (self->came);
  g_array_unref (self->came_pts);
  g_free (self->key);
  g_free (self->stream);
  g_free (self);
}

/* An output for the vector that the stream took @age vectors before its newest one */
static void
expect (Line * self, const float *y, gsize age)
{
  g_array_append_vals (self->y, y, self->y_size);
  g_array_append_val (self->y_pts, g_array_index (self->times, guint64, self->times->len - 1 - age));
}

void
line_end_stream (Line * self)
{
  const gsize capacity = MAX (1, co_stream_max_outputs (self->truth, 0));
  g_autofree float *y = g_new (float, capacity * self->y_size);
  g_autofree CoOutput *outputs = g_new (CoOutput, capacity);
  CoResult result = {.capacity = capacity,.y = y,.outputs = outputs };
  gsize n;

  if (!self->open)
    return;
  g_assert_true (outbox_end_stream (self->outbox));
  self->open = FALSE;
  n = co_stream_drain (self->truth, &result);
  for (gsize i = 0; i < n; i++)
    expect (self, y + i * self->y_size, outputs[i].age);
  co_stream_clean_state (self->truth, 0);
  g_array_set_size (self->times, 0);
  self->n_begun++;
}

static void
step (Line * self, const float *x, guint n)
{
  const gsize capacity = co_stream_max_outputs (self->truth, n);
  g_autofree float *y = g_new (float, capacity * self->y_size);
  g_autofree CoOutput *outputs = g_new (CoOutput, capacity);
  g_autofree CoVectorStatus *status = g_new (CoVectorStatus, n);
  CoResult result = {.capacity = capacity,.y = y,.outputs = outputs,.status = status };
  const gsize got = co_stream_forward_steps (self->truth, &(CoInput) {
        .x = x}, n, TRUE, &result);
  gsize next = 0;

  for (guint t = 0; t < n; t++) {
    const guint64 pts = self->pts + t * 10000000;

    if (status[t] == CO_VECTOR_TAKEN)
      g_array_append_val (self->times, pts);
    for (; next < got && outputs[next].step == t; next++)
      expect (self, y + next * self->y_size, outputs[next].age);
  }
}

void
line_push (Line * self)
{
  const guint n = g_rand_int_range (self->random, 1, 4);
  const guint what = g_rand_int_range (self->random, 0, 200);
  const gsize C = self->info->n_inputs;
  g_autofree float *x = g_new (float, n * C);

  if (what == 0) {
    line_end_stream (self);
    return;
  }
  if (what == 3) {              /* a stream that begins without an end of the one before */
    outbox_begin_stream (self->outbox);
    co_stream_clean_state (self->truth, 0);
    g_array_set_size (self->times, 0);
    self->open = FALSE;
  }
  for (guint i = 0; i < n * C; i++)
    x[i] = g_rand_double_range (self->random, -1, 1);
  if (what == 1)
    x[0] = NAN;                 /* refused */
  g_assert_true (outbox_push (self->outbox, &(TensorBuffer) {
          self->pts, 10000000 * n, what == 2 ? 0 : n * C * sizeof (float), FALSE}, x));
  self->open = TRUE;
  if (what != 2) {
    self->n_vectors += n;
    step (self, x, n);
  }
  self->pts += 10000000 * n;
}

void
line_take (Line * self, const TensorMessage * message)
{
  const gboolean begins = g_strcmp0 (self->stream, message->stream) != 0;

  if (message->index != (begins ? 0 : self->index + 1))
    g_error ("%s: message %" G_GUINT64_FORMAT " of %s, which answers %" G_GUINT64_FORMAT ", behind message %" G_GUINT64_FORMAT
        " of %s, which answers %" G_GUINT64_FORMAT, self->key, message->index, message->stream, message->source, self->index,
        self->stream, self->source);
  if (begins) {
    g_free (self->stream);
    self->stream = g_strdup (message->stream);
  }
  self->source = message->source;
  self->index = message->index;
  self->n_messages++;
  self->n_ended += message->end;
  g_array_append_vals (self->came, message->data->data, message->data->len / sizeof (float));
  for (guint i = 0; i < message->buffers->len; i++) {
    const TensorBuffer *b = &g_array_index (message->buffers, TensorBuffer, i);

    if (b->size > 0)
      g_array_append_val (self->came_pts, b->pts);
  }
}

gboolean
line_check (Line * self)
{
  if (self->came_pts->len > self->y_pts->len)
    g_error ("%s: %u outputs, expected %u", self->key, self->came_pts->len, self->y_pts->len);
  for (; self->n_compared < self->came_pts->len; self->n_compared++) {
    const gsize i = self->n_compared;
    const guint64 pts = g_array_index (self->came_pts, guint64, i), expected = g_array_index (self->y_pts, guint64, i);
    const float *y = &g_array_index (self->came, float, i * self->y_size);

    if (memcmp (y, &g_array_index (self->y, float, i * self->y_size), self->y_size * sizeof (float)) != 0)
      g_error ("%s: output %zu differs: %g, expected %g", self->key, i, y[0], g_array_index (self->y, float, i * self->y_size));
    if (pts != expected)
      g_error ("%s: output %zu is of %" G_GUINT64_FORMAT ", expected %" G_GUINT64_FORMAT, self->key, i, pts, expected);
  }
  return self->came_pts->len == self->y_pts->len && self->n_ended == self->n_begun;
}
