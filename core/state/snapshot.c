/* libcontinual: snapshots of streams
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A head, the state block as it is, the memories of a decoder, and a SHA-256 of all of it. Positions inside the block
 * are counters that every use takes modulo the ring's length, so no content can lead outside it; numbers are checked
 * to be finite. A memory is the number of its vectors, 0 for none, and the vectors. */
#include "stream/stream.h"
#include <math.h>
#include <string.h>

#define MAGIC "CoState"
#define VERSION 2
#define SUM_SIZE 32

typedef struct
{
  gchar magic[8];
  guint32 version, n_streams;
  guint64 size;                 /* of the snapshot */
  guint8 model[32];             /* CoModel.fingerprint */
  guint64 zero;
} Head;

G_STATIC_ASSERT (sizeof (Head) == 64);

static void
sum (const guint8 * data, gsize n, guint8 digest[SUM_SIZE])
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = SUM_SIZE;

  g_checksum_update (sum, data, n);
  g_checksum_get_digest (sum, digest, &size);
}

static gsize
memories_size (const CoStream * self)
{
  gsize size = 0;

  for (guint s = 0; self->work.memories && s < self->n_streams; s++) {
    const CoMemory *memory = self->work.memories[s];
    size += sizeof (guint64);
    if (memory)
      size += co_memory_get_length (memory) * self->model->info.n_memory *
          sizeof (float);
  }
  return size;
}

static void
write_memories (const CoStream * self, guint8 * to)
{
  for (guint s = 0; self->work.memories && s < self->n_streams; s++) {
    const CoMemory *memory = self->work.memories[s];
    guint64 n = memory ? co_memory_get_length (memory) : 0;
    gsize bytes = n * self->model->info.n_memory * sizeof (float);

    memcpy (to, &n, sizeof n);
    if (memory)
      memcpy (to + sizeof n, co_memory_get_vectors (memory), bytes);
    to += sizeof n + bytes;
  }
}

/* With @apply FALSE: whether the bytes are memories of this stream. With TRUE, sets them. */
static gboolean
read_memories (CoStream * self, const guint8 * from, gsize size,
    gboolean apply)
{
  const gsize width = self->model->info.n_memory;

  for (guint s = 0; self->work.memories && s < self->n_streams; s++) {
    g_autofree float *vectors = NULL;
    guint64 n;

    if (size < sizeof n)
      return FALSE;
    memcpy (&n, from, sizeof n);
    from += sizeof n;
    size -= sizeof n;
    if (n > size / sizeof (float) / width)
      return FALSE;
    vectors = g_memdup2 (from, n * width * sizeof (float));
    for (gsize i = 0; i < n * width; i++)
      if (!isfinite (vectors[i]))
        return FALSE;
    if (apply && n > 0)
      co_stream_set_memory (self, s, vectors, n);
    else if (apply)
      co_stream_put_memory (self, s, NULL);
    from += n * width * sizeof (float);
    size -= n * width * sizeof (float);
  }
  return size == 0;
}

GBytes *
co_stream_get_state (const CoStream * self)
{
  gsize block, size;
  guint8 *data;
  Head head = {.magic = MAGIC,.version = VERSION };

  g_return_val_if_fail (self != NULL, NULL);

  block = self->n_streams * self->stride;
  size = sizeof head + block + memories_size (self);
  head.n_streams = self->n_streams;
  head.size = size + SUM_SIZE;
  memcpy (head.model, self->model->fingerprint, sizeof head.model);
  data = g_malloc (size + SUM_SIZE);
  memcpy (data, &head, sizeof head);
  memcpy (data + sizeof head, self->state, block);
  write_memories (self, data + sizeof head + block);
  sum (data, size, data + size);
  return g_bytes_new_take (data, size + SUM_SIZE);
}

/* NULL, or what is wrong with the snapshot. */
static const gchar *
refuse (CoStream * self, const guint8 * data, gsize n)
{
  const gsize block = self->n_streams * self->stride;
  guint8 digest[SUM_SIZE];
  Head head;

  if (n < sizeof head)
    return "it is truncated";
  memcpy (&head, data, sizeof head);
  if (memcmp (head.magic, MAGIC, sizeof head.magic) != 0)
    return "it is not a snapshot of a stream";
  if (head.version != VERSION)
    return "it is of another version of this library";
  if (memcmp (head.model, self->model->fingerprint, sizeof head.model) != 0)
    return "it is of another model, or of this one with other hyper-parameters";
  if (head.n_streams != self->n_streams)
    return "it is of another number of streams";
  if (head.size != n || n < sizeof head + block + SUM_SIZE)
    return "it is truncated or has bytes behind its end";
  sum (data, n - SUM_SIZE, digest);
  if (memcmp (digest, data + n - SUM_SIZE, SUM_SIZE) != 0)
    return "its checksum does not fit: it was altered";
  for (guint s = 0; s < self->n_streams; s++)
    if (((const CoStreamHead *) (data + sizeof head + s * self->stride))->position
        > G_MAXINT64)
      return "it holds a position that no stream reaches";
  if (!co_stack_state_is_finite (&self->model->stack,
          data + sizeof head + CO_STREAM_HEAD_SIZE, self->stride,
          self->n_streams)
      || !read_memories (self, data + sizeof head + block,
          n - SUM_SIZE - sizeof head - block, FALSE))
    return "it holds numbers that are not finite";
  return NULL;
}

gboolean
co_stream_set_state (CoStream * self, GBytes * state, GError ** error)
{
  const guint8 *data;
  g_autofree guint8 *aligned = NULL;
  gsize n, block;
  const gchar *why;

  g_return_val_if_fail (self != NULL && state != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  data = g_bytes_get_data (state, &n);
  block = self->n_streams * self->stride;
  if ((guintptr) data % sizeof (guint64) != 0)
    data = aligned = g_memdup2 (data, n);
  why = refuse (self, data, n);
  if (why) {
    g_set_error (error, CO_ERROR, CO_ERROR_STATE,
        "snapshot of %" G_GSIZE_FORMAT
        " bytes: expected one that get_state made of %u stream%s with this model, but %s; take a new one, or start "
        "afresh", n, self->n_streams, self->n_streams == 1 ? "" : "s", why);
    return FALSE;
  }
  memcpy (self->state, data + sizeof (Head), block);
  read_memories (self, data + sizeof (Head) + block,
      n - SUM_SIZE - sizeof (Head) - block, TRUE);
  return TRUE;
}
