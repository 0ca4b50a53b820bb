/* libcontinual: the parts before and after the layers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/builder.h"
#include <math.h>
#include <string.h>

/* While the list of parts is walked */
typedef struct
{
  const CoBuild *b;
  CoStack *stack;
  const GArray *list;           /* of CoPart */
  gsize at;                     /* in the list */
  CoChain *chain;               /* to which operations are appended */
  gsize width;                  /* of a row here */
  float *class_row;             /* (width) of the class token here, or NULL */
  gboolean class_has_position;
} Walk;

/* Dimension @i, or the last one; CO_ANY of a tensor without elements, whose sizes could be anything, and are checked when
 * its part is built */
static gsize
get_size (const CoTensor * t, gboolean last)
{
  return t->n_dims && t->n_elements ? t->dims[last ? t->n_dims - 1 : 0] : CO_ANY;
}

/* The width that a part takes; CO_ANY: any */
static gsize
input_width (const CoPart * part, gsize d_model)
{
  switch (part->type) {
    case CO_PART_LINEAR:
    case CO_PART_POSITIONS:
    case CO_PART_CLASS_TOKEN:
      return get_size (part->weight, TRUE);
    case CO_PART_NORM:
      return get_size (part->weight, FALSE);
    case CO_PART_BATCH_NORM:
      return get_size (part->running_mean, FALSE);
    case CO_PART_ENCODER:
      return d_model;
    default:
      return CO_ANY;
  }
}

/* The output width that the next linear map or the layers need from the part at @at; CO_ANY: nothing needs one */
static gsize
needed_width (const Walk * walk)
{
  for (gsize i = walk->at + 1; i < walk->list->len; i++) {
    const CoPart *part = &g_array_index (walk->list, CoPart, i);

    if (part->type == CO_PART_LINEAR || part->type == CO_PART_ENCODER)
      return input_width (part, walk->stack->d_model);
  }
  return CO_ANY;
}

gboolean
co_build_linear (const CoBuild * b, CoLinear * linear, const CoTensor * weight,
    const CoTensor * bias, gsize n_out, gsize n_in)
{
  CoMatrix matrix;

  if (!co_build_matrix (b, &matrix, weight, bias, n_out, n_in))
    return FALSE;
  *linear = co_build_pack (b, &matrix);
  return TRUE;
}

gboolean
co_build_norm (const CoBuild * b, CoNorm * norm, const CoTensor * weight,
    const CoTensor * bias, gsize n)
{
  float *gain;

  if (!co_build_check (b, weight, 1, (gsize[]) {
          n}) || (bias && !co_build_check (b, bias, 1, (gsize[]) {
              n})))
    return FALSE;
  gain = co_build_own (b, n);
  for (gsize i = 0; i < n; i++)
    gain[i] = weight->data[i] + (b->settings->norm_unit_offset ? 1 : 0);
  *norm = (CoNorm) {.n = n,.gain = gain,.bias =
        bias ? co_build_copy (b, bias->data, n) : NULL,.eps =
        b->settings->layer_norm_eps,.rms =
        b->settings->norm_type == CO_NORM_RMS};
  return TRUE;
}

/* A batch norm in evaluation: (x - mean) / sqrt (var + eps) w + b, as gain x + offset. With affine=False, w is 1 and b 0. */
static gboolean
fold_batch_norm (const CoBuild * b, CoOp * op, const CoPart * part, gsize n)
{
  const CoTensor *tensors[] = { part->weight, part->bias, part->running_mean,
    part->running_var
  };
  float *gain, *offset;

  for (gsize i = 0; i < G_N_ELEMENTS (tensors); i++)
    if (tensors[i] && !co_build_check (b, tensors[i], 1, (gsize[]) {
            n}))
      return FALSE;
  gain = co_build_own (b, n);
  offset = co_build_own (b, n);
  for (gsize i = 0; i < n; i++) {
    const double var = part->running_var->data[i] + b->settings->batch_norm_eps;
    const double w = part->weight ? part->weight->data[i] : 1;

    if (var <= 0)
      return co_build_fail (b, CO_ERROR_MODEL,
          "tensor '%s': expected variances that are positive with batch_norm_eps, found %g at index %"
          G_GSIZE_FORMAT "; check the training run", part->running_var->name,
          (double) part->running_var->data[i], i);
    gain[i] = w / sqrt (var);
    offset[i] = (part->bias ? part->bias->data[i] : 0) -
        part->running_mean->data[i] * (w / sqrt (var));
  }
  op->klass = &co_op_affine;
  op->gain = gain;
  op->offset = offset;
  return TRUE;
}

static void
set_scale (const CoBuild * b, CoOp * op, double number, gsize n)
{
  float *gain = co_build_own (b, n);

  for (gsize i = 0; i < n; i++)
    gain[i] = number;
  op->klass = &co_op_affine;
  op->gain = gain;
  op->offset = co_build_own (b, n);
}

/* The map of a part for rows of the width so far */
static gboolean
build_op (const Walk * walk, CoOp * op, const CoPart * part)
{
  const CoBuild *b = walk->b;
  const gsize n = walk->width;

  *op = (CoOp) {.n_in = n,.n_out = n };
  switch (part->type) {
    case CO_PART_LINEAR:
      op->klass = &co_op_linear;
      if (!co_build_linear (b, &op->linear, part->weight, part->bias,
              needed_width (walk), n))
        return FALSE;
      op->n_out = op->linear.n_out;
      return TRUE;
    case CO_PART_NORM:
      op->klass = &co_op_norm;
      return co_build_norm (b, &op->norm, part->weight, part->bias, n);
    case CO_PART_BATCH_NORM:
      return fold_batch_norm (b, op, part, n);
    case CO_PART_SCALE:
      set_scale (b, op, part->number, n);
      return TRUE;
    case CO_PART_ACTIVATION:
      op->klass = &co_op_activation;
      op->activation = part->choice;
      return TRUE;
    case CO_PART_SOFTMAX:
      op->klass = &co_op_softmax;
      return TRUE;
    case CO_PART_LOG_SOFTMAX:
      op->klass = &co_op_log_softmax;
      return TRUE;
    default:
      g_return_val_if_reached (FALSE);
  }
}

/* Appends a map; before the layers it applies to the class token as well. */
static gboolean
append_op (Walk * walk, const CoPart * part)
{
  const CoBuild *b = walk->b;
  CoChain *chain = walk->chain;
  CoOp *op = &chain->ops[chain->n];

  if (!build_op (walk, op, part))
    return FALSE;
  chain->n++;
  if (walk->class_row) {
    float *row = co_build_own (b, op->n_out);
    g_autofree float *scratch = g_new (float, 2 * MAX (op->n_in, op->n_out));

    co_chain_apply (&(CoChain) {op, 1}, walk->class_row, op->n_in, 1, row,
        scratch);
    walk->class_row = row;
  }
  walk->width = op->n_out;
  return TRUE;
}

/* (P, E), (1, P, E) or (P, 1, E) */
static gboolean
set_positions (Walk * walk, const CoPart * part)
{
  const CoBuild *b = walk->b;
  CoStack *stack = walk->stack;
  const CoTensor *t = part->weight;
  const gsize E = walk->width;
  const gboolean window =
      b->settings->position_index == CO_POSITION_WINDOW;
  gsize P;
  const float *rows = t->data;

  if (stack->positions)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected one table of positions, found a second one; such a model can't be run", t->name);
  if (t->n_dims == 3 && t->dims[0] == 1)
    P = t->dims[1];
  else
    P = t->n_dims ? t->dims[0] : 0;
  if (t->n_dims == 3 && (t->dims[0] == 1 || t->dims[1] == 1)) {
    if (!co_build_check (b, t, 3, (gsize[]) {
            t->dims[0], t->dims[1], E}))
      return FALSE;
  } else if (!co_build_check (b, t, 2, (gsize[]) {
          CO_ANY, E})) {
    return FALSE;
  }
  if (walk->class_row && !window)
    return co_build_fail (b, CO_ERROR_SETTING,
        "positions '%s' cover the class token: expected position_index window, for a class token has no place on a "
        "stream that counts on, found recycle; set position_index=window, or list the positions before the class "
        "token", part->name);
  if (walk->class_row) {
    float *row = co_build_own (b, E);

    for (gsize i = 0; i < E; i++)
      row[i] = walk->class_row[i] + rows[i];
    walk->class_row = row;
    rows += E;
    P--;
  }
  if (window && P < (gsize) b->settings->sequence_len)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected a row of positions for each of the %" G_GINT64_FORMAT
        " vectors of the window%s, found %" G_GSIZE_FORMAT
        "; correct sequence_len, or position_index", t->name,
        b->settings->sequence_len,
        walk->class_row ? " beside the class token's" : "", P);
  if (P == 0)
    return co_build_fail (b, CO_ERROR_MODEL,
        "tensor '%s': expected rows of positions, found none", t->name);
  stack->positions = co_build_copy (b, rows, P * E);
  stack->n_positions = P;
  stack->window_positions = window;
  stack->d_embed = E;
  walk->chain = &stack->between;
  return TRUE;
}

static gboolean
set_class_token (Walk * walk, const CoPart * part)
{
  if (walk->class_row)
    return co_build_fail (walk->b, CO_ERROR_MODEL,
        "tensor '%s': expected one class token, found a second one; such a model can't be run",
        part->weight->name);
  if (!co_build_check (walk->b, part->weight, 3, (gsize[]) {
          1, 1, walk->width}))
    return FALSE;
  walk->class_row = (float *) co_build_copy (walk->b, part->weight->data,
      walk->width);
  return TRUE;
}

/* The layers take rows of their own width, and their own norm follows them. */
static gboolean
pass_encoder (Walk * walk, const CoParts * parts)
{
  const CoBuild *b = walk->b;
  CoStack *stack = walk->stack;

  if (walk->width != stack->d_model)
    return co_build_fail (b, CO_ERROR_MODEL,
        "layer '%s': expected rows of %" G_GSIZE_FORMAT
        " features, found rows of %" G_GSIZE_FORMAT
        " from the parts before it; is a part missing in the layout, or of another model?",
        g_array_index (parts->layers, CoLayerParts, 0).path, stack->d_model,
        walk->width);
  stack->class_row = walk->class_row;
  walk->class_row = NULL;
  if (!stack->positions)
    stack->d_embed = walk->width;
  walk->width = stack->n_outputs;
  walk->chain = co_pool_reduces (stack->pool) ? &stack->rows : &stack->after;
  return !parts->encoder_norm.weight || append_op (walk, &parts->encoder_norm);
}

static CoChain
new_chain (const CoBuild * b, gsize n)
{
  return (CoChain) {
  .ops = co_build_alloc (b, n * sizeof (CoOp))};
}

gboolean
co_build_chains (const CoBuild * b, CoStack * stack, const CoParts * parts)
{
  const gsize n = parts->list->len + 1;
  Walk walk = {.b = b,.stack = stack,.list = parts->list,.chain =
        &stack->before };

  stack->before = new_chain (b, n);
  stack->between = new_chain (b, n);
  stack->rows = new_chain (b, n);
  stack->after = new_chain (b, n);
  for (gsize i = 0; i < parts->list->len; i++) {
    const CoPart *part = &g_array_index (parts->list, CoPart, i);

    if (walk.width == 0)
      walk.width = input_width (part, stack->d_model);
    if (part->type == CO_PART_POOL)
      stack->pool = part->choice;
  }
  stack->n_inputs = walk.width;
  for (gsize i = 0; i < parts->list->len; i++) {
    const CoPart *part = &g_array_index (parts->list, CoPart, i);
    gboolean ok = TRUE;

    walk.at = i;
    if (part->type == CO_PART_POSITIONS)
      ok = set_positions (&walk, part);
    else if (part->type == CO_PART_CLASS_TOKEN)
      ok = set_class_token (&walk, part);
    else if (part->type == CO_PART_ENCODER)
      ok = pass_encoder (&walk, parts);
    else if (part->type == CO_PART_POOL)
      walk.chain = &stack->after;
    else
      ok = append_op (&walk, part);
    if (!ok)
      return FALSE;
  }
  stack->n_outputs = walk.width;
  if (b->settings->position_index == CO_POSITION_WINDOW && !stack->positions)
    return co_build_fail (b, CO_ERROR_SETTING,
        "position_index window: expected a table of positions, found none in the file; leave position_index out");
  return TRUE;
}
