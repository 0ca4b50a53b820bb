/* libcontinual: the state of live streams through a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/model.h>

G_BEGIN_DECLS

/**
 * CoStream:
 *
 * S synchronous streams through one model: caches, positions and the scratch memory of a step, all reserved at
 * creation. A step never allocates and cannot fail. A CoStream is reference counted; only one thread may use it at a
 * time. Different CoStreams of one model are independent.
 *
 * Since: 0.1
 */
typedef struct _CoStream CoStream;

#define CO_TYPE_STREAM (co_stream_get_type ())
CO_API GType co_stream_get_type (void);

/**
 * CO_ALL_STREAMS:
 *
 * In place of a stream's index: every stream.
 *
 * Since: 0.1
 */
#define CO_ALL_STREAMS ((guint) 4294967295)

/**
 * CoVectorStatus:
 * @CO_VECTOR_TAKEN: the vector is part of the state now
 * @CO_VECTOR_ABSENT: it was masked out, or NaN throughout: the stream skipped this step
 * @CO_VECTOR_REFUSED: it has a NaN, an infinity or a number that is too large
 * @CO_VECTOR_FULL: `recurrent-full` with `at_max=error` holds `max_len` vectors already
 * @CO_VECTOR_WAITING: the decoder has no memory yet
 *
 * The fate of one vector. The state of its stream changes only for %CO_VECTOR_TAKEN.
 *
 * Since: 0.1
 */
typedef enum
{
  CO_VECTOR_TAKEN,
  CO_VECTOR_ABSENT,
  CO_VECTOR_REFUSED,
  CO_VECTOR_FULL,
  CO_VECTOR_WAITING
} CoVectorStatus;

/**
 * CoInput:
 * @x: of shape (S, T, C): vectors; the queries, where keys and values are separate
 * @key: (nullable): (S, T, n_keys); %NULL: @x. Only for a bare attention
 * @value: (nullable): (S, T, n_values); %NULL: the keys. Only for a bare attention
 * @mask: (nullable): of shape (S, T): 0 where a stream has no vector; %NULL: every stream has one at every step
 *
 * T vectors for each of S streams. Unnamed members must be zero.
 *
 * Since: 0.1
 */
typedef struct
{
  const float *x;
  const float *key;
  const float *value;
  const guint8 *mask;
  /*< private >*/
  gpointer padding[4];
} CoInput;

/**
 * CoOutput:
 * @stream: the index of the stream, 0 to S-1
 * @step: the vector of this call, 0 to T-1, on whose arrival the output came; T after a drain
 * @age: vectors of this stream from the answered one to the one of @step (0: that one itself); after a drain, to the
 *   newest vector of the stream
 *
 * The vector that one output answers.
 *
 * Since: 0.1
 */
typedef struct
{
  guint stream;
  gsize step;
  gsize age;
} CoOutput;

/**
 * CoResult:
 * @capacity: outputs for which @y, @weights and @outputs have room, at least co_stream_max_outputs()
 * @y: of shape (capacity, n_positions, D), written: the outputs in the order of steps, within a step of streams, within a stream
 *   oldest first. Positions are oldest first
 * @weights: (nullable): of shape (capacity, H, n_positions, W), written: the last layer's attention weights, oldest key first; must be
 *   %NULL for a kind without a window. Weights of vectors that do not exist yet are zero
 * @outputs: (nullable): of shape (capacity), written: the vector that each output answers
 * @status: (nullable): of shape (S, T), written: the fate of each vector
 *
 * The memory that a call writes to. Unnamed members must be zero.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize capacity;
  float *y;
  float *weights;
  CoOutput *outputs;
  CoVectorStatus *status;
  /*< private >*/
  gpointer padding[4];
} CoResult;

/**
 * co_stream_new:
 * @model: a model; the stream keeps a reference
 * @n_streams: S, at least 1
 *
 * Creates streams: reserves their state and the memory of a step. For numbers of streams that the program chooses: like
 * g_malloc(), it ends the process if there is no room for them. Use co_stream_try_new() where a file, a user or a peer
 * chooses.
 *
 * Returns: (transfer full): S fresh streams.
 *
 * Since: 0.1
 */
CO_API CoStream *co_stream_new (CoModel * model, guint n_streams);

/**
 * co_stream_try_new: (rename-to co_stream_new)
 * @model: a model; the stream keeps a reference
 * @n_streams: S, at least 1
 * @error: return location for a #GError
 *
 * Creates streams, as co_stream_new(), of a number, or a model, that others choose.
 *
 * Returns: (transfer full): S fresh streams; %NULL, with %CO_ERROR_NO_SPACE, if they do not fit into RAM. The message says
 *   how many bytes they take, see co_model_get_stream_bytes().
 *
 * Since: 0.2
 */
CO_API CoStream *co_stream_try_new (CoModel * model, guint n_streams,
    GError ** error);

/**
 * co_model_get_stream_bytes:
 * @self: a model
 * @n_streams: S, at least 1
 *
 * Tells the memory that streams take.
 *
 * Returns: the bytes that co_stream_new() reserves for @n_streams streams: two states for each, and the scratch memory of a
 *   step; %G_MAXUINT64 if they cannot be counted.
 *
 * Since: 0.2
 */
CO_API guint64 co_model_get_stream_bytes (const CoModel * self,
    guint n_streams);

/**
 * co_stream_ref:
 * @self: streams
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self, with one reference more.
 *
 * Since: 0.1
 */
CO_API CoStream *co_stream_ref (CoStream * self);

/**
 * co_stream_unref:
 * @self: (transfer full): streams
 *
 * Releases a reference; the last one frees the streams.
 *
 * Since: 0.1
 */
CO_API void co_stream_unref (CoStream * self);

/**
 * co_stream_copy:
 * @self: streams
 *
 * Copies streams with their state.
 *
 * Returns: (transfer full) (nullable): independent streams in the same state; %NULL: there is no room for them.
 *
 * Since: 0.1
 */
CO_API CoStream *co_stream_copy (const CoStream * self);

/**
 * co_stream_get_model:
 * @self: streams
 *
 * Tells the model of streams.
 *
 * Returns: (transfer none): their model.
 *
 * Since: 0.1
 */
CO_API CoModel *co_stream_get_model (const CoStream * self);

/**
 * co_stream_get_n_streams:
 * @self: streams
 *
 * Counts the streams.
 *
 * Returns: S.
 *
 * Since: 0.1
 */
CO_API guint co_stream_get_n_streams (const CoStream * self);

/**
 * co_stream_get_position:
 * @self: streams
 * @stream: an index, 0 to S-1
 *
 * Tells how far a stream is.
 *
 * Returns: the number of vectors that the stream has taken since its reset.
 *
 * Since: 0.1
 */
CO_API guint64 co_stream_get_position (const CoStream * self, guint stream);

/**
 * CO_MAX_THREADS:
 *
 * The most threads that a step can use.
 *
 * Since: 0.2
 */
#define CO_MAX_THREADS 64

/**
 * co_stream_set_n_threads:
 * @self: streams
 * @n_threads: from 1, the default, to %CO_MAX_THREADS
 *
 * Lets the steps and drains of these streams use up to @n_threads threads: the caller's own, and idle ones of a pool that all streams of
 * the process share. Large products, windows and many streams gain; what is small stays in the caller's thread. Outputs
 * are the same to the bit with any number. Starts threads of the pool where there are too few; they stay until the process
 * ends.
 *
 * Since: 0.2
 */
CO_API void co_stream_set_n_threads (CoStream * self, guint n_threads);

/**
 * co_stream_get_n_threads:
 * @self: streams
 *
 * Tells how many threads a step may use.
 *
 * Returns: what co_stream_set_n_threads() set.
 *
 * Since: 0.2
 */
CO_API guint co_stream_get_n_threads (const CoStream * self);

/**
 * co_stream_max_outputs:
 * @self: streams
 * @n_steps: T; 0 for a drain
 *
 * Bounds the outputs of a call, for #CoResult.
 *
 * Returns: the greatest number of outputs of one call with @n_steps steps.
 *
 * Since: 0.1
 */
CO_API gsize co_stream_max_outputs (const CoStream * self, gsize n_steps);

/**
 * co_stream_forward_steps: (skip)
 * @self: streams
 * @input: T vectors for each of the S streams
 * @n_steps: T, any number
 * @update_state: %FALSE: write the outputs and leave every state as it was (`update_state=False` of
 *   continual-inference)
 * @result: the memory to write to
 *
 * Processes a chunk of vectors. The outputs equal those of its vectors one by one, for fewer passes over the weights.
 *
 * Returns: the number of outputs.
 *
 * Since: 0.1
 */
CO_API gsize co_stream_forward_steps (CoStream * self, const CoInput * input,
    gsize n_steps, gboolean update_state, CoResult * result);

/**
 * co_stream_forward_step: (skip)
 * @self: streams of any model but a chunked `kernel`, whose step can give several outputs for one stream
 * @x: of shape (S, C): one vector for each stream
 * @y: of shape (S, n_positions, D), written: the outputs one after another, as in #CoResult
 *
 * Processes one vector of every stream.
 *
 * Returns: the number of outputs, 0 to S.
 *
 * Since: 0.1
 */
CO_API gsize co_stream_forward_step (CoStream * self, const float *x, float *y);

/**
 * co_stream_drain: (skip)
 * @self: streams
 * @result: the memory to write to; `status` is not used, `weights` only with look-ahead
 *
 * Ends the streams: answers the vectors that still wait for others. A chunked `kernel` answers its incomplete chunk and
 * begins a new one. `deep` with look-ahead answers its last vectors from what there is, and the streams are reset. Every
 * other kind has nothing to answer.
 *
 * Returns: the number of outputs.
 *
 * Since: 0.1
 */
CO_API gsize co_stream_drain (CoStream * self, CoResult * result);

/**
 * co_stream_set_memory: (skip)
 * @self: streams of a decoder
 * @stream: an index, or %CO_ALL_STREAMS
 * @memory: of shape (n, n_memory): vectors
 * @n: their number, at least 1
 * @error: return location for a #GError
 *
 * Sets the memory that a decoder attends to from the next vector on. The keys and values are projected here, once; the
 * state of the self-attention is kept. Allocates.
 *
 * Returns: %FALSE, with %CO_ERROR_MEMORY, if @memory has a number that is not finite or greater than 1e15, or does not
 *   fit into RAM with what a step needs to attend to it; the streams are unchanged then.
 *
 * Since: 0.1
 */
CO_API gboolean co_stream_set_memory (CoStream * self, guint stream,
    const float *memory, gsize n, GError ** error);

/**
 * co_stream_get_memory_length:
 * @self: streams
 * @stream: an index, 0 to S-1
 *
 * Tells the length of a decoder's memory.
 *
 * Returns: the number of vectors in the memory of the stream; 0: it has none.
 *
 * Since: 0.1
 */
CO_API gsize co_stream_get_memory_length (const CoStream * self,
    guint stream);

/**
 * co_stream_clean_state:
 * @self: streams
 * @stream: an index, or %CO_ALL_STREAMS
 *
 * Resets a stream: forgets its past and, of a decoder, its memory.
 *
 * Since: 0.1
 */
CO_API void co_stream_clean_state (CoStream * self, guint stream);

/**
 * co_stream_get_state:
 * @self: streams
 *
 * Takes a snapshot.
 *
 * Returns: (transfer full) (nullable): a snapshot of all S streams, for co_stream_set_state() of streams with the same
 *   model and the same S, in this process or in another one on a machine of the same byte order; %NULL: there is no room
 *   for it.
 *
 * Since: 0.1
 */
CO_API GBytes *co_stream_get_state (const CoStream * self);

/**
 * co_stream_set_state:
 * @self: streams
 * @state: a snapshot
 * @error: return location for a #GError
 *
 * Continues from a snapshot.
 *
 * Returns: %FALSE, with %CO_ERROR_STATE, if @state is of another model, version or S, truncated or altered, or
 *   holds numbers that no stream of this model comes to; with
 *   %CO_ERROR_MEMORY or %CO_ERROR_NO_SPACE, if it does not fit into RAM. The streams are unchanged then.
 *
 * Since: 0.1
 */
CO_API gboolean co_stream_set_state (CoStream * self, GBytes * state,
    GError ** error);

/**
 * co_stream_get_state_at:
 * @self: streams
 * @stream: an index, 0 to S-1
 *
 * Takes a snapshot of one stream out of several, so that it can continue among others.
 *
 * Returns: (transfer full) (nullable): a snapshot, as co_stream_get_state() makes of a single stream in the same state; %NULL:
 *   there is no room for it.
 *
 * Since: 0.2
 */
CO_API GBytes *co_stream_get_state_at (const CoStream * self, guint stream);

/**
 * co_stream_set_state_at:
 * @self: streams
 * @stream: an index, 0 to S-1
 * @state: a snapshot of one stream, of co_stream_get_state_at(), or of co_stream_get_state() with S = 1
 * @error: return location for a #GError
 *
 * Lets one stream continue from a snapshot. The others are not affected.
 *
 * Returns: %FALSE, with the errors of co_stream_set_state(); all streams are unchanged then.
 *
 * Since: 0.2
 */
CO_API gboolean co_stream_set_state_at (CoStream * self, guint stream,
    GBytes * state, GError ** error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CoStream, co_stream_unref)

G_END_DECLS
