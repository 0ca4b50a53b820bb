/* What the products reach: bytes of weights read and multiply-accumulates done in a second, with weights in the nearer cache, in the
 * farther one and in memory, for one row and for 64. These are what a step's time is to be held against.
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"
#include "math/alloc.h"
#include "math/linear.h"

#define ROUNDS 9
#define N_IN 1024
#define MANY 64
/* How long each runs in a round, in microseconds */
#define TURN 3000

/* MB of weights */
static const double sizes[] = { 0.25, 4, 64 };

typedef struct
{
  CoLinear linear;
  double us[2][ROUNDS];
} Case;

static const gsize n_rows[] = { 1, MANY };

static CoLinear
linear_new (const CoFormat * format, gsize bytes)
{
  const gsize n_out = bytes / format->size (CO_PANEL, N_IN) * CO_PANEL;
  float *panels = g_new (float, co_panels_size (n_out, N_IN));
  float *scales = g_new0 (float, n_out);
  /* More behind it, as behind a matrix of a model: what is fetched ahead is there. */
  gpointer w = co_try_alloc0 (1, format->size (n_out, N_IN) + 65536);
  guint32 seed = 1;

  for (gsize i = 0; i < n_out * N_IN; i++)
    panels[i] = bench_random (&seed);
  format->fill (w, scales, panels, n_out, N_IN);
  g_free (panels);
  return (CoLinear) {
  N_IN, n_out, format, w, scales, NULL};
}

static double
measure (const CoLinear * linear, const float *x, float *y, gsize rows)
{
  gsize n = 0;
  double begin = now_us (), time;

  do {
    co_linear (linear, x, N_IN, rows, y, linear->n_out);
    n++;
    time = now_us () - begin;
  } while (time < TURN);
  return time / n;
}

int
main (void)
{
  g_autofree float *x = g_new (float, MANY * N_IN);
  /* Of 64 MB of int8 */
  g_autofree float *y = g_new (float, MANY * ((gsize) 64 << 20) / N_IN);
  guint32 seed = 2;

  for (gsize i = 0; i < MANY * N_IN; i++)
    x[i] = bench_random (&seed);
  g_print ("%-9s %8s %12s %12s %16s\n", "precision", "MB", "GB/s, 1 row", "GMAC/s",
      "GMAC/s, 64 rows");
  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++) {
    Case cases[3];

    for (gsize f = 0; f < 3; f++) {
      cases[f].linear = linear_new (co_formats[f], sizes[s] * 1048576);
      measure (&cases[f].linear, x, y, 1);
    }
    for (gsize round = 0; round < ROUNDS; round++)
      for (gsize f = 0; f < 3; f++)
        for (gsize r = 0; r < G_N_ELEMENTS (n_rows); r++)
          cases[f].us[r][round] = measure (&cases[f].linear, x, y, n_rows[r]);
    for (gsize f = 0; f < 3; f++) {
      const CoLinear *linear = &cases[f].linear;
      const double macs = linear->n_out * N_IN * 1e-3;

      g_print ("%-9s %8.2f %12.1f %12.1f %16.1f\n", linear->format->name,
          sizes[s], linear->format->size (linear->n_out, N_IN) * 1e-3 /
          median (cases[f].us[0], ROUNDS), macs / median (cases[f].us[0], ROUNDS),
          macs * MANY / median (cases[f].us[1], ROUNDS));
      g_aligned_free ((gpointer) linear->w);
      g_free ((gpointer) linear->scales);
    }
  }
  return 0;
}
