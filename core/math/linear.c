/* libcontinual: weights and what they do to rows
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "math/linear.h"
#include "math/team.h"

/* Rows whose arithmetic takes as long as reading the weights */
#define FREE_ROWS 4

gsize
co_panels_size (gsize n_out, gsize n_in)
{
  return (n_out + CO_PANEL - 1) / CO_PANEL * n_in * CO_PANEL;
}

void
co_panels_fill (float *panels, gsize first, const float *m, gsize n_out,
    gsize n_in, gsize out_stride, gsize in_stride)
{
  for (gsize o = 0; o < n_out; o++) {
    gsize at = first + o;
    float *to = panels + at / CO_PANEL * n_in * CO_PANEL + at % CO_PANEL;

    for (gsize i = 0; i < n_in; i++)
      to[i * CO_PANEL] = m[o * out_stride + i * in_stride];
  }
}

typedef struct
{
  const CoLinear *linear;
  const float *x;
  gsize x_stride, n_rows;
  float *y;
  gsize y_stride;
} Product;

/* The outputs of panels @begin to @end - 1 */
static void
multiply_panels (gconstpointer data, guint thread, gsize begin, gsize end)
{
  const Product *p = data;
  const CoLinear *all = p->linear;
  const gsize first = begin * CO_PANEL;
  const CoLinear some = {
    .n_in = all->n_in,
    .n_out = MIN (end * CO_PANEL, all->n_out) - first,
    .format = all->format,
    .w = (const guint8 *) all->w + all->format->size (first, all->n_in),
    .scales = all->scales ? all->scales + first : NULL,
    .b = all->b ? all->b + first : NULL,
  };

  all->format->multiply (&some, p->x, p->x_stride, p->n_rows, p->y + first,
      p->y_stride);
}

void
co_linear (const CoLinear * self, const float *x, gsize x_stride,
    gsize n_rows, float *y, gsize y_stride)
{
  const Product product = { self, x, x_stride, n_rows, y, y_stride };
  const gsize panel = CO_PANEL * (self->n_in + 1) * (n_rows + FREE_ROWS) / (1 + FREE_ROWS);

  co_team_run (multiply_panels, &product, (self->n_out + CO_PANEL - 1) / CO_PANEL,
      co_team_least (panel));
}

typedef struct
{
  const CoNorm *norm;
  const float *x;
  gsize x_stride;
  const float *a;
  float *y, *scale;
} Normed;

static void
norm_rows (gconstpointer data, guint thread, gsize begin, gsize end)
{
  const Normed *d = data;
  const CoNorm *norm = d->norm;

  (norm->rms ? co_kernels->rms_norm : co_kernels->layer_norm) (d->x + begin *
      d->x_stride, d->x_stride, d->a ? d->a + begin * norm->n : NULL, norm->gain,
      norm->bias, norm->eps, d->y + begin * norm->n,
      d->scale ? d->scale + begin : NULL, end - begin, norm->n);
}

static void
norm (const Normed * normed, gsize n_rows)
{
  co_team_run (norm_rows, normed, n_rows, CO_TEAM_LEAST_FLOATS / normed->norm->n + 1);
}

void
co_norm (const CoNorm * self, const float *x, gsize x_stride, gsize n_rows,
    float *y, float *scale)
{
  norm (&(Normed) {self, x, x_stride, NULL, y, scale}, n_rows);
}

void
co_add_norm (const CoNorm * self, float *x, const float *a, gsize n_rows)
{
  norm (&(Normed) {self, x, self->n, a, x, NULL}, n_rows);
}

static void
exchange_rows (gconstpointer data, guint thread, gsize begin, gsize end)
{
  CoExchange some = *(const CoExchange *) data;

  some.p += begin * some.n_heads * some.n;
  some.f += begin;
  some.a += begin;
  some.b += begin;
  some.c += begin;
  some.from += begin * some.from_stride;
  some.y += begin * some.n;
  some.n_rows = end - begin;
  co_kernels->exchange (&some);
}

void
co_exchange (const CoExchange * exchange)
{
  co_team_run (exchange_rows, exchange, exchange->n_rows,
      CO_TEAM_LEAST_FLOATS / (exchange->n_heads * exchange->n + 1) + 1);
}
