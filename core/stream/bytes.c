/* libcontinual: steps on bytes, for other languages
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include <continual/bytes.h>
#include <string.h>

#include "stream/stream.h"

static gboolean
refuse (GError ** error, const gchar * what, gsize found, gsize vector_bytes)
{
  g_set_error (error, CO_ERROR, CO_ERROR_INPUT, "%s: expected a multiple of %" G_GSIZE_FORMAT " bytes (float32), found %"
      G_GSIZE_FORMAT ": give whole vectors for every stream", what, vector_bytes, found);
  return FALSE;
}

/* The values of @bytes, aligned. *copy: what to free, or NULL */
static const float *
get_values (GBytes * bytes, gpointer * copy)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  *copy = NULL;
  if (data && (guintptr) data % G_ALIGNOF (float))
    data = *copy = g_memdup2 (data, size);
  return data;
}

/* *n_steps: T of (S, T, width) */
static gboolean
count_steps (const CoStream * self, GBytes * bytes, const gchar * what,
    gsize width, gsize * n_steps, GError ** error)
{
  const gsize step = self->n_streams * width * sizeof (float);
  const gsize size = g_bytes_get_size (bytes);

  *n_steps = size / step;
  return size % step == 0 || refuse (error, what, size, step);
}

/* What a call writes, and what of it goes to the caller; all of it reserved before the step */
typedef struct
{
  CoResult result;
  guint64 *answered;            /* (capacity, 3) */
  guint8 *fates;                /* (S, T) */
} Room;

static GBytes *
take_answered (Room * room, gsize n)
{
  const CoOutput *outputs = room->result.outputs;
  guint64 *values = g_steal_pointer (&room->answered);

  for (gsize i = 0; i < n; i++) {
    values[3 * i] = outputs[i].stream;
    values[3 * i + 1] = outputs[i].step;
    values[3 * i + 2] = outputs[i].age;
  }
  return g_bytes_new_take (values, 3 * n * sizeof *values);
}

static GBytes *
take_status (Room * room, gsize n)
{
  guint8 *values = g_steal_pointer (&room->fates);

  for (gsize i = 0; i < n; i++)
    values[i] = (guint8) room->result.status[i];
  return g_bytes_new_take (values, n);
}

static gsize
output_size (const CoStream * self)
{
  const CoModelInfo *info = co_model_get_info (self->model);

  return info->n_positions * info->n_outputs * sizeof (float);
}

static void
release (Room * room)
{
  g_free (room->result.y);
  g_free (room->result.outputs);
  g_free (room->result.status);
  g_free (room->answered);
  g_free (room->fates);
}

/* For a call with @n_steps steps */
static gboolean
reserve (const CoStream * self, gsize n_steps, Room * room, GError ** error)
{
  const gsize n_vectors = MAX (self->n_streams * n_steps, 1);
  CoResult *result = &room->result;
  gsize size;

  memset (room, 0, sizeof *room);
  result->capacity = co_stream_max_outputs (self, n_steps);
  if (g_size_checked_mul (&size, result->capacity, output_size (self))) {
    result->y = g_try_malloc (MAX (size, 1));
    result->outputs = g_try_new (CoOutput, MAX (result->capacity, 1));
    result->status = g_try_new (CoVectorStatus, n_vectors);
    room->answered = g_try_new (guint64, 3 * MAX (result->capacity, 1));
    room->fates = g_try_malloc (n_vectors);
  }
  if (result->y && result->outputs && result->status && room->answered && room->fates)
    return TRUE;
  release (room);
  g_set_error (error, CO_ERROR, CO_ERROR_NO_SPACE, "%" G_GSIZE_FORMAT " steps: expected outputs that fit into memory, found %"
      G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes: give fewer vectors at once", n_steps, result->capacity,
      output_size (self));
  return FALSE;
}

/* The @n outputs that were written; frees the rest. */
static GBytes *
finish (const CoStream * self, Room * room, gsize n, GBytes ** answered)
{
  const gsize size = n * output_size (self);
  GBytes *y = g_bytes_new_take (g_steal_pointer (&room->result.y), size);

  if (answered)
    *answered = take_answered (room, n);
  release (room);
  return y;
}

static GBytes *
forward (CoStream * self, const CoInput * input, gsize n_steps,
    gboolean update_state, GBytes ** answered, GBytes ** status,
    GError ** error)
{
  Room room;
  gsize n;

  if (!reserve (self, n_steps, &room, error))
    return NULL;
  n = n_steps ? co_stream_forward_steps (self, input, n_steps, update_state, &room.result) : 0;
  if (status)
    *status = take_status (&room, self->n_streams * n_steps);
  return finish (self, &room, n, answered);
}

GBytes *
co_stream_forward_bytes (CoStream * self, GBytes * x, gboolean update_state,
    GBytes ** answered, GBytes ** status, GError ** error)
{
  CoInput input = { 0 };
  gpointer copy;
  GBytes *y;
  gsize n;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (x != NULL, NULL);

  if (!count_steps (self, x, "vectors", self->model->info.n_inputs, &n, error))
    return NULL;
  input.x = get_values (x, &copy);
  y = forward (self, &input, n, update_state, answered, status, error);
  g_free (copy);
  return y;
}

GBytes *
co_stream_forward_separate_bytes (CoStream * self, GBytes * query,
    GBytes * key, GBytes * value, gboolean update_state, GBytes ** answered,
    GBytes ** status, GError ** error)
{
  const CoModelInfo *info;
  CoInput input = { 0 };
  gpointer copies[3] = { NULL };
  gsize n, n_keys, n_values;
  GBytes *y;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (query != NULL, NULL);
  g_return_val_if_fail (key != NULL, NULL);

  info = co_model_get_info (self->model);
  if (!info->bare_attention) {
    g_set_error (error, CO_ERROR, CO_ERROR_INPUT, "keys: expected the model of a bare attention, found one of whole layers: "
        "give its vectors alone");
    return NULL;
  }
  if (!count_steps (self, query, "queries", info->n_inputs, &n, error)
      || !count_steps (self, key, "keys", info->n_keys, &n_keys, error)
      || !count_steps (self, value ? value : key, "values", info->n_values, &n_values, error))
    return NULL;
  if (n_keys != n || n_values != n) {
    g_set_error (error, CO_ERROR, CO_ERROR_INPUT, "keys: expected as many steps of keys and values as of queries, %"
        G_GSIZE_FORMAT ", found %" G_GSIZE_FORMAT " and %" G_GSIZE_FORMAT ": give one of each for every step", n, n_keys,
        n_values);
    return NULL;
  }
  input.x = get_values (query, &copies[0]);
  input.key = get_values (key, &copies[1]);
  input.value = value ? get_values (value, &copies[2]) : NULL;
  y = forward (self, &input, n, update_state, answered, status, error);
  for (guint i = 0; i < G_N_ELEMENTS (copies); i++)
    g_free (copies[i]);
  return y;
}

GBytes *
co_stream_drain_bytes (CoStream * self, GBytes ** answered, GError ** error)
{
  Room room;

  g_return_val_if_fail (self != NULL, NULL);

  if (!reserve (self, 0, &room, error))
    return NULL;
  return finish (self, &room, co_stream_drain (self, &room.result), answered);
}

gboolean
co_stream_set_memory_bytes (CoStream * self, guint stream, GBytes * memory,
    GError ** error)
{
  const gsize size = memory ? g_bytes_get_size (memory) : 0;
  gsize vector;
  gpointer copy;
  gboolean ok;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (memory != NULL, FALSE);

  vector = self->model->info.n_memory * sizeof (float);
  if (vector == 0 || (stream != CO_ALL_STREAMS && stream >= self->n_streams)) {
    g_set_error (error, CO_ERROR, CO_ERROR_INPUT, "memory: expected a decoder of more than %u streams, found %s of %u",
        stream == CO_ALL_STREAMS ? 0 : stream, vector ? "one" : "another model", self->n_streams);
    return FALSE;
  }
  if (size == 0 || size % vector)
    return refuse (error, "memory", size, vector);
  ok = co_stream_set_memory (self, stream, get_values (memory, &copy),
      size / vector, error);
  g_free (copy);
  return ok;
}

GBytes *
co_model_forward_bytes (const CoModel * self, GBytes * x, GError ** error)
{
  const CoModelInfo *info;
  const float *values;
  gsize size, vector, n_y;
  gpointer copy;
  gboolean ok;
  float *y;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (x != NULL, NULL);

  info = co_model_get_info (self);
  size = g_bytes_get_size (x);
  vector = info->n_inputs * sizeof (float);
  n_y = info->n_positions * info->n_outputs;
  if (size % vector) {
    refuse (error, "sequence", size, vector);
    return NULL;
  }
  if (info->n_memory || size / vector < info->warm_up) {
    g_set_error (error, CO_ERROR, CO_ERROR_INPUT, "sequence: expected at least %" G_GSIZE_FORMAT
        " vectors for a model without a memory, found %" G_GSIZE_FORMAT " for '%s': use a stream for others",
        info->warm_up, size / vector, info->n_memory ? "a decoder" : info->kind);
    return NULL;
  }
  values = get_values (x, &copy);
  y = g_new (float, n_y);
  ok = co_model_evaluate (self, values, size / vector, y, NULL);
  g_free (copy);
  if (ok)
    return g_bytes_new_take (y, n_y * sizeof (float));
  g_free (y);
  g_set_error (error, CO_ERROR, CO_ERROR_INPUT, "sequence of %" G_GSIZE_FORMAT " vectors: expected finite numbers up to 1e15, and "
      "no more vectors than max_len, found others: correct the vectors", size / vector);
  return NULL;
}
