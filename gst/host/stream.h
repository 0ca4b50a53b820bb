/* gst-continual: live streams through a model, with their times
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

#include "host/attention-weights.h"
#include "tensor/vectorclock.h"

G_BEGIN_DECLS

/**
 * ModelStream: a CoStream, when its vectors were, and what came of them
 *
 * Not thread-safe. What forward and drain leave behind to be read belongs to their caller's thread alone; clean,
 * get_state and set_state don't touch it.
 */
typedef struct _ModelStream ModelStream;

typedef enum
{
  MODEL_OUTPUT,               /* of @time, for model_stream_read() */
  MODEL_GAP,                  /* nothing is or will be answered for @time */
  MODEL_REFUSED,              /* @stream's vector of @time has a NaN or an infinity */
  MODEL_FULL,                 /* @stream holds max-len vectors and didn't take that of @time */
} ModelEventType;

typedef struct
{
  ModelEventType type;
  VectorTime time;
  guint stream;
  gsize age, first, end;        /* private: the outputs that are the rows of this one */
} ModelEvent;

/* Vectors in a buffer, of which those at @from are next */
typedef struct
{
  gconstpointer data;           /* (S, length, width) float32, aligned or not */
  gsize length, from;
} ModelRows;

/* As CoInput: where data is NULL, the keys are x and the values the keys. */
typedef struct
{
  ModelRows x, key, value;
} ModelInput;

/* What one call did. */
typedef struct
{
  guint64 vectors, outputs, refused, absent;
  GstClockTime step_time;       /* of one step */
} ModelCounts;

ModelStream *model_stream_new (CoModel * model, guint n_streams,
    AttentionWeights weights);
void model_stream_free (ModelStream * self);

CoModel *model_stream_get_model (const ModelStream * self);
guint model_stream_get_n_streams (const ModelStream * self);

/* The bytes of one output: (S, n_positions, D) float32. */
gsize model_stream_get_output_size (const ModelStream * self);

/* The bytes of its attention weights, the second tensor; 0: none. */
gsize model_stream_get_weights_size (const ModelStream * self);

/* How many steps to give at once at most. */
gsize model_stream_get_max_steps (const ModelStream * self);

/* What a decoder attends to from the next vector on. */
void model_stream_set_memory (ModelStream * self,
    const float *memory /* (n, n_memory) */ , gsize n);
/* Gives @to, which may run another model with memories of the same width, the memory of @self. */
void model_stream_pass_memory (const ModelStream * self, ModelStream * to);
gboolean model_stream_has_memory (const ModelStream * self);

/* Forgets what came but the memory: @stream, or -1 for all. */
void model_stream_reset (ModelStream * self, gint stream);
GBytes *model_stream_get_state (const ModelStream * self);
/* Streams of their own that are where these are now. */
CoStream *model_stream_copy_state (const ModelStream * self);
gboolean model_stream_set_state (ModelStream * self, GBytes * state,
    GError ** error);

/* The next @n_steps steps of @input, whose x.length vectors share @time evenly. What came of the last call must have
 * been read. */
void model_stream_forward (ModelStream * self, const ModelInput * input,
    gsize n_steps, const VectorTime * time, ModelCounts * counts);

/* Answers what waits for the end of a chunk of a chunked kernel. */
void model_stream_drain (ModelStream * self, ModelCounts * counts);

/* The next thing that came of the last call, in the order of time; FALSE: that was all. */
gboolean model_stream_next_event (ModelStream * self, ModelEvent * event);

/* Writes an MODEL_OUTPUT: NaN where a stream has none. */
void model_stream_read (const ModelStream * self,
    const ModelEvent * event, float *y /* (S, n_positions, D) */ );

/* The same for its attention weights. */
void model_stream_read_weights (const ModelStream * self,
    const ModelEvent * event, float *weights);

/* Drops what wasn't read. */
void model_stream_discard_events (ModelStream * self);

G_END_DECLS
