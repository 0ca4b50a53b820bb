/* What a step cannot do without, by OpenBLAS: every weight streamed once, and the feed-forward of a whole window
 * where layers lie above or every position is answered
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bench.h"

typedef struct
{
  const BenchModel *m;
  float *weights;               /* as many as the model has in matrices */
  float *rows;                  /* (sequence_len, the widest) two of them */
} Floor;

static inline gsize
floor_n_weights (const BenchModel * m)
{
  return m->n_inputs * m->d_model + m->n_layers * (4 * m->d_model * m->d_model +
      2 * m->d_model * m->d_ff) + m->d_model * m->n_classes;
}

static inline gboolean
floor_is_kernel (const BenchModel * m)
{
  return g_str_equal (bench_kind (m), "kernel");
}

/* sgemm fetches ahead in the memory that it packs into, which takes a fifth of tiny's time while that was never touched. */
static inline void
floor_warm_up (void)
{
  enum { SIZE = 512 };
  g_autofree float *m = g_new0 (float, 3 * SIZE * SIZE);

  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, SIZE, SIZE, SIZE, 1, m,
      SIZE, m + SIZE * SIZE, SIZE, 0, m + 2 * SIZE * SIZE, SIZE);
}

static inline Floor
floor_new (const BenchModel * m)
{
  Floor f = {.m = m };
  gsize n = floor_n_weights (m), widest = MAX (m->n_inputs, MAX (3 * m->d_model,
          m->d_ff));
  guint32 seed = 7;

  f.weights = g_aligned_alloc (n, sizeof (float), 64);
  f.rows = g_aligned_alloc (2 * m->sequence_len * widest, sizeof (float), 64);
  for (gsize i = 0; i < n; i++)
    f.weights[i] = .03f * bench_random (&seed);
  for (gsize i = 0; i < 2 * m->sequence_len * widest; i++)
    f.rows[i] = bench_random (&seed);
  floor_warm_up ();
  return f;
}

static inline void
floor_free (const Floor * f)
{
  g_aligned_free (f->weights);
  g_aligned_free (f->rows);
}

static inline const float *
floor_gemv (const Floor * f, const float *w, gsize n_out, gsize n_in)
{
  cblas_sgemv (CblasRowMajor, CblasNoTrans, n_out, n_in, 1, w, n_in, f->rows, 1,
      0, f->rows + f->m->sequence_len * n_in, 1);
  return w + n_out * n_in;
}

static inline const float *
floor_gemm (const Floor * f, const float *w, gsize n_out, gsize n_in)
{
  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, f->m->sequence_len,
      n_out, n_in, 1, f->rows, n_in, w, n_in, 0,
      f->rows + f->m->sequence_len * MAX (n_in, n_out), n_out);
  return w + n_out * n_in;
}

static inline void
floor_step (const Floor * f)
{
  const BenchModel *m = f->m;
  const gsize E = m->d_model;
  const gboolean all = g_str_equal (bench_kind (m), "retroactive");
  const gboolean windows = all || (m->n_layers > 1
      && g_str_equal (bench_kind (m), "single-output"));
  const float *w = f->weights;

  if (floor_is_kernel (m)) {
    w = floor_gemv (f, w, 3 * E, E);
    floor_gemv (f, w, E, E);
    return;
  }
  if (!m->layers_only)
    w = floor_gemv (f, w, E, m->n_inputs);
  for (gsize l = 0; l < m->n_layers; l++) {
    const gboolean rows_come_out = windows && (all || l + 1 < m->n_layers);
    const float *(*const in) (const Floor *, const float *, gsize, gsize) =
        l > 0 && rows_come_out ? floor_gemm : floor_gemv;
    const float *(*const out) (const Floor *, const float *, gsize, gsize) =
        rows_come_out ? floor_gemm : floor_gemv;

    w = in (f, w, 3 * E, E);
    w = in (f, w, E, E);
    w = out (f, w, m->d_ff, E);
    w = out (f, w, E, m->d_ff);
  }
  if (!m->layers_only)
    (all ? floor_gemm : floor_gemv) (f, w, m->n_classes, E);
}
