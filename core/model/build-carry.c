/* libcontinual: the weights of the carry
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/builder.h"

/* For smaller heads, updating the sums costs more than the product that they replace. */
#define LEAST_HEAD 16

/* G = W_1 diag (g) (1 - 1 1^T / E) */
static double *
centred (const CoMatrix * linear1, const CoNorm * norm)
{
  const gsize E = linear1->n_in, F = linear1->n_out;
  double *g = g_new0 (double, F * E);

  for (gsize f = 0; f < F; f++) {
    double mean = 0, *row = g + f * E;

    for (gsize e = 0; e < E; e++) {
      row[e] = (double) linear1->data[f * linear1->out_stride +
          e * linear1->in_stride] * norm->gain[e];
      mean += row[e] / E;
    }
    for (gsize e = 0; e < E && !norm->rms; e++)
      row[e] -= mean;
  }
  return g;
}

/* @m as doubles (n_out, n_in) */
static double *
to_double (const CoMatrix * m)
{
  double *to = g_new0 (double, m->n_out * m->n_in);

  for (gsize o = 0; o < m->n_out; o++)
    for (gsize i = 0; i < m->n_in; i++)
      to[o * m->n_in + i] = m->data[o * m->out_stride + i * m->in_stride];
  return to;
}

static float *
to_float (const double *from, gsize n)
{
  float *to = g_new0 (float, n);

  for (gsize i = 0; i < n; i++)
    to[i] = from[i];
  return to;
}

/* The columns of @m (n_out, H dv) for the values of head @h, in panels from output @first on */
static void
fill_head (const CoAttention * a, float *panels, gsize first,
    const CoMatrix * m, gsize h)
{
  co_panels_fill (panels, first, m->data + h * a->d_value * m->in_stride,
      m->n_out, a->d_value, m->out_stride, m->in_stride);
}

void
co_build_pack_carried (const CoBuild * b, CoLayer * layer)
{
  const CoMatrices *m = &b->matrices[layer->index];
  const CoNorm *norm = layer->norm_first ? &layer->norm2 : &layer->norm1;
  CoAttention *a = &layer->attention;
  const gsize E = a->out.n_out, F = layer->linear1.n_out, H = a->n_heads;
  const gsize width = m->out.n_in;
  gboolean carries = !layer->bare && a->d_value >= LEAST_HEAD;
  g_autofree float *g_float = NULL, *carried_float = NULL, *bias_o = NULL;
  CoMatrix carried = {.n_out = F,.n_in = width,.out_stride =
        width,.in_stride = 1 };
  gsize size;
  float *heads;

  a->out.b = co_build_copy (b, m->out.bias, E);
  a->n_carried = carries ? E + F : E;
  if (!layer->bare && !carries)
    layer->linear1 = co_build_pack (b, &m->linear1);
  if (carries) {
    g_autofree double *g = centred (&m->linear1, norm);
    g_autofree double *out = to_double (&m->out);
    g_autofree double *product = g_new0 (double, F * width);
    CoMatrix input = {.n_out = F,.n_in = E,.out_stride = E,.in_stride = 1 };
    float *bias = co_build_own (b, F);

    co_matmul_double (F, width, E, g, out, product);
    carried.data = carried_float = to_float (product, F * width);
    input.data = g_float = to_float (g, F * E);
    input.bias = bias_o = g_new0 (float, F);
    co_build_multiply (&input, m->out.bias, NULL, bias_o);
    layer->carry.input = co_build_pack (b, &input);
    co_build_multiply (&m->linear1, norm->bias, m->linear1.bias, bias);
    layer->carry.bias = bias;
  }
  size = co_panels_size (a->n_carried, a->d_value);
  a->out_heads = heads = co_build_own (b, H * size);
  for (gsize h = 0; h < H; h++) {
    fill_head (a, heads + h * size, 0, &m->out, h);
    if (carries)
      fill_head (a, heads + h * size, E, &carried, h);
  }
}
