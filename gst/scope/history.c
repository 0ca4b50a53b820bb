/* gst-continual: the last vectors of each stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope/history.h"

#include "tensor/absent.h"

struct _ScopeHistory
{
  guint n_streams, length;
  gsize width;
  guint newest;                 /* slot */
  gfloat *values;               /* (length, S, width) */
};

ScopeHistory *
scope_history_new (guint n_streams, gsize width, guint length)
{
  ScopeHistory *self;
  gfloat *values = NULL;
  gsize n;

  if (g_size_checked_mul (&n, width, n_streams)
      && g_size_checked_mul (&n, n, length))
    values = g_try_malloc_n (n, sizeof (gfloat));
  if (!values)
    return NULL;
  self = g_new (ScopeHistory, 1);
  *self = (ScopeHistory) {
  n_streams, length, width, 0, values};
  scope_history_clear (self, -1);
  return self;
}

void
scope_history_free (ScopeHistory * self)
{
  if (!self)
    return;
  g_free (self->values);
  g_free (self);
}

static gfloat *
row (const ScopeHistory * self, guint slot, guint stream)
{
  return self->values + ((gsize) slot * self->n_streams + stream) * self->width;
}

void
scope_history_clear (ScopeHistory * self, gint stream)
{
  for (guint i = 0; i < self->length; i++)
    for (guint s = 0; s < self->n_streams; s++)
      if (stream < 0 || s == (guint) stream)
        row_set_absent (row (self, i, s), self->width);
}

gfloat *
scope_history_push (ScopeHistory * self)
{
  self->newest = (self->newest + 1) % self->length;
  return row (self, self->newest, 0);
}

const gfloat *
scope_history_get (const ScopeHistory * self, guint stream, guint age)
{
  return row (self, (self->newest + self->length - age) % self->length, stream);
}

gsize
scope_history_get_width (const ScopeHistory * self)
{
  return self->width;
}

guint
scope_history_get_length (const ScopeHistory * self)
{
  return self->length;
}
