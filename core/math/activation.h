/* libcontinual: activations by name
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/settings.h>

#include "math/kernels.h"

G_BEGIN_DECLS

/* Each activation: its enumerator, its function in CoKernels, its name and its description. */
#define CO_ACTIVATIONS(A)                                       \
  A (RELU, relu, "relu", "ReLU")                                \
  A (GELU, gelu, "gelu", "GELU by the error function")          \
  A (GELU_TANH, gelu_tanh, "gelu-tanh", "GELU approximated by tanh") \
  A (SILU, silu, "silu", "SiLU (swish)")                        \
  A (TANH, tanh, "tanh", "Hyperbolic tangent")                  \
  A (SIGMOID, sigmoid, "sigmoid", "Logistic sigmoid")           \
  A (ELU, elu, "elu", "ELU")                                    \
  A (LEAKY_RELU, leaky_relu, "leaky-relu", "Leaky ReLU, slope 0.01") \
  A (IDENTITY, identity, "identity", "None")

typedef enum
{
#define ENUMERATOR(NAME, function, name, blurb) CO_ACTIVATION_##NAME,
  CO_ACTIVATIONS (ENUMERATOR)
#undef ENUMERATOR
  CO_N_ACTIVATIONS
} CoActivation;

extern const CoChoice co_activation_choices[CO_N_ACTIVATIONS];

void co_activate (CoActivation self, float *x /* (n) */ , gsize n);

G_END_DECLS
