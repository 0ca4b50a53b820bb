/* libcontinual: attention of one query over the last N keys, with positions that are counted in the window
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * As single-output.c, over keys and values that are cached without positions (attention/positions.h). With window index i of
 * the vector in slot j and r_j = 1 / s_ij (post-norm: 1), the logits are (q.k_j + q.kp_i) r_j + q.c_k and the context is
 * sum_j a_j r_j (v_j + vp_i) + c_v sum_j a_j. A vector that nearly cancels its position is projected again. */
#include "attention/attention.h"
#include "math/softmax.h"
#include <string.h>

typedef struct
{
  CoKeys keys;                  /* the fixed ones, then the ring's N */
  float *centred;               /* (N, E) x' of each slot, pre-norm */
  float *squares;               /* (N) |x'|^2 */
} State;

/* Of one step, in slots */
typedef struct
{
  gsize n, oldest;
  float *r;                     /* (n) */
  guint32 *lost;                /* (n_lost) slots of vectors that are projected again */
  gsize n_lost;
  float *lost_k;                /* (n_lost, H dk) */
  float *lost_v;                /* (n_lost, H dv) */
} Rows;

static gboolean
is_pre_norm (const CoAttention * self)
{
  return self->table->centred != NULL;
}

static State
open_state (const CoAttention * self, CoStateHeader * header)
{
  State s;

  s.keys = co_ring_keys (self, header);
  s.centred = (float *) co_state_numbers (header) + co_ring_size (self);
  s.squares = s.centred + self->sequence_len * self->table->d_model;
  return s;
}

static gsize
state_size (const CoAttention * self)
{
  gsize floats = co_ring_size (self);

  if (is_pre_norm (self))
    floats += self->sequence_len * (self->table->d_model + 1);
  return sizeof (CoStateHeader) + CO_ALIGN_BYTES (floats * sizeof (float));
}

static gsize
scratch_size (const CoAttention * self)
{
  const gsize N = self->sequence_len, W = co_ring_width (self);
  gsize floats = 2 * W + 2 * CO_ALIGN_FLOATS (N) + self->d_key + self->d_value;

  if (is_pre_norm (self))
    floats += 2 * N + N * (self->k.n_out + self->v.n_out) + self->table->d_model;
  return floats;
}

/* The window index of the vector in slot @slot */
static gsize
index_of (const Rows * rows, gsize slot)
{
  return (slot + rows->n - rows->oldest) % rows->n;
}

/* The scales of all slots, and the keys and values of those that must be projected again */
static void
scale_rows (const CoAttention * self, const State * s, Rows * rows, float *z)
{
  const CoPositionTable *table = self->table;
  const gsize E = table->d_model;

  for (gsize j = 0; j < rows->n; j++) {
    const gsize i = index_of (rows, j);
    const float *x = s->centred + j * E;

    if (co_position_scale (table, x, s->squares[j], i, &rows->r[j]))
      continue;
    rows->r[j] = co_position_sum (table, x, i, z);
    co_linear (&self->k, z, E, 1, rows->lost_k + rows->n_lost * self->k.n_out,
        self->k.n_out);
    co_linear (&self->v, z, E, 1, rows->lost_v + rows->n_lost * self->v.n_out,
        self->v.n_out);
    rows->lost[rows->n_lost++] = j;
  }
}

/* a (n_fixed + n): logits of head @h for a query @q that is scaled already */
static void
logits (const CoAttention * self, const State * s, const Rows * rows, gsize h,
    const float *q /* (dk) */ , float *a, float *b /* (N) */ )
{
  const gsize dk = self->d_key, x = self->n_fixed, n = rows->n;
  const gsize kv = co_attention_kv_head (self, h);
  const CoKeys *table = &self->position_keys;
  float constant = 0;

  co_kernels->linear_row (s->keys.k + kv * s->keys.width * dk, dk * CO_PANEL,
      x + n, dk, q, a);
  co_kernels->linear_row (table->k + kv * table->width * dk, dk * CO_PANEL, n, dk,
      q, b);
  for (gsize i = 0; i < n; i++)
    a[x + (rows->oldest + i) % n] += b[i];
  if (!is_pre_norm (self))
    return;
  for (gsize l = 0; l < rows->n_lost; l++)
    a[x + rows->lost[l]] =
        co_kernels->dot (q, rows->lost_k + l * self->k.n_out + kv * dk, dk);
  constant = co_kernels->dot (q, self->table->constant + self->q.n_out + kv * dk, dk);
  for (gsize j = 0; j < n; j++)
    a[x + j] = a[x + j] * rows->r[j] + constant;
}

/* The context of head @h, for weights a (n_fixed + n) that sum to @sum */
static void
sum_values (const CoAttention * self, const State * s, const Rows * rows,
    gsize h, const float *a, float sum, float *w /* (n_fixed + n) */ ,
    float *b /* (N) */ , float *part /* (dv) */ , float *context /* (dv) */ )
{
  const gsize dv = self->d_value, x = self->n_fixed, n = rows->n;
  const gsize kv = co_attention_kv_head (self, h);
  const float *v_constant = NULL;
  float mass = 0;

  memcpy (w, a, (x + n) * sizeof (float));
  if (is_pre_norm (self)) {
    for (gsize j = 0; j < n; j++) {
      mass += a[x + j];
      w[x + j] *= rows->r[j];
    }
    v_constant = self->table->constant + self->q.n_out + self->k.n_out + kv * dv;
    for (gsize i = 0; i < dv; i++)
      part[i] = mass * v_constant[i];
    for (gsize l = 0; l < rows->n_lost; l++) {
      co_kernels->axpy (w[x + rows->lost[l]],
          rows->lost_v + l * self->v.n_out + kv * dv, part, dv);
      w[x + rows->lost[l]] = 0;
    }
  } else {
    memset (part, 0, dv * sizeof (float));
  }
  for (gsize i = 0; i < n; i++)
    b[i] = w[x + (rows->oldest + i) % n];
  co_keys_sum (self, &s->keys, kv, x + n, w, context);
  co_kernels->axpy (1, context, part, dv);
  co_keys_sum (self, &self->position_keys, kv, n, b, context);
  for (gsize i = 0; i < dv; i++)
    context[i] = (context[i] + part[i]) / sum;
}

static gsize
step (const CoAttention * self, CoStateHeader * header, const float *p,
    float *context, float *weights, float *scratch)
{
  const gsize N = self->sequence_len, x = self->n_fixed, dk = self->d_key;
  const gsize E = self->table->d_model, W = co_ring_width (self);
  const float *centred = p + self->q.n_out + self->k.n_out + self->v.n_out;
  const State s = open_state (self, header);
  const gsize newest = header->taken % N;
  const float *q = co_ring_take (self, header, p);
  float *a = scratch, *w = a + W, *b = w + W;
  float *scaled = b + CO_ALIGN_FLOATS (N), *part = scaled + dk;
  Rows rows = {.r = part + self->d_value };
  float *z;

  if (is_pre_norm (self)) {
    memcpy (s.centred + newest * E, centred, E * sizeof (float));
    s.squares[newest] = co_kernels->dot (centred, centred, E);
  }
  rows.n = MIN (header->taken, N);
  rows.oldest = co_oldest_slot (newest, rows.n);
  if (rows.n < N && !self->partial)
    return 0;
  if (!context)
    return 1;

  if (is_pre_norm (self)) {
    rows.lost = (guint32 *) (rows.r + N);
    rows.lost_k = rows.r + 2 * N;
    rows.lost_v = rows.lost_k + N * self->k.n_out;
    z = rows.lost_v + N * self->v.n_out;
    scale_rows (self, &s, &rows, z);
  }
  for (gsize h = 0; h < self->n_heads; h++) {
    float sum;

    for (gsize i = 0; i < dk; i++)
      scaled[i] = self->scale * q[h * dk + i];
    logits (self, &s, &rows, h, scaled, a, b);
    sum = co_softmax_unnormalised (a, x + rows.n);
    sum_values (self, &s, &rows, h, a, sum, w, b, part,
        context + h * self->d_value);
    if (weights)
      co_attention_order_weights (self, a, 1, 1 / sum, rows.n, newest,
          weights + h * (N + x));
  }
  return 1;
}

static guint64
macs (const CoAttention * self)
{
  const guint64 N = self->sequence_len;

  return 2 * N * (self->q.n_out + self->out.n_in) +
      (is_pre_norm (self) ? N * self->table->d_model : 0) +
      self->out.n_out * self->out.n_in;
}

const CoAttentionClass co_single_output_positions_class = {
  .name = "single-output",
  .window = TRUE,
  .state_size = state_size,
  .scratch_size = scratch_size,
  .put_fixed = co_ring_put_fixed,
  .macs = macs,
  .step = step,
};
