/* libcontinual: attention of all N queries over the last N keys, updated
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RetroactiveMultiheadAttention (Hedegaard & Iosifidis, "Continual Transformers", ICLR 2023, eq. 4-6), with the
 * output projection carried along. Per key and head c_j = W_o,h v_j is kept, and per query i and head
 *
 *   m_i   the largest logit since the row was exact
 *   d_i   sum_j exp (s_ij - m_i)
 *   P_i   sum_j exp (s_ij - m_i) c_j,   so that the output is b_o + sum_h P_i / d_i.
 *
 * A key that comes or goes is a rank-one update of P. What a key adds when it comes it takes when it goes, to the
 * bit, because its logit is kept. When most of a row's mass goes at once, or of the size of what it weighs, what is
 * left would be rounding error: such a row is summed anew. Every row lives for N steps only, so nothing drifts. */
#include "attention/attention.h"
#include <math.h>
#include <string.h>

/* A row is summed anew when d, or v, falls below its largest value since the last time by this factor. */
#define MASS_LOST (1.f / 16)
/* Rows that ask for it at once, in parts of the window, from which on a matrix product is cheaper. */
#define MANY_ROWS 0.15f
/* In place of a factor, which is never negative: a row that takes no part in the exchange. */
#define ANEW -1.f

typedef struct
{
  float *k, *q;                 /* (H) panels of (W, dk) */
  float *c;                     /* (H, x + N, E) */
  float *s;                     /* (H, x + N, W) logit of key j and query i */
  float *m, *d, *d_max;         /* (H, W) */
  float *v, *v_max;             /* (H, W) sum_j exp (s_ij - m_i) |c_j|, and its largest since the row was exact */
  float *size;                  /* (H, x + N) |c_j|: its largest element */
  float *p;                     /* (N, H, E) */
} State;

typedef struct
{
  gsize s, m, size, c, p, end;  /* floats before each; k and q come first */
} Layout;

static Layout
lay_out (const CoAttention * self)
{
  const gsize N = self->sequence_len, E = self->out.n_out, H = self->n_heads;
  const gsize W = CO_ALIGN_FLOATS (N), keys = self->n_fixed + N;
  Layout l;

  l.s = 2 * H * self->d_key * W;
  l.m = l.s + H * keys * W;
  l.size = l.m + 5 * H * W;
  l.c = l.size + CO_ALIGN_FLOATS (H * keys);
  l.p = l.c + CO_ALIGN_FLOATS (H * keys * E);
  l.end = l.p + CO_ALIGN_FLOATS (N * H * E);
  return l;
}

static State
open_state (const CoAttention * self, gpointer memory)
{
  const Layout l = lay_out (self);
  const gsize rows = self->n_heads * CO_ALIGN_FLOATS (self->sequence_len);
  float *f = (float *) ((guint8 *) memory + 64);
  float *m = f + l.m;

  return (State) {
  .k = f,.q = f + l.s / 2,.s = f + l.s,.m = m,.d = m + rows,.d_max =
        m + 2 * rows,.v = m + 3 * rows,.v_max = m + 4 * rows,.size =
        f + l.size,.c = f + l.c,.p = f + l.p};
}

static gsize
state_size (const CoAttention * self)
{
  return 64 + CO_ALIGN_BYTES (lay_out (self).end * sizeof (float));
}

static gsize
extra_width (const CoAttention * self)
{
  return self->n_heads * self->out.n_out;
}

/* c = W_o,h v of each head */
static void
project_extra (const CoAttention * self, float *p, gsize n)
{
  const gsize E = self->out.n_out, dv = self->d_value;
  const gsize width = co_attention_proj_width (self);
  const gsize v = self->q.n_out + self->k.n_out, c = v + self->v.n_out;

  for (gsize h = 0; h < self->n_heads; h++)
    co_kernels->linear (self->out_heads + h * co_panels_size (E, dv),
        dv * CO_PANEL, NULL, E, dv, p + v + h * dv, width, n, p + c + h * E,
        width);
}

/* Where vector @slot's first feature stands in panels of (W, dk) */
static float *
column (const CoAttention * self, float *panels, gsize h, gsize slot)
{
  const gsize W = CO_ALIGN_FLOATS (self->sequence_len), dk = self->d_key;

  return panels + h * W * dk + slot / CO_PANEL * dk * CO_PANEL + slot % CO_PANEL;
}

/* The logits of one vector with all of the other side's */
static void
logits (const CoAttention * self, const float *x /* (dk) */ ,
    const float *others /* panels of (W, dk) */ , gsize n,
    float *s /* (n) */ , float *scratch /* (dk) */ )
{
  const gsize dk = self->d_key;

  for (gsize i = 0; i < dk; i++)
    scratch[i] = self->scale * x[i];
  co_kernels->linear (others, dk * CO_PANEL, NULL, n, dk, scratch, dk, 1, s, n);
}

static float
largest (const float *c /* (n) */ , gsize n)
{
  float size = 0;

  for (gsize i = 0; i < n; i++)
    size = MAX (size, fabsf (c[i]));
  return size;
}

/* m, d, v and the exponentials of row @i of a head */
static void
weigh_row (const CoAttention * self, const State * s, gsize h, gsize i,
    gsize keys, float *e /* (keys) */ )
{
  const gsize W = CO_ALIGN_FLOATS (self->sequence_len);
  const gsize all = self->n_fixed + self->sequence_len;

  for (gsize j = 0; j < keys; j++)
    e[j] = s->s[(h * all + j) * W + i];
  s->m[h * W + i] = co_kernels->max (e, keys);
  s->d[h * W + i] = s->d_max[h * W + i] =
      co_kernels->exp_sum (e, s->m[h * W + i], e, keys);
  s->v[h * W + i] = s->v_max[h * W + i] =
      co_kernels->dot (e, s->size + h * all, keys);
}

/* Sums rows of a head from nothing: P = sum_j e_j c_j */
static void
sum_rows (const CoAttention * self, const State * s, gsize h,
    const guint32 *rows, gsize n_rows, gsize keys, float *scratch)
{
  const gsize N = self->sequence_len, E = self->out.n_out, H = self->n_heads;
  const float *c = s->c + h * (self->n_fixed + N) * E;

  if (n_rows > 4 && n_rows > MANY_ROWS * N) {
    float *e = scratch, *p = scratch + n_rows * keys;
    for (gsize r = 0; r < n_rows; r++)
      weigh_row (self, s, h, rows[r], keys, e + r * keys);
    co_matmul_nn (n_rows, E, keys, 1, e, keys, c, E, 0, p, E);
    for (gsize r = 0; r < n_rows; r++)
      memcpy (s->p + (rows[r] * H + h) * E, p + r * E, E * sizeof (float));
    return;
  }
  for (gsize r = 0; r < n_rows; r++) {
    float *p = s->p + (rows[r] * H + h) * E;
    weigh_row (self, s, h, rows[r], keys, scratch);
    memset (p, 0, E * sizeof (float));
    co_kernels->linear_transposed (c, E, keys, E, scratch, p);
  }
}

/* Whether too much of a row goes for what is left to be exact: of its mass, or of values louder than its mass. */
static gboolean
is_lost (float d_left, float d_max, float v_left, float v_max)
{
  return d_left < d_max * MASS_LOST
      || (v_left < v_max * MASS_LOST && v_max * MASS_LOST > d_left);
}

/* What happens to the rows of a head when the key in slot @slot is replaced by one with logits @s_new and size @come:
 * factors for P in f, a (the old key's) and b (the new one's). Rows to sum anew come out in @rows. */
static gsize
exchange_keys (const CoAttention * self, const State * s, gsize h, gsize n,
    gsize slot, gboolean full, const float *s_new /* (n) */ , float come,
    float *f, float *a, float *b /* (n) */ , guint32 *rows)
{
  const gsize N = self->sequence_len, W = CO_ALIGN_FLOATS (N);
  const gsize key = h * (self->n_fixed + N) + self->n_fixed + slot;
  const float *s_old = s->s + key * W;
  const float gone = s->size[key];
  float *m = s->m + h * W, *d = s->d + h * W, *d_max = s->d_max + h * W;
  float *v = s->v + h * W, *v_max = s->v_max + h * W;
  gsize n_rows = 0;

  /* a: exp (s_old - m), b: exp (s_new - m'), f: exp (m - m') */
  for (gsize i = 0; i < n; i++) {
    float top = MAX (m[i], s_new[i]);
    a[i] = full ? s_old[i] - m[i] : -G_MAXFLOAT;
    b[i] = s_new[i] - top;
    f[i] = m[i] - top;
    m[i] = top;
  }
  co_kernels->exp_sum (a, 0, a, n);
  co_kernels->exp_sum (b, 0, b, n);
  co_kernels->exp_sum (f, 0, f, n);
  for (gsize i = 0; i < n; i++) {
    float d_left = d[i] - a[i], v_left = v[i] - a[i] * gone;
    if (i == slot || is_lost (d_left, d_max[i], v_left, v_max[i]))
      rows[n_rows++] = i;
    d[i] = d_left * f[i] + b[i];
    d_max[i] = MAX (d_max[i] * f[i], d[i]);
    v[i] = v_left * f[i] + b[i] * come;
    v_max[i] = MAX (v_max[i] * f[i], v[i]);
    a[i] *= -f[i];
  }
  return n_rows;
}

static gsize
step_window (const CoAttention * self, gpointer memory, const float *proj,
    float *y, float *weights, float *scratch)
{
  const gsize N = self->sequence_len, E = self->out.n_out, H = self->n_heads;
  const gsize dk = self->d_key, x = self->n_fixed, W = CO_ALIGN_FLOATS (N);
  const guint64 t = (*(guint64 *) memory)++;
  const gsize slot = t % N, n = MIN (t + 1, N), keys = x + n;
  const float *q = proj, *k = q + self->q.n_out;
  const float *c = k + self->k.n_out + self->v.n_out;
  const gboolean full = t >= N;
  float *f = scratch, *a = f + H * W, *b = a + H * W, *small = b + H * W;
  guint32 *rows = (guint32 *) (small + CO_ALIGN_FLOATS (x + N));
  guint32 *n_rows = rows + H * W;
  float *big = (float *) (n_rows + CO_ALIGN_FLOATS (H));
  const State s = open_state (self, memory);

  for (gsize h = 0; h < H; h++) {
    float *s_h = s.s + h * (x + N) * W, *s_new = s_h + (x + slot) * W;
    float *size = s.size + h * (x + N), come = largest (c + h * E, E);

    for (gsize j = 0; t == 0 && j < x; j++) {
      const float *fixed = self->fixed_c + (j * H + h) * E;
      memcpy (s.c + (h * (x + N) + j) * E, fixed, E * sizeof (float));
      size[j] = largest (fixed, E);
    }
    for (gsize i = 0; i < dk; i++) {
      column (self, s.k, h, slot)[i * CO_PANEL] = k[h * dk + i];
      column (self, s.q, h, slot)[i * CO_PANEL] = q[h * dk + i];
    }
    /* The new key's logits with every query, the old ones being needed once more; then the new query's. */
    logits (self, k + h * dk, s.q + h * dk * W, n, small, big);
    n_rows[h] = exchange_keys (self, &s, h, n, slot, full, small, come,
        f + h * W, a + h * W, b + h * W, rows + h * W);
    size[x + slot] = come;
    memcpy (s_new, small, n * sizeof (float));
    logits (self, q + h * dk, s.k + h * dk * W, n, small, big);
    for (gsize j = 0; j < n; j++)
      s_h[(x + j) * W + slot] = small[j];
    for (gsize j = 0; j < x; j++)
      s_h[j * W + slot] = self->scale *
          co_kernels->dot (q + h * dk, self->fixed_k + (j * H + h) * dk, dk);
  }

  for (gsize h = 0; h < H; h++)
    for (gsize r = 0; r < n_rows[h]; r++)
      f[h * W + rows[h * W + r]] = ANEW;
  for (gsize i = 0; i < n; i++) {
    if (self->out.b)
      memcpy (y + i * E, self->out.b, E * sizeof (float));
    else
      memset (y + i * E, 0, E * sizeof (float));
    for (gsize h = 0; h < H; h++)
      if (f[h * W + i] != ANEW)
        co_kernels->exchange (s.p + (i * H + h) * E, f[h * W + i],
            a[h * W + i], s.c + (h * (x + N) + x + slot) * E, b[h * W + i],
            c + h * E, 1 / s.d[h * W + i], y + i * E, E);
  }
  for (gsize h = 0; h < H; h++) {
    memcpy (s.c + (h * (x + N) + x + slot) * E, c + h * E, E * sizeof (float));
    sum_rows (self, &s, h, rows + h * W, n_rows[h], keys, big);
    for (gsize r = 0; r < n_rows[h]; r++) {
      gsize i = rows[h * W + r];
      co_kernels->axpy (1 / s.d[h * W + i], s.p + (i * H + h) * E, y + i * E,
          E);
    }
  }

  for (gsize h = 0; weights && h < H; h++)
    for (gsize i = 0; i < n; i++) {
      gsize position = N - n + (i + n - 1 - slot) % n;
      for (gsize j = 0; j < keys; j++)
        small[j] = s.s[(h * (x + N) + j) * W + i] - s.m[h * W + i];
      float sum = co_kernels->exp_sum (small, 0, small, keys);
      co_attention_order_weights (self, small, 1, 1 / sum, n, slot,
          weights + (h * N + position) * (N + x));
    }
  return n;
}

static gsize
scratch_size (const CoAttention * self)
{
  const gsize N = self->sequence_len, H = self->n_heads, keys = self->n_fixed + N;
  const gsize W = CO_ALIGN_FLOATS (N);

  return 4 * H * W + CO_ALIGN_FLOATS (keys) + CO_ALIGN_FLOATS (H) +
      MAX (N * keys + N * self->out.n_out, self->d_key);
}

static guint64
macs (const CoAttention * self)
{
  return self->out.n_out * self->out.n_in + 2 * self->sequence_len *
      self->k.n_out + 3 * self->sequence_len * extra_width (self);
}

const CoAttentionClass co_retroactive_class = {
  .name = "retroactive",
  .window = TRUE,
  .state_size = state_size,
  .scratch_size = scratch_size,
  .macs = macs,
  .extra_width = extra_width,
  .project_extra = project_extra,
  .step_window = step_window,
};
