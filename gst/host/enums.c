/* gst-continual: enumerations of hyper-parameters
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/enums.h"

#define DEFINE_ENUM(function, Name, ...) \
GType \
function (void) \
{ \
  static gsize type; \
  static const GEnumValue values[] = { __VA_ARGS__, {0, NULL, NULL} }; \
\
  if (g_once_init_enter (&type)) \
    g_once_init_leave (&type, g_enum_register_static (Name, values)); \
  return type; \
}

/* Behind the names with -, which are what a value is called. */
#define AS_METADATA "The same, as metadata may write it"

DEFINE_ENUM (model_attention_get_type, "GstContinualAttentionKind",
    {0, "As the model says", "auto"},
    {1, "The output of the query at query-index over the window, exact for a "
          "stack of any depth", "single-output"},
    {2, "The updated outputs of all vectors of the window, exact for a stack "
          "of any depth", "retroactive"},
    {3, "Every layer single-output over its own last inputs (DeepCoT)",
          "deep"},
    {4, "Causal softmax over all vectors so far, up to max-len "
          "(fast_transformers)", "recurrent-full"},
    {5, "Causal linear attention over all vectors so far in constant state "
          "(fast_transformers)", "recurrent-linear"},
    {6, "Windowed or decayed kernel attention, in chunks or not "
          "(KernelAttention)", "kernel"},
    {1, AS_METADATA, "single_output"},
    {4, AS_METADATA, "recurrent_full"},
    {5, AS_METADATA, "recurrent_linear"})

DEFINE_ENUM (model_activation_get_type, "GstContinualActivation",
    {0, "As the model says, or ReLU", "auto"},
    {1, "ReLU", "relu"},
    {2, "GELU by the error function", "gelu"},
    {3, "GELU approximated by tanh", "gelu-tanh"},
    {4, "SiLU (swish)", "silu"},
    {5, "Hyperbolic tangent", "tanh"},
    {6, "Logistic sigmoid", "sigmoid"},
    {7, "ELU", "elu"},
    {8, "Leaky ReLU", "leaky-relu"},
    {9, "None", "identity"},
    {3, AS_METADATA, "gelu_tanh"},
    {8, AS_METADATA, "leaky_relu"})

DEFINE_ENUM (model_switch_get_type, "GstContinualSwitch",
    {0, "As the model says, or false", "auto"},
    {1, "No", "false"},
    {2, "Yes", "true"})

DEFINE_ENUM (model_self_attention_get_type, "GstContinualSelfAttention",
    {0, "As the model says, or recurrent-full", "auto"},
    {1, "Causal softmax over all vectors so far, up to max-len",
          "recurrent-full"},
    {2, "Causal linear attention over all vectors so far in constant state",
          "recurrent-linear"},
    {1, AS_METADATA, "recurrent_full"},
    {2, AS_METADATA, "recurrent_linear"})

DEFINE_ENUM (model_cross_attention_get_type, "GstContinualCrossAttention",
    {0, "As the model says, or full", "auto"},
    {1, "Softmax over the memory", "full"},
    {2, "Linear attention to the memory", "linear"})

DEFINE_ENUM (model_at_max_get_type, "GstContinualAtMax",
    {0, "The stream ends with an error", "error"},
    {1, "The oldest vector leaves", "drop-oldest"})

DEFINE_ENUM (model_warm_up_get_type, "GstContinualWarmUp",
    {0, "Nothing (GAP events) until the window is full", "drop"},
    {1, "Attention to what there is, from the first vector on", "partial"})

DEFINE_ENUM (model_feature_map_get_type, "GstContinualFeatureMap",
    {0, "As the model says, or elu", "auto"},
    {1, "elu (x) + 1", "elu"},
    {2, "Positive random features (Favor)", "favor"},
    {3, "Random Fourier features", "random-fourier"},
    {4, "Random Fourier features and a constant one",
          "smoothed-random-fourier"},
    {5, "kernel-fn of random projections", "generalized"})

DEFINE_ENUM (model_feature_transform_get_type, "GstContinualFeatureTransform",
    {0, "As the model says, or exp", "auto"},
    {1, "elu (x) + 1", "elu"},
    {2, "ReLU", "relu"},
    {3, "Square", "square"},
    {4, "Exponential, less half of the squared norm", "exp"},
    {5, "Exponential", "expmod"},
    {6, "None", "identity"})

DEFINE_ENUM (model_precision_get_type, "GstContinualPrecision",
    {0, "As the model says, or float32", "auto"},
    {1, "Four bytes a weight", "float32"},
    {2, "Two bytes a weight, 8 bits of mantissa", "bfloat16"},
    {3, "One byte a weight, 127 steps to each output's largest; inputs in 15 "
          "bits", "int8"})
