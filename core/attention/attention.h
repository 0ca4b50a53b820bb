/* libcontinual: one attention of one layer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attention/positions.h"
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

/* A kind of attention over a stream. Its state is @state_size bytes aligned to 64: a CoStateHeader, then numbers. Any state
 * with finite numbers is safe to continue from. */
typedef struct
{
  const gchar *name;

  gboolean in_double;           /* the state's numbers are doubles */
  gboolean window;              /* attends to the last sequence_len vectors: a window can be evaluated without a stream */
  gboolean whole_window;        /* the first layer in window mode: gives every position of the window */
  gsize (*state_size) (const CoAttention * self);
  gsize (*scratch_size) (const CoAttention * self);     /* floats that a step needs */

  /* Multiply-accumulates of a step after the projections of q, k and v. */
  guint64 (*macs) (const CoAttention * self);

  /* Takes one projected vector. Writes the context of every vector that is answered now, oldest first, and returns their
   * number. The newest answered vector is @query_back vectors older than the one taken. @context NULL: updates the state
   * only; not for classes with `drain`. */
  gsize (*step) (const CoAttention * self, CoStateHeader * state,
      const float *p /* (proj_width) */ ,
      float *context /* (max_answers, H dv) */ ,
      float *weights /* (H, n_weights) or NULL */ , float *scratch);

  /* Answers the vectors that still wait for later ones. NULL: none ever do. */
  gsize (*drain) (const CoAttention * self, CoStateHeader * state,
      float *context /* (max_answers, H dv) */ , float *scratch);

  /* In place of step, for a kind that updates every position of the window: y = base + the output projection of the
   * contexts, without its bias, and the carry, in the order of slots. Returns the number of positions in the window. */
  gsize (*step_window) (const CoAttention * self, CoStateHeader * state,
      const float *p /* (proj_width) */ ,
      const float *base /* (N, C) at base_stride */ , gsize base_stride,
      float *y /* (N + n_class, C) */ ,
      float *weights /* (H, N + n_class, n_weights) or NULL */ ,
      float *scratch);
} CoAttentionClass;

/* Keys and values of a ring or a memory of up to @width vectors, in panels: keys are weights of one output per vector,
 * values of one input per vector. */
typedef struct
{
  gsize width;                  /* vectors, a multiple of CO_PANEL */
  float *k;                     /* (H) panels of (width, dk) */
  float *v;                     /* (H) panels of (dv, width) */
} CoKeys;

struct _CoAttention
{
  const CoAttentionClass *klass;

  gsize n_heads;                /* H */
  gsize d_key, d_value;         /* dk, dv of one head */
  gsize sequence_len;           /* N; 0: no window */
  gsize query_back;             /* vectors from the query to the newest one */
  gboolean partial;             /* attend before the window is full */
  float scale;                  /* of the logits */

  /* Shapes are always set; weights only where they are projected by. */
  CoLinear q, k, v;             /* E, kdim, vdim to H dk, H dk, H dv */
  CoLinear qkv;                 /* the three as one, of one input */
  CoLinear out;                 /* H dv to E */

  /* Fixed keys, which have no position and are part of every window: add_bias_kv's, then add_zero_attn's */
  gsize n_fixed;
  const float *fixed_k;         /* (n_fixed, H dk) */
  const float *fixed_v;         /* (n_fixed, H dv) */

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
  gboolean cache;               /* all chunks in place of a window of them */
};

extern const CoAttentionClass co_single_output_class;
extern const CoAttentionClass co_single_output_positions_class;
extern const CoAttentionClass co_retroactive_class;
extern const CoAttentionClass co_cached_window_class;
/* The layers above the first in window mode, which have no state */
extern const CoAttentionClass co_window_class;
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

/* Floats of a projected row: q (H dk), k (H dk), v (H dv) and, for a table of a pre-norm layer, x' (E) */
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

/* Attention over a whole window, without a state: every position attends */
void co_attention_window (const CoAttention * self,
    const float *u /* (n, E) */ , gsize n, float *y /* (n, E) */ ,
    float *weights /* (H, n, n + n_fixed) or NULL */ , float *scratch);

/* The same from projected rows */
void co_attention_window_projected (const CoAttention * self,
    const float *p /* (n, q k v) */ , gsize n, float *y /* (n, E) */ ,
    float *weights /* (H, n, n + n_fixed) or NULL */ , float *scratch);

/* co_cached_window_class: takes a projected vector */
void co_cached_window_put (const CoAttention * self, CoStateHeader * state,
    const float *p /* (proj_width) */ );
/* With a table: attention over the @n cached vectors in the order of slots and the class token, from @oldest on */
void co_cached_window_attend (const CoAttention * self, CoStateHeader * state,
    gsize n, gsize oldest, float *y /* (n + n_class, E) */ ,
    float *weights /* (H, n + n_class, n + n_class + n_fixed) or NULL */ ,
    float *scratch);

/* The same, where only position @row attends */
void co_attention_window_query (const CoAttention * self,
    const float *u /* (n, E) */ , gsize n, gsize row, float *y /* (E) */ ,
    float *weights /* (H, n + n_fixed) or NULL */ , float *scratch);

gsize co_keys_size (const CoAttention * self, gsize width);    /* floats */
CoKeys co_keys_open (const CoAttention * self, float *memory, gsize width);
void co_keys_put (const CoAttention * self, const CoKeys * keys, gsize at,
    const float *k /* (H dk) */ , const float *v /* (H dv) */ );
/* The key and the value of head @h in slot @at */
void co_keys_put_head (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize at, const float *k /* (H dk) */ , const float *v /* (H dv) */ );
void co_keys_get_head (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize at, float *k /* (dk) */ , float *v /* (dv) */ );
/* context = sum_j a[j] v[j] over the first @n values of head @h */
void co_keys_sum (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize n, const float *a /* (n) */ , float *context /* (dv) */ );

/* context = softmax (scale q K^T) V over the first @n keys of head @h. Leaves the unnormalised softmax in scratch (n) and
 * returns its sum. */
float co_keys_attend (const CoAttention * self, const CoKeys * keys, gsize h,
    gsize n, const float *q /* (H dk) */ , float *context /* (H dv) */ ,
    float *scratch);
gsize co_keys_scratch_size (const CoAttention * self, gsize n);

/* Writes one head's weights for a ring of @n keys, the newest in slot @newest, in the order of time */
void co_attention_order_weights (const CoAttention * self,
    const float *a /* (n_fixed + n) fixed keys first, then slots */ ,
    gsize a_stride, float scale, gsize n, gsize newest,
    float *weights /* (n_weights) */ );

G_END_DECLS
