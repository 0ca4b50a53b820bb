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
  CoRow *rows;                  /* (S, T) absent, refused, or taken if there is room */
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

/* Compares an answer to the truth about the @n-th vector of @stream. */
void live_compare (Live * self, guint stream, gsize age, const float *y,
    const float *weights);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Live, live_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Chunk, chunk_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Outputs, outputs_free)
