/* libcontinual: attention over a whole window, all of whose vectors are new
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nn.MultiheadAttention, for the layers above the first of a stack in window mode: there every vector changes at every
 * step. */
#include "attention/attention.h"
#include "math/softmax.h"
#include "math/team.h"
#include <string.h>

gsize
co_attention_window_scratch_size (const CoAttention * self)
{
  const gsize rows = self->sequence_len + self->n_class;
  const gsize keys = rows + self->n_fixed;

  return rows * (self->q.n_out + self->k.n_out + self->v.n_out) +
      rows * keys + rows * self->out.n_in;
}

static gsize
query_scratch_size (const CoAttention * self)
{
  const gsize rows = self->sequence_len + self->n_class;
  const gsize keys = rows + self->n_fixed, H = self->n_heads;

  if (!self->k_heads_t)
    return rows * (self->q.n_out + self->k.n_out + self->v.n_out) + keys +
        self->out.n_in;
  return self->q.n_out + self->out.n_in + H * keys +
      H * (self->k.n_in + self->v.n_in);
}

static gsize
no_state (const CoAttention * self)
{
  return 0;
}

static guint64
macs (const CoAttention * self)
{
  const guint64 rows = self->sequence_len + self->n_class;

  return rows * rows * (self->q.n_out + self->out.n_in);
}

const CoAttentionClass co_window_class = {
  .name = "window",
  .window = TRUE,
  .state_size = no_state,
  .scratch_size = co_attention_window_scratch_size,
  .macs = macs,
};

const CoAttentionClass co_window_query_class = {
  .name = "window",
  .window = TRUE,
  .state_size = no_state,
  .scratch_size = query_scratch_size,
  .macs = macs,
};

/* Gives the weights @a (n, keys) of head @h. */
static void
give (const CoWeights * weights, gsize h, const float *a, gsize n, gsize keys)
{
  if (!weights->mean) {
    memcpy (weights->to + h * n * keys, a, n * keys * sizeof (float));
    return;
  }
  for (gsize j = 0; j < keys; j++) {
    double sum = 0;

    for (gsize i = weights->first; i < weights->end; i++)
      sum += a[i * keys + j];
    weights->to[h * keys + j] = sum / (weights->end - weights->first);
  }
}

void
co_attention_window (const CoAttention * self, const float *u, gsize n,
    gsize oldest, float *y, const CoWeights * weights, float *scratch)
{
  const gsize width = self->q.n_out + self->k.n_out + self->v.n_out;

  co_linear (&self->qkv, u, self->qkv.n_in, n, scratch, width);
  if (co_attention_prepares (self))
    co_attention_prepare_window (self, scratch, n, oldest);
  co_attention_window_projected (self, scratch, n, y, weights,
      scratch + n * width);
}

/* What the heads of a window share */
typedef struct
{
  const CoAttention *attention;
  const float *p;               /* (n, q k v) */
  gsize n;
  float *context;               /* (n, H dv) */
  float *a;                     /* a thread's (n, n + n_fixed) logits and weights */
  gsize stride;                 /* from one thread's to the next's */
  const CoWeights *weights;
} Heads;

static void
attend_heads (gconstpointer data, guint thread, gsize begin, gsize end)
{
  const Heads *x = data;
  const CoAttention *self = x->attention;
  const gsize width = self->q.n_out + self->k.n_out + self->v.n_out;
  const gsize dk = self->d_key, dv = self->d_value, fixed = self->n_fixed;
  const gsize n = x->n, keys = n + fixed;
  float *a = x->a + thread * x->stride;

  for (gsize h = begin; h < end; h++) {
    const gsize kv = co_attention_kv_head (self, h);
    const float *q = x->p + h * dk, *k = x->p + self->q.n_out + kv * dk;
    const float *v = x->p + self->q.n_out + self->k.n_out + kv * dv;
    float *context = x->context + h * dv;

    co_matmul_nt (n, n, dk, self->scale, q, width, k, width, 0, a, keys);
    if (fixed > 0)
      co_matmul_nt (n, fixed, dk, self->scale, q, width, self->fixed_k + kv * dk,
          self->k.n_out, 0, a + n, keys);
    for (gsize i = 0; i < n; i++)
      co_softmax (a + i * keys, keys);
    co_matmul_nn (n, dv, n, 1, a, keys, v, width, 0, context, self->out.n_in);
    if (fixed > 0)
      co_matmul_nn (n, dv, fixed, 1, a + n, keys, self->fixed_v + kv * dv,
          self->v.n_out, 1, context, self->out.n_in);
    if (x->weights)
      give (x->weights, h, a, n, keys);
  }
}

void
co_attention_window_projected (const CoAttention * self, const float *p,
    gsize n, float *y, const CoWeights * weights, float *scratch)
{
  const gsize keys = n + self->n_fixed;
  float *context = scratch + n * keys;
  const Heads heads = {.attention = self,.p = p,.n = n,.context = context,.a = scratch,.stride =
        co_attention_scratch_size (self),.weights = weights };

  co_team_run (attend_heads, &heads, self->n_heads, co_team_least (n * keys * (self->d_key +
              self->d_value)));
  co_linear (&self->out, context, self->out.n_in, n, y, self->out.n_out);
}

/* One query where keys differ from a projection: all rows are projected and prepared. */
static void
query_prepared (const CoAttention * self, const float *u, gsize n,
    gsize oldest, gsize row, float *y, float *weights, float *scratch)
{
  const gsize width = self->q.n_out + self->k.n_out + self->v.n_out;
  const gsize dk = self->d_key, dv = self->d_value, x = self->n_fixed;
  const gsize keys = n + x;
  float *p = scratch, *a = p + n * width, *context = a + keys;

  co_linear (&self->qkv, u, self->qkv.n_in, n, p, width);
  if (co_attention_prepares (self))
    co_attention_prepare_window (self, p, n, oldest);
  for (gsize h = 0; h < self->n_heads; h++) {
    const gsize kv = co_attention_kv_head (self, h);
    const float *q = p + row * width + h * dk;
    const float *k = p + self->q.n_out + kv * dk;
    const float *v = p + self->q.n_out + self->k.n_out + kv * dv;

    for (gsize j = 0; j < keys; j++)
      a[j] = self->scale * co_kernels->dot (q, j < n ? k + j * width
          : self->fixed_k + (j - n) * self->k.n_out + kv * dk, dk);
    co_softmax (a, keys);
    memset (context + h * dv, 0, dv * sizeof (float));
    for (gsize j = 0; j < keys; j++)
      co_kernels->axpy (a[j], j < n ? v + j * width
          : self->fixed_v + (j - n) * self->v.n_out + kv * dv,
          context + h * dv, dv);
    if (weights)
      memcpy (weights + h * keys, a, keys * sizeof (float));
  }
  co_linear (&self->out, context, self->out.n_in, 1, y, self->out.n_out);
}

/* What the heads of one query share */
typedef struct
{
  const CoAttention *attention;
  const float *u;               /* (n, E) */
  gsize n;
  const float *q;               /* (H dk) scaled */
  float *a;                     /* (H, n + n_fixed) logits, then weights */
  float *w_k;                   /* (H, E) */
  float *z;                     /* (H, E) */
  float *context;               /* (H dv) */
} Query;

static void
query_heads (gconstpointer data, guint thread, gsize begin, gsize end)
{
  const Query *x = data;
  const CoAttention *self = x->attention;
  const gsize E = self->k.n_in, F = self->v.n_in, H = self->n_heads;
  const gsize dk = self->d_key, dv = self->d_value, n = x->n, fixed = self->n_fixed;

  for (gsize h = begin; h < end; h++) {
    const float *q = x->q + h * dk;
    float *a = x->a + h * (n + fixed), *w_k = x->w_k + h * E, *z = x->z + h * F;
    float *context = x->context + h * dv;
    float bias = self->k.b ? co_kernels->dot (q, self->k.b + h * dk, dk) : 0, mass = 0;

    co_kernels->linear_row (self->k_heads_t + h * co_panels_size (E, dk),
        dk * CO_PANEL, E, dk, q, w_k);
    co_kernels->dots (x->u, E, n, E, w_k, a);
    for (gsize j = 0; j < n; j++)
      a[j] += bias;
    for (gsize j = 0; j < fixed; j++)
      a[n + j] = co_kernels->dot (q, self->fixed_k + (j * H + h) * dk, dk);
    co_softmax (a, n + fixed);
    memset (z, 0, F * sizeof (float));
    co_kernels->linear_transposed (x->u, F, n, F, a, z);
    co_kernels->linear_row (self->v_heads + h * co_panels_size (dv, F),
        F * CO_PANEL, dv, F, z, context);
    for (gsize j = 0; j < n; j++)
      mass += a[j];
    if (self->v.b)
      co_kernels->axpy (mass, self->v.b + h * dv, context, dv);
    for (gsize j = 0; j < fixed; j++)
      co_kernels->axpy (a[n + j], self->fixed_v + (j * H + h) * dv, context, dv);
  }
}

/* The other positions are not projected. With s_j = q.(W_k u_j + b_k) = (W_k^T q).u_j + q.b_k the
 * logits need one product per head, and the context sum_j a_j (W_v u_j + b_v) = W_v (sum_j a_j u_j) + b_v sum_j a_j needs another. */
void
co_attention_window_query (const CoAttention * self, const float *u, gsize n,
    gsize oldest, gsize row, float *y, float *weights, float *scratch)
{
  const gsize E = self->k.n_in, H = self->n_heads, keys = n + self->n_fixed;
  float *q = scratch, *context = q + self->q.n_out;
  float *a = context + self->out.n_in, *w_k = a + H * keys, *z = w_k + H * E;
  const Query query = { self, u, n, q, a, w_k, z, context };

  if (!self->k_heads_t) {
    query_prepared (self, u, n, oldest, row, y, weights, scratch);
    return;
  }
  co_linear (&self->q, u + row * self->q.n_in, self->q.n_in, 1, q,
      self->q.n_out);
  for (gsize i = 0; i < self->q.n_out; i++)
    q[i] *= self->scale;
  co_team_run (query_heads, &query, H, co_team_least (E * (self->d_key + self->d_value + 2 * n)));
  if (weights)
    memcpy (weights, a, H * keys * sizeof (float));
  co_linear (&self->out, context, self->v.n_out, 1, y, self->out.n_out);
}
