/* continual-worker: a slot of one CoStream for each stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/slots.h"

#include "host/states.h"

#define FIRST 16

struct _Slots
{
  CoModel *model;
  CoStream *stream;
  CoStream *alone;              /* for drains; NULL: not yet */
  GByteArray *used;             /* gboolean of each slot */
  guint n_threads;
};

Slots *
slots_new (CoModel * model, guint n_threads)
{
  Slots *self = g_new0 (Slots, 1);

  self->model = co_model_ref (model);
  self->n_threads = n_threads;
  self->used = g_byte_array_new ();
  return self;
}

void
slots_free (Slots * self)
{
  g_clear_pointer (&self->stream, co_stream_unref);
  g_clear_pointer (&self->alone, co_stream_unref);
  co_model_unref (self->model);
  g_byte_array_unref (self->used);
  g_free (self);
}

static gboolean
grow (Slots * self, GError ** error)
{
  const guint n = MAX (FIRST, 2 * self->used->len), before = self->used->len;
  g_autoptr (CoStream) more = co_stream_try_new (self->model, n, error);

  if (!more)
    return FALSE;
  co_stream_set_n_threads (more, self->n_threads);
  if (!states_copy (self->stream, more, before, error))
    return FALSE;
  g_clear_pointer (&self->stream, co_stream_unref);
  self->stream = g_steal_pointer (&more);
  g_byte_array_set_size (self->used, n);
  for (guint i = before; i < n; i++)
    self->used->data[i] = FALSE;
  return TRUE;
}

guint
slots_take (Slots * self, GError ** error)
{
  guint slot = 0;

  while (slot < self->used->len && self->used->data[slot])
    slot++;
  if (slot == self->used->len && !grow (self, error))
    return SLOTS_NONE;
  self->used->data[slot] = TRUE;
  co_stream_clean_state (self->stream, slot);
  return slot;
}

void
slots_give_back (Slots * self, guint slot)
{
  self->used->data[slot] = FALSE;
}

CoStream *
slots_get_stream (Slots * self)
{
  return self->stream;
}

gsize
slots_drain (Slots * self, guint slot, float *y, CoOutput * outputs,
    gsize capacity)
{
  g_autoptr (GBytes) state = co_stream_get_state_at (self->stream, slot);
  CoResult result = {.capacity = capacity,.y = y,.outputs = outputs };
  gsize n = 0;

  if (!self->alone)
    self->alone = co_stream_new (self->model, 1);
  if (state && co_stream_set_state_at (self->alone, 0, state, NULL))
    n = co_stream_drain (self->alone, &result);
  co_stream_clean_state (self->stream, slot);
  return n;
}
