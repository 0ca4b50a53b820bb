/* The naive truth: what a layout says of the rows before and behind the layers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reference-layout.h"
#include <math.h>
#include <string.h>

static gboolean
reduces (const RefModel * m)
{
  return m->layout.pool == REF_POOL_MEAN || m->layout.pool == REF_POOL_MAX;
}

double *
ref_before_layers (const RefModel * m, double *x, gsize length,
    guint64 position)
{
  const RefLayout *l = &m->layout;
  const gsize n = length + ref_n_class (m), C = m->C, E = m->E;
  double *rows = g_new (double, n * E);
  g_autofree double *embedded = NULL;

  if (l->input_norm.gain)
    ref_norm (m, &l->input_norm, x, length);
  for (gsize i = 0; l->batch_mean && i < length * C; i++)
    x[i] = (x[i] - l->batch_mean[i % C]) / sqrt (l->batch_var[i % C] + 1e-5) *
        l->batch_norm.gain[i % C] + l->batch_norm.bias[i % C];
  embedded = ref_linear (&m->embed, x, length);
  memcpy (rows, embedded, length * E * sizeof (double));
  for (gsize i = 0; l->scale != 0 && i < length * E; i++)
    rows[i] *= l->scale;
  for (gsize i = 0; m->positions && i < length; i++) {
    gsize at = l->window ? i + (l->class_covered ? 1 : 0)
        : (position + i) % m->P;

    for (gsize e = 0; e < E; e++)
      rows[i * E + e] += m->positions[at * E + e];
  }
  for (gsize e = 0; l->class_token && e < E; e++)
    rows[length * E + e] = l->class_token[e] +
        (l->class_covered ? m->positions[e] : 0);
  if (l->between.gain)
    ref_norm (m, &l->between, rows, n);
  return rows;
}

gsize
ref_n_asking (const RefModel * m, gsize length)
{
  if (reduces (m))
    return length + ref_n_class (m);
  return m->layout.on ? ref_n_positions (m) : 1;
}

gsize
ref_first_asking (const RefModel * m, gsize length)
{
  if (reduces (m) || ref_n_positions (m) > 1)
    return 0;
  if (m->layout.pool == REF_POOL_CLS || (m->layout.pool == REF_POOL_FIRST
          && m->layout.class_token))
    return length;
  return m->layout.pool == REF_POOL_FIRST ? 0 : length - 1;
}

static void
finish_row (const RefModel * m, double *x /* (E) */ , double *y /* (D) */ )
{
  const RefLayout *l = &m->layout;
  g_autofree double *hidden = NULL, *out = NULL;
  double top = -INFINITY, sum = 0;

  if (l->fc_norm.gain)
    ref_norm (m, &l->fc_norm, x, 1);
  if (l->hidden.w) {
    hidden = ref_linear (&l->hidden, x, 1);
    for (gsize i = 0; i < l->hidden.n_out; i++)
      hidden[i] = ref_activate (l->hidden_activation, hidden[i]);
  }
  out = ref_linear (&m->head, hidden ? hidden : x, 1);
  for (gsize i = 0; i < m->D; i++)
    top = MAX (top, out[i]);
  for (gsize i = 0; i < m->D; i++)
    sum += exp (out[i] - top);
  for (gsize i = 0; i < m->D; i++) {
    y[i] = out[i];
    if (l->end && g_str_equal (l->end, "sigmoid"))
      y[i] = 1 / (1 + exp (-out[i]));
    else if (l->end)
      y[i] = out[i] - top - log (sum);
    if (l->end && g_str_equal (l->end, "softmax"))
      y[i] = exp (y[i]);
  }
}

void
ref_after_layers (const RefModel * m, double *x, gsize n, RefAnswer * answer)
{
  const gsize E = m->E, W = m->N + ref_n_class (m) + ref_n_fixed (m);
  g_autofree double *pooled = g_new0 (double, E);

  if (m->encoder_norm.gain)
    ref_norm (m, &m->encoder_norm, x, n);
  if (m->norm.gain)
    ref_norm (m, &m->norm, x, n);
  if (!reduces (m)) {
    for (gsize i = 0; i < n; i++)
      finish_row (m, x + i * E, answer->y + i * m->D);
    return;
  }
  for (gsize e = 0; e < E; e++) {
    double top = -INFINITY;

    for (gsize i = 0; i < n; i++) {
      top = MAX (top, x[i * E + e]);
      pooled[e] += x[i * E + e] / n;
    }
    if (m->layout.pool == REF_POOL_MAX)
      pooled[e] = top;
  }
  finish_row (m, pooled, answer->y);
  for (gsize h = 0; h < m->H; h++)
    for (gsize j = 0; j < W; j++) {
      double sum = 0;

      for (gsize i = 0; i < n; i++)
        sum += answer->weights[(h * n + i) * W + j];
      answer->weights[h * W + j] = sum / n;
    }
}
