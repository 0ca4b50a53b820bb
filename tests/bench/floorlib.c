/* The floor for tests/bench/compare, which calls it from Python
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "floor.h"

void bench_floor_set (const gchar * kind, gsize n_inputs, gsize d_model,
    gsize n_heads, gsize d_ff, gsize sequence_len, gsize n_layers,
    gsize n_classes);
void bench_floor_step (void);

static BenchModel model;
static Floor bench_floor;

__attribute__ ((visibility ("default")))
void
bench_floor_set (const gchar * kind, gsize n_inputs, gsize d_model,
    gsize n_heads, gsize d_ff, gsize sequence_len, gsize n_layers,
    gsize n_classes)
{
  model = (BenchModel) {
  "", n_inputs, d_model, n_heads, d_ff, sequence_len, n_layers, n_classes,
        g_intern_string (kind)};
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
