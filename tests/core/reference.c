/* The naive truth: small random models, evaluated in float64 by plain loops
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything is computed anew for every answer, from the definition. Nothing here is shared with the library. */
#include "reference-attention.h"
#include "reference-layout.h"
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
ref_n_class (const RefModel * m)
{
  return m->layout.class_token ? 1 : 0;
}

/* Attention weights of a query in the last layer */
static gsize
ref_n_keys (const RefModel * m)
{
  const gsize *last = m->windows[m->L - 1];

  return (last[0] ? last[0] + last[1] : m->N) + ref_n_class (m) +
      ref_n_fixed (m);
}

gsize
ref_n_positions (const RefModel * m)
{
  return is (m, "retroactive") && m->layout.pool == REF_POOL_NONE ? m->N : 1;
}

static gboolean
has_window (const RefModel * m)
{
  return m->N > 0;
}

gsize
ref_n_answers (const RefModel * m, guint64 n, gsize filled, gsize * age)
{
  gsize warm_up = 1;

  *age = 0;
  if (is (m, "kernel"))
    return filled == m->chunk_len ? m->chunk_len : 0;
  if (has_window (m)) {
    *age = (m->query_index < 0 ? 0 : m->N) - 1 - m->query_index;
    if (is (m, "deep"))
      *age = ref_look_ahead (m);
    if (!m->partial)
      warm_up = is (m, "deep") ? ref_look_back (m) + 1 : m->N;
    if (is (m, "deep"))
      warm_up += ref_look_ahead (m);
  }
  return n >= warm_up && (m->layout.interval <= 1
      || (n - warm_up) % m->layout.interval == 0) ? 1 : 0;
}

gsize
ref_reach (const RefModel * m)
{
  if (is (m, "kernel"))
    return m->cache ? G_MAXSIZE : m->window_len * m->chunk_len;
  if (!has_window (m))
    return m->drop_oldest ? m->L * (m->max_len - 1) + 1 : G_MAXSIZE;
  return is (m, "deep") ? ref_look_back (m) + ref_look_ahead (m) + 1 : m->N;
}

gsize
ref_look_ahead (const RefModel * m)
{
  gsize sum = 0;

  for (gsize l = 0; l < m->L; l++)
    sum += m->windows[l][1];
  return sum;
}

gsize
ref_look_back (const RefModel * m)
{
  gsize sum = 0;

  for (gsize l = 0; l < m->L; l++)
    sum += (m->windows[l][0] ? m->windows[l][0] : m->N) - 1;
  return sum;
}

double
ref_tolerance (const RefAnswer * answer)
{
  double largest = MAX (1, answer->largest_output);

  return (1e-4 * largest + ldexp (answer->largest_logit, -23) *
      MAX (largest, answer->largest_weighed)) * answer->condition;
}

void
ref_answer_clear (RefAnswer * answer)
{
  g_clear_pointer (&answer->y, g_free);
  g_clear_pointer (&answer->weights, g_free);
}

/* ---- the parts of a layer ---- */

double *
ref_linear (const RefLinear * f, const double *x, gsize n)
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

void
ref_norm (const RefModel * m, const RefNorm * f, double *x, gsize n)
{
  for (gsize r = 0; r < n; r++) {
    double *row = x + r * f->n, mean = 0, var = 0;
    for (gsize i = 0; i < f->n && !m->rms; i++)
      mean += row[i] / f->n;
    for (gsize i = 0; i < f->n; i++)
      var += (row[i] - mean) * (row[i] - mean) / f->n;
    for (gsize i = 0; i < f->n; i++)
      row[i] = (row[i] - mean) / sqrt (var + m->eps) *
          (f->gain[i] + (m->unit_offset ? 1 : 0)) +
          (f->bias ? f->bias[i] : 0);
  }
}

double
ref_activate (const gchar * name, double x)
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

/* What the memories of rows @from to @n add to each, normed */
static void
ask_memory (const RefModel * m, const RefLayer * layer, double *x, gsize from,
    gsize n, const RefMemory * const *memory, RefAnswer * answer)
{
  const RefAttention *cross = &layer->cross;
  g_autofree double *q = ref_linear (&cross->q, x, n);

  for (gsize i = from; i < n; i++) {
    g_autofree double *vectors = widen (memory[i]->x,
        memory[i]->n * cross->k.n_in);
    g_autofree double *k = ref_linear (&cross->k, vectors, memory[i]->n);
    g_autofree double *v = ref_linear (&cross->v, vectors, memory[i]->n);
    g_autofree double *context = g_new (double, cross->v.n_out), *a = NULL;
    const RefKeys keys = {
      .attention = cross,.q = q,.k = k,.v = v,.to = memory[i]->n
    };

    if (m->cross_linear)
      ref_attend_linear (m, &keys, i, NULL, context, answer);
    else
      ref_attend (m, &keys, i, context, NULL, 0, answer);
    a = ref_linear (&cross->out, context, 1);
    add (x + i * m->E, a, m->E);
  }
  ref_norm (m, &layer->norm2, x, n);
}

/* x is the residual and the result, a what the attention gave. */
static void
feed_forward (const RefModel * m, const RefLayer * layer, double *x, double *a,
    gsize from, gsize n, const RefMemory * const *memory, RefAnswer * answer)
{
  g_autofree double *u = NULL, *ff = NULL, *y = NULL;

  if (m->bare) {
    memcpy (x, a, n * layer->self.out.n_out * sizeof (double));
    return;
  }
  add (x, a, n * m->E);
  if (!m->norm_first)
    ref_norm (m, &layer->norm1, x, n);
  if (m->decoder)
    ask_memory (m, layer, x, from, n, memory, answer);
  u = g_memdup2 (x, n * m->E * sizeof (double));
  if (m->norm_first)
    ref_norm (m, &layer->norm2, u, n);
  ff = ref_linear (&layer->linear1, u, n);
  for (gsize i = 0; i < n * layer->linear1.n_out; i++)
    ff[i] = ref_activate (m->activation, ff[i]);
  y = ref_linear (&layer->linear2, ff, n);
  add (x, y, n * m->E);
  if (!m->norm_first)
    ref_norm (m, m->decoder ? &layer->norm3 : &layer->norm2, x, n);
}

/* Rotary positions of the rows' heads, from position @position on */
static void
rotate (const RefModel * m, double *x, gsize n, gsize width, guint64 position)
{
  const gsize d = m->E / m->H, turned = m->rope_partial * d;

  for (gsize r = 0; m->rope_theta > 0 && r < n; r++)
    for (gsize h = 0; h < width / d; h++)
      for (gsize i = 0; i < turned / 2; i++) {
        const double angle = (position + r) * pow (m->rope_theta, -2. * i / turned);
        double *head = x + r * width + h * d;
        double *a = head + (m->rope_interleaved ? 2 * i : i);
        double *b = m->rope_interleaved ? a + 1 : a + turned / 2;
        const double old = *a;

        *a = old * cos (angle) - *b * sin (angle);
        *b = *b * cos (angle) + old * sin (angle);
      }
}

/* One layer over @rows, in place. @lookback: a row sees itself and the lookback - 1 rows before it (0: all before it);
 * G_MAXSIZE: every row sees all. @last: only rows from @asking on matter, and their weights (H, n_asking, W). */
static void
forward_layer (const RefModel * m, const RefLayer * layer, Rows * rows,
    const RefInput * input, guint64 position, gsize lookback, gsize right,
    gboolean last, gsize asking, gsize n_asking, RefAnswer * answer)
{
  const RefAttention *self = &layer->self;
  const gsize n = rows->n, W = ref_n_keys (m), width = self->v.n_out;
  const gsize first = last ? asking : rows->first;
  const gsize end = last ? asking + n_asking : n;
  g_autofree double *u = g_memdup2 (rows->x, n * m->E * sizeof (double));
  g_autofree double *key = NULL, *value = NULL, *q = NULL, *k = NULL, *v = NULL;
  g_autofree double *a = NULL, *context = g_new0 (double, n * width);
  RefKeys keys = {.attention = self,.layer = layer };

  if (m->norm_first && !m->bare)
    ref_norm (m, &layer->norm1, u, n);
  if (m->bare && input->key)
    key = widen (input->key, n * self->k.n_in);
  if (m->bare && input->value)
    value = widen (input->value, n * self->v.n_in);
  keys.q = q = ref_linear (&self->q, u, n);
  keys.k = k = ref_linear (&self->k, key ? key : u, n);
  keys.v = v = ref_linear (&self->v, value ? value : key ? key : u, n);
  rotate (m, q, n, self->q.n_out, position);
  rotate (m, k, n, self->k.n_out, position);
  if (is (m, "recurrent-linear"))
    ref_attend_causally (m, &keys, n, input->n_repeated, input->repeats,
        context, answer);
  for (gsize i = first; i < end && !is (m, "recurrent-linear"); i++) {
    keys.from = rows->first;
    keys.to = lookback == G_MAXSIZE ? n : i + 1;
    if (lookback > 0 && keys.to - keys.from > lookback && lookback != G_MAXSIZE)
      keys.from = keys.to - lookback;
    keys.to = MIN (n, keys.to + right);
    keys.end = lookback != G_MAXSIZE ? i + 1 + right : n;
    if (is (m, "kernel"))
      ref_attend_linear (m, &keys, i, input->chunk, context + i * width,
          answer);
    else
      ref_attend (m, &keys, i, context + i * width, last && has_window (m) ?
          answer->weights + (i - asking) * W : NULL, n_asking * W, answer);
  }
  a = ref_linear (&self->out, context, n);
  if (self->out.n_out > m->E)
    rows->x = g_renew (double, rows->x, n * self->out.n_out);
  feed_forward (m, layer, rows->x, a, first, end, input->memory, answer);
}

/* Norms and head of one row (E) */
static void
finish (const RefModel * m, double *x, double *y)
{
  g_autofree double *out = NULL;

  if (m->encoder_norm.gain)
    ref_norm (m, &m->encoder_norm, x, 1);
  if (m->norm.gain)
    ref_norm (m, &m->norm, x, 1);
  if (m->head.w)
    out = ref_linear (&m->head, x, 1);
  memcpy (y, out ? out : x, m->D * sizeof (double));
}

void
ref_answer (const RefModel * m, const RefInput * input, gsize n,
    guint64 position, gsize age, RefAnswer * answer)
{
  const gboolean all = is (m, "single-output") || is (m, "retroactive")
      || is (m, "kernel");
  const gsize positions = ref_n_positions (m), reach = ref_reach (m);
  const gsize lookback = all ? G_MAXSIZE : is (m, "deep") ? m->N
      : m->drop_oldest ? m->max_len : 0;
  const gsize length = MIN (n, reach), skip = n - length;
  const RefLayout *layout = &m->layout;
  const gsize asking = ref_n_asking (m, length);
  const gsize row = layout->on ? ref_first_asking (m, length)
      : positions > 1 ? 0 : length - 1 - age;
  const gsize out = m->layers[m->L - 1].self.out.n_out;
  const gboolean from_reset = position + skip == 0;
  const RefAttention *first = &m->layers[0].self;
  const RefInput rest = {
    .key = input->key ? input->key + skip * first->k.n_in : NULL,
    .value = input->value ? input->value + skip * first->v.n_in : NULL,
    .chunk = input->chunk ? input->chunk + skip : NULL,
    .memory = input->memory ? input->memory + skip : NULL,
    .n_repeated = input->n_repeated,.repeats = input->repeats,
  };
  g_autofree double *x = widen (input->x + skip * m->C, length * m->C);
  Rows rows = {.n = length };

  g_assert (from_reset || n >= reach);
  *answer = (RefAnswer) {.condition = 1};
  answer->y = g_new0 (double, positions * m->D);
  answer->weights = g_new0 (double, m->H * MAX (positions, asking) *
      ref_n_keys (m));
  if (layout->on)
    rows.x = ref_before_layers (m, x, length, position + skip);
  else
    rows.x = m->embed.w ? ref_linear (&m->embed, x, length)
        : g_memdup2 (x, length * m->C * sizeof (double));
  for (gsize i = 0; !layout->on && m->positions && i < length; i++)
    for (gsize e = 0; e < m->E; e++)
      rows.x[i * m->E + e] +=
          m->positions[(position + skip + i) % m->P * m->E + e];
  rows.n += ref_n_class (m);
  for (gsize l = 0; l < m->L; l++) {
    const gsize left = is (m, "deep") && m->windows[l][0] ? m->windows[l][0]
        : lookback;

    forward_layer (m, &m->layers[l], &rows, &rest, position + skip, left,
        m->windows[l][1], l + 1 == m->L,
        row, layout->on ? asking : positions, answer);
    /* Rows whose window was not full yet never came out, unless windows may be partial. */
    if (is (m, "deep") ? !(m->partial && from_reset) : m->drop_oldest
        && !from_reset)
      rows.first += left - 1;
  }
  g_assert (row >= rows.first);
  if (layout->on)
    ref_after_layers (m, rows.x + row * out, asking, answer);
  for (gsize i = 0; !layout->on && i < positions; i++)
    finish (m, rows.x + (row + i) * out, answer->y + i * m->D);
  for (gsize i = 0; i < positions * m->D; i++)
    answer->largest_output = MAX (answer->largest_output, fabs (answer->y[i]));
  g_free (rows.x);
}
