/* libcontinual: an immutable model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/settings.h>

G_BEGIN_DECLS

/**
 * CoModel:
 *
 * Hyper-parameters and weights, read once into aligned memory and validated there. A model is immutable, reference
 * counted and safe to use from any number of threads and streams at once.
 *
 * Since: 0.1
 */
typedef struct _CoModel CoModel;

#define CO_TYPE_MODEL (co_model_get_type ())
CO_API GType co_model_get_type (void);

/**
 * CoScores:
 * @CO_SCORES_LOGITS: a softmax makes them probabilities (or log-probabilities, of which that is true as well)
 * @CO_SCORES_PROBABILITIES: the model ends in a softmax
 * @CO_SCORES_OTHER: the model ends in another activation, such as a sigmoid
 *
 * What the outputs of a model are, if they are the scores of classes.
 *
 * Since: 0.2
 */
typedef enum
{
  CO_SCORES_LOGITS,
  CO_SCORES_PROBABILITIES,
  CO_SCORES_OTHER
} CoScores;

/**
 * CoModelInfo:
 * @kind: a choice of the hyper-parameter `attention`; for a decoder the kind of its self-attention
 * @n_inputs: C, features of an input vector (of a query, where key and value are separate)
 * @n_keys: features of a key vector; equal to @n_inputs unless the attention was built with `kdim`
 * @n_values: features of a value vector; equal to @n_keys unless the attention was built with `vdim`
 * @n_memory: E, features of a memory vector of a decoder; 0 for every other model
 * @n_outputs: D, features of an output vector
 * @n_positions: vectors in one output: N for `retroactive`, else 1
 * @d_model: E, width of the layers
 * @n_heads: H
 * @n_layers: number of layers; a bare attention counts as one
 * @sequence_len: N, the window of the last layer in vectors; 0 for kinds without a window
 * @warm_up: number of the vector that gives the first output, counted from 1
 * @delay: vectors from the answered vector to the newest one (a query index that looks back)
 * @chunk_len: vectors answered together, at least 1; more than 1 only for a chunked `kernel`, whose oldest vector then
 *   waits for `chunk_len - 1` more
 * @bare_attention: whether the model is a single attention that takes separate keys and values
 * @n_weights: W, attention weights per head and position: those of the window, then those of the fixed keys
 *   (`add_bias_kv`, `add_zero_attn`); 0 for kinds without a window
 * @n_labels: number of @labels
 * @labels: (array length=n_labels): class names in the order of the outputs, or %NULL
 * @model_bytes: memory for the weights
 * @state_bytes: memory for the state of one stream
 * @macs: multiply-accumulates of one step of one stream, without a decoder's attention to its memory
 * @warnings: (array length=n_warnings): what in the file may mean something else than how it runs, a sentence each; or
 *   %NULL
 * @n_warnings: number of @warnings
 * @answer_interval: K: after a stream's first output, every K-th vector is answered
 * @scores: what the outputs are, if they are the scores of classes
 *
 * The shapes and costs of a model. The library owns it; later versions may add members.
 *
 * Since: 0.1
 */
typedef struct
{
  const gchar *kind;
  gsize n_inputs, n_keys, n_values, n_memory, n_outputs, n_positions;
  gsize d_model, n_heads, n_layers, sequence_len;
  gsize warm_up, delay, chunk_len;
  gboolean bare_attention;
  gsize n_weights;
  gsize n_labels;
  const gchar *const *labels;
  gsize model_bytes, state_bytes;
  guint64 macs;
  const gchar *const *warnings;
  gsize n_warnings;
  gsize answer_interval;
  CoScores scores;
  /*< private >*/
  CoModel *model;
} CoModelInfo;

#define CO_TYPE_MODEL_INFO (co_model_info_get_type ())
CO_API GType co_model_info_get_type (void);

/**
 * co_model_load:
 * @path: (type filename): a safetensors file that holds a state dict, or a folder as transformers' save_pretrained()
 *   leaves it: `config.json`, and `model.safetensors` or its shards with their index
 * @options: (nullable): hyper-parameters that override those of the file
 * @error: return location for a #GError
 *
 * Loads a model. Loading one file or folder again with the same options (same device, inode, size and time of change of
 * every file) returns the same model. All is read whole: what happens to it afterwards changes nothing.
 *
 * Returns: (transfer full): a model, or %NULL with any #CoError but %CO_ERROR_STATE and %CO_ERROR_MEMORY.
 *
 * Since: 0.1
 */
CO_API CoModel *co_model_load (const gchar * path, const CoOptions * options,
    GError ** error);

/**
 * co_model_load_bytes:
 * @bytes: the content of a safetensors file; copied
 * @options: (nullable): hyper-parameters that override those of the file
 * @error: return location for a #GError
 *
 * Loads a model from memory. Such models are not shared.
 *
 * Returns: (transfer full): a model, or %NULL with the errors of co_model_load().
 *
 * Since: 0.1
 */
CO_API CoModel *co_model_load_bytes (GBytes * bytes, const CoOptions * options,
    GError ** error);

/**
 * co_model_ref:
 * @self: a model
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self, with one reference more.
 *
 * Since: 0.1
 */
CO_API CoModel *co_model_ref (CoModel * self);

/**
 * co_model_unref:
 * @self: (transfer full): a model
 *
 * Releases a reference; the last one frees the model.
 *
 * Since: 0.1
 */
CO_API void co_model_unref (CoModel * self);

/**
 * co_model_get_info: (skip)
 * @self: a model
 *
 * Tells the shapes and costs of a model.
 *
 * Returns: (transfer none): the shapes and costs of @self, valid as long as @self is.
 *
 * Since: 0.1
 */
CO_API const CoModelInfo *co_model_get_info (const CoModel * self);

/**
 * co_model_dup_info: (rename-to co_model_get_info)
 * @self: a model
 *
 * Tells the shapes and costs of a model.
 *
 * Returns: (transfer full): the shapes and costs of @self. They keep the model.
 *
 * Since: 0.2
 */
CO_API CoModelInfo *co_model_dup_info (CoModel * self);

/**
 * co_model_get_labels:
 * @self: a model
 *
 * Tells the names of the classes.
 *
 * Returns: (transfer none) (nullable) (array zero-terminated=1): the class names in the order of the outputs, or %NULL.
 *
 * Since: 0.2
 */
CO_API const gchar *const *co_model_get_labels (const CoModel * self);

/**
 * co_model_info_copy:
 * @self: shapes and costs
 *
 * Copies shapes and costs.
 *
 * Returns: (transfer full): a copy, which keeps the model.
 *
 * Since: 0.2
 */
CO_API CoModelInfo *co_model_info_copy (const CoModelInfo * self);

/**
 * co_model_info_free:
 * @self: (transfer full): what co_model_dup_info() or co_model_info_copy() returned
 *
 * Frees a copy.
 *
 * Since: 0.2
 */
CO_API void co_model_info_free (CoModelInfo * self);

/**
 * co_model_describe:
 * @self: a model
 *
 * Describes a model for a person to read: its layout, kind and shapes, every hyper-parameter with its source (option, file,
 * config, family, tensor names, assumed default), the cost of a step, the size of a state, latency, labels and warnings.
 *
 * Returns: (transfer full): lines of UTF-8 text, whose wording may change.
 *
 * Since: 0.1
 */
CO_API gchar *co_model_describe (const CoModel * self);

/**
 * co_model_forward: (skip)
 * @self: a model; not a decoder, which needs a memory
 * @x: of shape (n, C): a whole sequence of finite vectors, oldest first
 * @n: its length, at least `warm_up`
 * @y: of shape (n_positions, D), written: the output for the end of the sequence; NaN throughout if a stream would refuse one
 *   of the vectors. Vectors beyond `max_len` are left out
 * @weights: (nullable): of shape (H, n_positions, W), written: the last layer's attention weights, oldest key first
 *
 * Evaluates a whole sequence without a stream: the output of a fresh stream for the last vector. Of a sequence longer
 * than the window, the last window counts; positions count from the begin of the sequence. Allocates: as co_stream_new(), it
 * ends the process where there is no room.
 *
 * Since: 0.1
 */
CO_API void co_model_forward (const CoModel * self, const float *x, gsize n,
    float *y, float *weights);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CoModel, co_model_unref)

G_END_DECLS
