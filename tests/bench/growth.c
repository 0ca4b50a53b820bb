/* How the cost of a step grows with window, width, depth, heads and streams: a line of CSV for each, for tests/bench/plot
 *
 * Each series changes one number of a model of 128 features, window 64, 8 heads, feed-forward 256, two layers.
 *
 * usage: bench-growth [SERIES]
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#define ROUNDS 15
#define TURN 3000
#define WARM_UP 5e6             /* us, in which a machine that rested gets back to its speed */

static const BenchModel base = { "base", 64, 128, 8, 256, 64, 2, 10 };

static const struct
{
  const gchar *what;
  guint values[8];              /* ended by 0 */
} series[] = {
  {"window", {16, 32, 64, 128, 256, 512}},
  {"width", {32, 64, 128, 256, 512}},
  {"depth", {1, 2, 3, 4, 6, 8}},
  {"heads", {1, 2, 4, 8, 16, 32}},
  {"streams", {1, 2, 4, 8, 16, 32}},
};

static const gchar *const kinds[] = {
  "deep", "single-output", "retroactive", "recurrent-linear"
};

static double
measure (const BenchModel * m, guint n_streams)
{
  Run r = run_new (m, "float32", n_streams, 1, FALSE);
  double times[ROUNDS], begin = now_us ();
  gsize repeat;

  run_step (&r);
  repeat = 1 + TURN / (now_us () - begin);
  for (gsize round = 0; round < ROUNDS; round++) {
    begin = now_us ();
    for (gsize i = 0; i < repeat; i++)
      run_step (&r);
    times[round] = (now_us () - begin) / repeat / n_streams;
  }
  run_free (&r);
  return median (times, ROUNDS);
}

int
main (int argc, char **argv)
{
  BenchModel warm = base;

  openblas_set_num_threads (1);
  warm.kind = kinds[0];
  for (double begin = now_us (); now_us () - begin < WARM_UP;)
    measure (&warm, 1);
  g_print ("series,value,kind,us\n");
  for (gsize s = 0; s < G_N_ELEMENTS (series); s++)
    for (gsize k = 0; k < G_N_ELEMENTS (kinds)
        && (argc < 2 || g_str_equal (argv[1], series[s].what)); k++)
      for (const guint * v = series[s].values; *v; v++) {
        BenchModel m = base;
        guint n_streams = 1;

        m.kind = kinds[k];
        if (g_str_equal (series[s].what, "window"))
          m.sequence_len = *v;
        else if (g_str_equal (series[s].what, "width"))
          m.d_model = *v, m.d_ff = 2 * *v;
        else if (g_str_equal (series[s].what, "depth"))
          m.n_layers = *v;
        else if (g_str_equal (series[s].what, "heads"))
          m.n_heads = *v;
        else
          n_streams = *v;
        g_print ("%s,%u,%s,%.3f\n", series[s].what, *v, kinds[k],
            measure (&m, n_streams));
      }
  return 0;
}
