/* libcontinual: attention of one query over keys before and after it
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A layer of `deep` whose window is [left, right]: vector t attends to vectors t - left + 1 to t + right. It is single-output
 * attention over the last N = left + right keys by the query that is right vectors older than the newest. At the end of a
 * stream the last vectors attend to what there is. */
#include "attention/attention.h"
#include "math/softmax.h"
#include <string.h>

/* Vectors that wait for later ones and can be answered without: with a whole left side, or any of a partial window */
static gsize
first_waiting (const CoAttention * self, guint64 taken)
{
  const gsize right = self->query_back, left = self->sequence_len - right;
  const guint64 first = taken > right ? taken - right : 0;

  return self->partial ? first : MAX (first, left - 1);
}

/* Softmax attention of a query over the ring, without its @n_evicted oldest keys. The last @n_missing keys of its window do
 * not exist. */
static void
attend (const CoAttention * self, const CoKeys * keys, gsize n,
    gsize oldest, gsize n_evicted, const float *q, float *context,
    float *weights, gsize newest, gsize n_missing, float *scratch)
{
  const gsize dk = self->d_key, dv = self->d_value, W = keys->width;
  const gsize x = self->n_fixed, N = self->sequence_len;
  float *a = scratch, *scaled = scratch + CO_ALIGN_FLOATS (x + n);

  for (gsize h = 0; h < self->n_heads; h++) {
    const gsize kv = co_attention_kv_head (self, h);
    float sum;

    for (gsize i = 0; i < dk; i++)
      scaled[i] = self->scale * q[h * dk + i];
    co_kernels->linear_row (keys->k + kv * W * dk, dk * CO_PANEL, x + n, dk,
        scaled, a);
    for (gsize j = 0; j < n_evicted; j++)
      a[x + (oldest + j) % n] = -G_MAXFLOAT;
    sum = co_softmax_unnormalised (a, x + n);
    co_keys_sum (self, keys, kv, x + n, a, context + h * dv);
    for (gsize i = 0; i < dv; i++)
      context[h * dv + i] /= sum;
    if (weights) {
      float *to = weights + h * (N + x);

      co_attention_order_weights (self, a, 1, 1 / sum, n, newest, to);
      memmove (to, to + n_missing, (N - n_missing) * sizeof (float));
      memset (to + N - n_missing, 0, n_missing * sizeof (float));
    }
  }
}

static gsize
drain (const CoAttention * self, CoStateHeader * header, float *context,
    float *weights, float *scratch)
{
  const gsize N = self->sequence_len, right = self->query_back;
  const gsize left = N - right;
  const guint64 taken = header->taken;
  const CoKeys keys = co_ring_keys (self, header);
  const gsize n = MIN (taken, N), newest = (taken - 1) % N;
  gsize n_answers = 0;

  for (guint64 t = first_waiting (self, taken); taken > 0 && t < taken; t++) {
    /* The ring begins at taken - n, the window of t at t - left + 1. */
    const gsize n_evicted = t + 1 + n > taken + left ? t + 1 + n - taken - left
        : 0;

    attend (self, &keys, n, co_oldest_slot (newest, n), n_evicted,
        co_ring_query (self, header, t),
        context + n_answers * self->out.n_in, weights ? weights +
        n_answers * self->n_heads * (N + self->n_fixed) : NULL, newest,
        t + right + 1 - taken, scratch);
    n_answers++;
  }
  return n_answers;
}

const CoAttentionClass co_look_ahead_class = {
  .name = "deep",
  .window = TRUE,
  .state_size = co_single_output_state_size,
  .scratch_size = co_single_output_scratch_size,
  .put_fixed = co_ring_put_fixed,
  .macs = co_single_output_macs,
  .step = co_single_output_step,
  .drain = drain,
};
