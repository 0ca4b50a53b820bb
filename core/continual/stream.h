/* libcontinual: the state of live streams through a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/model.h>

G_BEGIN_DECLS

/**
 * CoStream:
 *
 * S synchronous streams through one model: caches, positions and the scratch memory of a step, all reserved
 * when it is made. A step never allocates and cannot fail. Not safe to use from two threads at once; two
 * CoStreams of one model are.
 */
typedef struct _CoStream CoStream;

/**
 * CoRow: what became of one vector
 * @CO_ROW_TAKEN: it is part of the state now
 * @CO_ROW_ABSENT: masked out, or NaN throughout: the stream sat this step out, its state is as it was
 * @CO_ROW_REFUSED: it has a NaN or an infinity; the state is as it was
 * @CO_ROW_FULL: `recurrent-full` with `at_max=error` holds `max_len` vectors; the state is as it was
 * @CO_ROW_WAITING: a decoder that has no memory yet; the state is as it was
 */
typedef enum
{
  CO_ROW_TAKEN,
  CO_ROW_ABSENT,
  CO_ROW_REFUSED,
  CO_ROW_FULL,
  CO_ROW_WAITING
} CoRow;

/**
 * CoInput:
 * @x: (S, T, C) vectors; the queries where keys and values are separate
 * @key: (nullable) (S, T, n_keys); %NULL: @x. Only for a bare attention
 * @value: (nullable) (S, T, n_values); %NULL: the keys. Only for a bare attention
 * @mask: (nullable) (S, T) 0 where a stream has no vector; %NULL: all have one
 */
typedef struct
{
  const float *x;
  const float *key;
  const float *value;
  const guint8 *mask;
} CoInput;

/**
 * CoOutput:
 * @stream: which of the S streams
 * @step: the vector of this call, 0 to T-1, on whose arrival the output came; T when drained
 * @age: how many vectors of this stream before that one the vector is that it answers for; 0: that very
 *   one. When drained, 0 is the newest vector of the stream
 */
typedef struct
{
  guint stream;
  gsize step;
  gsize age;
} CoOutput;

/**
 * CoResult: where a call writes. The capacity is what co_stream_max_outputs() says
 * @y: (capacity, n_positions, D) outputs, one after another: in the order of steps, within a step of
 *   streams, within a stream oldest first. Positions are oldest first
 * @weights: (nullable) (capacity, H, n_positions, W) the last layer's attention weights, oldest key first;
 *   must be %NULL for a kind without a window. Rows of positions that do not exist yet are zero
 * @outputs: (nullable) (capacity) what each output answers
 * @rows: (nullable) (S, T) what became of each vector
 */
typedef struct
{
  float *y;
  float *weights;
  CoOutput *outputs;
  CoRow *rows;
} CoResult;

/** co_stream_new: @n_streams: S, at least 1. Returns: (transfer full): S fresh streams; keeps a reference
 * to @model. */
CO_API CoStream *co_stream_new (CoModel * model, guint n_streams);
CO_API void co_stream_free (CoStream * self);

/** co_stream_copy: Returns: (transfer full): an independent stream that goes on from the same state */
CO_API CoStream *co_stream_copy (const CoStream * self);

CO_API CoModel *co_stream_get_model (const CoStream * self);
CO_API guint co_stream_get_n_streams (const CoStream * self);

/** co_stream_get_position: vectors that stream @stream has taken since it was reset */
CO_API guint64 co_stream_get_position (const CoStream * self, guint stream);

/** co_stream_max_outputs: the most outputs that a call with @n_steps steps (or a drain: 0) can give */
CO_API gsize co_stream_max_outputs (const CoStream * self, gsize n_steps);

/**
 * co_stream_forward_steps:
 * @input: T vectors for each of the S streams
 * @n_steps: T, any number
 * @update_state: %FALSE: give the outputs and leave every state as it was (`update_state=False` of
 *   continual-inference)
 * @result: where to write
 *
 * A chunk gives what its vectors give one by one, for fewer passes over the weights.
 *
 * Returns: the number of outputs written.
 */
CO_API gsize co_stream_forward_steps (CoStream * self, const CoInput * input,
    gsize n_steps, gboolean update_state, CoResult * result);

/**
 * co_stream_forward_step:
 * @x: (S, C) one vector for each stream
 * @y: (S, n_positions, D) out; outputs one after another, as in #CoResult
 *
 * Returns: the number of outputs written, 0 to S. Not for chunked `kernel` models, whose step can answer
 * several vectors: co_stream_forward_steps().
 */
CO_API gsize co_stream_forward_step (CoStream * self, const float *x, float *y);

/**
 * co_stream_drain:
 *
 * At the end of a stream: answers the vectors of an incomplete chunk of a chunked `kernel` and begins a new
 * chunk. Nothing waits in any other kind.
 *
 * Returns: the number of outputs written.
 */
CO_API gsize co_stream_drain (CoStream * self, CoResult * result);

/**
 * co_stream_set_memory:
 * @stream: which stream, or -1 for all
 * @memory: (n, n_memory) vectors of numbers up to 1e15
 * @n: at least 1
 *
 * What a decoder attends to from the next vector on. Its keys and values are projected here, once; the
 * self-attention's state is kept. This call allocates.
 */
CO_API void co_stream_set_memory (CoStream * self, gint stream,
    const float *memory, gsize n);

/** co_stream_get_memory_length: how many vectors the memory of stream @stream has; 0: it has none */
CO_API gsize co_stream_get_memory_length (const CoStream * self,
    guint stream);

/** co_stream_clean_state: forgets what came: @stream, or -1 for all; a decoder's memory as well */
CO_API void co_stream_clean_state (CoStream * self, gint stream);

/**
 * co_stream_get_state:
 *
 * Returns: (transfer full): a snapshot of all S streams, for co_stream_set_state() of a stream with the same
 * model and S, in this process or another one on a machine of the same byte order.
 */
CO_API GBytes *co_stream_get_state (const CoStream * self);

/**
 * co_stream_set_state:
 *
 * Returns: %FALSE, with %CO_ERROR_STATE, if @state is of another model, version or S, truncated or altered;
 * the stream is as it was then.
 */
CO_API gboolean co_stream_set_state (CoStream * self, GBytes * state,
    GError ** error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CoStream, co_stream_free)

G_END_DECLS
