/* libcontinual: from tensors to an attention
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/builder.h"
#include <math.h>
#include <string.h>

/* q, k and v as parts of one (3 n, E) matrix; n is E where the scheme says so */
static gboolean
find_packed (const CoBuild * b, CoMatrices * m, const CoLayerParts * layer)
{
  const CoTensor *weight = layer->tensors[CO_ROLE_IN_WEIGHT];
  const CoTensor *bias = layer->tensors[CO_ROLE_IN_BIAS];
  CoMatrix *parts[] = { &m->q, &m->k, &m->v };
  CoMatrix all;
  gsize E, n;

  if (!co_build_matrix (b, &all, weight, bias, CO_ANY, CO_ANY))
    return FALSE;
  E = all.n_in;
  if (!b->scheme->any_inner && !co_build_check (b, weight, 2, (gsize[]) {
          3 * E, E}))
    return FALSE;
  if (all.n_out % 3)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected rows for queries, keys and values, as many for each, found %" G_GSIZE_FORMAT
        " rows; is it of another model?", weight->name, all.n_out);
  n = all.n_out / 3;
  for (gsize i = 0; i < 3; i++) {
    *parts[i] = all;
    parts[i]->n_out = n;
    parts[i]->data = all.data + i * n * E;
    parts[i]->bias = bias ? all.bias + i * n : NULL;
  }
  return TRUE;
}

/* Keras keeps (E, H, D) where torch has (H D, E), and (H, D, E) where it has (E, H D). */
static gboolean
keras_matrix (const CoBuild * b, CoMatrix * matrix, const CoTensor * weight,
    const CoTensor * bias, gsize n_out, gboolean out)
{
  gsize heads;

  if (!co_build_check (b, weight, 3, (gsize[]) {
          CO_ANY, CO_ANY, CO_ANY}))
    return FALSE;
  heads = weight->dims[out ? 0 : 1];
  *matrix = (CoMatrix) {.data = weight->data,.out_stride = 1};
  matrix->n_in = out ? heads * weight->dims[1] : weight->dims[0];
  matrix->n_out = matrix->in_stride =
      out ? weight->dims[2] : heads * weight->dims[2];
  if (b->settings->nhead && heads != (gsize) b->settings->nhead)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected %" G_GINT64_FORMAT
        " heads as num_heads says, found %" G_GSIZE_FORMAT
        "; correct num_heads (the property heads)", weight->name,
        b->settings->nhead, heads);
  if (n_out != CO_ANY && matrix->n_out != n_out)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected %" G_GSIZE_FORMAT
        " features from all heads, found %" G_GSIZE_FORMAT
        "; is it of another model?", weight->name, n_out, matrix->n_out);
  if (bias && (out ? !co_build_check (b, bias, 1, (gsize[]) {
              matrix->n_out}) : !co_build_check (b, bias, 2, (gsize[]) {
              heads, weight->dims[2]})))
    return FALSE;
  matrix->bias = bias ? bias->data : NULL;
  return TRUE;
}

/* The matrix whose weight has role @role and whose bias has the next one */
static gboolean
find_matrix (const CoBuild * b, CoMatrix * matrix, const CoLayerParts * layer,
    CoRole role, gsize n_out)
{
  const CoTensor *weight = layer->tensors[role], *bias = layer->tensors[role + 1];

  if (!co_build_require (b, layer, role))
    return FALSE;
  return b->scheme->keras ? keras_matrix (b, matrix, weight, bias, n_out,
      role == CO_ROLE_OUT_WEIGHT) : co_build_matrix (b, matrix, weight, bias,
      n_out, CO_ANY);
}

static gboolean
find_separate (const CoBuild * b, CoMatrices * m, const CoLayerParts * layer,
    CoRole base)
{
  const CoTensor *packed_bias = layer->tensors[CO_ROLE_IN_BIAS];
  CoMatrix *parts[] = { &m->q, &m->k, &m->v };
  gsize n_out = 0, row = 0;

  for (gsize i = 0; i < 3; i++) {
    if (!find_matrix (b, parts[i], layer, base + 2 * i,
            i == 1 && !b->settings->num_key_value_heads ? m->q.n_out : CO_ANY))
      return FALSE;
    n_out += parts[i]->n_out;
  }
  if (packed_bias && !co_build_check (b, packed_bias, 1, (gsize[]) {
          n_out}))
    return FALSE;
  for (gsize i = 0; packed_bias && i < 3; row += parts[i++]->n_out)
    parts[i]->bias = packed_bias->data + row;
  return TRUE;
}

/* Whether the library stores query, key and value as one matrix where they have one input */
static gboolean
packs (const CoScheme * scheme)
{
  for (const CoSchemeName * n = scheme->names; n->suffix; n++)
    if (n->role == CO_ROLE_IN_WEIGHT)
      return TRUE;
  return FALSE;
}

/* Checks that the projections are those of one attention. */
static gboolean
check_tensors (const CoBuild * b, const CoLayerParts * layer, CoRole base)
{
  const CoRole packed[] = { CO_ROLE_IN_WEIGHT, CO_ROLE_OUT_WEIGHT };
  const CoRole separate[] = { base, base + 2, base + 4, base + 6 };
  gboolean apart = FALSE;

  if (!packs (b->scheme))
    return co_build_check_biases (b, layer, separate, G_N_ELEMENTS (separate));
  for (gsize i = 0; i < 3; i++)
    if (layer->tensors[CO_ROLE_IN_WEIGHT]
        && !co_build_unused (b, layer->tensors[separate[i]],
            "beside in_proj_weight"))
      return FALSE;
    else if (layer->tensors[separate[i]])
      apart = TRUE;
  return (apart || co_build_require (b, layer, CO_ROLE_IN_WEIGHT))
      && co_build_check_biases (b, layer, packed, G_N_ELEMENTS (packed));
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
        "tensor '%s' stands alone: expected both bias_k and bias_v, as add_bias_kv makes them; save the whole state "
        "dict", k ? k->name : v->name);
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
split_heads (const CoBuild * b, CoAttention * a, const CoLayerParts * layer)
{
  gsize H = b->settings->nhead;

  if (H == 0 && b->scheme->keras)
    H = layer->tensors[CO_ROLE_Q_WEIGHT]->dims[1];
  if (H == 0)
    return co_build_fail (b, CO_ERROR_SETTING,
        "the number of heads is not known: expected `nhead` in the metadata, found none; save it there, or set "
        "the property heads (the option nhead)");
  if (a->q.n_out % H)
    return co_build_fail (b, CO_ERROR_SETTING,
        "%" G_GSIZE_FORMAT " heads do not divide queries of %" G_GSIZE_FORMAT
        " features: expected a divisor; correct nhead (the property heads)", H,
        a->q.n_out);
  a->n_heads = H;
  a->d_key = a->q.n_out / H;
  if (b->settings->head_dim && a->d_key != (gsize) b->settings->head_dim)
    return co_build_fail (b, CO_ERROR_SETTING,
        "%" G_GSIZE_FORMAT " heads of %" G_GSIZE_FORMAT
        " features: expected head_dim %" G_GINT64_FORMAT
        "; correct nhead (the property heads) or head_dim", H, a->d_key,
        b->settings->head_dim);
  a->n_kv_heads = a->k.n_out / a->d_key;
  if (a->k.n_out % a->d_key || a->n_kv_heads == 0 || H % a->n_kv_heads
      || a->v.n_out % a->n_kv_heads)
    return co_build_fail (b, CO_ERROR_SETTING,
        "%" G_GSIZE_FORMAT " heads do not divide keys of %" G_GSIZE_FORMAT
        " and values of %" G_GSIZE_FORMAT
        " features: expected a divisor; correct nhead (the property heads)", H,
        a->k.n_out, a->v.n_out);
  if (b->settings->num_key_value_heads
      && a->n_kv_heads != (gsize) b->settings->num_key_value_heads)
    return co_build_fail (b, CO_ERROR_SETTING,
        "keys of %" G_GSIZE_FORMAT " features are those of %" G_GSIZE_FORMAT
        " heads: expected num_key_value_heads %" G_GINT64_FORMAT
        "; correct nhead (the property heads) or num_key_value_heads", a->k.n_out,
        a->n_kv_heads, b->settings->num_key_value_heads);
  a->d_value = a->v.n_out / a->n_kv_heads;
  a->scale = 1 / sqrt (a->d_key);
  return TRUE;
}

static CoLinear
shape_of (const CoMatrix * m)
{
  return (CoLinear) {
  .n_in = m->n_in,.n_out = m->n_out};
}

gboolean
co_build_attention (const CoBuild * b, CoAttention * a, CoMatrices * m,
    const CoLayerParts * layer, CoRole base)
{
  const CoRole out = base + CO_ROLE_OUT_WEIGHT - CO_ROLE_Q_WEIGHT;

  if (!check_tensors (b, layer, base))
    return FALSE;
  if (layer->tensors[CO_ROLE_IN_WEIGHT] ? !find_packed (b, m, layer)
      : !find_separate (b, m, layer, base))
    return FALSE;
  if (!find_matrix (b, &m->out, layer, out, CO_ANY))
    return FALSE;
  a->q = shape_of (&m->q);
  a->k = shape_of (&m->k);
  a->v = shape_of (&m->v);
  a->out = shape_of (&m->out);
  if (!split_heads (b, a, layer))
    return FALSE;
  if (m->out.n_in != a->n_heads * a->d_value)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected %" G_GSIZE_FORMAT
        " inputs, the values of all heads, found %" G_GSIZE_FORMAT
        "; is it of another model?", layer->tensors[out]->name,
        a->n_heads * a->d_value, m->out.n_in);
  return fixed_keys (b, a, layer);
}
