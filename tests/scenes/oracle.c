/* What a stream must answer, by float64
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oracle.h"
#include <math.h>

void
oracle_init (Oracle * self, const RefModel * m)
{
  self->x = g_array_new (FALSE, FALSE, m->C * sizeof (float));
  oracle_reset (self, m);
}

void
oracle_clear (Oracle * self)
{
  g_clear_pointer (&self->x, g_array_unref);
}

void
oracle_reset (Oracle * self, const RefModel * m)
{
  self->m = m;
  self->forgotten = 0;
  g_array_set_size (self->x, 0);
}

gboolean
oracle_take (Oracle * self, const float *x)
{
  const gsize reach = ref_reach (self->m);
  gsize age;

  g_array_append_vals (self->x, x, 1);
  if (self->x->len > 64 + reach) {
    guint rest = self->x->len - reach;

    g_array_remove_range (self->x, 0, rest);
    self->forgotten += rest;
  }
  return ref_n_answers (self->m, self->forgotten + self->x->len, 0, &age) > 0;
}

gboolean
oracle_check (Oracle * self, const float *y, gsize size)
{
  const RefInput input = {.x = (float *) self->x->data };
  RefAnswer truth;
  double error = 0, tolerance;

  if (size != self->m->D * sizeof (float))
    return FALSE;
  ref_answer (self->m, &input, self->x->len, self->forgotten, 0, &truth);
  tolerance = ref_tolerance (&truth);
  for (gsize d = 0; d < self->m->D; d++) {
    double e = fabs (y[d] - truth.y[d]);
    error = e <= error ? error : e;     /* a NaN stays */
  }
  ref_answer_clear (&truth);
  self->n_checked++;
  if (!(error <= tolerance))
    return FALSE;
  self->worst = MAX (self->worst, error / tolerance);
  return TRUE;
}
