/* continual-worker: what the bucket keeps of a stream
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A line of JSON, and behind it the snapshot of the stream, as co_stream_get_state_at() makes it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* PTS and duration of a vector, in nanoseconds; TENSOR_TIME_NONE: not known */
typedef struct
{
  guint64 pts, duration;
} RecordTime;

typedef struct
{
  gchar *stream;                /* ID of the stream that the state is of; NULL: none yet */
  guint64 index;                /* of the next message in it */
  guint64 covered;              /* sequence of the last message that the state covers */
  gchar *caps;                  /* of its vectors; NULL: none came yet */
  gboolean over;                /* the stream ended: there is no snapshot */
  GArray *times;                /* RecordTime of the last vectors, oldest first */
} Record;

void record_init (Record * self);
void record_clear (Record * self);

GBytes *record_write (const Record * self, GBytes * snapshot);

/* Fills @self, which record_init() made. *snapshot: NULL where there is none. FALSE: *why (free it); then @self has what could be
 * read. */
gboolean record_read (Record * self, gconstpointer data, gsize size,
    GBytes ** snapshot, gchar ** why);

G_END_DECLS
