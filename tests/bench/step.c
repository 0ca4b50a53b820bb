/* The time of a step against its floor; of chunks, of many streams and of lower precision against single steps. Everything is interleaved
 * in one process, so that ratios hold when the machine's speed drifts.
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "floor.h"

#define ROUNDS 25

typedef struct
{
  CoStream *stream;
  gsize n_steps;
  float *x, *y;
} Run;

static Run
run_new (CoModel * model, guint n_streams, gsize n_steps)
{
  const CoModelInfo *info = co_model_get_info (model);
  Run r = { co_stream_new (model, n_streams), n_steps };
  gsize n = n_streams * n_steps * info->n_inputs;
  guint32 seed = 3;

  r.x = g_new (float, n);
  r.y = g_new (float, co_stream_max_outputs (r.stream, n_steps) *
      info->n_positions * info->n_outputs);
  for (gsize i = 0; i < n; i++)
    r.x[i] = bench_random (&seed);
  for (gsize i = 0; i <= 2 * info->sequence_len / n_steps + 1; i++)
    co_stream_forward_steps (r.stream, &(CoInput) {
          .x = r.x}, n_steps, TRUE, &(CoResult) {
          .y = r.y});
  return r;
}

static int
compare (const void *a, const void *b)
{
  double d = *(const double *) a - *(const double *) b;

  return (d > 0) - (d < 0);
}

static double
median (double *x)
{
  qsort (x, ROUNDS, sizeof *x, compare);
  return x[ROUNDS / 2];
}

static gint64
now_ns (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec * G_GINT64_CONSTANT (1000000000) + t.tv_nsec;
}

int
main (int argc, char **argv)
{
  const struct
  {
    guint n_streams;
    gsize n_steps;
    const gchar *precision;
  } shapes[] = {
    {1, 1, "float32"}, {1, 2, "float32"}, {1, 4, "float32"},
    {1, 16, "float32"}, {1, 64, "float32"}, {4, 1, "float32"},
    {16, 1, "float32"}, {1, 1, "bfloat16"}, {1, 1, "int8"}
  };

  g_print ("%-6s %-9s %4s %4s %12s %10s %10s %10s\n", "model", "precision",
      "S", "T", "us/vector", "of floor", "speed-up", "MMAC/step");
  for (gsize i = 0; i < G_N_ELEMENTS (bench_models); i++) {
    const BenchModel *m = &bench_models[i];
    g_autoptr (GBytes) bytes = NULL;
    CoModel *models[G_N_ELEMENTS (shapes)];
    Run runs[G_N_ELEMENTS (shapes)];
    double times[G_N_ELEMENTS (shapes)][ROUNDS], floors[ROUNDS], at[1];
    double medians[G_N_ELEMENTS (shapes)];
    Floor f;
    gsize repeat;

    if (argc > 1 && !g_str_equal (argv[1], m->name))
      continue;
    bytes = bench_file (m);
    f = floor_new (m);
    for (gsize s = 0; s < G_N_ELEMENTS (shapes); s++) {
      g_autoptr (CoOptions) options = co_options_new ();
      co_options_set (options, "precision", shapes[s].precision, NULL);
      models[s] = s > 0 && g_str_equal (shapes[s].precision,
          shapes[s - 1].precision) ? models[s - 1] :
          co_model_load_bytes (bytes, options, NULL);
      runs[s] = run_new (models[s], shapes[s].n_streams, shapes[s].n_steps);
    }
    repeat = MAX (1, 60000000 / (co_model_get_info (models[0])->macs + 100000));
    for (gsize round = 0; round < ROUNDS; round++) {
      gint64 begin = now_ns ();
      for (gsize j = 0; j < repeat; j++)
        floor_step (&f);
      floors[round] = (double) (now_ns () - begin) / repeat;
      for (gsize s = 0; s < G_N_ELEMENTS (shapes); s++) {
        gsize vectors = shapes[s].n_streams * shapes[s].n_steps;
        gsize n = MAX (1, repeat / vectors);
        begin = now_ns ();
        for (gsize j = 0; j < n; j++)
          co_stream_forward_steps (runs[s].stream, &(CoInput) {
                .x = runs[s].x}, runs[s].n_steps, TRUE, &(CoResult) {
                .y = runs[s].y});
        times[s][round] = (double) (now_ns () - begin) / (n * vectors);
      }
    }
    at[0] = median (floors);
    g_print ("%-6s floor               %12.2f\n", m->name, at[0] / 1000);
    for (gsize s = 0; s < G_N_ELEMENTS (shapes); s++) {
      medians[s] = median (times[s]);
      g_print ("%-6s %-9s %4u %4zu %12.2f %10.2f %10.2f %10.2f\n", m->name,
          shapes[s].precision, shapes[s].n_streams, shapes[s].n_steps, medians[s] / 1000,
          medians[s] / at[0], medians[0] / medians[s],
          co_model_get_info (models[s])->macs / 1e6);
    }
  }
  return 0;
}
