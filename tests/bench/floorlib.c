/* The floor for tests/bench/compare and tests/bench/families, which call it from Python
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "floor.h"

void bench_floor_set (const gchar * kind, gsize n_inputs, gsize d_model,
    gsize n_heads, gsize d_ff, gsize sequence_len, gsize n_layers,
    gsize n_classes);
void bench_floor_step (void);
void bench_read_set (gsize n_weights);
void bench_read (void);

/* Columns of the matrix that stands for all weights of a model */
#define COLUMNS 1024

static BenchModel model;
static Floor bench_floor;
static float *weights, *row, *product;
static gsize n_rows;

__attribute__ ((visibility ("default")))
void
bench_floor_set (const gchar * kind, gsize n_inputs, gsize d_model,
    gsize n_heads, gsize d_ff, gsize sequence_len, gsize n_layers,
    gsize n_classes)
{
  model = (BenchModel) {
  "", n_inputs, d_model, n_heads, d_ff, sequence_len, n_layers, n_classes,
        g_intern_string (kind),.layers_only = n_classes == 0};
  if (bench_floor.m)
    floor_free (&bench_floor);
  bench_floor = floor_new (&model);
}

__attribute__ ((visibility ("default")))
void
bench_floor_step (void)
{
  floor_step (&bench_floor);
}

/* The least that a model of @n_weights can take whose weights do not fit into the caches: OpenBLAS reads each once. */
__attribute__ ((visibility ("default")))
void
bench_read_set (gsize n_weights)
{
  guint32 seed = 7;

  g_aligned_free (weights);
  g_free (row);
  g_free (product);
  n_rows = MAX (1, n_weights / COLUMNS);
  weights = g_aligned_alloc (n_rows * COLUMNS, sizeof (float), 64);
  row = g_new (float, COLUMNS);
  product = g_new (float, n_rows);
  for (gsize i = 0; i < n_rows * COLUMNS; i++)
    weights[i] = .03f * bench_random (&seed);
  for (gsize i = 0; i < COLUMNS; i++)
    row[i] = bench_random (&seed);
}

__attribute__ ((visibility ("default")))
void
bench_read (void)
{
  cblas_sgemv (CblasRowMajor, CblasNoTrans, n_rows, COLUMNS, 1, weights, COLUMNS,
      row, 1, 0, product, 1);
}
