/* The naive truth: attention of one query
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reference-attention.h"
#include <math.h>
#include <string.h>

/* ---- softmax ---- */

static double
key_at (const RefKeys * keys, gsize j, gsize i)
{
  if (j < keys->to)
    return keys->k[j * keys->attention->k.n_out + i];
  return j == keys->to && keys->layer->fixed_k ? keys->layer->fixed_k[i] : 0;
}

static double
value_at (const RefKeys * keys, gsize j, gsize i)
{
  if (j < keys->to)
    return keys->v[j * keys->attention->v.n_out + i];
  return j == keys->to && keys->layer->fixed_v ? keys->layer->fixed_v[i] : 0;
}

/* Vectors in the window of the last layer */
static gsize
ref_window (const RefModel * m)
{
  const gsize *last = m->windows[m->L - 1];

  return last[0] ? last[0] + last[1] : m->N;
}

void
ref_attend (const RefModel * m, const RefKeys * keys, gsize row,
    double *context, double *weights, gsize stride, RefAnswer * answer)
{
  const gsize dk = keys->attention->k.n_out / m->H;
  const gsize dv = keys->attention->v.n_out / m->H;
  const gsize end = keys->to + (keys->layer ? ref_n_fixed (m) : 0);
  g_autofree double *a = g_new (double, end);
  g_autofree double *sizes = g_new0 (double, m->H * dv);

  for (gsize h = 0; h < m->H; h++) {
    double top = -INFINITY, sum = 0;

    for (gsize j = keys->from; j < end; j++) {
      a[j] = 0;
      for (gsize i = h * dk; i < (h + 1) * dk; i++)
        a[j] += keys->q[row * m->H * dk + i] * key_at (keys, j, i);
      a[j] /= sqrt (dk);
      answer->largest_logit = MAX (answer->largest_logit, fabs (a[j]));
      top = MAX (top, a[j]);
    }
    for (gsize j = keys->from; j < end; j++)
      sum += a[j] = exp (a[j] - top);
    for (gsize i = h * dv; i < (h + 1) * dv; i++) {
      context[i] = 0;
      for (gsize j = keys->from; j < end; j++) {
        context[i] += a[j] / sum * value_at (keys, j, i);
        sizes[i] += a[j] / sum * fabs (value_at (keys, j, i));
      }
    }
    for (gsize j = keys->from; weights && j < end; j++)
      weights[h * stride + j + ref_window (m) + ref_n_class (m) -
          (keys->end && j < keys->to ? keys->end : keys->to)] = a[j] / sum;
  }
  for (gsize o = 0; o < keys->attention->out.n_out; o++) {
    double weighed = 0;
    for (gsize i = 0; i < m->H * dv; i++)
      weighed += fabs (keys->attention->out.w[o * m->H * dv + i]) * sizes[i];
    answer->largest_weighed = MAX (answer->largest_weighed, weighed);
  }
}

/* ---- ratios of sums ---- */

static gboolean
named (const RefFeatures * f, const gchar * map)
{
  return g_str_equal (f->map, map);
}

static gsize
n_features (const RefFeatures * f)
{
  if (named (f, "favor") || named (f, "random-fourier"))
    return 2 * f->n_projected;
  return named (f, "smoothed-random-fourier") ? 2 * f->n_projected + 1
      : f->n_projected;
}

/* Those of KernelAttention that grow exponentially stay logarithms, for no double is large enough. */
static gboolean
are_logs (const RefFeatures * f)
{
  return named (f, "exp") || named (f, "expmod");
}

/* Features of one query or key. Exponents count as logits, and so do the angles of cosines: what is lost of either is
 * lost of the feature. */
static double *
map_features (const RefFeatures * f, const double *x, double *largest_log)
{
  const gsize n = f->n_projected;
  double *phi = g_new (double, n_features (f)), half_square = 0;

  for (gsize i = 0; i < f->n_in; i++)
    half_square += f->scale * x[i] * f->scale * x[i] / 2;
  for (gsize r = 0; r < n; r++) {
    double u = f->projection ? 0 : f->scale * x[r];

    for (gsize i = 0; f->projection && i < f->n_in; i++)
      u += f->projection[r * f->n_in + i] * f->scale * x[i];
    if (named (f, "elu"))
      phi[r] = f->norm * (u > 0 ? u + 1 : exp (u));
    else if (named (f, "relu"))
      phi[r] = f->norm * (MAX (u, 0) + 1e-3);
    else if (named (f, "square"))
      phi[r] = f->norm * u * u;
    else if (named (f, "identity"))
      phi[r] = f->norm * u;
    else if (named (f, "exp"))
      phi[r] = u - half_square;
    else if (named (f, "expmod"))
      phi[r] = u - sqrt (f->n_in) / 2;
    else if (named (f, "generalized"))
      phi[r] = ref_activate (f->kernel_fn, u);
    else if (named (f, "favor")) {
      phi[r] = f->norm * exp (u - half_square);
      phi[n + r] = f->norm * exp (-u - half_square);
    } else {
      phi[r] = f->norm * cos (u);
      phi[n + r] = f->norm * sin (u);
    }
    if (are_logs (f) || named (f, "favor"))
      *largest_log = MAX (*largest_log, fabs (u) + half_square);
    else if (g_str_has_suffix (f->map, "fourier"))
      *largest_log = MAX (*largest_log, fabs (u));
  }
  if (named (f, "smoothed-random-fourier"))
    phi[2 * n] = f->smoothing;
  return phi;
}

/* How much a key in chunk @key counts for a query in chunk @query. */
static double
counts (const RefModel * m, guint64 query, guint64 key)
{
  if (key > query || (!m->cache && query - key >= m->window_len))
    return 0;
  return pow (m->decay, query - key);
}

static double
condition (double sum, double sum_of_sizes)
{
  return MAX (1, sum_of_sizes / fabs (sum));
}

void
ref_attend_linear (const RefModel * m, const RefKeys * keys, gsize row,
    const guint64 * chunk, double *context, RefAnswer * answer)
{
  const RefFeatures *f = &keys->attention->features;
  const gsize dk = keys->attention->k.n_out / m->H, M = n_features (f);
  const gsize dv = keys->attention->v.n_out / m->H;
  g_autofree double *products = g_new0 (double, keys->to * M);
  double log_q = 0, log_k = 0;

  for (gsize h = 0; h < m->H; h++) {
    g_autofree double *phi_q =
        map_features (f, keys->q + (row * m->H + h) * dk, &log_q);
    double sum = f->eps, sizes = 0, top = -INFINITY, *c = context + h * dv;

    for (gsize j = keys->from; j < keys->to; j++) {
      g_autofree double *phi_k =
          map_features (f, keys->k + (j * m->H + h) * dk, &log_k);

      for (gsize i = 0; i < M; i++) {
        products[j * M + i] = are_logs (f) ? phi_q[i] + phi_k[i]
            : phi_q[i] * phi_k[i];
        if (!chunk || counts (m, chunk[row], chunk[j]) > 0)
          top = MAX (top, products[j * M + i]);
      }
    }
    memset (c, 0, dv * sizeof (double));
    for (gsize j = keys->from; j < keys->to; j++) {
      double factor = chunk ? counts (m, chunk[row], chunk[j]) : 1, w = 0;

      for (gsize i = 0; factor > 0 && i < M; i++) {
        double product = products[j * M + i];
        if (are_logs (f))
          product = exp (product - top);
        w += factor * product;
        sizes += factor * fabs (product);
      }
      for (gsize i = 0; i < dv; i++)
        c[i] += w * keys->v[(j * m->H + h) * dv + i];
      sum += w;
    }
    for (gsize i = 0; i < dv; i++)
      c[i] /= sum;
    answer->condition = MAX (answer->condition, condition (sum, sizes));
  }
  answer->largest_logit = MAX (answer->largest_logit, log_q + log_k);
}

void
ref_attend_causally (const RefModel * m, const RefKeys * keys, gsize n,
    gsize n_repeated, double repeats, double *context, RefAnswer * answer)
{
  const RefFeatures *f = &keys->attention->features;
  const gsize dk = keys->attention->k.n_out / m->H, M = n_features (f);
  const gsize dv = keys->attention->v.n_out / m->H;
  /* For each feature the sum of features, of their sizes, and of features times values */
  g_autofree double *sums = g_new0 (double, m->H * M * (dv + 2));
  double log_q = 0, log_k = 0;

  for (gsize t = 0; t < n; t++)
    for (gsize h = 0; h < m->H; h++) {
      gsize at = t * m->H + h;
      g_autofree double *phi_q = map_features (f, keys->q + at * dk, &log_q);
      g_autofree double *phi_k = map_features (f, keys->k + at * dk, &log_k);
      double *c = context + at * dv, sum = f->eps, sizes = 0;

      memset (c, 0, dv * sizeof (double));
      for (gsize i = 0; i < M; i++) {
        double *s = sums + (h * M + i) * (dv + 2);

        if (t < n_repeated)
          phi_k[i] *= repeats;
        s[0] += phi_k[i];
        s[1] += fabs (phi_k[i]);
        sum += phi_q[i] * s[0];
        sizes += fabs (phi_q[i]) * s[1];
        for (gsize d = 0; d < dv; d++) {
          s[2 + d] += phi_k[i] * keys->v[at * dv + d];
          c[d] += phi_q[i] * s[2 + d];
        }
      }
      for (gsize d = 0; d < dv; d++)
        c[d] /= sum;
      answer->condition = MAX (answer->condition, condition (sum, sizes));
    }
  answer->largest_logit = MAX (answer->largest_logit, log_q + log_k);
}
