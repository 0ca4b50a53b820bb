/* libcontinual: snapshots of streams
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A header, the state block as it is, the memories of a decoder, and a SHA-256 of all of it. A snapshot of one stream out of
 * several is one of a single stream. The block holds counters, which
 * every use takes modulo the length of a ring, and numbers, which are checked to be finite: no content leads outside the
 * block. Where they would stay, they are checked to be such as a stream comes to: no content makes outputs that are not
 * finite for ever. A memory is the number of its vectors, 0 for none, and the vectors. */
#include "stream/stream.h"
#include <math.h>
#include <string.h>

#define MAGIC "CoState"
#define VERSION 3
#define SUM_SIZE 32

typedef struct
{
  gchar magic[8];
  guint32 version, n_streams;
  guint64 size;                 /* of the snapshot */
  guint8 model[32];             /* CoModel.fingerprint */
  guint64 zero;
} Header;

G_STATIC_ASSERT (sizeof (Header) == 64);

/* The streams that a snapshot is of */
typedef struct
{
  guint first, n;
} Range;

static void
sum (const guint8 * data, gsize n, guint8 digest[SUM_SIZE])
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = SUM_SIZE;

  g_checksum_update (sum, data, n);
  g_checksum_get_digest (sum, digest, &size);
}

static gsize
memories_size (const CoStream * self, Range range)
{
  gsize size = 0;

  for (guint s = 0; self->work.memories && s < range.n; s++) {
    const CoMemory *memory = self->work.memories[range.first + s];
    size += sizeof (guint64);
    if (memory)
      size += co_memory_get_length (memory) * self->model->info.n_memory *
          sizeof (float);
  }
  return size;
}

static void
write_memories (const CoStream * self, Range range, guint8 * to)
{
  for (guint s = 0; self->work.memories && s < range.n; s++) {
    const CoMemory *memory = self->work.memories[range.first + s];
    guint64 n = memory ? co_memory_get_length (memory) : 0;
    gsize bytes = n * self->model->info.n_memory * sizeof (float);

    memcpy (to, &n, sizeof n);
    if (memory)
      memcpy (to + sizeof n, co_memory_get_vectors (memory), bytes);
    to += sizeof n + bytes;
  }
}

/* The memories in a snapshot, one after another */
typedef struct
{
  const guint8 *data;
  gsize size;                   /* that is left */
} Memories;

/* The next one: *n vectors, 0 for none. FALSE: there is no whole one. */
static gboolean
next_memory (Memories * self, gsize width, const float **vectors, guint64 * n)
{
  gsize bytes;

  if (self->size < sizeof *n)
    return FALSE;
  memcpy (n, self->data, sizeof *n);
  if (*n > (self->size - sizeof *n) / sizeof (float) / width)
    return FALSE;
  *vectors = (const float *) (gconstpointer) (self->data + sizeof *n);
  bytes = sizeof *n + *n * width * sizeof (float);
  self->data += bytes;
  self->size -= bytes;
  return TRUE;
}

static gboolean
check_memories (const CoStream * self, guint n_streams, Memories from)
{
  const gsize width = self->model->info.n_memory;

  for (guint s = 0; self->work.memories && s < n_streams; s++) {
    const float *vectors;
    guint64 n;

    if (!next_memory (&from, width, &vectors, &n))
      return FALSE;
    for (gsize i = 0; i < n * width; i++)
      if (!(fabsf (vectors[i]) <= CO_LARGEST))
        return FALSE;
  }
  return from.size == 0;
}

static void
clear_memory (gpointer data)
{
  if (data)
    co_memory_unref (data);
}

/* One for each of @n_streams streams of a decoder, NULL for none. NULL: there is no room. */
static GPtrArray *
make_memories (CoStream * self, guint n_streams, Memories from, GError ** error)
{
  g_autoptr (GPtrArray) memories =
      g_ptr_array_new_with_free_func (clear_memory);

  for (guint s = 0; self->work.memories && s < n_streams; s++) {
    CoMemory *memory = NULL;
    const float *vectors;
    guint64 n;

    if (next_memory (&from, self->model->info.n_memory, &vectors, &n) && n > 0) {
      memory = co_stream_make_memory (self, vectors, n, error);
      if (!memory)
        return NULL;
    }
    g_ptr_array_add (memories, memory);
  }
  return g_steal_pointer (&memories);
}

static GBytes *
get_state (const CoStream * self, Range range)
{
  const gsize block = range.n * self->stride;
  const gsize size = sizeof (Header) + block + memories_size (self, range);
  Header header = {.magic = MAGIC,.version = VERSION,.n_streams = range.n,.size = size + SUM_SIZE };
  guint8 *data = g_try_malloc (size + SUM_SIZE);

  if (!data)
    return NULL;
  memcpy (header.model, self->model->fingerprint, sizeof header.model);
  memcpy (data, &header, sizeof header);
  memcpy (data + sizeof header, self->state + range.first * self->stride, block);
  write_memories (self, range, data + sizeof header + block);
  sum (data, size, data + size);
  return g_bytes_new_take (data, size + SUM_SIZE);
}

/* What is wrong with the snapshot of @n_streams streams; NULL: nothing */
static const gchar *
refuse (CoStream * self, guint n_streams, const guint8 * data, gsize n)
{
  const gsize block = n_streams * self->stride;
  guint8 digest[SUM_SIZE];
  Header header;

  if (n < sizeof header)
    return "it is truncated";
  memcpy (&header, data, sizeof header);
  if (memcmp (header.magic, MAGIC, sizeof header.magic) != 0)
    return "it is not a snapshot of a stream";
  if (header.version != VERSION)
    return "it is of another version of this library";
  if (memcmp (header.model, self->model->fingerprint, sizeof header.model) != 0)
    return "it is of another model, or of this one with other hyper-parameters";
  if (header.n_streams != n_streams)
    return "it is of another number of streams";
  if (header.size != n || n < sizeof header + block + SUM_SIZE)
    return "it is truncated or has bytes behind its end";
  sum (data, n - SUM_SIZE, digest);
  if (memcmp (digest, data + n - SUM_SIZE, SUM_SIZE) != 0)
    return "its checksum does not fit: it was altered";
  if (!co_stack_state_is_sound (&self->model->stack,
          data + sizeof header, self->stride, n_streams)
      || !check_memories (self, n_streams, (Memories) {
          data + sizeof header + block, n - SUM_SIZE - sizeof header - block}))
    return "it holds numbers that are not finite, or are none of this model, or a position that no stream reaches";
  return NULL;
}

static gboolean
set_state (CoStream * self, Range range, GBytes * state, GError ** error)
{
  const gsize block = range.n * self->stride;
  g_autoptr (GPtrArray) memories = NULL;
  g_autofree guint8 *aligned = NULL;
  guint8 *to = self->state + range.first * self->stride;
  const guint8 *data;
  gsize n;
  const gchar *why;

  data = g_bytes_get_data (state, &n);
  if ((guintptr) data % sizeof (guint64) != 0) {
    aligned = g_try_malloc (n);
    if (!aligned)
      return co_stream_fail_space (error, "copy of a snapshot", n,
          "make room, or give it at an address that is a multiple of 8");
    data = memcpy (aligned, data, n);
  }
  why = refuse (self, range.n, data, n);
  if (why) {
    g_set_error (error, CO_ERROR, CO_ERROR_STATE,
        "snapshot of %" G_GSIZE_FORMAT
        " bytes: expected one that get_state made of %u stream%s with this model, but %s; take a new one, or start "
        "afresh", n, range.n, range.n == 1 ? "" : "s", why);
    return FALSE;
  }
  memories = make_memories (self, range.n, (Memories) {
      data + sizeof (Header) + block, n - SUM_SIZE - sizeof (Header) - block}, error);
  if (!memories)
    return FALSE;
  for (guint s = 0; s < memories->len; s++)
    co_stream_put_memory (self, range.first + s, memories->pdata[s]);
  memcpy (to, data + sizeof (Header), block);
  co_stack_put_fixed (&self->model->stack, &self->work, to, self->stride, range.n);
  return TRUE;
}

GBytes *
co_stream_get_state (const CoStream * self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return get_state (self, (Range) {
      0, self->n_streams});
}

GBytes *
co_stream_get_state_at (const CoStream * self, guint stream)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (stream < self->n_streams, NULL);

  return get_state (self, (Range) {
      stream, 1});
}

gboolean
co_stream_set_state (CoStream * self, GBytes * state, GError ** error)
{
  g_return_val_if_fail (self != NULL && state != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return set_state (self, (Range) {
      0, self->n_streams}, state, error);
}

gboolean
co_stream_set_state_at (CoStream * self, guint stream, GBytes * state,
    GError ** error)
{
  g_return_val_if_fail (self != NULL && state != NULL, FALSE);
  g_return_val_if_fail (stream < self->n_streams, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return set_state (self, (Range) {
      stream, 1}, state, error);
}
