/* libcontinual: the inside of a stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/stream.h>
#include "model/model.h"

G_BEGIN_DECLS

struct _CoStream
{
  CoModel *model;
  gint ref_count;               /* atomic */
  guint n_streams;
  guint n_threads;              /* of a call at most, as it was set */
  guint n_room;                 /* threads for which there is scratch memory; fewer do the same */
  gsize stride;                 /* bytes of one stream's state */
  gsize max_steps;              /* processed at once */
  CoWork work;
  CoTag *tags;                  /* (max answers of max_steps) */
  guint8 *memory;               /* of work and tags */
  float *team_scratch;          /* work.scratch of more than one thread, or NULL */
  guint8 *spare;                /* (n_streams, stride) the state before a step that must not change it */

  /* Cleared on reset, and the content of a snapshot: (n_streams, stride), each a CoStreamHeader and the layers' states */
  guint8 *state;
};

/* The memory of a decoder for co_stream_put_memory(), and room for a step that attends to it. NULL, with CO_ERROR_MEMORY:
 * the streams are unchanged. */
CoMemory *co_stream_make_memory (CoStream * self,
    const float *vectors /* (n, n_memory) */ , gsize n, GError ** error);
/* @memory: NULL for none; a reference is taken */
void co_stream_put_memory (CoStream * self, guint stream, CoMemory * memory);

/* @size: floats that each thread of a step needs to attend to a memory. FALSE: no room */
gboolean co_stream_reserve_scratch (CoStream * self, gsize size);
/* What the calling thread had before a call */
typedef struct
{
  guint64 mode;
  guint n_threads;
} CoCall;

/* A call flushes denormals and has the threads of the stream. */
CoCall co_stream_begin_call (const CoStream * self);
void co_stream_end_call (CoCall before);

/* FALSE, with CO_ERROR_NO_SPACE */
gboolean co_stream_fail_space (GError ** error, const gchar * what,
    guint64 bytes, const gchar * todo);

/* co_model_forward(). FALSE: a vector was not taken. */
gboolean co_model_evaluate (const CoModel * self, const float *x /* (n, C) */ ,
    gsize n, float *y /* (n_positions, D) */ ,
    float *weights /* (H, n_positions, W) or NULL */ );

static inline CoStreamHeader *
co_stream_header (const CoStream * self, guint stream)
{
  return (CoStreamHeader *) (self->state + stream * self->stride);
}

G_END_DECLS
