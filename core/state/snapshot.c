/* libcontinual: snapshots of streams
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A head, the state block as it is, and a SHA-256 of both. Positions inside the block are counters that every use
 * takes modulo the ring's length, so no content can lead outside it; numbers are checked to be finite. */
#include "stream/stream.h"
#include <string.h>

#define MAGIC "CoState"
#define VERSION 1
#define SUM_SIZE 32

typedef struct
{
  gchar magic[8];
  guint32 version, n_streams;
  guint64 size;                 /* of the block */
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

GBytes *
co_stream_get_state (const CoStream * self)
{
  gsize size;
  guint8 *data;
  Head head = {.magic = MAGIC,.version = VERSION };

  g_return_val_if_fail (self != NULL, NULL);

  size = self->n_streams * self->stride;
  head.n_streams = self->n_streams;
  head.size = size;
  memcpy (head.model, self->model->fingerprint, sizeof head.model);
  data = g_malloc (sizeof head + size + SUM_SIZE);
  memcpy (data, &head, sizeof head);
  memcpy (data + sizeof head, self->state, size);
  sum (data, sizeof head + size, data + sizeof head + size);
  return g_bytes_new_take (data, sizeof head + size + SUM_SIZE);
}

gboolean
co_stream_set_state (CoStream * self, GBytes * state, GError ** error)
{
  const guint8 *data;
  gsize n, size;
  Head head;
  guint8 digest[SUM_SIZE];
  const gchar *why = NULL;

  g_return_val_if_fail (self != NULL && state != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  data = g_bytes_get_data (state, &n);
  size = self->n_streams * self->stride;
  if (n >= sizeof head)
    memcpy (&head, data, sizeof head);
  if (n < sizeof head || memcmp (head.magic, MAGIC, sizeof head.magic) != 0)
    why = "it is not a snapshot of a stream";
  else if (head.version != VERSION)
    why = "it is of another version of this library";
  else if (memcmp (head.model, self->model->fingerprint, sizeof head.model))
    why = "it is of another model, or of this one with other hyper-parameters";
  else if (head.n_streams != self->n_streams)
    why = "it is of another number of streams";
  else if (head.size != size || n != sizeof head + size + SUM_SIZE)
    why = "it is truncated or has bytes behind its end";
  else {
    sum (data, sizeof head + size, digest);
    if (memcmp (digest, data + sizeof head + size, SUM_SIZE) != 0)
      why = "its checksum does not fit: it was altered";
    else if (!co_stack_state_is_finite (&self->model->stack,
            data + sizeof head + CO_STREAM_HEAD_SIZE, self->stride,
            self->n_streams))
      why = "it holds numbers that are not finite";
  }
  if (why) {
    g_set_error (error, CO_ERROR, CO_ERROR_STATE,
        "snapshot of %" G_GSIZE_FORMAT " bytes: expected one of %"
        G_GSIZE_FORMAT " bytes that co_stream_get_state() made of %u stream%s with this model, but %s; take a new "
        "one, or start afresh", n, sizeof head + size + SUM_SIZE,
        self->n_streams, self->n_streams == 1 ? "" : "s", why);
    return FALSE;
  }
  memcpy (self->state, data + sizeof head, size);
  return TRUE;
}
