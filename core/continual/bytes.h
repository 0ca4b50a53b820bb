/* libcontinual: steps on bytes, for other languages
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/stream.h>

G_BEGIN_DECLS

/* These functions are co_stream_forward_steps() and its like for callers that have no pointers: float32 values come and go as
 * #GBytes, which a program makes of an array of any kind. They allocate, and they check the sizes. */

/**
 * co_stream_forward_bytes:
 * @self: streams
 * @x: float32 values of shape (S, T, C): T vectors for each of the S streams, T being as many as there are
 * @update_state: %FALSE: give the outputs and leave every state as it was
 * @answered: (out) (transfer full) (optional): uint64 values of shape (n, 3): for each output the stream, the step and the
 *   age, as in #CoOutput
 * @status: (out) (transfer full) (optional): uint8 values of shape (S, T): the fate of each vector, a #CoVectorStatus
 * @error: return location for a #GError
 *
 * Processes a chunk of vectors. A vector of NaN throughout is absent.
 *
 * Returns: (transfer full): float32 values of shape (n, n_positions, D): the outputs in the order of steps, within a step of
 *   streams; %NULL with %CO_ERROR_INPUT if @x is not a whole number of vectors for each stream, with %CO_ERROR_NO_SPACE if
 *   the outputs do not fit into memory: the streams are unchanged then.
 *
 * Since: 0.2
 */
CO_API GBytes *co_stream_forward_bytes (CoStream * self, GBytes * x,
    gboolean update_state, GBytes ** answered, GBytes ** status,
    GError ** error);

/**
 * co_stream_forward_separate_bytes:
 * @self: streams of a bare attention
 * @query: float32 values of shape (S, T, n_inputs)
 * @key: float32 values of shape (S, T, n_keys)
 * @value: (nullable): float32 values of shape (S, T, n_values); %NULL: the keys
 * @update_state: %FALSE: give the outputs and leave every state as it was
 * @answered: (out) (transfer full) (optional): as of co_stream_forward_bytes()
 * @status: (out) (transfer full) (optional): as of co_stream_forward_bytes()
 * @error: return location for a #GError
 *
 * Processes a chunk of separate queries, keys and values.
 *
 * Returns: (transfer full): as co_stream_forward_bytes(); %CO_ERROR_INPUT as well if the model is no bare attention, or the
 *   three have different numbers of vectors.
 *
 * Since: 0.2
 */
CO_API GBytes *co_stream_forward_separate_bytes (CoStream * self,
    GBytes * query, GBytes * key, GBytes * value, gboolean update_state,
    GBytes ** answered, GBytes ** status, GError ** error);

/**
 * co_stream_drain_bytes:
 * @self: streams
 * @answered: (out) (transfer full) (optional): as of co_stream_forward_bytes(); the step is 0
 * @error: return location for a #GError
 *
 * Ends the streams, as co_stream_drain() does.
 *
 * Returns: (transfer full): float32 values of shape (n, n_positions, D), empty for most kinds; %NULL with
 *   %CO_ERROR_NO_SPACE if they do not fit into memory: nothing has ended then.
 *
 * Since: 0.2
 */
CO_API GBytes *co_stream_drain_bytes (CoStream * self, GBytes ** answered,
    GError ** error);

/**
 * co_stream_set_memory_bytes:
 * @self: streams of a decoder
 * @stream: an index, or %CO_ALL_STREAMS
 * @memory: float32 values of shape (n, n_memory), n at least 1
 * @error: return location for a #GError
 *
 * Sets the memory that a decoder attends to from the next vector on.
 *
 * Returns: %FALSE with %CO_ERROR_INPUT if the model is no decoder, there is no such stream or @memory is not a whole number of
 *   vectors, with %CO_ERROR_MEMORY as co_stream_set_memory(); the streams are unchanged then.
 *
 * Since: 0.2
 */
CO_API gboolean co_stream_set_memory_bytes (CoStream * self, guint stream,
    GBytes * memory, GError ** error);

/**
 * co_model_forward_bytes:
 * @self: a model
 * @x: float32 values of shape (n, C): a whole sequence of finite vectors, oldest first; n is at least `warm_up`
 * @error: return location for a #GError
 *
 * Evaluates a whole sequence without a stream, as co_model_forward() does.
 *
 * Returns: (transfer full): float32 values of shape (n_positions, D); %NULL with %CO_ERROR_INPUT if @x is too short, not a
 *   whole number of vectors, or of vectors that a stream would refuse, or the model is a decoder.
 *
 * Since: 0.2
 */
CO_API GBytes *co_model_forward_bytes (const CoModel * self, GBytes * x,
    GError ** error);

G_END_DECLS
