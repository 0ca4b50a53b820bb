/* gst-continual: running maximum of a stream
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The queue holds the values that no later one exceeds, in falling order: only these can become the maximum. */
#include "mel/maximum.h"

typedef struct
{
  guint64 index;
  gdouble value;
} Candidate;

struct _MelMaximum
{
  guint64 window;
  guint64 n;
  GQueue queue;                 /* of Candidate: largest and oldest at the head */
};

MelMaximum *
mel_maximum_new (guint64 window)
{
  MelMaximum *self = g_new0 (MelMaximum, 1);

  self->window = window;
  g_queue_init (&self->queue);
  return self;
}

void
mel_maximum_reset (MelMaximum * self)
{
  self->n = 0;
  g_queue_clear_full (&self->queue, g_free);
}

void
mel_maximum_free (MelMaximum * self)
{
  if (!self)
    return;
  mel_maximum_reset (self);
  g_free (self);
}

gdouble
mel_maximum_push (MelMaximum * self, gdouble value)
{
  Candidate *c;

  while ((c = g_queue_peek_tail (&self->queue)) && c->value <= value)
    g_free (g_queue_pop_tail (&self->queue));
  c = g_new (Candidate, 1);
  c->index = self->n++;
  c->value = value;
  g_queue_push_tail (&self->queue, c);

  c = g_queue_peek_head (&self->queue);
  /* One value was added, so at most one leaves. Without a window, only the head is ever needed. */
  if (self->window && self->n - c->index > self->window) {
    g_free (g_queue_pop_head (&self->queue));
    c = g_queue_peek_head (&self->queue);
  } else if (!self->window && self->queue.length > 1) {
    g_free (g_queue_pop_tail (&self->queue));
  }
  return c->value;
}
