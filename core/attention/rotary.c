/* libcontinual: rotary positions
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/rotary.h"
#include "math/kernels.h"
#include <math.h>

void
co_rotary_angles (const CoRotary * self, guint64 t, float *cosine, float *sine)
{
  for (gsize i = 0; i < self->n / 2; i++) {
    const double turns = t * self->turns[i];
    const float angle = 2 * G_PI * (turns - nearbyint (turns));

    cosine[i] = cosf (angle);
    sine[i] = sinf (angle);
  }
}

void
co_rotary_apply (const CoRotary * self, float *x, gsize n_heads, gsize d,
    const float *cosine, const float *sine)
{
  for (gsize h = 0; h < n_heads; h++)
    co_kernels->rotate_halves (x + h * d, cosine, sine, self->n);
}
