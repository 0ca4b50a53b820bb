/* libcontinual: from tensors to an attention
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/builder.h"
#include <math.h>
#include <string.h>

/* q, k and v as parts of one (3 E, E) product */
static gboolean
packed_projections (const CoBuild * b, CoAttention * a,
    const CoLayerParts * layer)
{
  const CoTensor *weight = layer->tensors[CO_ROLE_IN_WEIGHT];
  const CoTensor *bias = layer->tensors[CO_ROLE_IN_BIAS];
  CoLinear *parts[] = { &a->q, &a->k, &a->v };
  gsize E;

  if (!co_build_linear (b, &a->qkv, weight, bias, CO_ANY, CO_ANY))
    return FALSE;
  E = a->qkv.n_in;
  if (!co_build_check (b, weight, 2, (gsize[]) {
          3 * E, E}))
    return FALSE;
  for (gsize i = 0; i < 3; i++)
    *parts[i] = (CoLinear) {.n_in = E,.n_out = E,.w = a->qkv.w + i * E * E,
    .b = bias ? a->qkv.b + i * E : NULL};
  return TRUE;
}

/* Keras keeps (E, H, D) where torch has (H D, E), and (H, D, E) where it has (E, H D): with the sizes that are summed
 * over first, it is the transposed matrix. */
static gboolean
keras_projection (const CoBuild * b, CoLinear * linear,
    const CoTensor * weight, const CoTensor * bias, gsize n_out, CoRole role)
{
  const gboolean out = role == CO_ROLE_OUT_WEIGHT;
  gsize rows, columns, heads = weight->dims[out ? 0 : 1];
  float *w;

  if (!co_build_check (b, weight, 3, (gsize[]) {
          CO_ANY, CO_ANY, CO_ANY}))
    return FALSE;
  columns = out ? weight->dims[0] * weight->dims[1] : weight->dims[0];
  rows = out ? weight->dims[2] : weight->dims[1] * weight->dims[2];
  if (b->settings->nhead && heads != (gsize) b->settings->nhead)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected %" G_GINT64_FORMAT " heads as num_heads says, found %" G_GSIZE_FORMAT
        "; correct num_heads (the property heads)", weight->name,
        b->settings->nhead, heads);
  if (n_out != CO_ANY && rows != n_out)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected %" G_GSIZE_FORMAT " features from all heads, found %" G_GSIZE_FORMAT
        "; is it of another model?", weight->name, n_out, rows);
  if (bias && (out ? !co_build_check (b, bias, 1, (gsize[]) {
              rows}) : !co_build_check (b, bias, 2, (gsize[]) {
              heads, weight->dims[2]})))
    return FALSE;
  w = co_build_own (b, rows * columns);
  for (gsize c = 0; c < columns; c++)
    for (gsize r = 0; r < rows; r++)
      w[r * columns + c] = weight->data[c * rows + r];
  *linear = (CoLinear) {.n_in = columns,.n_out = rows,.w = w,.b =
        bias ? bias->data : NULL};
  return TRUE;
}

/* The product whose weight has role @role and whose bias the one behind it. */
static gboolean
projection (const CoBuild * b, CoLinear * linear, const CoLayerParts * layer,
    CoRole role, gsize n_out)
{
  const CoTensor *weight = layer->tensors[role], *bias = layer->tensors[role + 1];

  if (!co_build_require (b, layer, role))
    return FALSE;
  return b->scheme->keras ? keras_projection (b, linear, weight, bias, n_out,
      role) : co_build_linear (b, linear, weight, bias, n_out, CO_ANY);
}

/* Three products with inputs of their own; they are joined where the inputs are of one width. */
static gboolean
separate_projections (const CoBuild * b, CoAttention * a,
    const CoLayerParts * layer, CoRole base)
{
  const CoTensor *packed_bias = layer->tensors[CO_ROLE_IN_BIAS];
  CoLinear *parts[] = { &a->q, &a->k, &a->v };
  gsize n_out = 0, row = 0;
  float *w, *bias;

  for (gsize i = 0; i < 3; i++) {
    if (!projection (b, parts[i], layer, base + 2 * i,
            i == 1 ? a->q.n_out : CO_ANY))
      return FALSE;
    n_out += parts[i]->n_out;
  }
  if (packed_bias) {
    if (!co_build_check (b, packed_bias, 1, (gsize[]) {
            n_out}))
      return FALSE;
    for (gsize i = 0; i < 3; row += parts[i++]->n_out)
      parts[i]->b = packed_bias->data + row;
  }
  if (a->q.n_in != a->k.n_in || a->k.n_in != a->v.n_in)
    return TRUE;
  w = co_build_own (b, n_out * a->q.n_in);
  bias = a->q.b || a->k.b || a->v.b ? co_build_own (b, n_out) : NULL;
  a->qkv = (CoLinear) {.n_in = a->q.n_in,.n_out = n_out,.w = w,.b = bias };
  row = 0;
  for (gsize i = 0; i < 3; row += parts[i++]->n_out) {
    gsize n = parts[i]->n_out * parts[i]->n_in;
    memcpy (w + row * a->q.n_in, parts[i]->w, n * sizeof (float));
    if (parts[i]->b)
      memcpy (bias + row, parts[i]->b, parts[i]->n_out * sizeof (float));
    parts[i]->w = w + row * a->q.n_in;
    if (bias)
      parts[i]->b = bias + row;
  }
  return TRUE;
}

/* The keys of add_bias_kv and add_zero_attn */
static gboolean
fixed_keys (const CoBuild * b, CoAttention * a, const CoLayerParts * layer)
{
  const CoTensor *k = layer->tensors[CO_ROLE_FIXED_K];
  const CoTensor *v = layer->tensors[CO_ROLE_FIXED_V];
  float *fixed_k, *fixed_v;

  if (!k != !v)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s' stands alone: expected both bias_k and bias_v, as add_bias_kv makes them",
        k ? k->name : v->name);
  if (k && !(co_build_check (b, k, 3, (gsize[]) {
              1, 1, a->k.n_out}) && co_build_check (b, v, 3, (gsize[]) {
              1, 1, a->v.n_out})))
    return FALSE;
  a->n_fixed = (k ? 1 : 0) + (b->settings->add_zero_attn ? 1 : 0);
  if (a->n_fixed == 0)
    return TRUE;
  fixed_k = co_build_own (b, a->n_fixed * a->k.n_out);
  fixed_v = co_build_own (b, a->n_fixed * a->v.n_out);
  if (k) {
    memcpy (fixed_k, k->data, a->k.n_out * sizeof (float));
    memcpy (fixed_v, v->data, a->v.n_out * sizeof (float));
  }
  a->fixed_k = fixed_k;
  a->fixed_v = fixed_v;
  return TRUE;
}

static gboolean
split_heads (const CoBuild * b, CoAttention * a, const CoTensor * keras_query)
{
  /* (E, H, D) of Keras says it itself. */
  const gsize H = b->settings->nhead || !keras_query ? (gsize) b->settings->nhead
      : keras_query->dims[1];

  if (H == 0)
    return co_build_fail (b, CO_ERROR_SETTING,
        "the number of heads is not known: expected `nhead` in the metadata, found none; save it there, or set "
        "the property heads (the option nhead)");
  if (a->k.n_out % H || a->v.n_out % H)
    return co_build_fail (b, CO_ERROR_SETTING,
        "%" G_GSIZE_FORMAT " heads do not divide keys of %" G_GSIZE_FORMAT
        " and values of %" G_GSIZE_FORMAT
        " features: expected a divisor; correct nhead (the property heads)", H,
        a->k.n_out, a->v.n_out);
  a->n_heads = H;
  a->d_key = a->k.n_out / H;
  a->d_value = a->v.n_out / H;
  a->scale = 1 / sqrt (a->d_key);
  return TRUE;
}

gboolean
co_build_attention (const CoBuild * b, CoAttention * a,
    const CoLayerParts * layer, CoRole base)
{
  const CoRole out = base + CO_ROLE_OUT_WEIGHT - CO_ROLE_Q_WEIGHT;
  const CoTensor *keras_query =
      b->scheme->keras ? layer->tensors[CO_ROLE_Q_WEIGHT] : NULL;

  if (layer->tensors[CO_ROLE_IN_WEIGHT] ? !packed_projections (b, a, layer)
      : !separate_projections (b, a, layer, base))
    return FALSE;
  if (!projection (b, &a->out, layer, out, CO_ANY))
    return FALSE;
  if (a->out.n_in != a->v.n_out)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected %" G_GSIZE_FORMAT " inputs, the values of all heads, found %" G_GSIZE_FORMAT
        "; is it of another model?", layer->tensors[out]->name, a->v.n_out,
        a->out.n_in);
  return split_heads (b, a, keras_query) && fixed_keys (b, a, layer);
}
