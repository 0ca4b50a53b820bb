/* libcontinual: the table of hyper-parameters
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The one declaration of each hyper-parameter. A row gives the member of CoSettings, then members of CoSetting. The reader
 * of metadata, CoOptions, the properties of the elements and the table of docs/model-files.md are made from it. */
#pragma once

#include "attention/features.h"
#include "math/activation.h"
#include "math/linear.h"
#include "settings/kinds.h"

G_BEGIN_DECLS

#define CO_MAX_COUNT 16777216

typedef enum
{ CO_WARM_UP_DROP, CO_WARM_UP_PARTIAL } CoWarmUp;
typedef enum
{ CO_AT_MAX_ERROR, CO_AT_MAX_DROP_OLDEST } CoAtMax;
typedef enum
{ CO_NORM_LAYER, CO_NORM_RMS } CoNormType;
typedef enum
{ CO_POSITION_RECYCLE, CO_POSITION_WINDOW } CoPositionIndex;
typedef enum
{ CO_ARCHITECTURE_ANY, CO_ARCHITECTURE_ENCODER, CO_ARCHITECTURE_DECODER } CoArchitecture;
typedef enum
{ CO_SELF_RECURRENT_FULL, CO_SELF_RECURRENT_LINEAR } CoSelfAttention;
typedef enum
{ CO_CROSS_FULL, CO_CROSS_LINEAR } CoCrossAttention;

#define KIND(name) (1u << CO_KIND_##name)
#define ANY_KIND G_MAXUINT
#define WINDOW_KINDS (KIND (SINGLE_OUTPUT) | KIND (RETROACTIVE) | KIND (DEEP))
#define SOFTMAX_KINDS (WINDOW_KINDS | KIND (RECURRENT_FULL))
#define LAYER_KINDS (ANY_KIND & ~KIND (KERNEL))

#define EVERY_MODEL (CO_FOR_ENCODER | CO_FOR_ATTENTION | CO_FOR_DECODER)
#define LAYERS (CO_FOR_ENCODER | CO_FOR_DECODER)
#define NO_DECODER (CO_FOR_ENCODER | CO_FOR_ATTENTION)

#define CHOICES(name, rows) .choices_name = name, .choices = rows, .n_choices = G_N_ELEMENTS (rows)

#define CO_SETTINGS(INTEGER, NUMBER, BOOLEAN, CHOICE, TEXT)                                                     \
  INTEGER (nhead, .key = "nhead", .alias = "num_heads", .property = "heads", .nick = "Heads",                   \
      .blurb = "Attention heads; Keras' weights say it themselves",                                             \
      .min = 1, .max = CO_MAX_COUNT, .scope = EVERY_MODEL, .kinds = ANY_KIND)                                   \
  INTEGER (sequence_len, .key = "sequence_len", .property = "sequence-len", .nick = "Window",                   \
      .blurb = "Vectors in the window",                                                                         \
      .min = 1, .max = CO_MAX_COUNT, .scope = NO_DECODER, .kinds = WINDOW_KINDS)                                \
  CHOICE (kind, .key = "attention", .property = "attention", .nick = "Attention",                               \
      .blurb = "Kind of attention: the output of one step",                                                     \
      CHOICES ("AttentionKind", co_kind_choices), .fallback = "single-output", .scope = NO_DECODER,             \
      .kinds = ANY_KIND)                                                                                        \
  CHOICE (activation, .key = "activation", .property = "activation", .nick = "Activation",                      \
      .blurb = "Activation of the feed-forward, as PyTorch defines it with default parameters",                 \
      CHOICES ("Activation", co_activation_choices), .fallback = "relu", .scope = LAYERS, .kinds = LAYER_KINDS) \
  NUMBER (layer_norm_eps, .key = "layer_norm_eps", .property = "layer-norm-eps", .nick = "Layer norm epsilon",  \
      .blurb = "Added to the variance by every layer norm",                                                     \
      .min = 0, .max = 1, .fallback = "1e-5", .scope = LAYERS, .kinds = LAYER_KINDS)                            \
  CHOICE (norm_type, .key = "norm_type", .property = "norm-type", .nick = "Norm type",                          \
      .blurb = "Kind of every norm of the layers and after them",                                               \
      CHOICES ("NormType", co_norm_type_choices), .fallback = "layer", .scope = LAYERS, .kinds = LAYER_KINDS)   \
  BOOLEAN (norm_unit_offset, .key = "norm_unit_offset", .property = "norm-unit-offset",                         \
      .nick = "Norm unit offset", .blurb = "The gain of every norm is 1 + weight",                              \
      .fallback = "false", .scope = LAYERS, .kinds = LAYER_KINDS)                                               \
  INTEGER (num_key_value_heads, .key = "num_key_value_heads", .property = "key-value-heads",                    \
      .nick = "Key heads", .blurb = "Heads of keys and values, each for as many query heads; without: as the "  \
          "weights' shapes say",                                                                                \
      .min = 1, .max = CO_MAX_COUNT, .scope = EVERY_MODEL, .kinds = ANY_KIND)                                   \
  INTEGER (head_dim, .key = "head_dim", .property = "head-dim", .nick = "Head size",                            \
      .blurb = "Features of one head; without: as the weights' shapes say",                                     \
      .min = 1, .max = CO_MAX_COUNT, .scope = EVERY_MODEL, .kinds = ANY_KIND)                                   \
  NUMBER (rope_theta, .key = "rope_theta", .property = "rope-theta", .nick = "Rotary base",                     \
      .blurb = "Base of rotary positions; without: there are none",                                             \
      .min = 1e-6, .max = 1e12, .scope = LAYERS, .kinds = SOFTMAX_KINDS)                                        \
  BOOLEAN (rope_interleaved, .key = "rope_interleaved", .property = "rope-interleaved",                         \
      .nick = "Interleaved rotary positions",                                                                   \
      .blurb = "Rotary positions turn neighbouring features; else features half a head apart",                  \
      .fallback = "false", .scope = LAYERS, .kinds = SOFTMAX_KINDS)                                             \
  NUMBER (partial_rotary_factor, .key = "partial_rotary_factor", .property = "partial-rotary-factor",           \
      .nick = "Partial rotary factor", .blurb = "The share of each head, from its begin, that is turned",       \
      .min = 1e-6, .max = 1, .fallback = "1", .scope = LAYERS, .kinds = SOFTMAX_KINDS)                          \
  TEXT (attention_windows, .key = "attention_windows", .property = "attention-windows",                         \
      .nick = "Window of each layer",                                                                           \
      .blurb = "A JSON array with a pair [left, right] for each layer: left counts the vector itself, right the " \
          "vectors after it that are seen",                                                                     \
      .scope = CO_FOR_ENCODER, .kinds = KIND (DEEP))                                                                    \
  BOOLEAN (norm_first, .key = "norm_first", .property = "norm-first", .nick = "Norm first",                     \
      .blurb = "Pre-norm layers: the norms are before attention and feed-forward",                              \
      .fallback = "false", .scope = LAYERS, .kinds = LAYER_KINDS)                                               \
  INTEGER (query_index, .key = "query_index", .property = "query-index", .nick = "Query index",                 \
      .blurb = "The position of the window that is answered: from 0, the oldest, or from -1, the newest, "      \
          "backwards. One before the newest delays the output, which is reported as latency",                   \
      .min = -CO_MAX_COUNT, .max = CO_MAX_COUNT, .unset = G_MININT, .fallback = "-1", .scope = NO_DECODER,      \
      .kinds = KIND (SINGLE_OUTPUT))                                                                            \
  BOOLEAN (add_zero_attn, .key = "add_zero_attn", .property = "add-zero-attn", .nick = "Add zero attention",    \
      .blurb = "Adds a key and a value of zeros to every window, as nn.MultiheadAttention does",                \
      .fallback = "false", .scope = NO_DECODER, .kinds = SOFTMAX_KINDS)                                         \
  CHOICE (warm_up, .key = "warm_up", .property = "warm-up", .nick = "Warm-up",                                  \
      .blurb = "Output before the window is full; partial is not for retroactive or for a query_index before "  \
          "the newest",                                                                                         \
      CHOICES ("WarmUp", co_warm_up_choices), .fallback = "drop", .scope = NO_DECODER, .kinds = WINDOW_KINDS)   \
  INTEGER (max_len, .key = "max_len", .property = "max-len", .nick = "Maximum length",                          \
      .blurb = "Vectors that a stream holds at most",                                                           \
      .min = 1, .max = CO_MAX_COUNT, .fallback = "4096", .scope = LAYERS, .kinds = KIND (RECURRENT_FULL))       \
  CHOICE (at_max, .key = "at_max", .property = "at-max", .nick = "At maximum",                                  \
      .blurb = "What happens to the vector after the max_len-th",                                               \
      CHOICES ("AtMax", co_at_max_choices), .fallback = "error", .scope = LAYERS,                               \
      .kinds = KIND (RECURRENT_FULL))                                                                           \
  CHOICE (precision, .key = "precision", .property = "precision", .nick = "Precision",                          \
      .blurb = "Format of the weights of projections and feed-forward: less memory to read in each step, for "  \
          "less exact outputs",                                                                                 \
      CHOICES ("Precision", co_format_choices), .fallback = "float32", .scope = EVERY_MODEL, .kinds = ANY_KIND) \
  CHOICE (feature_map, .key = "feature_map", .property = "feature-map", .nick = "Feature map",                  \
      .blurb = "Feature map, as fast_transformers names it; of linear cross-attention, too",                    \
      CHOICES ("FeatureMap", co_feature_map_choices), .fallback = "elu", .scope = LAYERS,                       \
      .kinds = KIND (RECURRENT_LINEAR))                                                                         \
  CHOICE (kernel_fn, .key = "kernel_fn", .property = "kernel-fn", .nick = "Kernel function",                    \
      .blurb = "Nonlinearity of feature_map generalized",                                                       \
      CHOICES ("Activation", co_activation_choices), .fallback = "relu", .scope = LAYERS,                       \
      .kinds = KIND (RECURRENT_LINEAR))                                                                         \
  INTEGER (n_dims, .key = "n_dims", .property = "n-dims", .nick = "Feature map size",                           \
      .blurb = "The random feature map's attribute of that name; without: twice the columns of its matrix",     \
      .min = 1, .max = CO_MAX_COUNT, .scope = LAYERS, .kinds = KIND (RECURRENT_LINEAR))                         \
  NUMBER (softmax_temp, .key = "softmax_temp", .property = "softmax-temp", .nick = "Softmax temperature",       \
      .blurb = "Factor of the logits in a random feature map; without: 1 / sqrt (head size), 1 for generalized", \
      .min = 1e-12, .max = 1e12, .scope = LAYERS, .kinds = KIND (RECURRENT_LINEAR))                             \
  NUMBER (smoothing, .key = "smoothing", .property = "smoothing", .nick = "Smoothing",                          \
      .blurb = "The constant feature of smoothed-random-fourier",                                               \
      .min = 0, .max = 1e12, .unset = -1, .fallback = "1", .scope = LAYERS, .kinds = KIND (RECURRENT_LINEAR))   \
  CHOICE (feature_transform, .key = "feature_transform", .property = "feature-transform",                       \
      .nick = "Feature transform", .blurb = "Feature transform, as KernelAttention names it",                   \
      CHOICES ("FeatureTransform", co_feature_transform_choices), .fallback = "exp", .scope = NO_DECODER,       \
      .kinds = KIND (KERNEL))                                                                                   \
  INTEGER (num_random_features, .key = "num_random_features", .property = "num-random-features",                \
      .nick = "Random features", .blurb = "Rows of projection_matrix; 0: there is none",                        \
      .min = 0, .max = CO_MAX_COUNT, .unset = -1, .fallback = "256", .scope = NO_DECODER,                       \
      .kinds = KIND (KERNEL))                                                                                   \
  NUMBER (scale, .key = "scale", .property = "scale", .nick = "Scale",                                          \
      .blurb = "Factor of the logits; without: 1 / sqrt (head size)",                                           \
      .min = 1e-12, .max = 1e12, .scope = NO_DECODER, .kinds = KIND (KERNEL))                                   \
  INTEGER (causal_chunk_length, .key = "causal_chunk_length", .property = "causal-chunk-length",                \
      .nick = "Chunk length", .blurb = "Vectors in a chunk, which are answered together",                       \
      .min = 1, .max = CO_MAX_COUNT, .fallback = "1", .scope = NO_DECODER, .kinds = KIND (KERNEL))              \
  INTEGER (causal_window_length, .key = "causal_window_length", .property = "causal-window-length",             \
      .nick = "Chunks of window", .blurb = "Chunks in the window",                                              \
      .min = 1, .max = CO_MAX_COUNT, .fallback = "3", .scope = NO_DECODER, .kinds = KIND (KERNEL))              \
  NUMBER (causal_window_decay, .key = "causal_window_decay", .property = "causal-window-decay",                 \
      .nick = "Window decay", .blurb = "Weight of a chunk relative to the chunk after it; without: 1",          \
      .min = 0, .max = 1, .unset = -1, .scope = NO_DECODER, .kinds = KIND (KERNEL))                             \
  BOOLEAN (cache, .key = "cache", .property = "cache", .nick = "Cache",                                         \
      .blurb = "Sums over all chunks so far, with causal_window_decay, in place of a window",                   \
      .fallback = "false", .scope = NO_DECODER, .kinds = KIND (KERNEL))                                         \
  CHOICE (architecture, .key = "architecture", .blurb = "What the tensors must be",                             \
      CHOICES ("Architecture", co_architecture_choices), .fallback = "any", .scope = EVERY_MODEL,               \
      .kinds = ANY_KIND)                                                                                        \
  CHOICE (self_attention, .key = "self_attention", .property = "self-attention", .nick = "Self-attention",      \
      .blurb = "How a decoder's vectors attend to those before them",                                           \
      CHOICES ("SelfAttention", co_self_attention_choices), .fallback = "recurrent-full",                       \
      .scope = CO_FOR_DECODER, .kinds = ANY_KIND)                                                               \
  CHOICE (cross_attention, .key = "cross_attention", .property = "cross-attention", .nick = "Cross-attention",  \
      .blurb = "How a decoder's vectors attend to the memory",                                                  \
      CHOICES ("CrossAttention", co_cross_attention_choices), .fallback = "full", .scope = CO_FOR_DECODER,      \
      .kinds = ANY_KIND)                                                                                        \
  CHOICE (position_index, .key = "position_index", .property = "position-index", .nick = "Position index",      \
      .blurb = "How positions are counted: since the reset, modulo the length of the table, or in the window, "  \
          "the oldest vector being 0",                                                                          \
      CHOICES ("PositionIndex", co_position_index_choices), .fallback = "recycle", .scope = CO_FOR_ENCODER,     \
      .kinds = LAYER_KINDS)                                                                                     \
  INTEGER (answer_interval, .key = "answer_interval", .property = "answer-interval", .nick = "Answer interval", \
      .blurb = "Answers every K-th vector after the first answer; the vectors between update the state only",   \
      .min = 1, .max = CO_MAX_COUNT, .fallback = "1", .scope = EVERY_MODEL, .kinds = ANY_KIND)                  \
  NUMBER (batch_norm_eps, .key = "batch_norm_eps", .property = "batch-norm-eps", .nick = "Batch norm epsilon",  \
      .blurb = "Added to the variance by every batch norm",                                                     \
      .min = 0, .max = 1, .fallback = "1e-5", .scope = CO_FOR_ENCODER, .kinds = LAYER_KINDS)                    \
  TEXT (layout, .key = "layout", .property = "layout", .nick = "Layout",                                        \
      .blurb = "A JSON array of the parts and operations in the order of forward()",                            \
      .scope = CO_FOR_ENCODER, .kinds = LAYER_KINDS)                                                            \
  TEXT (prefix, .key = "prefix", .property = "prefix", .nick = "Prefix",                                        \
      .blurb = "Begin of the names of the part to run; tensors outside it are not used",                        \
      .scope = EVERY_MODEL, .kinds = ANY_KIND)                                                                  \
  TEXT (labels, .key = "labels", .blurb = "A JSON array of class names, one for each output",                   \
      .scope = LAYERS, .kinds = ANY_KIND)                                                                       \
  TEXT (embed, .key = "embed", .blurb = "Name of the child that embeds the vectors",                            \
      .fallback = "embed", .scope = LAYERS, .kinds = LAYER_KINDS)                                               \
  TEXT (positions, .key = "positions", .blurb = "Name of the table of positions",                               \
      .fallback = "positions", .scope = LAYERS, .kinds = LAYER_KINDS)                                           \
  TEXT (encoder, .key = "encoder", .blurb = "Name of the encoder: if given, it must be this one",               \
      .scope = LAYERS, .kinds = LAYER_KINDS)                                                                    \
  TEXT (norm, .key = "norm", .blurb = "Name of the norm after the encoder",                                     \
      .fallback = "norm", .scope = LAYERS, .kinds = LAYER_KINDS)                                                \
  TEXT (head, .key = "head", .blurb = "Name of the head",                                                       \
      .fallback = "head", .scope = LAYERS, .kinds = LAYER_KINDS)

/* In the order of the enumerations above */
extern const CoChoice co_position_index_choices[2];
extern const CoChoice co_norm_type_choices[2];
extern const CoChoice co_warm_up_choices[2];
extern const CoChoice co_at_max_choices[2];
extern const CoChoice co_architecture_choices[3];
extern const CoChoice co_self_attention_choices[2];
extern const CoChoice co_cross_attention_choices[2];

/* The row of a key or an alias, with - or _; NULL: there is none. */
const CoSetting *co_setting_find (const gchar * key);
/* Names are equal with - and with _. */
gboolean co_setting_same_name (const gchar * a, const gchar * b);

G_END_DECLS
