/* libcontinual: from tensors to a stack
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/build.h"
#include <math.h>
#include <string.h>

#define ANY 0                   /* of a size: taken as it is */

typedef struct
{
  const CoSettings *settings;
  const CoSafetensors *file;
  GPtrArray *owned;
  gsize *owned_bytes;
  GError **error;
} Build;

G_GNUC_PRINTF (3, 4)
static gboolean
fail (const Build * b, CoError code, const gchar * format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (b->error, CO_ERROR, code, "%s: %s",
      co_safetensors_get_name (b->file), text);
  return FALSE;
}

static gchar *
shape_to_string (const gsize * dims, gsize n)
{
  GString *s = g_string_new ("(");

  for (gsize i = 0; i < n; i++)
    if (dims[i] == ANY)
      g_string_append_printf (s, "%sany", i ? ", " : "");
    else
      g_string_append_printf (s, "%s%" G_GSIZE_FORMAT, i ? ", " : "", dims[i]);
  g_string_append (s, ")");
  return g_string_free (s, FALSE);
}

/* Whether @tensor is (dims[0], dims[1], …). */
static gboolean
check (const Build * b, const CoTensor * tensor, gsize n_dims,
    const gsize * dims)
{
  gboolean same = tensor->n_dims == n_dims;

  for (gsize i = 0; same && i < n_dims; i++)
    same = tensor->dims[i] > 0 && (dims[i] == ANY || dims[i] == tensor->dims[i]);
  if (!same) {
    g_autofree gchar *expected = shape_to_string (dims, n_dims);
    g_autofree gchar *found = shape_to_string (tensor->dims, tensor->n_dims);
    return fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected shape %s, found %s; is it of another model?",
        tensor->name, expected, found);
  }
  return TRUE;
}

/* Floats of the model's own, aligned and zero. */
static float *
own (const Build * b, gsize n)
{
  gsize bytes = CO_ALIGN_BYTES (MAX (n, 1) * sizeof (float));
  float *data = g_aligned_alloc0 (1, bytes, 64);

  g_ptr_array_add (b->owned, data);
  *b->owned_bytes += bytes;
  return data;
}

/* (n_out, n_in) and, if there is one, (n_out) */
static gboolean
linear (const Build * b, CoLinear * linear, const CoTensor * weight,
    const CoTensor * bias, gsize n_out, gsize n_in)
{
  if (!check (b, weight, 2, (gsize[]) {
          n_out, n_in}))
    return FALSE;
  *linear = (CoLinear) {.n_out = weight->dims[0],.n_in = weight->dims[1],.w =
        weight->data};
  if (bias && !check (b, bias, 1, (gsize[]) {
          linear->n_out}))
    return FALSE;
  linear->b = bias ? bias->data : NULL;
  return TRUE;
}

static gboolean
norm (const Build * b, CoNorm * norm, const CoTensor * weight,
    const CoTensor * bias, gsize n)
{
  if (!check (b, weight, 1, (gsize[]) {
          n}) || (bias && !check (b, bias, 1, (gsize[]) {
              n})))
    return FALSE;
  *norm = (CoNorm) {.n = n,.gain = weight->data,.bias =
        bias ? bias->data : NULL,.eps = b->settings->layer_norm_eps};
  return TRUE;
}

static gboolean
require (const Build * b, const CoLayerParts * layer,
    const CoScheme * scheme, CoRole role)
{
  const gchar *suffix = NULL;

  if (layer->tensors[role])
    return TRUE;
  for (const CoSchemeName * n = scheme->names; n->suffix && !suffix; n++)
    if (n->role == role)
      suffix = n->suffix;
  return fail (b, CO_ERROR_MODEL,
      "tensor '%s%s%s' is missing: expected every tensor of %s; save the whole state dict",
      layer->path, *layer->path ? "." : "", suffix ? suffix : "?",
      scheme->title);
}

/* q, k and v as parts of one (3 E, E) product */
static gboolean
packed_projections (const Build * b, CoAttention * a,
    const CoLayerParts * layer)
{
  const CoTensor *weight = layer->tensors[CO_ROLE_IN_WEIGHT];
  const CoTensor *bias = layer->tensors[CO_ROLE_IN_BIAS];
  CoLinear *parts[] = { &a->q, &a->k, &a->v };
  gsize E;

  if (!linear (b, &a->qkv, weight, bias, ANY, ANY))
    return FALSE;
  E = a->qkv.n_in;
  if (!check (b, weight, 2, (gsize[]) {
          3 * E, E}))
    return FALSE;
  for (gsize i = 0; i < 3; i++)
    *parts[i] = (CoLinear) {.n_in = E,.n_out = E,.w = a->qkv.w + i * E * E,
    .b = bias ? a->qkv.b + i * E : NULL};
  return TRUE;
}

/* Three products with inputs of their own; they are joined where the inputs are of one width. */
static gboolean
separate_projections (const Build * b, CoAttention * a,
    const CoLayerParts * layer, const CoScheme * scheme)
{
  const CoTensor *packed_bias = layer->tensors[CO_ROLE_IN_BIAS];
  CoLinear *parts[] = { &a->q, &a->k, &a->v };
  const CoRole weights[] = { CO_ROLE_Q_WEIGHT, CO_ROLE_K_WEIGHT, CO_ROLE_V_WEIGHT };
  const CoRole biases[] = { CO_ROLE_Q_BIAS, CO_ROLE_K_BIAS, CO_ROLE_V_BIAS };
  gsize n_out = 0, row = 0;
  float *w, *bias;

  for (gsize i = 0; i < 3; i++) {
    if (!require (b, layer, scheme, weights[i])
        || !linear (b, parts[i], layer->tensors[weights[i]],
            layer->tensors[biases[i]], i == 1 ? a->q.n_out : ANY, ANY))
      return FALSE;
    n_out += parts[i]->n_out;
  }
  if (packed_bias) {
    if (!check (b, packed_bias, 1, (gsize[]) {
            n_out}))
      return FALSE;
    for (gsize i = 0; i < 3; row += parts[i++]->n_out)
      parts[i]->b = packed_bias->data + row;
  }
  if (a->q.n_in != a->k.n_in || a->k.n_in != a->v.n_in)
    return TRUE;
  w = own (b, n_out * a->q.n_in);
  bias = a->q.b || a->k.b || a->v.b ? own (b, n_out) : NULL;
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
fixed_keys (const Build * b, CoAttention * a, const CoLayerParts * layer)
{
  const CoTensor *k = layer->tensors[CO_ROLE_FIXED_K];
  const CoTensor *v = layer->tensors[CO_ROLE_FIXED_V];
  float *fixed_k, *fixed_v;

  if (!k != !v)
    return fail (b, CO_ERROR_MODEL,
        "tensor '%s' stands alone: expected both bias_k and bias_v, as add_bias_kv makes them",
        k ? k->name : v->name);
  if (k && !(check (b, k, 3, (gsize[]) {
              1, 1, a->k.n_out}) && check (b, v, 3, (gsize[]) {
              1, 1, a->v.n_out})))
    return FALSE;
  a->n_fixed = (k ? 1 : 0) + (b->settings->add_zero_attn ? 1 : 0);
  if (a->n_fixed == 0)
    return TRUE;
  fixed_k = own (b, a->n_fixed * a->k.n_out);
  fixed_v = own (b, a->n_fixed * a->v.n_out);
  if (k) {
    memcpy (fixed_k, k->data, a->k.n_out * sizeof (float));
    memcpy (fixed_v, v->data, a->v.n_out * sizeof (float));
  }
  a->fixed_k = fixed_k;
  a->fixed_v = fixed_v;
  return TRUE;
}

/* The output projection head by head, which the retroactive kind carries along */
static void
carried_projection (const Build * b, CoAttention * a)
{
  const gsize E = a->out.n_out, V = a->out.n_in;
  float *out_t = own (b, V * E);
  float *fixed_c = own (b, a->n_fixed * a->n_heads * E);

  for (gsize e = 0; e < E; e++)
    for (gsize i = 0; i < V; i++)
      out_t[i * E + e] = a->out.w[e * V + i];
  for (gsize j = 0; j < a->n_fixed; j++)
    for (gsize i = 0; i < V; i++)
      co_kernels->axpy (a->fixed_v[j * V + i], out_t + i * E,
          fixed_c + (j * a->n_heads + i / a->d_value) * E, E);
  a->out_t = out_t;
  a->fixed_c = fixed_c;
}

static gboolean
split_heads (const Build * b, CoAttention * a)
{
  const gsize H = b->settings->nhead;

  if (H == 0)
    return fail (b, CO_ERROR_SETTING,
        "the number of heads is not known: expected `nhead` in the metadata, found none; save it there, or set "
        "the property heads (the option nhead)");
  if (a->k.n_out % H || a->v.n_out % H)
    return fail (b, CO_ERROR_SETTING,
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

static gboolean
attention (const Build * b, CoAttention * a, const CoLayerParts * layer,
    const CoScheme * scheme)
{
  const CoTensor *out = layer->tensors[CO_ROLE_OUT_WEIGHT];

  if (layer->tensors[CO_ROLE_IN_WEIGHT] ? !packed_projections (b, a, layer)
      : !separate_projections (b, a, layer, scheme))
    return FALSE;
  return require (b, layer, scheme, CO_ROLE_OUT_WEIGHT)
      && linear (b, &a->out, out, layer->tensors[CO_ROLE_OUT_BIAS], ANY,
      a->v.n_out) && split_heads (b, a) && fixed_keys (b, a, layer);
}

static gboolean
feed_forward (const Build * b, CoLayer * self, const CoLayerParts * layer,
    const CoScheme * scheme, gsize E)
{
  const CoTensor *const *t = layer->tensors;
  const CoRole needed[] = { CO_ROLE_LINEAR1_WEIGHT, CO_ROLE_LINEAR2_WEIGHT,
    CO_ROLE_NORM1_WEIGHT, CO_ROLE_NORM2_WEIGHT
  };

  for (gsize i = 0; i < G_N_ELEMENTS (needed); i++)
    if (!require (b, layer, scheme, needed[i]))
      return FALSE;
  self->norm_first = b->settings->norm_first;
  self->activation = b->settings->activation;
  return linear (b, &self->linear1, t[CO_ROLE_LINEAR1_WEIGHT],
      t[CO_ROLE_LINEAR1_BIAS], ANY, E)
      && linear (b, &self->linear2, t[CO_ROLE_LINEAR2_WEIGHT],
      t[CO_ROLE_LINEAR2_BIAS], E, self->linear1.n_out)
      && norm (b, &self->norm1, t[CO_ROLE_NORM1_WEIGHT],
      t[CO_ROLE_NORM1_BIAS], E)
      && norm (b, &self->norm2, t[CO_ROLE_NORM2_WEIGHT],
      t[CO_ROLE_NORM2_BIAS], E);
}

static gboolean
build_layer (const Build * b, CoLayer * self, const CoLayerParts * layer,
    const CoScheme * scheme, gsize E)
{
  CoAttention *a = &self->attention;

  self->bare = scheme->bare;
  if (!attention (b, a, layer, scheme))
    return FALSE;
  if (self->bare)
    return TRUE;
  if (a->q.n_in != E || a->out.n_out != E || !a->qkv.w)
    return fail (b, CO_ERROR_MODEL,
        "layer '%s': expected an attention from %" G_GSIZE_FORMAT " features to as many, found queries of %"
        G_GSIZE_FORMAT ", keys of %" G_GSIZE_FORMAT ", values of %"
        G_GSIZE_FORMAT " and outputs of %" G_GSIZE_FORMAT, layer->path, E,
        a->q.n_in, a->k.n_in, a->v.n_in, a->out.n_out);
  return feed_forward (b, self, layer, scheme, E);
}

/* Which class each layer's attention has: this is where the kinds are told apart. */
static gboolean
choose_classes (const Build * b, CoStack * stack)
{
  const CoSettings *s = b->settings;
  const gint64 N = s->sequence_len;
  gsize back;

  if (N == 0)
    return fail (b, CO_ERROR_SETTING,
        "the window is not known: expected `sequence_len` in the metadata, found none; save it there, or set the "
        "property sequence-len (the option sequence_len)");
  if (s->query_index < -N || s->query_index >= N)
    return fail (b, CO_ERROR_SETTING,
        "query_index %" G_GINT64_FORMAT " is outside the window: expected -%"
        G_GINT64_FORMAT " to %" G_GINT64_FORMAT "; correct query_index or sequence_len",
        s->query_index, N, N - 1);
  back = s->query_index < 0 ? -1 - s->query_index : N - 1 - s->query_index;
  if (back > 0 && s->kind != CO_KIND_SINGLE_OUTPUT)
    return fail (b, CO_ERROR_SETTING,
        "query_index %" G_GINT64_FORMAT
        " with attention %s: only single-output asks one position; leave query_index out or use single-output",
        s->query_index, co_kind_names[s->kind]);
  if (s->partial && (back > 0 || s->kind == CO_KIND_RETROACTIVE))
    return fail (b, CO_ERROR_SETTING,
        "warm_up partial %s: expected drop, for there is no such vector before the window is full",
        back > 0 ? "with a query_index that looks back" : "with retroactive");
  stack->all_positions = s->kind == CO_KIND_RETROACTIVE;
  stack->query_back = back;
  for (gsize l = 0; l < stack->n_layers; l++) {
    CoAttention *a = &stack->layers[l].attention;
    gboolean windows = s->kind == CO_KIND_RETROACTIVE
        || (s->kind == CO_KIND_SINGLE_OUTPUT && stack->n_layers > 1);

    a->klass = windows ? &co_retroactive_class : &co_single_output_class;
    a->sequence_len = N;
    a->query_back = windows ? 0 : back;
    a->partial = s->partial;
    if (windows && l == 0)
      carried_projection (b, a);
  }
  return TRUE;
}

gboolean
co_build (CoStack * stack, const CoParts * parts, const CoSettings * settings,
    const CoSafetensors * file, GPtrArray * owned, gsize * owned_bytes,
    GError ** error)
{
  const Build b = { settings, file, owned, owned_bytes, error };
  const CoLayerParts *first = &g_array_index (parts->layers, CoLayerParts, 0);
  const CoTensor *out = first->tensors[CO_ROLE_OUT_WEIGHT];
  gsize E;

  if (!require (&b, first, parts->scheme, CO_ROLE_OUT_WEIGHT)
      || !check (&b, out, 2, (gsize[]) {
          ANY, ANY}))
    return FALSE;
  E = out->dims[0];
  stack->n_layers = parts->layers->len;
  stack->layers = g_new0 (CoLayer, stack->n_layers);
  for (gsize l = 0; l < stack->n_layers; l++)
    if (!build_layer (&b, &stack->layers[l], &g_array_index (parts->layers,
                CoLayerParts, l), parts->scheme, E))
      return FALSE;
  stack->d_model = stack->n_inputs = stack->layers[0].attention.q.n_in;
  stack->n_outputs = E;
  if (parts->scheme->bare && stack->n_layers > 1)
    return fail (&b, CO_ERROR_MODEL,
        "expected one attention, found %" G_GSIZE_FORMAT
        " beside each other; save the one to run alone", stack->n_layers);

  if (parts->embed.weight) {
    if (!linear (&b, &stack->embed, parts->embed.weight, parts->embed.bias,
            stack->d_model, ANY))
      return FALSE;
    stack->n_inputs = stack->embed.n_in;
  }
  if (parts->positions.weight) {
    if (!check (&b, parts->positions.weight, 2, (gsize[]) {
            ANY, stack->d_model}))
      return FALSE;
    stack->positions = parts->positions.weight->data;
    stack->n_positions = parts->positions.weight->dims[0];
  }
  if (parts->encoder_norm.weight
      && !norm (&b, &stack->encoder_norm, parts->encoder_norm.weight,
          parts->encoder_norm.bias, E))
    return FALSE;
  if (parts->norm.weight
      && !norm (&b, &stack->norm, parts->norm.weight, parts->norm.bias, E))
    return FALSE;
  if (parts->head.weight) {
    if (!linear (&b, &stack->head, parts->head.weight, parts->head.bias, ANY, E))
      return FALSE;
    stack->n_outputs = stack->head.n_out;
  }
  return choose_classes (&b, stack);
}
