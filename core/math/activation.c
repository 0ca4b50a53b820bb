/* libcontinual: activations by name
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/activation.h"

const gchar *const co_activation_names[] = {
  "relu", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid", "elu", "leaky_relu",
  "identity", NULL
};

void
co_activate (CoActivation self, float *x, gsize n)
{
  void (*const functions[]) (float *, gsize) = {
    co_kernels->relu, co_kernels->gelu, co_kernels->gelu_tanh,
    co_kernels->silu, co_kernels->tanh, co_kernels->sigmoid, co_kernels->elu,
    co_kernels->leaky_relu, co_kernels->identity
  };

  functions[self] (x, n);
}
