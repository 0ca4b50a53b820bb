/* libcontinual: what is done to each head's query and key
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/builder.h"
#include <math.h>
#include <string.h>

float *
co_build_scratch (const CoBuild * b, gsize n)
{
  float *memory = g_new (float, MAX (n, 1));

  g_ptr_array_add (b->scratch, memory);
  return memory;
}

void
co_build_scale (const CoBuild * b, CoMatrix * m, const float *scale)
{
  float *data = co_build_scratch (b, m->n_out * m->n_in);
  float *bias = m->bias ? co_build_scratch (b, m->n_out) : NULL;

  for (gsize o = 0; o < m->n_out; o++) {
    for (gsize i = 0; i < m->n_in; i++)
      data[o * m->n_in + i] =
          scale[o] * m->data[o * m->out_stride + i * m->in_stride];
    if (bias)
      bias[o] = scale[o] * m->bias[o];
  }
  *m = (CoMatrix) {.n_out = m->n_out,.n_in = m->n_in,.out_stride =
        m->n_in,.in_stride = 1,.data = data,.bias = bias};
}

/* The angles of the first layer's heads, which are those of every layer's */
static gboolean
set_rotary (const CoBuild * b, gsize d_key)
{
  const CoSettings *s = b->settings;
  const gsize n = s->partial_rotary_factor * d_key;
  double *turns;

  if (n == 0 || n % 2)
    return co_build_fail (b, CO_ERROR_SETTING,
        "rotary positions of %" G_GSIZE_FORMAT " of the %" G_GSIZE_FORMAT
        " features of a head: expected an even number of them; correct nhead, head_dim or partial_rotary_factor",
        n, d_key);
  turns = co_build_alloc (b, n / 2 * sizeof (double));
  for (gsize i = 0; i < n / 2; i++)
    turns[i] = pow (s->rope_theta, -2. * i / n) / (2 * G_PI);
  *b->rotary = (CoRotary) {n, turns};
  return TRUE;
}

/* The feature of a head at place @i, where pairs are half of the @n rotated features apart, from where they are neighbours */
static gsize
interleaved (gsize i, gsize n)
{
  return i < n / 2 ? 2 * i : i < n ? 2 * (i - n / 2) + 1 : i;
}

/* The rows of a query or key projection, with pairs half apart */
static void
reorder (const CoBuild * b, CoMatrix * m, gsize n_heads, gsize n)
{
  const gsize d = m->n_out / n_heads;
  float *data = co_build_scratch (b, m->n_out * m->n_in);
  float *bias = m->bias ? co_build_scratch (b, m->n_out) : NULL;

  for (gsize h = 0; h < n_heads; h++)
    for (gsize i = 0; i < d; i++) {
      const gsize to = h * d + i, from = h * d + interleaved (i, n);

      for (gsize e = 0; e < m->n_in; e++)
        data[to * m->n_in + e] =
            m->data[from * m->out_stride + e * m->in_stride];
      if (bias)
        bias[to] = m->bias[from];
    }
  *m = (CoMatrix) {.n_out = m->n_out,.n_in = m->n_in,.out_stride =
        m->n_in,.in_stride = 1,.data = data,.bias = bias};
}

/* A vector of one head, likewise */
static const float *
reorder_head (const CoBuild * b, const float *x, gsize d, gsize n)
{
  float *to = x ? co_build_own (b, d) : NULL;

  for (gsize i = 0; x && i < d; i++)
    to[i] = x[interleaved (i, n)];
  return to;
}

static gboolean
build_norm (const CoBuild * b, CoNorm * norm, const CoLayerParts * layer,
    CoRole role, gsize d)
{
  const CoTensor *weight = layer->tensors[role];

  if (!weight)
    return co_build_unused (b, layer->tensors[role + 1], "without its weight");
  return co_build_norm (b, norm, weight, layer->tensors[role + 1], d);
}

gboolean
co_build_prepare (const CoBuild * b, CoAttention * a, CoMatrices * m,
    const CoLayerParts * layer)
{
  const CoRotary *rotary = b->rotary;

  if (rotary && rotary->n == 0 && !set_rotary (b, a->d_key))
    return FALSE;
  if (!build_norm (b, &a->q_norm, layer, CO_ROLE_Q_NORM_WEIGHT, a->d_key)
      || !build_norm (b, &a->k_norm, layer, CO_ROLE_K_NORM_WEIGHT, a->d_key))
    return FALSE;
  if (rotary && rotary->n > a->d_key)
    return co_build_fail (b, CO_ERROR_MODEL,
        "layer '%s': expected heads of at least %" G_GSIZE_FORMAT
        " features, as the first layer has, found %" G_GSIZE_FORMAT
        "; is its tensor of another model?", layer->path, rotary->n, a->d_key);
  if (rotary && layer->tensors[CO_ROLE_FIXED_K])
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s' with rotary positions: expected no add_bias_kv, for its key has no position from which a query's "
        "could differ; train without it", layer->tensors[CO_ROLE_FIXED_K]->name);
  a->rotary = rotary;
  if (!rotary || !b->settings->rope_interleaved)
    return TRUE;
  reorder (b, &m->q, a->n_heads, rotary->n);
  reorder (b, &m->k, a->n_kv_heads, rotary->n);
  a->q_norm.gain = reorder_head (b, a->q_norm.gain, a->d_key, rotary->n);
  a->q_norm.bias = reorder_head (b, a->q_norm.bias, a->d_key, rotary->n);
  a->k_norm.gain = reorder_head (b, a->k_norm.gain, a->d_key, rotary->n);
  a->k_norm.bias = reorder_head (b, a->k_norm.bias, a->d_key, rotary->n);
  return TRUE;
}

void
co_build_window_angles (const CoBuild * b, CoStack * stack)
{
  const CoRotary *rotary = stack->layers[0].attention.rotary;
  const gsize N = stack->layers[0].attention.sequence_len, n = rotary ? rotary->n : 0;
  float *angles = co_build_own (b, N * n);

  for (gsize t = 0; rotary && t < N; t++)
    co_rotary_angles (rotary, t, angles + t * n, angles + t * n + n / 2);
  for (gsize l = 0; l < stack->n_layers; l++)
    stack->layers[l].attention.window_angles = angles;
}
