/* libcontinual: activations by name
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "math/kernels.h"

G_BEGIN_DECLS

typedef enum
{
  CO_ACTIVATION_RELU,
  CO_ACTIVATION_GELU,
  CO_ACTIVATION_GELU_TANH,
  CO_ACTIVATION_SILU,
  CO_ACTIVATION_TANH,
  CO_ACTIVATION_SIGMOID,
  CO_ACTIVATION_ELU,
  CO_ACTIVATION_LEAKY_RELU,
  CO_ACTIVATION_IDENTITY,
} CoActivation;

/* In the order of CoActivation, ended by NULL. */
extern const gchar *const co_activation_names[];

void co_activate (CoActivation self, float *x /* (n) */ , gsize n);

G_END_DECLS
