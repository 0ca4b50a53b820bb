/* What a second thread gives: the time of a step, by the clock, with one thread and with several. Both take turns, so that
 * ratios hold when the machine's speed drifts. Other work on the machine takes the second core away.
 *
 * usage: bench-threads [N_THREADS [ROUNDS]]
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#define MAX_ROUNDS 999
/* How long each runs in a round, in microseconds, and at least how often */
#define TURN 20000
#define LEAST 3

static const struct
{
  const gchar *model, *precision;
  guint n_streams;
  gsize n_steps;
} cases[] = {
  {"b1", "float32", 1, 1}, {"b1", "int8", 1, 1}, {"b1", "float32", 16, 1}, {"b1", "float32", 1, 16},
  {"b2", "float32", 1, 1}, {"b2", "bfloat16", 1, 1}, {"b2", "int8", 1, 1}, {"b2", "float32", 16, 1},
  {"small", "float32", 1, 1}, {"small", "float32", 16, 1},
  {"tiny", "float32", 1, 1}, {"tiny", "float32", 16, 1},
};

static double
measure (const Run * run, guint n_threads)
{
  double begin, time;
  gsize n = 0;

  co_stream_set_n_threads (run->streams[0], n_threads);
  run_step (run);
  begin = clock_us (CLOCK_MONOTONIC);
  do {
    run_step (run);
    n++;
    time = clock_us (CLOCK_MONOTONIC) - begin;
  } while (n < LEAST || time < TURN);
  return time / n / (run->n_streams * run->n_steps);
}

int
main (int argc, char **argv)
{
  const guint n_threads = argc > 1 ? atoi (argv[1]) : 2;
  const guint rounds = argc > 2 ? CLAMP (atoi (argv[2]), 1, MAX_ROUNDS) : 21;

  g_print ("%-6s %-9s %3s %3s %14s %14s %10s\n", "model", "precision", "S", "T",
      "us/vector, 1", "with threads", "times");
  for (gsize c = 0; c < G_N_ELEMENTS (cases); c++) {
    static double one[MAX_ROUNDS], many[MAX_ROUNDS], ratio[MAX_ROUNDS];
    const BenchModel *m = bench_models;
    Run run;

    for (; !g_str_equal (m->name, cases[c].model); m++);
    run = run_new (m, cases[c].precision, cases[c].n_streams, cases[c].n_steps, FALSE);
    for (guint r = 0; r < rounds; r++) {
      one[r] = measure (&run, 1);
      many[r] = measure (&run, n_threads);
      ratio[r] = one[r] / many[r];
    }
    g_print ("%-6s %-9s %3u %3zu %14.2f %14.2f %10.2f\n", m->name, cases[c].precision,
        cases[c].n_streams, cases[c].n_steps, median (one, rounds), median (many, rounds),
        median (ratio, rounds));
    run_free (&run);
  }
  return 0;
}
