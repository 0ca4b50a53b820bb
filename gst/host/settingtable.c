/* gst-continual: the table of settings, until the core has it
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/settingtable.h"

static const CoChoice attention_choices[] = {
  {"single-output", "The output of the query at query-index over the window, exact for a stack of any depth"},
  {"retroactive", "The updated outputs of all vectors of the window, exact for a stack of any depth"},
  {"deep", "Every layer single-output over its own last inputs (DeepCoT)"},
  {"recurrent-full", "Causal softmax over all vectors so far, up to max-len (fast_transformers)"},
  {"recurrent-linear", "Causal linear attention over all vectors so far in constant state (fast_transformers)"},
  {"kernel", "Windowed or decayed kernel attention, in chunks or not (KernelAttention)"},
};
static const CoChoice activation_choices[] = {
  {"relu", "ReLU"},
  {"gelu", "GELU by the error function"},
  {"gelu-tanh", "GELU approximated by tanh"},
  {"silu", "SiLU (swish)"},
  {"tanh", "Hyperbolic tangent"},
  {"sigmoid", "Logistic sigmoid"},
  {"elu", "ELU"},
  {"leaky-relu", "Leaky ReLU"},
  {"identity", "None"},
};
static const CoChoice self_attention_choices[] = {
  {"recurrent-full", "Causal softmax over all vectors so far, up to max-len"},
  {"recurrent-linear", "Causal linear attention over all vectors so far in constant state"},
};
static const CoChoice cross_attention_choices[] = {
  {"full", "Softmax over the memory"},
  {"linear", "Linear attention to the memory"},
};
static const CoChoice at_max_choices[] = {
  {"error", "The stream ends with an error"},
  {"drop-oldest", "The oldest vector leaves"},
};
static const CoChoice warm_up_choices[] = {
  {"drop", "Nothing (GAP events) until the window is full"},
  {"partial", "Attention to what there is, from the first vector on"},
};
static const CoChoice feature_map_choices[] = {
  {"elu", "elu (x) + 1"},
  {"favor", "Positive random features (Favor)"},
  {"random-fourier", "Random Fourier features"},
  {"smoothed-random-fourier", "Random Fourier features and a constant one"},
  {"generalized", "kernel-fn of random projections"},
};
static const CoChoice feature_transform_choices[] = {
  {"elu", "elu (x) + 1"},
  {"relu", "ReLU"},
  {"square", "Square"},
  {"exp", "Exponential, less half of the squared norm"},
  {"expmod", "Exponential"},
  {"identity", "None"},
};
static const CoChoice precision_choices[] = {
  {"float32", "Four bytes a weight"},
  {"bfloat16", "Two bytes a weight, 8 bits of mantissa"},
  {"int8", "One byte a weight, 127 steps to each output's largest; inputs in 15 bits"},
};

static const CoSetting settings[] = {
  {"nhead", NULL, "heads", "Heads", "Attention heads, nhead or num_heads in PyTorch", CO_SETTING_INTEGER, 7, 0, 16777216, 0, NULL},
  {"sequence_len", NULL, "sequence-len", "Window", "Vectors in the window that is attended to", CO_SETTING_INTEGER, 3, 0, 16777216, 0, NULL},
  {"attention", NULL, "attention", "Attention", "What a step gives", CO_SETTING_CHOICE, 3, 0, 0, 0, NULL, "AttentionKind", attention_choices, G_N_ELEMENTS (attention_choices)},
  {"activation", NULL, "activation", "Activation", "Nonlinearity of the feed-forward blocks, as PyTorch defines it", CO_SETTING_CHOICE, 5, 0, 0, 0, "relu", "Activation", activation_choices, G_N_ELEMENTS (activation_choices)},
  {"query_index", NULL, "query-index", "Query index", "Which of the window's vectors an output answers for: from 0, the oldest, or from -1, the newest, backwards. One that looks back delays the output by as many vectors, which is reported as latency", CO_SETTING_INTEGER, 3, G_MININT, G_MAXINT, G_MININT, "-1"},
  {"norm_first", NULL, "norm-first", "Norm first", "Whether layers normalise before attention and feed-forward (pre-norm)", CO_SETTING_BOOLEAN, 5, 0, 0, 0, "false", "Switch"},
  {"layer_norm_eps", NULL, "layer-norm-eps", "Layer norm epsilon", "Added to the variance by layer norms", CO_SETTING_NUMBER, 5, 0.0, 1.0, 0.0, "1e-5"},
  {"add_zero_attn", NULL, "add-zero-attn", "Add zero attention", "Whether a key and a value of zeros join each window, as in nn.MultiheadAttention", CO_SETTING_BOOLEAN, 3, 0, 0, 0, "false", "Switch"},
  {"max_len", NULL, "max-len", "Maximum length", "Vectors that recurrent-full attention holds at most", CO_SETTING_INTEGER, 5, 1, 16777216, 0, "4096"},
  {"at_max", NULL, "at-max", "At maximum", "What happens when recurrent-full attention holds max-len vectors", CO_SETTING_CHOICE, 5, 0, 0, 0, "error", "AtMax", at_max_choices, G_N_ELEMENTS (at_max_choices)},
  {"warm_up", NULL, "warm-up", "Warm-up", "What comes out until the window is full. partial is not for attention=retroactive or a query-index that looks back", CO_SETTING_CHOICE, 3, 0, 0, 0, "drop", "WarmUp", warm_up_choices, G_N_ELEMENTS (warm_up_choices)},
  {"self_attention", NULL, "self-attention", "Self-attention", "How the decoder's vectors attend to those before them", CO_SETTING_CHOICE, 4, 0, 0, 0, "recurrent-full", "SelfAttention", self_attention_choices, G_N_ELEMENTS (self_attention_choices)},
  {"cross_attention", NULL, "cross-attention", "Cross-attention", "How the decoder's vectors attend to the memory", CO_SETTING_CHOICE, 4, 0, 0, 0, "full", "CrossAttention", cross_attention_choices, G_N_ELEMENTS (cross_attention_choices)},
  {"precision", NULL, "precision", "Precision", "How the weights of projections and feed-forward are kept: less memory and time for less exact outputs, see docs/performance.md", CO_SETTING_CHOICE, 7, 0, 0, 0, "float32", "Precision", precision_choices, G_N_ELEMENTS (precision_choices)},
  {"feature_map", NULL, "feature-map", "Feature map", "Feature map of recurrent-linear attention, as fast_transformers names it", CO_SETTING_CHOICE, 5, 0, 0, 0, "elu", "FeatureMap", feature_map_choices, G_N_ELEMENTS (feature_map_choices)},
  {"kernel_fn", NULL, "kernel-fn", "Kernel function", "Nonlinearity of feature-map=generalized", CO_SETTING_CHOICE, 5, 0, 0, 0, "relu", "Activation", activation_choices, G_N_ELEMENTS (activation_choices)},
  {"n_dims", NULL, "n-dims", "Feature map size", "Features of a random feature map", CO_SETTING_INTEGER, 5, 0, 16777216, 0, NULL},
  {"softmax_temp", NULL, "softmax-temp", "Softmax temperature", "Factor of the logits that random feature maps stand for", CO_SETTING_NUMBER, 5, 0.0, 1e12, 0.0, "1 / sqrt (head size)"},
  {"smoothing", NULL, "smoothing", "Smoothing", "What feature-map=smoothed-random-fourier adds", CO_SETTING_NUMBER, 5, -1.0, 1e12, -1.0, "1"},
  {"feature_transform", NULL, "feature-transform", "Feature transform", "Feature transform of attention=kernel, as KernelAttention names it", CO_SETTING_CHOICE, 3, 0, 0, 0, "exp", "FeatureTransform", feature_transform_choices, G_N_ELEMENTS (feature_transform_choices)},
  {"num_random_features", NULL, "num-random-features", "Random features", "Rows of the projection matrix of attention=kernel, 0 being none", CO_SETTING_INTEGER, 3, -1, 16777216, -1, NULL},
  {"scale", NULL, "scale", "Scale", "Factor of the logits of attention=kernel", CO_SETTING_NUMBER, 3, 0.0, 1e12, 0.0, "1 / sqrt (head size)"},
  {"causal_chunk_length", NULL, "causal-chunk-length", "Chunk length", "Vectors that attention=kernel answers together", CO_SETTING_INTEGER, 3, 0, 16777216, 0, NULL},
  {"causal_window_length", NULL, "causal-window-length", "Chunks of window", "Chunks in the window of attention=kernel", CO_SETTING_INTEGER, 3, 0, 16777216, 0, NULL},
  {"causal_window_decay", NULL, "causal-window-decay", "Window decay", "What a chunk weighs against the next one in attention=kernel", CO_SETTING_NUMBER, 3, -1.0, 1.0, -1.0, NULL},
  {"cache", NULL, "cache", "Cache", "Whether attention=kernel sums up all vectors so far, with causal-window-decay, instead of a window", CO_SETTING_BOOLEAN, 3, 0, 0, 0, "false", "Switch"},
};

guint
co_setting_count (void)
{
  return G_N_ELEMENTS (settings);
}

const CoSetting *
co_setting_get (guint i)
{
  return &settings[i];
}
