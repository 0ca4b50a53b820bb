/* libcontinual: maps of single rows, one after another
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/chain.h"
#include "math/softmax.h"
#include <math.h>
#include <string.h>

static void
linear (const CoOp * self, const float *x, gsize n, float *y)
{
  co_linear (&self->linear, x, self->n_in, n, y, self->n_out);
}

static void
norm (const CoOp * self, const float *x, gsize n, float *y)
{
  co_norm (&self->norm, x, self->n_in, n, y, NULL);
}

static void
affine (const CoOp * self, const float *x, gsize n, float *y)
{
  for (gsize r = 0; r < n; r++)
    for (gsize i = 0; i < self->n_in; i++)
      y[r * self->n_in + i] = self->gain[i] * x[r * self->n_in + i] + self->offset[i];
}

static void
activation (const CoOp * self, const float *x, gsize n, float *y)
{
  co_activate (self->activation, y, n * self->n_in);
}

static void
softmax (const CoOp * self, const float *x, gsize n, float *y)
{
  for (gsize r = 0; r < n; r++)
    co_softmax (y + r * self->n_in, self->n_in);
}

/* x - max (x) - log (sum (exp (x - max (x)))) */
static void
log_softmax (const CoOp * self, const float *x, gsize n, float *y)
{
  const gsize width = self->n_in;

  for (gsize r = 0; r < n; r++) {
    float *row = y + r * width;
    const float max = co_kernels->max (row, width);
    double sum = 0;

    for (gsize i = 0; i < width; i++)
      sum += exp ((double) row[i] - max);
    for (gsize i = 0; i < width; i++)
      row[i] = row[i] - max - log (sum);
  }
}

const CoOpClass co_op_linear = { "linear", FALSE, TRUE, linear };
const CoOpClass co_op_norm = { "norm", TRUE, TRUE, norm };
const CoOpClass co_op_affine = { "affine", TRUE, TRUE, affine };
const CoOpClass co_op_activation = { "activation", TRUE, FALSE, activation };
const CoOpClass co_op_softmax = { "softmax", TRUE, FALSE, softmax };
const CoOpClass co_op_log_softmax = { "log_softmax", TRUE, FALSE, log_softmax };

gsize
co_chain_n_out (const CoChain * self, gsize n_in)
{
  return self->n ? self->ops[self->n - 1].n_out : n_in;
}

gsize
co_chain_widest (const CoChain * self, gsize n_in)
{
  gsize widest = n_in;

  for (gsize i = 0; i < self->n; i++)
    widest = MAX (widest, self->ops[i].n_out);
  return widest;
}

guint64
co_chain_macs (const CoChain * self, guint64 rows)
{
  guint64 macs = 0;

  for (gsize i = 0; i < self->n; i++)
    macs += co_linear_macs (&self->ops[i].linear, rows);
  return macs;
}

/* Whether no map after the @i-th needs other memory for its output */
static gboolean
is_last_apart (const CoChain * self, gsize i)
{
  for (i++; i < self->n; i++)
    if (!self->ops[i].klass->in_place)
      return FALSE;
  return TRUE;
}

void
co_chain_apply (const CoChain * self, const float *x, gsize n_in, gsize n,
    float *y, float *scratch)
{
  float *spare = scratch + n * co_chain_widest (self, n_in);
  const float *at = x;          /* the rows so far: in x, y, scratch or spare */

  for (gsize i = 0; i < self->n; i++) {
    const CoOp *op = &self->ops[i];
    float *to = at == scratch ? spare : scratch;

    if (op->klass->in_place && (at != x || x == y))
      to = (float *) at;
    else if (is_last_apart (self, i))
      to = y;
    if (to != at && !op->klass->apart) {
      memcpy (to, at, n * op->n_in * sizeof (float));
      at = to;
    }
    op->klass->apply (op, at, n, to);
    at = to;
  }
  if (at != y)
    memcpy (y, at, n * co_chain_n_out (self, n_in) * sizeof (float));
}
