/* libcontinual: what every kind of attention shares
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/attention.h"
#include <string.h>

gsize
co_attention_proj_width (const CoAttention * self)
{
  const CoPositionTable *table = self->table;

  return self->q.n_out + self->k.n_out + self->v.n_out +
      (table && table->centred ? table->d_model : 0);
}

gsize
co_attention_max_answers (const CoAttention * self)
{
  return MAX (self->chunk_len, 1);
}

gsize
co_attention_scratch_size (const CoAttention * self)
{
  return CO_ALIGN_FLOATS (self->klass->scratch_size (self));
}

gsize
co_attention_n_weights (const CoAttention * self)
{
  /* The class token is a fixed key of the first layer, a row of the others. */
  const gsize n_class = self->klass->step || self->klass->step_window ? 0
      : self->n_class;

  return self->sequence_len ? self->sequence_len + n_class + self->n_fixed : 0;
}

void
co_attention_project (const CoAttention * self, const float *query,
    const float *key, const float *value, gsize n, float *p)
{
  const gsize width = co_attention_proj_width (self);

  if (self->qkv.w && query == key && key == value) {
    co_linear (&self->qkv, query, self->qkv.n_in, n, p, width);
  } else {
    co_linear (&self->q, query, self->q.n_in, n, p, width);
    co_linear (&self->k, key, self->k.n_in, n, p + self->q.n_out, width);
    co_linear (&self->v, value, self->v.n_in, n,
        p + self->q.n_out + self->k.n_out, width);
  }
  if (self->table && self->table->centred)
    for (gsize r = 0; r < n; r++)
      memcpy (p + (r + 1) * width - self->table->d_model,
          value + r * self->table->d_model,
          self->table->d_model * sizeof (float));
}

void
co_attention_prepare (const CoAttention * self, float *p, guint64 position,
    float *angles)
{
  const gsize dk = self->d_key;
  float *k = p + self->q.n_out;

  if (self->q_norm.gain)
    co_norm (&self->q_norm, p, dk, self->n_heads, p, NULL);
  if (self->k_norm.gain)
    co_norm (&self->k_norm, k, dk, self->n_kv_heads, k, NULL);
  if (self->rotary) {
    float *sine = angles + self->rotary->n / 2;

    co_rotary_angles (self->rotary, position, angles, sine);
    co_rotary_apply (self->rotary, p, self->n_heads, dk, angles, sine);
    co_rotary_apply (self->rotary, k, self->n_kv_heads, dk, angles, sine);
  }
}

void
co_attention_prepare_window (const CoAttention * self, float *p, gsize n,
    gsize oldest)
{
  const gsize dk = self->d_key, half = self->rotary ? self->rotary->n / 2 : 0;
  const gsize width = self->q.n_out + self->k.n_out + self->v.n_out;

  for (gsize j = 0; j < n; j++) {
    const float *angles = self->window_angles + (j + n - oldest) % n * 2 * half;
    float *q = p + j * width, *k = q + self->q.n_out;

    if (self->q_norm.gain)
      co_norm (&self->q_norm, q, dk, self->n_heads, q, NULL);
    if (self->k_norm.gain)
      co_norm (&self->k_norm, k, dk, self->n_kv_heads, k, NULL);
    if (self->rotary) {
      co_rotary_apply (self->rotary, q, self->n_heads, dk, angles, angles + half);
      co_rotary_apply (self->rotary, k, self->n_kv_heads, dk, angles,
          angles + half);
    }
  }
}

void
co_attention_order_weights (const CoAttention * self, const float *a,
    gsize a_stride, float scale, gsize n, gsize newest, float *weights)
{
  const gsize N = self->sequence_len, x = self->n_fixed;

  /* A window that is not full yet is written at the end: the oldest weights are zero. */
  memset (weights, 0, (N - n) * sizeof (float));
  for (gsize j = 0; j < n; j++)
    weights[N - n + j] = scale * a[(x + (newest + 1 + j) % n) * a_stride];
  for (gsize j = 0; j < x; j++)
    weights[N + j] = scale * a[j * a_stride];
}
