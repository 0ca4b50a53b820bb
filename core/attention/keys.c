/* libcontinual: cached keys and values
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Both are stored in panels: a lane of the logits is a key, a lane of the context is a feature, for every head size. */
#include "attention/attention.h"
#include "math/softmax.h"
#include <string.h>

static gsize
v_head_size (const CoAttention * self, gsize width)
{
  return co_panels_size (self->d_value, width);
}

gsize
co_keys_size (const CoAttention * self, gsize width)
{
  return self->n_kv_heads * (width * self->d_key + v_head_size (self, width));
}

CoKeys
co_keys_open (const CoAttention * self, float *memory, gsize width)
{
  return (CoKeys) {
  .width = width,.k = memory,.v = memory + width * self->k.n_out};
}

void
co_keys_put_head (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize at, const float *k, const float *v)
{
  const gsize dk = self->d_key, dv = self->d_value, W = keys->width;
  float *to_k = keys->k + h * W * dk + at / CO_PANEL * dk * CO_PANEL +
      at % CO_PANEL;
  float *to_v = keys->v + h * v_head_size (self, W) + at * CO_PANEL;

  for (gsize i = 0; i < dk; i++)
    to_k[i * CO_PANEL] = k[h * dk + i];
  for (gsize i = 0; i < dv; i += CO_PANEL)
    memcpy (to_v + i * W, v + h * dv + i, MIN (dv - i, CO_PANEL) * sizeof (float));
}

void
co_keys_put (const CoAttention * self, const CoKeys * keys, gsize at,
    const float *k, const float *v)
{
  for (gsize h = 0; h < self->n_kv_heads; h++)
    co_keys_put_head (self, keys, h, at, k, v);
}

void
co_keys_get_head (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize at, float *k, float *v)
{
  const gsize dk = self->d_key, dv = self->d_value, W = keys->width;
  const float *from_k = keys->k + h * W * dk + at / CO_PANEL * dk * CO_PANEL +
      at % CO_PANEL;
  const float *from_v = keys->v + h * v_head_size (self, W) + at * CO_PANEL;

  for (gsize i = 0; i < dk; i++)
    k[i] = from_k[i * CO_PANEL];
  for (gsize i = 0; i < dv; i += CO_PANEL)
    memcpy (v + i, from_v + i * W, MIN (dv - i, CO_PANEL) * sizeof (float));
}

void
co_keys_sum (const CoAttention * self, const CoKeys * keys, gsize h, gsize n,
    const float *a, float *context)
{
  co_kernels->linear_row (keys->v + h * v_head_size (self, keys->width),
      keys->width * CO_PANEL, self->d_value, n, a, context);
}

gsize
co_keys_scratch_size (const CoAttention * self, gsize n)
{
  return CO_ALIGN_FLOATS (n) + self->d_key;
}

float
co_keys_attend (const CoAttention * self, const CoKeys * keys, gsize h, gsize n,
    const float *q, float *context, float *scratch)
{
  const gsize dk = self->d_key, dv = self->d_value, W = keys->width;
  const gsize kv = co_attention_kv_head (self, h);
  float *a = scratch, *scaled = scratch + CO_ALIGN_FLOATS (n), sum;

  for (gsize i = 0; i < dk; i++)
    scaled[i] = self->scale * q[h * dk + i];
  co_kernels->linear_row (keys->k + kv * W * dk, dk * CO_PANEL, n, dk, scaled, a);
  sum = co_softmax_unnormalised (a, n);
  co_keys_sum (self, keys, kv, n, a, context + h * dv);
  for (gsize i = 0; i < dv; i++)
    context[h * dv + i] /= sum;
  return sum;
}
