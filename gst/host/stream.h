/* gst-continual: streams through a model, with times
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

#include "host/attention-weights.h"
#include "tensor/vectorcaps.h"
#include "tensor/vectorclock.h"

G_BEGIN_DECLS

/**
 * ModelStream: a CoStream with the times of its vectors, and the events of its last call
 *
 * Not thread-safe: guard calls with a lock. Only the thread that calls forward() and drain() reads the events, without
 * the lock: reset(), get_state() and set_state() do not touch them.
 */
typedef struct _ModelStream ModelStream;

typedef enum
{
  MODEL_OUTPUT,               /* an output for the vector of @time: read it with model_stream_read() */
  MODEL_GAP,                  /* the vectors of @time have no answer, now or later */
  MODEL_REFUSED,              /* the vector of @stream at @time has a NaN or an infinity */
  MODEL_NOT_FINITE,           /* the output of @stream for the vector of @time has a NaN or an infinity: with one stream there is
                                 no MODEL_OUTPUT for it, with several its row is not NaN throughout */
  MODEL_FULL,                 /* @stream holds max-len vectors: it did not take that of @time */
} ModelEventType;

typedef struct
{
  ModelEventType type;
  VectorTime time;
  guint stream;
  gsize age, first, end;        /* age: vectors from the newest one back; first, end: private */
} ModelEvent;

/* As CoInput: without keys (data NULL), x serves as keys; without values, the keys do. */
typedef struct
{
  VectorRows x, key, value;
} ModelInput;

/* What one call processed. */
typedef struct
{
  guint64 vectors, outputs, refused, absent;
  GstClockTime step_time;       /* of one step */
} ModelCounts;

/* NULL, with CO_ERROR_NO_SPACE: they do not fit into RAM. */
ModelStream *model_stream_new (CoModel * model, guint n_streams,
    guint n_threads, AttentionWeights weights, GError ** error);
void model_stream_free (ModelStream * self);

CoModel *model_stream_get_model (const ModelStream * self);
guint model_stream_get_n_streams (const ModelStream * self);

/* Bytes of one output: (S, n_positions, D) float32. */
gsize model_stream_get_output_size (const ModelStream * self);

/* Bytes of its attention weights, the second tensor; 0: none. */
gsize model_stream_get_weights_size (const ModelStream * self);

/* Most steps of one call. */
gsize model_stream_get_max_steps (const ModelStream * self);

/* Sets the memory of a decoder for all streams, from the next vector on. FALSE: it is refused, the last one stays. */
gboolean model_stream_set_memory (ModelStream * self,
    const float *memory /* (n, n_memory) */ , gsize n, GError ** error);
/* Copies the memory to @to, unless its model has memories of another width. FALSE: @to has none. */
gboolean model_stream_pass_memory (const ModelStream * self, ModelStream * to,
    GError ** error);
gboolean model_stream_has_memory (const ModelStream * self);

/* Resets @stream, or all for -1. The memory stays. FALSE: it could not be set again. */
gboolean model_stream_reset (ModelStream * self, gint stream, GError ** error);
/* A snapshot of @stream, or of all for -1. NULL: there is no room for it. */
GBytes *model_stream_get_state (const ModelStream * self, gint stream);
/* Independent streams with the same state; NULL: there is no room for them. */
CoStream *model_stream_copy_state (const ModelStream * self);
/* Restores @stream, or all for -1. */
gboolean model_stream_set_state (ModelStream * self, gint stream,
    GBytes * state, GError ** error);

/* Copies the states of @self to @to, another number of streams of the same model, if that of a stream was restored and no step followed.
 * FALSE: there is no room for a copy, or the state of all was restored. */
gboolean model_stream_pass_restored (const ModelStream * self, ModelStream * to,
    GError ** error);

/* Processes @n_steps steps of @input from x.from on; its x.length vectors share @time evenly. Discards the events of the
 * last call. FALSE, with CO_ERROR_NO_SPACE: there is no room for the outputs, and nothing changed. */
gboolean model_stream_forward (ModelStream * self, const ModelInput * input,
    gsize n_steps, const VectorTime * time, ModelCounts * counts,
    GError ** error);

/* Answers the vectors that wait for the end of a chunk. Discards the events of the last call. FALSE: as above. */
gboolean model_stream_drain (ModelStream * self, ModelCounts * counts,
    GError ** error);

/* The next event of the last call, in order of time; FALSE: no more. */
gboolean model_stream_next_event (ModelStream * self, ModelEvent * event);

/* Writes a MODEL_OUTPUT; NaN for a stream without output. */
void model_stream_read (const ModelStream * self,
    const ModelEvent * event, float *y /* (S, n_positions, D) */ );

/* Writes its attention weights, in the same way. */
void model_stream_read_weights (const ModelStream * self,
    const ModelEvent * event, float *weights);

/* Drops the events that were not read. */
void model_stream_discard_events (ModelStream * self);

G_END_DECLS
