/* Models at work, and the time they take
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "models.h"
#include <cblas.h>
#include <stdlib.h>
#include <time.h>

typedef struct
{
  CoModel *model;
  guint n_streams;              /* S */
  gsize n_steps;                /* T */
  gboolean apart;               /* S streams of their own in place of one CoStream of S */
  CoStream **streams;
  float *x, *y;
} Run;

static inline void
run_step (const Run * r)
{
  for (guint s = 0; s < (r->apart ? r->n_streams : 1); s++)
    co_stream_forward_steps (r->streams[s], &(CoInput) {
          .x = r->x}, r->n_steps, TRUE, &(CoResult) {
          .capacity = co_stream_max_outputs (r->streams[s], r->n_steps),.y = r->y});
}

static inline Run
run_new_with (const BenchModel * m, const gchar * precision,
    guint n_streams, gsize n_steps, gboolean apart, const gchar * positions,
    gboolean norm_first)
{
  g_autoptr (GBytes) bytes = bench_file (m);
  g_autoptr (CoOptions) options = co_options_new ();
  g_autoptr (GError) error = NULL;
  const CoModelInfo *info;
  Run r = {.n_streams = n_streams,.n_steps = n_steps,.apart = apart };
  guint32 seed = 3;
  gsize n;

  co_options_set (options, "precision", precision, NULL);
  co_options_set (options, "position_index", positions, NULL);
  co_options_set (options, "norm_first", norm_first ? "true" : NULL, NULL);
  r.model = co_model_load_bytes (bytes, options, &error);
  if (!r.model)
    g_error ("%s: %s", m->name, error->message);
  info = co_model_get_info (r.model);
  r.streams = g_new (CoStream *, n_streams);
  for (guint s = 0; s < n_streams; s++)
    r.streams[s] = s == 0 || apart ? co_stream_new (r.model,
        apart ? 1 : n_streams) : NULL;
  n = n_streams * n_steps * info->n_inputs;
  r.x = g_new (float, n);
  r.y = g_new (float, co_stream_max_outputs (r.streams[0], n_steps) *
      info->n_positions * info->n_outputs);
  for (gsize i = 0; i < n; i++)
    r.x[i] = bench_random (&seed);
  /* Windows are full, of every layer, and caches are made. */
  for (gsize i = 0; i <= (info->warm_up + m->sequence_len) / n_steps + 1; i++)
    run_step (&r);
  return r;
}

static inline Run
run_new (const BenchModel * m, const gchar * precision, guint n_streams,
    gsize n_steps, gboolean apart)
{
  return run_new_with (m, precision, n_streams, n_steps, apart, NULL, FALSE);
}

static inline void
run_free (Run * r)
{
  for (guint s = 0; s < r->n_streams; s++)
    g_clear_pointer (&r->streams[s], co_stream_unref);
  g_free (r->streams);
  g_free (r->x);
  g_free (r->y);
  co_model_unref (r->model);
}

static inline double
clock_us (clockid_t clock)
{
  struct timespec t;

  clock_gettime (clock, &t);
  return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}

/* Of this process alone, in microseconds: what else the machine does in between is not counted. */
static inline double
now_us (void)
{
  return clock_us (CLOCK_PROCESS_CPUTIME_ID);
}

static inline int
bench_compare (const void *a, const void *b)
{
  double d = *(const double *) a - *(const double *) b;

  return (d > 0) - (d < 0);
}

static inline double
median (const double *x, gsize n)
{
  g_autofree double *sorted = g_memdup2 (x, n * sizeof *x);

  qsort (sorted, n, sizeof *sorted, bench_compare);
  return sorted[n / 2];
}

/* The median of a's times over b's of the same round */
static inline double
median_ratio (const double *a, const double *b, gsize n)
{
  g_autofree double *ratios = g_new (double, n);

  for (gsize i = 0; i < n; i++)
    ratios[i] = a[i] / b[i];
  return median (ratios, n);
}
