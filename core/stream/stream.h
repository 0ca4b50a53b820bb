/* libcontinual: what is inside a stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/stream.h>
#include "model/model.h"

G_BEGIN_DECLS

#define CO_STREAM_HEAD_SIZE 64

/* What stands before each stream's layers. */
typedef struct
{
  guint64 position;             /* vectors taken since the reset */
} CoStreamHead;

struct _CoStream
{
  CoModel *model;
  guint n_streams;
  gsize stride;                 /* bytes of one stream's state */
  gsize max_steps;              /* that go through the layers at once */
  CoWork work;
  CoTag *tags;                  /* (max answers of max_steps) */
  gsize cross_scratch_size;     /* floats of work.cross_scratch */
  guint8 *memory;               /* holds work and tags */
  guint8 *spare;                /* the state before a step that must not change it */

  /* All that a reset clears and a snapshot holds: (n_streams, stride), each a CoStreamHead in CO_STREAM_HEAD_SIZE
   * bytes, then the layers' states. */
  guint8 *state;
};

/* @memory: NULL for none; a reference is taken */
void co_stream_put_memory (CoStream * self, guint stream, CoMemory * memory);

static inline CoStreamHead *
co_stream_head (const CoStream * self, guint stream)
{
  return (CoStreamHead *) (self->state + stream * self->stride);
}

G_END_DECLS
