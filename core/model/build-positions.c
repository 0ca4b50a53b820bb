/* libcontinual: the weights of positions that are counted in the window, and of a class token
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/builder.h"
#include "stack/carry.h"
#include <math.h>
#include <string.h>

static void
project_all (const CoMatrices * m, const float *x, gboolean bias, float *p)
{
  co_build_multiply (&m->q, x, bias ? m->q.bias : NULL, p);
  co_build_multiply (&m->k, x, bias ? m->k.bias : NULL, p + m->q.n_out);
  co_build_multiply (&m->v, x, bias ? m->v.bias : NULL,
      p + m->q.n_out + m->k.n_out);
}

/* W g, without the bias. Free its data. */
static CoMatrix
fold_gain (const CoMatrix * w, const float *gain)
{
  float *data = g_new (float, w->n_out * w->n_in);

  for (gsize o = 0; o < w->n_out; o++)
    for (gsize i = 0; i < w->n_in; i++)
      data[o * w->n_in + i] =
          w->data[o * w->out_stride + i * w->in_stride] * gain[i];
  return (CoMatrix) {
  .n_out = w->n_out,.n_in = w->n_in,.out_stride = w->n_in,.in_stride =
        1,.data = data};
}

/* The table of a pre-norm layer; @m has the gain folded in, @plain has not */
static void
normed_table (const CoBuild * b, const CoStack * stack, const CoLayer * layer,
    const CoMatrices * m, const CoMatrices * plain, CoPositionTable * table)
{
  const gsize N = table->n, E = stack->d_model;
  float *centred = co_build_own (b, N * E), *squares = co_build_own (b, N);
  float *p = co_build_own (b, N * table->width);
  float *constant = co_build_own (b, table->width);
  g_autofree float *zeros = g_new0 (float, E);

  co_centre_rows (layer->norm1.rms, stack->positions, N, E, centred);
  for (gsize i = 0; i < N; i++) {
    double square = 0;

    for (gsize e = 0; e < E; e++)
      square += (double) centred[i * E + e] * centred[i * E + e];
    squares[i] = square;
    project_all (m, centred + i * E, FALSE, p + i * table->width);
  }
  project_all (plain, layer->norm1.bias ? layer->norm1.bias : zeros, TRUE,
      constant);
  table->p = p;
  table->centred = centred;
  table->squares = squares;
  table->constant = constant;
  table->d_model = E;
  table->eps = layer->norm1.eps;
}

static void
table_keys (const CoBuild * b, CoAttention * a, const CoPositionTable * table)
{
  const gsize W = CO_ALIGN_FLOATS (table->n);

  a->position_keys = co_keys_open (a, co_build_own (b, co_keys_size (a, W)), W);
  for (gsize i = 0; i < table->n; i++) {
    const float *k = table->p + i * table->width + a->q.n_out;

    co_keys_put (a, &a->position_keys, i, k, k + a->k.n_out);
  }
}

void
co_build_pack_positions (const CoBuild * b, const CoStack * stack,
    CoLayer * layer, gboolean one_query)
{
  CoAttention *a = &layer->attention;
  CoMatrices *plain = &b->matrices[layer->index], m = *plain;
  CoPositionTable *table = co_build_alloc (b, sizeof *table);

  table->n = a->sequence_len;
  table->width = a->q.n_out + a->k.n_out + a->v.n_out;
  if (layer->norm_first) {
    m.q = fold_gain (&plain->q, layer->norm1.gain);
    m.k = fold_gain (&plain->k, layer->norm1.gain);
    m.v = fold_gain (&plain->v, layer->norm1.gain);
    normed_table (b, stack, layer, &m, plain, table);
  } else {
    float *p = co_build_own (b, table->n * table->width);

    for (gsize i = 0; i < table->n; i++)
      project_all (&m, stack->positions + i * stack->d_model, FALSE,
          p + i * table->width);
    table->p = p;
  }
  a->table = table;
  if (one_query) {
    a->q = co_build_pack (b, &plain->q);
    a->k = co_build_pack (b, &m.k);
    a->v = co_build_pack (b, &m.v);
    table_keys (b, a, table);
  } else {
    co_build_pack_inputs (b, a, &m, FALSE);
  }
  a->out = co_build_pack (b, &plain->out);
  layer->linear1 = co_build_pack (b, &plain->linear1);
  layer->ring_width = stack->d_model;
  if (layer->norm_first) {
    g_free ((gpointer) m.q.data);
    g_free ((gpointer) m.k.data);
    g_free ((gpointer) m.v.data);
  }
}

/* norm1 of the class token's row in a pre-norm layer */
static void
normalise (const CoLayer * layer, const float *x, gsize E, float *y)
{
  const CoNorm *norm = &layer->norm1;
  double mean = 0, var = 0;

  for (gsize i = 0; i < E && !norm->rms; i++)
    mean += x[i] / (double) E;
  for (gsize i = 0; i < E; i++)
    var += (x[i] - mean) * (x[i] - mean) / E;
  for (gsize i = 0; i < E; i++)
    y[i] = (x[i] - mean) / sqrt (var + norm->eps) * norm->gain[i] +
        (norm->bias ? norm->bias[i] : 0);
}

void
co_build_class_token (const CoBuild * b, const CoStack * stack,
    CoLayer * layer, gboolean fixed_key)
{
  CoAttention *a = &layer->attention;
  const CoMatrices *m = &b->matrices[layer->index];
  const gsize E = stack->d_model, k = a->k.n_out, v = a->v.n_out;
  g_autofree float *u = g_new (float, E);
  float *p = co_build_own (b, a->q.n_out + k + v);

  if (layer->norm_first)
    normalise (layer, stack->class_row, E, u);
  else
    memcpy (u, stack->class_row, E * sizeof (float));
  project_all (m, u, TRUE, p);
  /* Norms of heads; a class token beside rotary positions is refused. */
  if (co_attention_prepares (a))
    co_attention_prepare (a, p, 0, NULL);
  a->class_p = p;
  a->class_q = p;
  if (fixed_key) {
    const gsize n = a->n_fixed + 1;
    float *fixed_k = co_build_own (b, n * k), *fixed_v = co_build_own (b, n * v);

    memcpy (fixed_k, p + a->q.n_out, k * sizeof (float));
    memcpy (fixed_v, p + a->q.n_out + k, v * sizeof (float));
    if (a->n_fixed) {
      memcpy (fixed_k + k, a->fixed_k, a->n_fixed * k * sizeof (float));
      memcpy (fixed_v + v, a->fixed_v, a->n_fixed * v * sizeof (float));
    }
    a->fixed_k = fixed_k;
    a->fixed_v = fixed_v;
    a->n_fixed = n;
  }
}

void
co_build_class_base (const CoBuild * b, const CoStack * stack,
    CoLayer * layer)
{
  const gsize E = stack->d_model;
  g_autofree float *scratch = g_new (float, E);
  float *base = co_build_own (b, layer->attention.n_carried);

  co_carry_base (layer, stack->class_row, 1, scratch, base);
  layer->attention.class_base = base;
}
