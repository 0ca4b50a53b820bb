/* libcontinual: attention of all N queries over the last N keys, updated
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RetroactiveMultiheadAttention (Hedegaard & Iosifidis, "Continual Transformers", ICLR 2023, eq. 4-6), after the output
 * projection and the carry (stack/carry.c), both of which are linear in the values. Per key and head c_j = W_h v_j, and
 * per query i and head
 *
 *   m_i   the largest logit since the row was last recomputed
 *   d_i   sum_j exp (s_ij - m_i)
 *   P_i   sum_j exp (s_ij - m_i) c_j,   so that the output is sum_h P_i / d_i.
 *
 * A new key and an evicted key are rank-one updates of P. An evicted key subtracts exactly what it added, because its
 * logits are bit-identical whenever they are computed. If evicting a key removes most of a row's denominator or
 * numerator, the remainder is cancellation error: the row is recomputed, as the row of a new query is:
 * P_i = W_h sum_j exp (s_ij - m_i) v_j. A row exists for N steps only, so errors do not accumulate. */
#include "attention/attention.h"
#include "math/softmax.h"
#include "math/team.h"
#include <string.h>

/* A row is recomputed when d or v falls below its largest value since the last time by this factor. */
#define MASS_LOST (1.f / 16)

typedef struct
{
  CoKeys keys;                  /* the fixed ones, then the ring's N */
  float *q;                     /* (H) panels of (W, dk) */
  float *m, *d, *d_max;         /* (H, W) */
  float *v, *v_max;             /* (H, W) sum_j exp (s_ij - m_i) |c_j|, and its maximum since the row was recomputed */
  float *size;                  /* (H, x + N) |c_j|: the largest element of c_j */
  float *p;                     /* (N, H, C) */
} State;

typedef struct
{
  gsize q, m, size, p, end;     /* offsets in floats; the keys are at 0 */
} Layout;

static gsize
n_keys (const CoAttention * self)
{
  return self->n_fixed + self->sequence_len;
}

static Layout
lay_out (const CoAttention * self)
{
  const gsize N = self->sequence_len, H = self->n_heads, keys = n_keys (self);
  const gsize W = CO_ALIGN_FLOATS (N);
  Layout l;

  l.q = co_keys_size (self, CO_ALIGN_FLOATS (keys));
  l.m = l.q + H * self->d_key * W;
  l.size = l.m + 5 * H * W;
  l.p = l.size + CO_ALIGN_FLOATS (H * keys);
  l.end = l.p + CO_ALIGN_FLOATS (N * H * self->n_carried);
  return l;
}

static State
open_state (const CoAttention * self, CoStateHeader * header)
{
  const Layout l = lay_out (self);
  const gsize rows = self->n_heads * CO_ALIGN_FLOATS (self->sequence_len);
  float *f = co_state_numbers (header);
  float *m = f + l.m;

  return (State) {
  .keys = co_keys_open (self, f, CO_ALIGN_FLOATS (n_keys (self))),.q =
        f + l.q,.m = m,.d = m + rows,.d_max = m + 2 * rows,.v =
        m + 3 * rows,.v_max = m + 4 * rows,.size = f + l.size,.p = f + l.p};
}

static gsize
state_size (const CoAttention * self)
{
  return sizeof (CoStateHeader) + CO_ALIGN_BYTES (lay_out (self).end * sizeof (float));
}

/* The logits of two vectors with every vector of the other side. Always two rows: the summation order is then fixed, so
 * q.k is bit-identical whichever side is the matrix. */
static void
logits (const CoAttention * self, const float *x /* (2, dk) */ ,
    const float *others /* panels of (W, dk) */ , gsize n,
    float *s /* (2, n) */ )
{
  const gsize dk = self->d_key;

  co_kernels->linear (others, dk * CO_PANEL, NULL, n, dk, x, dk, 2, s, n);
  for (gsize i = 0; i < 2 * n; i++)
    s[i] *= self->scale;
}

/* The first feature of vector @at in a head's panels of (W, dk) */
static float *
column (const CoAttention * self, float *panels, gsize at)
{
  return panels + at / CO_PANEL * self->d_key * CO_PANEL + at % CO_PANEL;
}

static void
read_column (const CoAttention * self, float *panels, gsize at,
    float *x /* (dk) */ )
{
  const float *from = column (self, panels, at);

  for (gsize i = 0; i < self->d_key; i++)
    x[i] = from[i * CO_PANEL];
}

/* c = W_h v of each row */
static void
project_values (const CoAttention * self, gsize h, const float *v /* (n, dv) */ ,
    gsize n, float *c /* (n, C) */ )
{
  const gsize C = self->n_carried, dv = self->d_value;

  co_kernels->linear (self->out_heads + h * co_panels_size (C, dv),
      dv * CO_PANEL, NULL, C, dv, v, dv, n, c, C);
}

/* The logits of queries @i and @j of a head with all keys */
static void
attend_pair (const CoAttention * self, const State * s, gsize h, gsize i, gsize j,
    gsize keys, float *e /* (2, keys) */ , float *pair /* (2, dk) */ )
{
  const gsize W = CO_ALIGN_FLOATS (self->sequence_len), dk = self->d_key;

  read_column (self, s->q + h * W * dk, i, pair);
  read_column (self, s->q + h * W * dk, j, pair + dk);
  logits (self, pair, s->keys.k + co_attention_kv_head (self, h) *
      s->keys.width * dk, keys, e);
}

/* Recomputes m, d, v, the new key's exponential b and the context of rows of a head */
static void
recompute_rows (const CoAttention * self, const State * s, gsize h,
    const guint32 *rows, gsize n_rows, gsize slot, gsize keys,
    float *b /* (W) */ , float *context /* (n_rows, dv) */ ,
    float *e /* (2, keys) */ , float *pair)
{
  const gsize W = CO_ALIGN_FLOATS (self->sequence_len);

  for (gsize r = 0; r < n_rows; r++) {
    const gsize i = h * W + rows[r];
    float *e_r = e + r % 2 * keys;

    if (r % 2 == 0)
      attend_pair (self, s, h, rows[r], rows[MIN (r + 1, n_rows - 1)], keys, e, pair);
    s->m[i] = co_kernels->max (e_r, keys);
    s->d[i] = s->d_max[i] = co_kernels->exp_sum (e_r, s->m[i], e_r, keys);
    s->v[i] = s->v_max[i] =
        co_kernels->dot (e_r, s->size + h * n_keys (self), keys);
    b[rows[r]] = e_r[self->n_fixed + slot];
    co_keys_sum (self, &s->keys, co_attention_kv_head (self, h), keys, e_r,
        context + r * self->d_value);
  }
}

/* TRUE if subtracting the evicted key cancels too many digits, of the denominator d or of the numerator's size v. */
static gboolean
is_lost (float d_left, float d_max, float v_left, float v_max)
{
  return d_left < d_max * MASS_LOST
      || (v_left < v_max * MASS_LOST && v_max * MASS_LOST > d_left);
}

/* The update of the rows of a head when the key in slot @slot, with logits @s_old, is replaced by one with @s_new. Writes
 * the factors of P (f), of the evicted key (a) and of the new key (b), and the rows to recompute. */
static gsize
exchange_keys (const CoAttention * self, const State * s, gsize h, gsize n,
    gsize slot, gboolean full, const float *s_new /* (n) */ ,
    const float *s_old /* (n) */ , float *f, float *a, float *b /* (n) */ ,
    guint32 *rows)
{
  const gsize W = CO_ALIGN_FLOATS (self->sequence_len);
  float *size = s->size + h * n_keys (self) + self->n_fixed + slot;
  const float evicted = *size;
  float *m = s->m + h * W, *d = s->d + h * W, *d_max = s->d_max + h * W;
  float *v = s->v + h * W, *v_max = s->v_max + h * W;
  gboolean still = TRUE;
  gsize n_rows = 0;

  /* a: exp (s_old - m), b: exp (s_new - m'), f: exp (m - m') */
  for (gsize i = 0; i < n; i++) {
    float top = MAX (m[i], s_new[i]);
    a[i] = full ? s_old[i] - m[i] : -G_MAXFLOAT;
    b[i] = s_new[i] - top;
    f[i] = m[i] - top;
    still &= f[i] == 0;
    m[i] = top;
  }
  co_kernels->exp_sum (a, 0, a, n);
  co_kernels->exp_sum (b, 0, b, n);
  if (still)
    for (gsize i = 0; i < n; i++)
      f[i] = 1;
  else
    co_kernels->exp_sum (f, 0, f, n);
  for (gsize i = 0; i < n; i++) {
    float d_left = d[i] - a[i], v_left = v[i] - a[i] * evicted;
    if (i == slot || is_lost (d_left, d_max[i], v_left, v_max[i]))
      rows[n_rows++] = i;
    d[i] = d_left * f[i] + b[i];
    d_max[i] = MAX (d_max[i] * f[i], d[i]);
    v[i] = v_left * f[i];
    v_max[i] *= f[i];
    a[i] *= -f[i];
  }
  *size = 0;
  return n_rows;
}

/* Sets the size of the new key in slot @slot of a head, whose weight in row i is b[i]. */
static void
add_size (const CoAttention * self, const State * s, gsize h, gsize n,
    gsize slot, float added, const float *b /* (n) */ )
{
  const gsize W = CO_ALIGN_FLOATS (self->sequence_len);
  float *v = s->v + h * W, *v_max = s->v_max + h * W;

  s->size[h * n_keys (self) + self->n_fixed + slot] = added;
  for (gsize i = 0; i < n; i++) {
    v[i] += b[i] * added;
    v_max[i] = MAX (v_max[i], v[i]);
  }
}

static void
put_fixed (const CoAttention * self, CoStateHeader * header,
    float *c /* (C) */ )
{
  const State state = open_state (self, header), *s = &state;
  const gsize H = self->n_heads, dv = self->d_value;

  for (gsize j = 0; j < self->n_fixed; j++) {
    const float *v = self->fixed_v + j * self->v.n_out;

    co_keys_put (self, &s->keys, j, self->fixed_k + j * self->k.n_out, v);
    for (gsize h = 0; h < H; h++) {
      project_values (self, h, v + co_attention_kv_head (self, h) * dv, 1, c);
      s->size[h * n_keys (self) + j] = co_kernels->peak (c, self->n_carried);
    }
  }
}

/* One query's weights: e / sum over the fixed keys, then the slots */
typedef struct
{
  float *e;                     /* (x + n) */
  float sum;
} RowWeights;

/* Of the query in slot @i of a head, or of the class token, at n. Rows come in order, from an even one on: @e (2, x + n) keeps
 * the logits of two. */
static RowWeights
weigh_row (const CoAttention * self, const State * s, gsize h, gsize i,
    gsize n, float *e, float *pair, float *scratch)
{
  const gsize keys = self->n_fixed + n;
  RowWeights row;

  if (i == n) {
    row.e = scratch + self->out.n_in;
    row.sum = co_keys_attend (self, &s->keys, h, keys, self->class_q, scratch,
        row.e);
    return row;
  }
  if (i % 2 == 0)
    attend_pair (self, s, h, i, MIN (i + 1, n - 1), keys, e, pair);
  row.e = e + i % 2 * keys;
  row.sum = co_softmax_unnormalised (row.e, keys);
  return row;
}

/* The weights that are asked of @n queries, the newest in slot @slot, and of the class token */
static void
give_weights (const CoAttention * self, const State * s, gsize n, gsize slot,
    const CoWeights * weights, float *e, float *pair, float *scratch)
{
  const gsize N = self->sequence_len, x = self->n_fixed;
  const gsize rows = N + self->n_class, keys = x + n;
  const gsize first = weights->mean && weights->first < n ?
      weights->first / 2 * 2 : weights->mean ? n : 0;
  const gsize end = weights->mean ? weights->end : n + self->n_class;
  double *sums = (double *) scratch;
  float *mean = (float *) (sums + keys), *rest = mean + keys;

  for (gsize h = 0; h < self->n_heads; h++) {
    memset (sums, 0, keys * sizeof (double));
    for (gsize i = first; i < end; i++) {
      const RowWeights row = weigh_row (self, s, h, i, n, e, pair, rest);
      const gsize position = i == n ? N : N - n + (i + n - 1 - slot) % n;

      if (!weights->mean)
        co_attention_order_weights (self, row.e, 1, 1 / row.sum, n, slot,
            weights->to + (h * rows + position) * (N + x));
      for (gsize j = 0; weights->mean && i >= weights->first && j < keys; j++)
        sums[j] += row.e[j] / row.sum;
    }
    if (!weights->mean)
      continue;
    for (gsize j = 0; j < keys; j++)
      mean[j] = sums[j] / (end - weights->first);
    co_attention_order_weights (self, mean, 1, 1, n, slot,
        weights->to + h * (N + x));
  }
}

/* What the heads of a step share */
typedef struct
{
  const CoAttention *attention;
  State state;
  const float *q, *k, *v;       /* (H dk), (Hk dk), (Hk dv) of the new vector */
  float *old_k, *old_v;         /* (Hk dk), (Hk dv) of the evicted one */
  gsize n, slot;                /* queries; the new vector's place */
  gboolean full;
  float *f, *a, *b, *part;      /* (H, W) of CoExchange */
  float *added, *evicted;       /* (H, C) */
  float *context;               /* (H dv) of the class token */
  float *own;                   /* what a thread needs for a head, see own_size() */
  gsize stride;                 /* from one thread's to the next's */
} Exchange;

/* Floats that a thread needs for a head: pairs of queries or keys, values, their projections, logits and the rows to
 * recompute */
static gsize
own_size (const CoAttention * self)
{
  const gsize N = self->sequence_len, keys = n_keys (self);
  const gsize exchange = 2 * self->d_key + (N + 2) * (self->d_value + self->n_carried) + 2 * keys + N;

  return MAX (exchange, co_keys_scratch_size (self, keys));
}

static void
exchange_heads (gconstpointer data, guint thread, gsize begin, gsize end)
{
  const Exchange *x = data;
  const CoAttention *self = x->attention;
  const State *s = &x->state;
  const gsize N = self->sequence_len, C = self->n_carried, H = self->n_heads;
  const gsize dk = self->d_key, dv = self->d_value, W = CO_ALIGN_FLOATS (N);
  const gsize n = x->n, keys = self->n_fixed + n;
  float *pair = x->own + thread * x->stride, *values = pair + 2 * dk;
  float *c = values + (N + 2) * dv, *e = c + (N + 2) * C;
  guint32 *rows = (guint32 *) (e + 2 * n_keys (self));

  for (gsize h = begin; h < end; h++) {
    const gsize kv = co_attention_kv_head (self, h);
    float *q_h = s->q + h * W * dk, *to = column (self, q_h, x->slot);
    float *f = x->f + h * W, *a = x->a + h * W, *b = x->b + h * W;
    gsize n_rows;

    /* The new key and value, then the evicted ones */
    memcpy (pair, x->k + kv * dk, dk * sizeof (float));
    memcpy (values, x->v + kv * dv, dv * sizeof (float));
    memcpy (pair + dk, x->old_k + kv * dk, dk * sizeof (float));
    memcpy (values + dv, x->old_v + kv * dv, dv * sizeof (float));
    for (gsize i = 0; i < dk; i++)
      to[i * CO_PANEL] = x->q[h * dk + i];
    logits (self, pair, q_h, n, e);
    n_rows = exchange_keys (self, s, h, n, x->slot, x->full, e, e + n, f, a, b, rows);

    /* The new value, the evicted one and the contexts of recomputed rows, projected together */
    recompute_rows (self, s, h, rows, n_rows, x->slot, keys, b, values + 2 * dv, e, pair);
    project_values (self, h, values, 2 + n_rows, c);
    memcpy (x->added + h * C, c, C * sizeof (float));
    memcpy (x->evicted + h * C, c + C, C * sizeof (float));
    add_size (self, s, h, n, x->slot, co_kernels->peak (c, C), b);
    for (gsize r = 0; r < n_rows; r++) {
      gsize i = rows[r];
      memcpy (s->p + (i * H + h) * C, c + (2 + r) * C, C * sizeof (float));
      f[i] = 1;
      a[i] = b[i] = 0;
    }
    for (gsize i = 0; i < n; i++)
      x->part[h * W + i] = 1 / s->d[h * W + i];
  }
}

static void
attend_heads (gconstpointer data, guint thread, gsize begin, gsize end)
{
  const Exchange *x = data;
  const CoAttention *self = x->attention;

  for (gsize h = begin; h < end; h++) {
    co_keys_attend (self, &x->state.keys, h, self->n_fixed + x->n, self->class_q, x->context,
        x->own + thread * x->stride);
    project_values (self, h, x->context + h * self->d_value, 1, x->added + h * self->n_carried);
  }
}

/* The row of the class token: its query is constant, so it attends to all keys in every step. */
static void
attend_class_token (const Exchange * x, float *y /* (C) */ )
{
  const CoAttention *self = x->attention;
  const gsize C = self->n_carried;

  co_team_run (attend_heads, x, self->n_heads, co_team_least (2 * x->n * self->d_key + C * self->d_value));
  memcpy (y, self->class_base, C * sizeof (float));
  for (gsize h = 0; h < self->n_heads; h++)
    co_kernels->axpy (1, x->added + h * C, y, C);
}

static gsize
step_window (const CoAttention * self, CoStateHeader * header, const float *proj,
    const float *base, gsize base_stride, float *y,
    const CoWeights * weights, float *scratch)
{
  const gsize N = self->sequence_len, C = self->n_carried, H = self->n_heads;
  const gsize dk = self->d_key, dv = self->d_value, W = CO_ALIGN_FLOATS (N);
  const guint64 t = header->taken++;
  const gsize slot = t % N, n = MIN (t + 1, N);
  float *f = scratch, *a = f + H * W, *b = a + H * W, *part = b + H * W;
  float *added = part + H * W, *evicted = added + H * C;
  float *old_k = evicted + H * C, *old_v = old_k + self->k.n_out;
  float *own = old_v + self->v.n_out;
  float *pair = own, *c = pair + 2 * dk, *e = c + C;
  float *rest = scratch + CO_ALIGN_FLOATS (own + own_size (self) - scratch);
  const Exchange exchange = {
    .attention = self,.state = open_state (self, header),.q = proj,.k =
        proj + self->q.n_out,.v = proj + self->q.n_out + self->k.n_out,.old_k =
        old_k,.old_v = old_v,.n = n,.slot = slot,.full = t >= N,.f = f,.a =
        a,.b = b,.part = part,.added = added,.evicted = evicted,.own =
        own,.stride = co_attention_scratch_size (self),.context = rest
  };
  const State *s = &exchange.state;

  if (t == 0)
    put_fixed (self, header, c);
  for (gsize kv = 0; kv < self->n_kv_heads; kv++)
    co_keys_get_head (self, &s->keys, kv, self->n_fixed + slot, old_k + kv * dk, old_v + kv * dv);
  co_keys_put (self, &s->keys, self->n_fixed + slot, exchange.k, exchange.v);
  co_team_run (exchange_heads, &exchange, H, co_team_least (4 * n * dk + 3 * C * dv));
  co_exchange (&(CoExchange) {
        .n_rows = n,.n_heads = H,.n = C,.p = s->p,.f = f,.a = a,.b = b,.c =
        part,.stride = W,.x = evicted,.z = added,.from = base,.from_stride =
        base_stride,.y = y});

  if (self->class_q)
    attend_class_token (&exchange, y + n * C);
  if (weights)
    give_weights (self, s, n, slot, weights, e, pair, rest);
  return n;
}

static gsize
scratch_size (const CoAttention * self)
{
  const gsize H = self->n_heads, keys = n_keys (self);
  const gsize W = CO_ALIGN_FLOATS (self->sequence_len), C = self->n_carried;

  return CO_ALIGN_FLOATS (4 * H * W + 2 * H * C + self->k.n_out +
      self->v.n_out + own_size (self)) + 3 * keys + self->out.n_in +
      co_keys_scratch_size (self, CO_ALIGN_FLOATS (keys));
}

static guint64
macs (const CoAttention * self)
{
  const guint64 N = self->sequence_len, H = self->n_heads, C = self->n_carried;

  return 4 * N * self->q.n_out + N * self->out.n_in + 3 * C * self->out.n_in +
      4 * N * H * C;
}

const CoAttentionClass co_retroactive_class = {
  .name = "retroactive",
  .window = TRUE,
  .whole_window = TRUE,
  .state_size = state_size,
  .scratch_size = scratch_size,
  .put_fixed = put_fixed,
  .macs = macs,
  .step_window = step_window,
};
