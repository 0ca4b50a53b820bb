/* libcontinual: an immutable model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/options.h>

G_BEGIN_DECLS

/**
 * CoModel:
 *
 * Hyper-parameters and weights, read once into aligned memory and validated there. Immutable, reference
 * counted and safe to use from any number of threads and streams at once.
 */
typedef struct _CoModel CoModel;

/**
 * CoModelInfo:
 * @kind: `single-output`, `retroactive`, `deep`, `recurrent-full`, `recurrent-linear` or `kernel`; for a
 *   decoder the kind of its self-attention
 * @n_inputs: C, features of an input vector (of a query, where key and value are separate)
 * @n_keys: features of a key vector; %n_inputs unless the attention was built with `kdim`
 * @n_values: features of a value vector; %n_keys unless it was built with `vdim`
 * @n_memory: E, features of a memory vector; 0 for everything but a decoder
 * @n_outputs: D, features of an output vector
 * @n_positions: output vectors per output: N for `retroactive`, else 1
 * @d_model: E, width of the layers
 * @n_heads: H
 * @n_layers: layers; a bare attention counts as one
 * @sequence_len: N, the window in vectors; 0 for kinds without one
 * @warm_up: vectors that must have come before the first output, at least 1
 * @delay: how many vectors before the newest one the answered vector is (a query index that looks back)
 * @chunk_len: vectors answered together: more than 1 only for a chunked `kernel`, whose earliest vector
 *   then waits for `chunk_len - 1` more
 * @bare_attention: whether the model is an attention alone, that takes separate keys and values
 * @n_weights: W, attention weights per head and position (the window and the keys of `add_bias_kv` and
 *   `add_zero_attn`, those last); 0 for kinds without a window
 * @n_labels: how many @labels there are
 * @labels: class names in the order of the outputs, or %NULL
 * @model_bytes: memory that the weights take
 * @state_bytes: memory that one stream's state takes
 * @macs: multiply-accumulates of one step of one stream; without a decoder's sums over its memory
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
} CoModelInfo;

/**
 * co_model_load:
 * @path: a safetensors file holding a state dict
 * @options: (nullable): hyper-parameters that win over the file's metadata
 *
 * Loading a file again with the same options (same device, inode, size and time of change) gives the
 * same model. The file is read whole: what happens to it afterwards changes nothing here.
 *
 * Returns: (transfer full): a model, or %NULL with any of #CoError but %CO_ERROR_STATE.
 */
CO_API CoModel *co_model_load (const gchar * path, const CoOptions * options,
    GError ** error);

/**
 * co_model_load_bytes:
 * @bytes: the content of a safetensors file; copied
 */
CO_API CoModel *co_model_load_bytes (GBytes * bytes, const CoOptions * options,
    GError ** error);

CO_API CoModel *co_model_ref (CoModel * self);
CO_API void co_model_unref (CoModel * self);

/** co_model_get_info: the shapes and costs of a model; valid as long as the model is */
CO_API const CoModelInfo *co_model_get_info (const CoModel * self);

/**
 * co_model_forward:
 * @x: (n, C) a whole sequence of finite vectors, oldest first
 * @n: its length, at least `warm_up`; of a longer one the last window counts, and positions from its beginning
 * @y: (n_positions, D) out: what the model answers at the end of it
 * @weights: (nullable) (H, n_positions, W) out: the last layer's attention weights, oldest key first
 *
 * Evaluates a sequence at rest and keeps no state: what a fresh stream answers to its last vector. Allocates. Not for
 * decoders, which need a memory.
 */
CO_API void co_model_forward (const CoModel * self, const float *x, gsize n,
    float *y, float *weights);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CoModel, co_model_unref)

G_END_DECLS
