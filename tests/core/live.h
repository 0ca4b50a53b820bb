/* Streams that are checked against the truth, vector by vector
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "variants.h"

#define LIVE_MAX_STREAMS 16

typedef struct
{
  const RefModel *m;
  CoModel *model;
  const CoModelInfo *info;
  CoStream *stream;
  guint S;
  gboolean has_key, has_value;
  GArray *x[LIVE_MAX_STREAMS];  /* float (n, C): what each stream has taken */
  GArray *key[LIVE_MAX_STREAMS], *value[LIVE_MAX_STREAMS];
  GArray *chunk[LIVE_MAX_STREAMS];      /* guint64 (n): which chunk each is in */
  GArray *memory[LIVE_MAX_STREAMS];     /* RefMemory * (n): what each was given */
  gsize filled[LIVE_MAX_STREAMS];       /* vectors of the open chunk */
  RefMemory *current[LIVE_MAX_STREAMS]; /* what a decoder has now */
  GPtrArray *memories;
  guint64 forgotten[LIVE_MAX_STREAMS];  /* vectors that were taken before those */
  gboolean check;               /* compare with the truth; else only count */
  gsize n_checked;
  double worst;                 /* largest error so far, in parts of the tolerance */
} Live;

/* Input of a call and what is to become of it */
typedef struct
{
  gsize T;
  float *x, *key, *value;       /* (S, T, …) */
  guint8 *mask;                 /* (S, T) or NULL */
  CoVectorStatus *rows;                  /* (S, T) absent, refused, or taken if there is room */
} Chunk;

/* Room for what a call gives */
typedef struct
{
  CoResult result;
  gsize n, y_size, weights_size;
  float *guard;                 /* what stands behind the outputs */
} Outputs;

Live *live_new (const RefModel * m, guint S, GRand * random);
void live_free (Live * self);
void live_reset (Live * self, gint stream);

/* @faults: some vectors are absent, masked out or invalid. @loudness multiplies some of the vectors. */
Chunk *chunk_new (const Live * live, gsize T, gboolean faults, float loudness,
    GRand * random);
void chunk_free (Chunk * self);
CoInput chunk_input (const Chunk * self);

Outputs *outputs_new (const Live * live, gsize T);
void outputs_free (Outputs * self);
gboolean outputs_equal (const Outputs * a, const Outputs * b);

/* Feeds the chunk and checks everything that comes out. */
Outputs *live_run (Live * self, const Chunk * chunk);

/* Drains, and checks what comes out. */
void live_drain (Live * self);

/* Gives a decoder's @stream (-1: all) another memory. */
void live_set_memory (Live * self, gint stream, GRand * random);

/* Compares an answer to the truth about the vector of @stream @age vectors before the last. */
void live_compare (Live * self, guint stream, gsize age, const float *y,
    const float *weights);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Live, live_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Chunk, chunk_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Outputs, outputs_free)

/* What @stream, whichever it is, gives for @chunk; nothing is checked and @live keeps nothing. */
Outputs *live_feed (const Live * live, CoStream * stream, const Chunk * chunk);
