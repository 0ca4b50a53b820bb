/* libcontinual: how large a key or a value can become
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A snapshot may be forged. A window evicts a forged number after some steps. A kind that never evicts would give NaN or
 * infinite outputs from then on, so each number of its state is checked against the largest that the model can produce. */
#include "model/builder.h"
#include <math.h>

/* Rounding, also that of weights in fewer bits */
#define SLACK 1.1

static double
largest (const float *x, gsize n)
{
  double top = 0;

  for (gsize i = 0; x && i < n; i++)
    top = MAX (top, fabs ((double) x[i]));
  return top;
}

/* A row without its mean and divided by its deviation has a length of at most sqrt (n). */
static double
bound_norm (const CoNorm * norm)
{
  return norm->gain ? sqrt (norm->n) * largest (norm->gain, norm->n) +
      largest (norm->bias, norm->n) : HUGE_VAL;
}

/* The weights are packed: each input's are what the map makes of it alone. */
static double
bound_linear (const CoBuild * b, const CoLinear * linear, double x)
{
  float *one = co_build_scratch (b, linear->n_in + linear->n_out);
  float *y = one + linear->n_in;
  CoLinear bare = *linear;
  double top = 0;

  bare.b = NULL;
  for (gsize i = 0; i < linear->n_in; i++)
    one[i] = 0;
  for (gsize i = 0; i < linear->n_in; i++) {
    one[i] = 1;
    co_linear (&bare, one, linear->n_in, 1, y, linear->n_out);
    one[i] = 0;
    top += largest (y, linear->n_out);
  }
  return top * x + largest (linear->b, linear->n_out);
}

static double
bound_chain (const CoBuild * b, const CoChain * chain, double x)
{
  for (gsize i = 0; i < chain->n; i++) {
    const CoOp *op = &chain->ops[i];

    if (op->klass == &co_op_linear)
      x = bound_linear (b, &op->linear, x);
    else if (op->klass == &co_op_norm)
      x = bound_norm (&op->norm);
    else if (op->klass == &co_op_affine)
      x = x * largest (op->gain, op->n_in) + largest (op->offset, op->n_in);
    else
      x = MAX (2 * x + log (op->n_in), 1);      /* activations, softmax and its logarithm */
  }
  return x;
}

/* The largest number in the input of a layer's attention */
static double
bound_input (const CoBuild * b, const CoStack * stack, gsize l)
{
  const CoLayer *layer = &stack->layers[l];

  if (layer->norm_first && !layer->bare)
    return bound_norm (&layer->norm1);
  if (l > 0)
    return bound_norm (layer[-1].cross_class ? &layer[-1].norm3 : &layer[-1].norm2);
  return bound_chain (b, &stack->between, CO_LARGEST +
      largest (stack->positions, stack->n_positions * stack->d_embed));
}

/* The largest element of W x + b */
static double
bound_matrix (const CoMatrix * m, double x)
{
  double top = 0;

  for (gsize o = 0; o < m->n_out; o++) {
    double sum = 0, most = 0;

    for (gsize i = 0; i < m->n_in; i++) {
      const double w = fabs ((double) m->data[o * m->out_stride + i * m->in_stride]);

      sum += w;
      most = MAX (most, w);
    }
    /* Weights in 8 bits are rounded by less than a hundredth of the largest. */
    sum += m->n_in * most / 100;
    top = MAX (top, sum * x + (m->bias ? fabs ((double) m->bias[o]) : 0));
  }
  return top;
}

void
co_build_bounds (const CoBuild * b, CoStack * stack)
{
  for (gsize l = 0; l < stack->n_layers; l++) {
    CoAttention *a = &stack->layers[l].attention;
    const CoMatrices *m = &b->matrices[l];
    double x;

    if (!a->klass->is_sound)
      continue;
    x = bound_input (b, stack, l);
    a->largest_key = a->k_norm.gain ? bound_norm (&a->k_norm) :
        bound_matrix (&m->k, x);
    if (a->rotary)
      a->largest_key *= G_SQRT2;
    a->largest_key = SLACK * MAX (a->largest_key,
        largest (a->fixed_k, a->n_fixed * a->k.n_out));
    a->largest_value = SLACK * MAX (bound_matrix (&m->v, x),
        largest (a->fixed_v, a->n_fixed * a->v.n_out));
  }
}
