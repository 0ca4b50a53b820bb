/* libcontinual: activations by name
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/activation.h"

const CoChoice co_activation_choices[CO_N_ACTIVATIONS] = {
#define CHOICE(NAME, function, name, blurb) {name, blurb},
  CO_ACTIVATIONS (CHOICE)
#undef CHOICE
};

void
co_activate (CoActivation self, float *x, gsize n)
{
  switch (self) {
#define CASE(NAME, function, name, blurb)       \
    case CO_ACTIVATION_##NAME:                  \
      co_kernels->function (x, n);              \
      break;
      CO_ACTIVATIONS (CASE)
#undef CASE
    default:
      g_assert_not_reached ();
  }
}
