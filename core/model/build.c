/* libcontinual: from tensors to a stack
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/builder.h"
#include "stack/windows.h"
#include <string.h>

/* A gated feed-forward: linear1 becomes gate and up as one matrix, gate first. */
static gboolean
add_gate (const CoBuild * b, CoLayer * self, const CoLayerParts * layer,
    CoMatrix * linear1)
{
  const CoTensor *weight = layer->tensors[CO_ROLE_GATE_WEIGHT];
  const CoTensor *bias = layer->tensors[CO_ROLE_GATE_BIAS];
  const gsize F = linear1->n_out, E = linear1->n_in;
  CoMatrix gate;
  float *data, *biases = NULL;

  if (!weight)
    return co_build_unused (b, bias, "without its weight");
  if (!bias != !linear1->bias)
    return co_build_fail (b, CO_ERROR_MODEL,
        "layer '%s': expected biases of both halves of the gated feed-forward, or none, found one; save the whole state "
        "dict", layer->path);
  if (!co_build_matrix (b, &gate, weight, bias, F, E))
    return FALSE;
  data = co_build_scratch (b, 2 * F * E);
  memcpy (data, gate.data, F * E * sizeof (float));
  memcpy (data + F * E, linear1->data, F * E * sizeof (float));
  if (gate.bias || linear1->bias) {
    biases = co_build_scratch (b, 2 * F);
    for (gsize i = 0; i < F; i++) {
      biases[i] = gate.bias ? gate.bias[i] : 0;
      biases[F + i] = linear1->bias ? linear1->bias[i] : 0;
    }
  }
  *linear1 = (CoMatrix) {.n_out = 2 * F,.n_in = E,.out_stride = E,.in_stride =
        1,.data = data,.bias = biases};
  self->gated = TRUE;
  return TRUE;
}

/* Layer scales, folded into the last projection of each branch */
static gboolean
scale_branches (const CoBuild * b, CoLayer * self, const CoLayerParts * layer,
    CoMatrix * linear2)
{
  CoMatrix *branches[] = { &b->matrices[self->index].out, linear2 };

  for (gsize i = 0; i < G_N_ELEMENTS (branches); i++) {
    const CoTensor *scale = layer->tensors[CO_ROLE_SCALE1 + i];

    if (!scale)
      continue;
    if (!co_build_check (b, scale, 1, (gsize[]) {
            branches[i]->n_out}))
      return FALSE;
    co_build_scale (b, branches[i], scale->data);
  }
  return TRUE;
}

static gboolean
feed_forward (const CoBuild * b, CoLayer * self, const CoLayerParts * layer,
    gsize E)
{
  const CoTensor *const *t = layer->tensors;
  CoMatrix *linear1 = &b->matrices[self->index].linear1;
  const CoRole needed[] = { CO_ROLE_LINEAR1_WEIGHT, CO_ROLE_LINEAR2_WEIGHT,
    CO_ROLE_NORM1_WEIGHT, CO_ROLE_NORM2_WEIGHT, CO_ROLE_NORM3_WEIGHT
  };

  const gsize n = G_N_ELEMENTS (needed) - !b->scheme->decoder;
  CoMatrix linear2;

  for (gsize i = 0; i < n; i++)
    if (!co_build_require (b, layer, needed[i]))
      return FALSE;
  if (!co_build_check_biases (b, layer, needed, 2)
      || !co_build_check_biases (b, layer, needed + 2, n - 2))
    return FALSE;
  self->norm_first = b->settings->norm_first;
  self->activation = b->settings->activation;
  if (!co_build_matrix (b, linear1, t[CO_ROLE_LINEAR1_WEIGHT],
          t[CO_ROLE_LINEAR1_BIAS], CO_ANY, E))
    return FALSE;
  if (!co_build_matrix (b, &linear2, t[CO_ROLE_LINEAR2_WEIGHT],
          t[CO_ROLE_LINEAR2_BIAS], E, linear1->n_out)
      || !add_gate (b, self, layer, linear1)
      || !scale_branches (b, self, layer, &linear2))
    return FALSE;
  self->linear1 = (CoLinear) {.n_in = E,.n_out = linear1->n_out };
  self->linear2 = co_build_pack (b, &linear2);
  return co_build_norm (b, &self->norm1, t[CO_ROLE_NORM1_WEIGHT],
      t[CO_ROLE_NORM1_BIAS], E)
      && co_build_norm (b, &self->norm2, t[CO_ROLE_NORM2_WEIGHT],
      t[CO_ROLE_NORM2_BIAS], E)
      && (!b->scheme->decoder || co_build_norm (b, &self->norm3,
          t[CO_ROLE_NORM3_WEIGHT], t[CO_ROLE_NORM3_BIAS], E));
}

/* Checks that queries, keys, values and outputs have the width of the layers. */
static gboolean
check_width (const CoBuild * b, const CoAttention * a, gsize E,
    const gchar * path)
{
  if (a->q.n_in == E && a->k.n_in == E && a->v.n_in == E && a->out.n_out == E)
    return TRUE;
  return co_build_fail (b, CO_ERROR_MODEL,
      "layer '%s': expected an attention from %" G_GSIZE_FORMAT
      " features to as many, found queries of %" G_GSIZE_FORMAT
      ", keys of %" G_GSIZE_FORMAT ", values of %" G_GSIZE_FORMAT
      " and outputs of %" G_GSIZE_FORMAT "; are its tensors of another model?",
      path, E, a->q.n_in, a->k.n_in, a->v.n_in, a->out.n_out);
}

/* @E: width of the layers; CO_ANY: that of this one */
static gboolean
build_layer (const CoBuild * b, CoLayer * self, const CoLayerParts * layer,
    gsize E)
{
  CoMatrices cross;

  self->bare = b->scheme->bare;
  if (!co_build_attention (b, &self->attention, &b->matrices[self->index],
          layer, CO_ROLE_Q_WEIGHT))
    return FALSE;
  if (self->bare)
    return !b->rotary || co_build_fail (b, CO_ERROR_SETTING,
        "rope_theta with a bare attention: expected layers with a feed-forward, found the tensors of %s; rotate its "
        "queries and keys outside the model", b->scheme->title);
  if (E == CO_ANY)
    E = self->attention.q.n_in;
  if (!check_width (b, &self->attention, E, layer->path))
    return FALSE;
  if (b->scheme->decoder) {
    if (!co_build_attention (b, &self->cross, &cross, layer, CO_ROLE_CROSS)
        || !check_width (b, &self->cross, E, layer->path))
      return FALSE;
    co_build_pack_inputs (b, &self->cross, &cross, TRUE);
    self->cross.out = co_build_pack (b, &cross.out);
  }
  return co_build_prepare (b, &self->attention, &b->matrices[self->index],
      layer) && feed_forward (b, self, layer, E);
}

/* Checks that gates, norms of queries and keys, and scales are in every layer or in none: without one, a layer still
 * computes, but another function than the one that was trained. */
static gboolean
check_alike (const CoBuild * b, const GArray * layers)
{
  const CoLayerParts *first = &g_array_index (layers, CoLayerParts, 0);

  for (guint l = 1; l < layers->len; l++) {
    const CoLayerParts *layer = &g_array_index (layers, CoLayerParts, l);

    for (gsize role = CO_ROLE_GATE_WEIGHT; role <= CO_ROLE_SCALE2; role++)
      if (!first->tensors[role] != !layer->tensors[role])
        return co_build_fail (b, CO_ERROR_MODEL,
            "layer '%s': expected a tensor like '%s' of layer '%s', found none; save the whole state dict, or make all "
            "layers alike", first->tensors[role] ? layer->path : first->path,
            (first->tensors[role] ? first : layer)->tensors[role]->name,
            (first->tensors[role] ? first : layer)->path);
  }
  return TRUE;
}

static gboolean
check_architecture (const CoBuild * b)
{
  gint wanted = b->settings->architecture;
  gboolean decoder = wanted == CO_ARCHITECTURE_DECODER;

  if (wanted == CO_ARCHITECTURE_ANY || decoder == b->scheme->decoder)
    return TRUE;
  return co_build_fail (b, CO_ERROR_MODEL,
      "metadata says architecture %s: expected %s second attention to a memory, found the tensors of %s; correct "
      "the metadata", decoder ? "decoder" : "encoder",
      decoder ? "layers with a" : "no", b->scheme->title);
}

gboolean
co_build (CoStack * stack, const CoParts * parts, const CoSettings * settings,
    const CoCheckpoint * file, GPtrArray * owned, gsize * owned_bytes,
    GError ** error)
{
  g_autofree CoMatrices *matrices = g_new0 (CoMatrices, parts->layers->len);
  g_autoptr (GPtrArray) scratch = g_ptr_array_new_with_free_func (g_free);
  CoBuild b = {.settings = settings,.file = file,.scheme =
        parts->scheme,.matrices = matrices,.owned = owned,.owned_bytes =
        owned_bytes,.scratch = scratch,.error = error };

  if (settings->rope_theta > 0)
    b.rotary = co_build_alloc (&b, sizeof (CoRotary));

  if (!check_architecture (&b))
    return FALSE;
  if (b.scheme->bare && parts->layers->len > 1)
    return co_build_fail (&b, CO_ERROR_MODEL,
        "expected one attention, found %u beside each other; save the one to run alone",
        parts->layers->len);
  stack->n_layers = parts->layers->len;
  stack->layers = g_new0 (CoLayer, stack->n_layers);
  for (gsize l = 0; l < stack->n_layers; l++) {
    CoLayer *layer = &stack->layers[l];
    layer->index = l;
    if (!build_layer (&b, layer, &g_array_index (parts->layers, CoLayerParts,
                l), stack->d_model))
      return FALSE;
    if (l == 0) {
      stack->d_model = stack->n_inputs = layer->attention.q.n_in;
      stack->n_outputs = layer->attention.out.n_out;
    }
  }
  if (!check_alike (&b, parts->layers) || !co_build_chains (&b, stack, parts)
      || !co_build_kind (&b, stack, parts))
    return FALSE;
  co_build_bounds (&b, stack);
  co_stack_lay_out_state (stack);
  return TRUE;
}

void
co_build_tables (CoStack * stack, GPtrArray * owned, gsize * owned_bytes)
{
  const CoBuild b = {.owned = owned,.owned_bytes = owned_bytes };

  if (stack->mode == &co_window_mode)
    co_build_window_angles (&b, stack);
}
