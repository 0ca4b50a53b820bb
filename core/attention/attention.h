/* libcontinual: one attention of one layer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attention/positions.h"
#include "attention/rotary.h"
#include "attention/sums.h"
#include "math/linear.h"

G_BEGIN_DECLS

typedef struct _CoAttention CoAttention;

/* The begin of every attention's state: a cache line, so that the numbers after it are aligned. Zero is a fresh state. */
typedef struct
{
  guint64 taken;                /* vectors since the reset */
  guint64 chunks;               /* kernel: complete chunks */
  guint64 filled;               /* kernel: vectors in the open chunk */
  guint64 unused[5];
} CoStateHeader;

G_STATIC_ASSERT (sizeof (CoStateHeader) == 64);

/* The numbers after the header: floats, or doubles of a class with `in_double` */
static inline gpointer
co_state_numbers (CoStateHeader * self)
{
  return self + 1;
}

/* Which attention weights of a window are given, and where: those of every row (H, rows, n_weights), or with @mean the mean
 * over the rows @first to @end - 1 (H, n_weights). Rows are counted in the order of slots, the class token's last. */
typedef struct
{
  float *to;
  gboolean mean;
  gsize first, end;
} CoWeights;

/* A kind of attention over a stream. Its state is @state_size bytes aligned to 64: a CoStateHeader, then numbers. Any state
 * with finite numbers that is_sound() is safe to continue from: nothing outside it is read or written, and after some windows
 * of finite vectors the outputs are finite. */
typedef struct
{
  const gchar *name;

  gboolean in_double;           /* the state's numbers are doubles */
  gboolean window;              /* attends to the last sequence_len vectors: a window can be evaluated without a stream */
  gboolean whole_window;        /* the first layer in window mode: gives every position of the window */
  gsize (*state_size) (const CoAttention * self);
  gsize (*scratch_size) (const CoAttention * self);     /* floats that a step needs */

  /* Of a kind that never forgets a number: whether a stream of this model comes to these, which are finite. NULL: all are gone
   * after a window or two. */
  gboolean (*is_sound) (const CoAttention * self, const CoStateHeader * state);
  /* Writes what every state with a vector holds: the fixed keys. NULL: nothing. */
  void (*put_fixed) (const CoAttention * self, CoStateHeader * state,
      float *scratch);

  /* Multiply-accumulates of a step after the projections of q, k and v. */
  guint64 (*macs) (const CoAttention * self);

  /* Takes one projected vector. Writes the context of every vector that is answered now, oldest first, and returns their
   * number. The newest answered vector is @query_back vectors older than the one taken. @context NULL: updates the state
   * only; not for kinds with chunks. */
  gsize (*step) (const CoAttention * self, CoStateHeader * state,
      const float *p /* (proj_width) */ ,
      float *context /* (max_answers, H dv) */ ,
      float *weights /* (H, n_weights) or NULL */ , float *scratch);

  /* Answers the vectors that still wait for later ones. NULL: none ever do. */
  gsize (*drain) (const CoAttention * self, CoStateHeader * state,
      float *context /* (n, H dv) */ ,
      float *weights /* (n, H, n_weights) or NULL */ , float *scratch);

  /* In place of step, for a kind that updates every position of the window: y = base + the output projection of the
   * contexts, without its bias, and the carry, in the order of slots. Returns the number of positions in the window. */
  gsize (*step_window) (const CoAttention * self, CoStateHeader * state,
      const float *p /* (proj_width) */ ,
      const float *base /* (N, C) at base_stride */ , gsize base_stride,
      float *y /* (N + n_class, C) */ ,
      const CoWeights * weights /* or NULL; rows and keys in the order of time, N + n_class rows */ ,
      float *scratch);
} CoAttentionClass;

/* Keys and values of a ring or a memory of up to @width vectors, in panels: keys are weights of one output per vector,
 * values of one input per vector. */
typedef struct
{
  gsize width;                  /* vectors, a multiple of CO_PANEL */
  float *k;                     /* (Hk) panels of (width, dk) */
  float *v;                     /* (Hk) panels of (dv, width) */
} CoKeys;

struct _CoAttention
{
  const CoAttentionClass *klass;

  gsize n_heads;                /* H, of queries */
  gsize n_kv_heads;             /* Hk, of keys and values: head h attends to the keys of head h Hk / H */
  gsize d_key, d_value;         /* dk, dv of one head */
  gsize sequence_len;           /* N; 0: no window */
  gsize query_back;             /* vectors from the query to the newest one */
  gboolean partial;             /* attend before the window is full */
  float scale;                  /* of the logits */

  /* Shapes are always set; weights only where they are projected by. */
  CoLinear q, k, v;             /* E, kdim, vdim to H dk, Hk dk, Hk dv */
  CoLinear qkv;                 /* the three as one, of one input */
  CoLinear out;                 /* H dv to E */

  /* Norms of each head's query and key, after the projection; absent where gain is NULL */
  CoNorm q_norm, k_norm;
  /* Rotary positions, after the norms */
  const CoRotary *rotary;       /* or NULL */
  const float *window_angles;   /* (N, 2, n / 2) window mode: cosines and sines of the window's positions */

  /* Fixed keys, which have no position and are part of every window: add_bias_kv's, then add_zero_attn's */
  gsize n_fixed;
  const float *fixed_k;         /* (n_fixed, Hk dk) */
  const float *fixed_v;         /* (n_fixed, Hk dv) */

  /* retroactive: per head, the output projection to E and, after it, the carry */
  gsize n_carried;              /* C >= E */
  const float *out_heads;       /* (H) panels of (C, dv) */
  /* one query over a whole window: per head, the key projection transposed, and the value projection */
  const float *k_heads_t;       /* (H) panels of (E, dk) */
  const float *v_heads;         /* (H) panels of (dv, E) */

  /* A class token in window mode: the row after the vectors of a window. In the first layer it is a fixed key as well. */
  gsize n_class;                /* 0 or 1 */
  const float *class_q;         /* (H dk) retroactive: its query */
  const float *class_base;      /* (C) retroactive: the base of its row */
  const float *class_p;         /* (q k v) cached window with a table: its projections */

  /* Positions that are counted in the window */
  const CoPositionTable *table; /* or NULL */
  CoKeys position_keys;         /* single-output: the keys and values of the table */

  /* kinds with feature maps */
  CoFeatures features;
  /* kernel */
  gsize chunk_len, window_len;  /* vectors in a chunk, chunks in the window */
  double decay;                 /* weight of a chunk relative to the one after it; 1: none */
  /* of a class with is_sound(): no stream comes to a larger one */
  double largest_key, largest_value;
  gboolean cache;               /* all chunks in place of a window of them */
};

extern const CoAttentionClass co_single_output_class;
extern const CoAttentionClass co_single_output_positions_class;
extern const CoAttentionClass co_look_ahead_class;
extern const CoAttentionClass co_retroactive_class;
extern const CoAttentionClass co_cached_window_class;
/* The layers above the first in window mode, which have no state */
extern const CoAttentionClass co_window_class;
extern const CoAttentionClass co_window_query_class;    /* of which one row attends */
extern const CoAttentionClass co_recurrent_full_class;
extern const CoAttentionClass co_recurrent_linear_class;
extern const CoAttentionClass co_kernel_class;

/* Of single-output, for kinds that cache their keys in the same way */
gsize co_single_output_state_size (const CoAttention * self);
gsize co_single_output_scratch_size (const CoAttention * self);
guint64 co_single_output_macs (const CoAttention * self);
gsize co_single_output_step (const CoAttention * self, CoStateHeader * state,
    const float *p /* (proj_width) */ , float *context /* (H dv) */ ,
    float *weights /* (H, n_weights) or NULL */ , float *scratch);

/* Rounded up so that what follows is aligned */
#define CO_ALIGN_FLOATS(n) (((n) + 15) & ~(gsize) 15)
#define CO_ALIGN_BYTES(n) (((n) + 63) & ~(gsize) 63)

/* The head of keys and values of query head @h */
static inline gsize
co_attention_kv_head (const CoAttention * self, gsize h)
{
  return h * self->n_kv_heads / self->n_heads;
}

/* The slot of the oldest of @n rows of a ring, which is full or began at slot 0 */
static inline gsize
co_oldest_slot (gsize newest, gsize n)
{
  return newest + 1 == n ? 0 : newest + 1;
}

/* Whether queries and keys are normalised or rotated after the projection */
static inline gboolean
co_attention_prepares (const CoAttention * self)
{
  return self->q_norm.gain || self->k_norm.gain || self->rotary;
}

/* Normalises and rotates the query and the key of a projected row. */
void co_attention_prepare (const CoAttention * self,
    float *p /* (proj_width) */ , guint64 position,
    float *angles /* (2, n / 2) scratch */ );
/* The same for the rows of a window in the order of slots, by their positions in the window */
void co_attention_prepare_window (const CoAttention * self,
    float *p /* (n, q k v) */ , gsize n, gsize oldest);

/* Floats of a projected row: q (H dk), k (Hk dk), v (Hk dv) and, for a table of a pre-norm layer, x' (E) */
gsize co_attention_proj_width (const CoAttention * self);
gsize co_attention_max_answers (const CoAttention * self);
/* Attention weights of one query and head: the window's, then the fixed keys' */
gsize co_attention_n_weights (const CoAttention * self);
/* Floats of scratch that any function below needs */
gsize co_attention_scratch_size (const CoAttention * self);

/* p = W x + b of queries, keys and values */
void co_attention_project (const CoAttention * self,
    const float *query /* (n, E) */ , const float *key /* (n, kdim) */ ,
    const float *value /* (n, vdim) */ , gsize n,
    float *p /* (n, proj_width) */ );

gsize co_attention_window_scratch_size (const CoAttention * self);

/* Attention over a whole window, without a state: every position attends. Rows are in the order of slots, the first vector in
 * slot @oldest. */
void co_attention_window (const CoAttention * self,
    const float *u /* (n, E) */ , gsize n, gsize oldest, float *y /* (n, E) */ ,
    const CoWeights * weights /* of n + n_fixed keys, or NULL */ ,
    float *scratch);

/* The same from rows that are projected and prepared */
void co_attention_window_projected (const CoAttention * self,
    const float *p /* (n, q k v) */ , gsize n, float *y /* (n, E) */ ,
    const CoWeights * weights /* of n + n_fixed keys, or NULL */ ,
    float *scratch);

/* co_cached_window_class: takes a projected vector */
void co_cached_window_put (const CoAttention * self, CoStateHeader * state,
    const float *p /* (proj_width) */ );
/* With a table: attention over the @n cached vectors in the order of slots and the class token, from @oldest on */
void co_cached_window_attend (const CoAttention * self, CoStateHeader * state,
    gsize n, gsize oldest, float *y /* (n + n_class, E) */ ,
    const CoWeights * weights /* of n + n_class + n_fixed keys, or NULL */ ,
    float *scratch);

/* As co_attention_window(), where only position @row attends: of co_window_query_class */
void co_attention_window_query (const CoAttention * self,
    const float *u /* (n, E) */ , gsize n, gsize oldest, gsize row,
    float *y /* (E) */ ,
    float *weights /* (H, n + n_fixed) or NULL */ , float *scratch);

gsize co_keys_size (const CoAttention * self, gsize width);    /* floats */
CoKeys co_keys_open (const CoAttention * self, float *memory, gsize width);
void co_keys_put (const CoAttention * self, const CoKeys * keys, gsize at,
    const float *k /* (Hk dk) */ , const float *v /* (Hk dv) */ );
/* The key and the value of head @h of Hk in slot @at */
void co_keys_put_head (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize at, const float *k /* (Hk dk) */ , const float *v /* (Hk dv) */ );
void co_keys_get_head (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize at, float *k /* (dk) */ , float *v /* (dv) */ );
/* context = sum_j a[j] v[j] over the first @n values of head @h of Hk */
void co_keys_sum (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize n, const float *a /* (n) */ , float *context /* (dv) */ );

/* context = softmax (scale q K^T) V over the first @n keys of query head @h. Leaves the unnormalised softmax in scratch (n) and
 * returns its sum. */
float co_keys_attend (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize n, const float *q /* (H dk) */ , float *context /* (H dv) */ ,
    float *scratch);
gsize co_keys_scratch_size (const CoAttention * self, gsize n);

/* The state of kinds with one query over a ring: the fixed keys and the last N keys with their values, then the queries that
 * wait, if the answered one is not the newest. Slots of keys; floats in all; the keys; the query of vector @t */
gsize co_ring_width (const CoAttention * self);
gsize co_ring_size (const CoAttention * self);
CoKeys co_ring_keys (const CoAttention * self, CoStateHeader * state);
const float *co_ring_query (const CoAttention * self, CoStateHeader * state,
    guint64 t);
void co_ring_put_fixed (const CoAttention * self, CoStateHeader * state,
    float *scratch);
/* Takes a vector: its key and value replace the oldest. Returns the query that attends now. */
const float *co_ring_take (const CoAttention * self, CoStateHeader * state,
    const float *p /* (proj_width) */ );

/* Writes one head's weights for a ring of @n keys, the newest in slot @newest, in the order of time */
void co_attention_order_weights (const CoAttention * self,
    const float *a /* (n_fixed + n) fixed keys first, then slots */ ,
    gsize a_stride, float scale, gsize n, gsize newest,
    float *weights /* (n_weights) */ );

G_END_DECLS
