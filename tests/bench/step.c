/* The time of a step against its floor; of chunks, of many streams and of lower precision against single steps; of every
 * kind. All that is compared takes turns in one process, so that ratios hold when the machine's speed drifts.
 *
 * usage: bench-step [--quick] [MODEL...]
 *
 * --quick leaves out the paced times, of one step every 33 ms as a live stream makes them: between steps caches cool.
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "floor.h"

#define ROUNDS 21
#define PACED_ROUNDS 15
/* How long each of those that are compared runs in a round, in microseconds, and at least how often */
#define TURN 6000
#define LEAST 3

typedef struct
{
  const gchar *precision;
  guint n_streams;
  gsize n_steps;
  gboolean apart;
  const gchar *positions;       /* as the option position_index says it; NULL: recycled */
  gboolean norm_first;
} Shape;

static const Shape shapes[] = {
  {"float32", 1, 1}, {"float32", 1, 2}, {"float32", 1, 4}, {"float32", 1, 16},
  {"float32", 1, 64}, {"float32", 4, 1}, {"float32", 16, 1},
  {"float32", 16, 1, TRUE}, {"bfloat16", 1, 1}, {"int8", 1, 1},
  {"float32", 1, 1, .norm_first = TRUE},
  {"float32", 1, 1, .positions = "window"},
  {"float32", 1, 1, .positions = "window", .norm_first = TRUE}
};

/* The other kinds, at two sizes; a kind's name stands for the model's. */
static const gchar *const kinds[] = {
  "retroactive", "deep", "recurrent-full", "recurrent-linear", "kernel"
};
static const Shape kind_shapes[] = {
  {"float32", 1, 1}, {"float32", 1, 16}, {"float32", 1, 64}, {"float32", 16, 1}
};

typedef struct
{
  gboolean floor;
  Shape shape;
  Run run;
  double back_to_back[ROUNDS], paced[PACED_ROUNDS];     /* us of a vector */
} Case;

/* recurrent-full, whose steps take longer the more came before them: a turn is the first two windows' vectors, for all. */
static gboolean
grows (const BenchModel * m)
{
  return g_str_equal (bench_kind (m), "recurrent-full");
}

static double
measure (const Case * c, const Floor * floor, gsize n)
{
  double begin;

  if (n > 1 && !c->floor && grows (floor->m))
    co_stream_clean_state (c->run.streams[0], CO_ALL_STREAMS);
  begin = now_us ();
  for (gsize i = 0; i < n; i++)
    if (c->floor)
      floor_step (floor);
    else
      run_step (&c->run);
  return (now_us () - begin) / n;
}

/* What a lower precision costs in accuracy: the largest error against float32 over a window of random vectors, behind
 * another one, relative to the largest output */
static double
loss (const BenchModel * m, const gchar * precision)
{
  Run exact = run_new (m, "float32", 1, 1, FALSE);
  Run lower = run_new (m, precision, 1, 1, FALSE);
  const CoModelInfo *info = co_model_get_info (exact.model);
  double worst = 0, largest = 0;
  guint32 seed = 5;

  for (gsize t = 0; t < 2 * m->sequence_len; t++) {
    for (gsize i = 0; i < info->n_inputs; i++)
      exact.x[i] = lower.x[i] = bench_random (&seed);
    run_step (&exact);
    run_step (&lower);
    for (gsize i = 0; t >= m->sequence_len && i < info->n_outputs; i++) {
      worst = MAX (worst, fabs (lower.y[i] - exact.y[i]));
      largest = MAX (largest, fabs (exact.y[i]));
    }
  }
  run_free (&exact);
  run_free (&lower);
  return worst / largest;
}

static void
print_case (const Case * c, const Case * cases, const BenchModel * m,
    gboolean paced)
{
  const CoModelInfo *info = c->floor ? NULL : co_model_get_info (c->run.model);

  g_print ("%-6s %-16s %-9s ", m->name, bench_kind (m),
      c->floor ? "floor" : c->shape.precision);
  if (c->floor)
    g_print ("%6s %4s", "", "");
  else
    g_print ("%3u%s %4zu", c->shape.n_streams,
        c->shape.apart ? " x 1" : "    ", c->shape.n_steps);
  g_print (" %11.2f", median (c->back_to_back, ROUNDS));
  if (paced && c->shape.n_streams * c->shape.n_steps == 1)
    g_print (" %10.2f", median (c->paced, PACED_ROUNDS));
  else
    g_print (" %10s", "");
  if (info)
    g_print (" %9.2f %9.2f %10.2f %8.1f %8.1f",
        median_ratio (c->back_to_back, cases[0].back_to_back, ROUNDS),
        median_ratio (cases[1].back_to_back, c->back_to_back, ROUNDS),
        info->macs / 1e6, info->model_bytes / 1e3, info->state_bytes / 1e3);
  if (info && !g_str_equal (c->shape.precision, "float32"))
    g_print (" %8.1e", loss (m, c->shape.precision));
  if (!c->floor && (c->shape.positions || c->shape.norm_first))
    g_print (" %s%s", c->shape.norm_first ? "pre-norm " : "",
        c->shape.positions ? "positions of the window" : "");
  g_print ("\n");
}

static void
compare_shapes (const BenchModel * m, const Shape * all, gsize n_shapes,
    gboolean paced)
{
  const gsize n = n_shapes + 1;
  const Floor floor = floor_new (m);
  g_autofree Case *cases = g_new0 (Case, n);
  g_autofree gsize *repeat = g_new (gsize, n);

  g_print ("%-6s %-16s %-9s %7s %4s %11s %10s %9s %9s %10s %8s %8s %8s\n", "model",
      "kind", "precision", "S    ", "T", "us/vector", "paced", "of floor",
      "speed-up", "MMAC/step", "model kB", "state kB", "loss");
  for (gsize i = 0; i < n; i++) {
    Case *c = &cases[i];

    c->floor = i == 0;
    c->shape = c->floor ? (Shape) {"float32", 1, 1} : all[i - 1];
    if (!c->floor)
      c->run = run_new_with (m, c->shape.precision, c->shape.n_streams,
          c->shape.n_steps, c->shape.apart, c->shape.positions,
          c->shape.norm_first);
    measure (c, &floor, 1);
    repeat[i] = !c->floor && grows (m) ? 2 * m->sequence_len / c->shape.n_steps
        : MAX (LEAST, TURN / measure (c, &floor, 1));
  }
  for (gsize round = 0; round < ROUNDS; round++)
    for (gsize i = 0; i < n; i++) {
      measure (&cases[i], &floor, 1);   /* the caches are its own */
      cases[i].back_to_back[round] = measure (&cases[i], &floor, repeat[i]) /
          (cases[i].shape.n_streams * cases[i].shape.n_steps);
    }
  for (gsize round = 0; paced && round < PACED_ROUNDS; round++)
    for (gsize i = 0; i < n; i++)
      if (cases[i].shape.n_streams * cases[i].shape.n_steps == 1) {
        g_usleep (33000);
        cases[i].paced[round] = measure (&cases[i], &floor, 1);
      }
  for (gsize i = 0; i < n; i++) {
    print_case (&cases[i], cases, m, paced);
    if (!cases[i].floor)
      run_free (&cases[i].run);
  }
  floor_free (&floor);
}

static gboolean
asked_for (const gchar * name, int argc, char **argv)
{
  gboolean any = FALSE;

  for (int i = 1; i < argc; i++) {
    if (g_str_equal (argv[i], name))
      return TRUE;
    any |= argv[i][0] != '-';
  }
  return !any;
}

int
main (int argc, char **argv)
{
  gboolean paced = TRUE;

  for (int i = 1; i < argc; i++)
    paced &= !g_str_equal (argv[i], "--quick");
  openblas_set_num_threads (1);
  for (gsize i = 0; i < G_N_ELEMENTS (bench_models); i++)
    if (asked_for (bench_models[i].name, argc, argv))
      compare_shapes (&bench_models[i], shapes, G_N_ELEMENTS (shapes), paced);
  for (gsize i = 0; i < G_N_ELEMENTS (bench_streaming); i++)
    if (asked_for (bench_streaming[i].name, argc, argv))
      compare_shapes (&bench_streaming[i], kind_shapes,
          G_N_ELEMENTS (kind_shapes), paced);
  for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (gsize i = 2; i < G_N_ELEMENTS (bench_models); i++)
      if (asked_for (kinds[k], argc, argv)) {
        BenchModel m = bench_models[i];

        m.kind = kinds[k];
        compare_shapes (&m, kind_shapes, G_N_ELEMENTS (kind_shapes), paced);
      }
  return 0;
}
