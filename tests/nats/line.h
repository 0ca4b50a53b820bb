/* A stream of random vectors, published to a subject, and its outputs, compared with those of one process
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

#include "common/message.h"
#include "plugin/outbox.h"

/* What is published to one subject, and what must come back */
typedef struct
{
  gchar *key;
  Outbox *outbox;
  CoStream *truth;
  const CoModelInfo *info;
  GRand *random;
  guint64 pts;
  gboolean open;                /* something was published since the last end */
  guint n_vectors, n_begun;
  GArray *times;                /* guint64: PTS of what the stream took */
  GArray *y;                    /* float: of all expected outputs */
  GArray *y_pts;                /* guint64: of each */
  gsize y_size;
  /* The outputs that were received */
  GArray *came, *came_pts;
  gchar *stream;                /* ID of the last message */
  guint64 index, source, n_messages, n_ended;
  gsize n_compared;             /* outputs */
} Line;

Line *line_new (const gchar * key, Link * link, CoModel * model, guint seed);
void line_free (Line * self);

/* Publishes one to three vectors, seldom a vector that is refused, a gap, the end of the stream, or another one without an end. */
void line_push (Line * self);
void line_end_stream (Line * self);

void line_take (Line * self, const TensorMessage * message);

/* Compares what has come: it must be the first of what is expected, to the bit. TRUE: all of it has come. */
gboolean line_check (Line * self);
