/* The naive truth: small random models, evaluated in float64 by plain loops
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything is computed anew for every answer, from the definition. Nothing here is shared with the library. */
#include "reference.h"
#include <math.h>
#include <string.h>

static gboolean
is (const RefModel * m, const gchar * kind)
{
  return g_str_equal (m->kind, kind);
}

gsize
ref_n_fixed (const RefModel * m)
{
  return (m->layers[0].fixed_k ? 1 : 0) + (m->zero_attn ? 1 : 0);
}

gsize
ref_n_positions (const RefModel * m)
{
  return is (m, "retroactive") ? m->N : 1;
}

gsize
ref_n_answers (const RefModel * m, guint64 n, gsize * age)
{
  gsize warm_up = 1;

  *age = (m->query_index < 0 ? 0 : m->N) - 1 - m->query_index;
  if (is (m, "recurrent-full") || is (m, "recurrent-linear"))
    *age = 0;
  else if (!m->partial)
    warm_up = is (m, "deep") ? m->L * (m->N - 1) + 1 : m->N;
  return n >= warm_up ? 1 : 0;
}

gsize
ref_reach (const RefModel * m)
{
  if (is (m, "recurrent-full") || is (m, "recurrent-linear"))
    return m->drop_oldest ? m->L * (m->max_len - 1) + 1 : G_MAXSIZE;
  return is (m, "deep") ? m->L * (m->N - 1) + 1 : m->N;
}

double
ref_tolerance (const RefAnswer * answer)
{
  return 1e-4 * MAX (1, answer->largest_output) +
      ldexp (answer->largest_logit, -23);
}

void
ref_answer_clear (RefAnswer * answer)
{
  g_clear_pointer (&answer->y, g_free);
  g_clear_pointer (&answer->weights, g_free);
}

/* ---- the parts of a layer ---- */

/* (n, n_out) from (n, n_in) */
static double *
linear (const RefLinear * f, const double *x, gsize n)
{
  double *y = g_new (double, n * f->n_out);

  for (gsize r = 0; r < n; r++)
    for (gsize o = 0; o < f->n_out; o++) {
      double s = f->b ? f->b[o] : 0;
      for (gsize i = 0; i < f->n_in; i++)
        s += (double) f->w[o * f->n_in + i] * x[r * f->n_in + i];
      y[r * f->n_out + o] = s;
    }
  return y;
}

static double *
widen (const float *x, gsize n)
{
  double *y = g_new (double, n);

  for (gsize i = 0; i < n; i++)
    y[i] = x[i];
  return y;
}

/* (n, f->n), in place */
static void
norm (const RefModel * m, const RefNorm * f, double *x, gsize n)
{
  for (gsize r = 0; r < n; r++) {
    double *row = x + r * f->n, mean = 0, var = 0;
    for (gsize i = 0; i < f->n; i++)
      mean += row[i] / f->n;
    for (gsize i = 0; i < f->n; i++)
      var += (row[i] - mean) * (row[i] - mean) / f->n;
    for (gsize i = 0; i < f->n; i++)
      row[i] = (row[i] - mean) / sqrt (var + m->eps) * f->gain[i] +
          (f->bias ? f->bias[i] : 0);
  }
}

static double
activate (const gchar * name, double x)
{
  if (g_str_equal (name, "relu"))
    return MAX (x, 0);
  if (g_str_equal (name, "gelu"))
    return 0.5 * x * (1 + erf (x * sqrt (0.5)));
  if (g_str_equal (name, "gelu_tanh"))
    return 0.5 * x * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x)));
  if (g_str_equal (name, "silu"))
    return x / (1 + exp (-x));
  if (g_str_equal (name, "tanh"))
    return tanh (x);
  if (g_str_equal (name, "sigmoid"))
    return 1 / (1 + exp (-x));
  if (g_str_equal (name, "elu"))
    return x > 0 ? x : expm1 (x);
  if (g_str_equal (name, "leaky_relu"))
    return x > 0 ? x : 0.01 * x;
  g_assert_cmpstr (name, ==, "identity");
  return x;
}

/* What one query attends to: keys @from to @to, then the fixed ones. */
typedef struct
{
  const RefLayer *layer;
  const double *q, *k, *v;      /* (n, H dk), (n, H dk), (n, H dv) */
  gsize from, to;
} Keys;

static double
key_at (const RefModel * m, const Keys * keys, gsize j, gsize i)
{
  if (j < keys->to)
    return keys->k[j * keys->layer->k.n_out + i];
  return j == keys->to && keys->layer->fixed_k ? keys->layer->fixed_k[i] : 0;
}

static double
value_at (const RefModel * m, const Keys * keys, gsize j, gsize i)
{
  if (j < keys->to)
    return keys->v[j * keys->layer->v.n_out + i];
  return j == keys->to && keys->layer->fixed_v ? keys->layer->fixed_v[i] : 0;
}

/* Softmax: context (H dv) of the query in row @row, weights (H, …) of the keys at the end of the window. */
static void
attend (const RefModel * m, const Keys * keys, gsize row, double *context,
    double *weights, gsize stride, double *largest_logit)
{
  const gsize dk = keys->layer->k.n_out / m->H, dv = keys->layer->v.n_out / m->H;
  const gsize x = ref_n_fixed (m), end = keys->to + x;
  g_autofree double *a = g_new (double, end);

  for (gsize h = 0; h < m->H; h++) {
    double top = -INFINITY, sum = 0;

    for (gsize j = keys->from; j < end; j++) {
      a[j] = 0;
      for (gsize i = h * dk; i < (h + 1) * dk; i++)
        a[j] += keys->q[row * m->H * dk + i] * key_at (m, keys, j, i);
      a[j] /= sqrt (dk);
      *largest_logit = MAX (*largest_logit, fabs (a[j]));
      top = MAX (top, a[j]);
    }
    for (gsize j = keys->from; j < end; j++)
      sum += a[j] = exp (a[j] - top);
    for (gsize i = h * dv; i < (h + 1) * dv; i++) {
      context[i] = 0;
      for (gsize j = keys->from; j < end; j++)
        context[i] += a[j] / sum * value_at (m, keys, j, i);
    }
    for (gsize j = keys->from; weights && j < end; j++)
      weights[h * stride + j + m->N - keys->to] = a[j] / sum;
  }
}

/* Causal linear attention with the feature map elu (x) + 1: context of every row. */
static void
attend_linear (const RefModel * m, const Keys * keys, gsize n,
    double *context)
{
  const gsize dk = keys->layer->k.n_out / m->H, dv = keys->layer->v.n_out / m->H;
  g_autofree double *s = g_new0 (double, m->H * dk * (dv + 1));

  for (gsize t = 0; t < n; t++)
    for (gsize h = 0; h < m->H; h++) {
      const double *q = keys->q + (t * m->H + h) * dk;
      const double *k = keys->k + (t * m->H + h) * dk;
      const double *v = keys->v + (t * m->H + h) * dv;
      double *c = context + (t * m->H + h) * dv, sum = 1e-6;

      memset (c, 0, dv * sizeof (double));
      for (gsize i = 0; i < dk; i++) {
        double *s_i = s + (h * dk + i) * (dv + 1);
        double phi_q = q[i] > 0 ? q[i] + 1 : exp (q[i]);
        double phi_k = k[i] > 0 ? k[i] + 1 : exp (k[i]);

        for (gsize d = 0; d < dv; d++) {
          s_i[d] += phi_k * v[d];
          c[d] += phi_q * s_i[d];
        }
        s_i[dv] += phi_k;
        sum += phi_q * s_i[dv];
      }
      for (gsize d = 0; d < dv; d++)
        c[d] /= sum;
    }
}

/* ---- a stack ---- */

/* Vectors on their way; rows before @first do not exist. */
typedef struct
{
  double *x;                    /* (n, E) */
  gsize n, first;
} Rows;

static void
add (double *x, const double *y, gsize n)
{
  for (gsize i = 0; i < n; i++)
    x[i] += y[i];
}

/* x is the residual and the result, a what the attention gave. */
static void
feed_forward (const RefModel * m, const RefLayer * layer, double *x, double *a,
    gsize n)
{
  g_autofree double *u = NULL, *ff = NULL, *y = NULL;

  if (m->bare) {
    memcpy (x, a, n * layer->out.n_out * sizeof (double));
    return;
  }
  add (x, a, n * m->E);
  if (!m->norm_first)
    norm (m, &layer->norm1, x, n);
  u = g_memdup2 (x, n * m->E * sizeof (double));
  if (m->norm_first)
    norm (m, &layer->norm2, u, n);
  ff = linear (&layer->linear1, u, n);
  for (gsize i = 0; i < n * layer->linear1.n_out; i++)
    ff[i] = activate (m->activation, ff[i]);
  y = linear (&layer->linear2, ff, n);
  add (x, y, n * m->E);
  if (!m->norm_first)
    norm (m, &layer->norm2, x, n);
}

/* One layer over @rows, in place. @lookback: a row sees itself and the lookback - 1 rows before it (0: all before it);
 * G_MAXSIZE: every row sees all. @weights (H, n_queries, W) of the rows from @asking on. */
static void
forward_layer (const RefModel * m, const RefLayer * layer, Rows * rows,
    const RefInput * separate, gsize lookback, gsize asking, gsize n_asking,
    double *weights, double *largest_logit)
{
  const gsize n = rows->n, W = m->N + ref_n_fixed (m);
  const gsize context_width = layer->v.n_out;
  g_autofree double *u = g_memdup2 (rows->x, n * m->E * sizeof (double));
  g_autofree double *key = NULL, *value = NULL, *q = NULL, *k = NULL, *v = NULL;
  g_autofree double *a = NULL, *context = g_new0 (double, n * context_width);
  Keys keys = {.layer = layer };

  if (m->norm_first && !m->bare)
    norm (m, &layer->norm1, u, n);
  if (separate && separate->key)
    key = widen (separate->key, n * layer->k.n_in);
  if (separate && separate->value)
    value = widen (separate->value, n * layer->v.n_in);
  keys.q = q = linear (&layer->q, u, n);
  keys.k = k = linear (&layer->k, key ? key : u, n);
  keys.v = v = linear (&layer->v, value ? value : key ? key : u, n);
  if (is (m, "recurrent-linear")) {
    attend_linear (m, &keys, n, context);
  } else {
    for (gsize i = rows->first; i < n; i++) {
      gboolean asks = weights && i >= asking && i < asking + n_asking;
      gsize behind = i - rows->first + 1;

      keys.from = rows->first;
      keys.to = n;
      if (lookback != G_MAXSIZE) {
        keys.to = i + 1;
        if (lookback > 0 && behind > lookback)
          keys.from = i + 1 - lookback;
      }
      attend (m, &keys, i, context + i * context_width,
          asks ? weights + (i - asking) * W : NULL, n_asking * W,
          largest_logit);
    }
  }
  a = linear (&layer->out, context, n);
  if (layer->out.n_out > m->E)
    rows->x = g_renew (double, rows->x, n * layer->out.n_out);
  feed_forward (m, layer, rows->x, a, n);
}

/* Norms and head of one row (E) */
static void
finish (const RefModel * m, double *x, double *y)
{
  g_autofree double *out = NULL;

  if (m->encoder_norm.gain)
    norm (m, &m->encoder_norm, x, 1);
  if (m->norm.gain)
    norm (m, &m->norm, x, 1);
  if (m->head.w)
    out = linear (&m->head, x, 1);
  memcpy (y, out ? out : x, m->D * sizeof (double));
}

void
ref_answer (const RefModel * m, const RefInput * input, gsize n,
    guint64 position, gsize age, RefAnswer * answer)
{
  const gboolean causal = is (m, "deep") || g_str_has_prefix (m->kind, "recur");
  const gsize positions = ref_n_positions (m), reach = ref_reach (m);
  const gsize length = MIN (n, reach), skip = n - length;
  const gsize lookback = is (m, "deep") ? m->N : m->drop_oldest ? m->max_len : 0;
  const gsize row = positions > 1 ? 0 : length - 1 - age;
  const gsize out = m->layers[m->L - 1].out.n_out;
  const gboolean from_reset = position + skip == 0;
  g_autofree double *x = widen (input->x + skip * m->C, length * m->C);
  RefInput separate = {
    .key = input->key ? input->key + skip * m->layers[0].k.n_in : NULL,
    .value = input->value ? input->value + skip * m->layers[0].v.n_in : NULL
  };
  Rows rows = {.n = length };

  g_assert (from_reset || n >= reach);
  answer->largest_logit = answer->largest_output = 0;
  answer->y = g_new0 (double, positions * m->D);
  answer->weights = g_new0 (double, m->H * positions * (m->N + ref_n_fixed (m)));
  rows.x = m->embed.w ? linear (&m->embed, x, length)
      : g_memdup2 (x, length * m->C * sizeof (double));
  for (gsize i = 0; m->positions && i < length; i++)
    for (gsize e = 0; e < m->E; e++)
      rows.x[i * m->E + e] +=
          m->positions[(position + skip + i) % m->P * m->E + e];
  for (gsize l = 0; l < m->L; l++) {
    gboolean last = l + 1 == m->L;

    forward_layer (m, &m->layers[l], &rows, l == 0 ? &separate : NULL,
        causal ? lookback : G_MAXSIZE, row, positions,
        last && m->N > 0 ? answer->weights : NULL, &answer->largest_logit);
    /* Rows whose window was not full yet never came out, unless windows may be partial. */
    if (is (m, "deep") && !(m->partial && from_reset))
      rows.first += m->N - 1;
    else if (lookback > 0 && !from_reset)
      rows.first += lookback - 1;
  }
  g_assert (row >= rows.first);
  for (gsize i = 0; i < positions; i++)
    finish (m, rows.x + (row + i) * out, answer->y + i * m->D);
  for (gsize i = 0; i < positions * m->D; i++)
    answer->largest_output = MAX (answer->largest_output, fabs (answer->y[i]));
  g_free (rows.x);
}
