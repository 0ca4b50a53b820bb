/* libcontinual: the state of one layer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/layer-state.h"
#include <math.h>

gsize
co_layer_state_ring_len (const CoLayer * self)
{
  const CoAttention *attention = &self->attention;

  if (attention->klass->whole_window)
    return attention->sequence_len;
  return MAX (attention->query_back + 1, co_attention_max_answers (attention));
}

/* A window of one vector has a ring as well: the attention reads the base from it. */
static gboolean
has_ring (const CoLayer * self)
{
  return co_layer_state_ring_len (self) > 1
      || self->attention.klass->whole_window;
}

gsize
co_layer_state_size (const CoLayer * self)
{
  const gsize len = co_layer_state_ring_len (self);
  gsize size = self->attention.klass->state_size (&self->attention);

  if (has_ring (self))
    size += CO_ALIGN_BYTES (len * sizeof (guint64)) +
        CO_ALIGN_BYTES (len * self->ring_width * sizeof (float));
  return size;
}

CoLayerState
co_layer_state_open (const CoLayer * self, guint8 * memory)
{
  const gsize len = co_layer_state_ring_len (self);
  guint8 *positions =
      memory + self->attention.klass->state_size (&self->attention);

  return (CoLayerState) {
    .attention = (CoStateHeader *) memory,
    .positions = (guint64 *) positions,
    .x = (float *) (positions + CO_ALIGN_BYTES (len * sizeof (guint64))),
  };
}

static gboolean
all_finite (const float *x /* (n) */ , gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (x[i]))
      return FALSE;
  return TRUE;
}

static gboolean
all_finite_double (const double *x /* (n) */ , gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (x[i]))
      return FALSE;
  return TRUE;
}

gboolean
co_layer_state_is_sound (const CoLayer * self, const guint8 * memory)
{
  const CoAttention *attention = &self->attention;
  const CoLayerState s = co_layer_state_open (self, (guint8 *) memory);
  const gsize bytes =
      attention->klass->state_size (attention) - sizeof (CoStateHeader);
  gconstpointer numbers = co_state_numbers (s.attention);

  if (s.attention->taken > G_MAXINT64)
    return FALSE;
  if (attention->klass->in_double
      ? !all_finite_double (numbers, bytes / sizeof (double))
      : !all_finite (numbers, bytes / sizeof (float)))
    return FALSE;
  if (has_ring (self) && !all_finite (s.x,
          co_layer_state_ring_len (self) * self->ring_width))
    return FALSE;
  return !attention->klass->is_sound
      || attention->klass->is_sound (attention, s.attention);
}

void
co_layer_state_put_fixed (const CoLayer * self, guint8 * memory,
    float *scratch)
{
  const CoAttention *attention = &self->attention;
  const CoLayerState s = co_layer_state_open (self, memory);

  if (attention->klass->put_fixed && s.attention->taken > 0)
    attention->klass->put_fixed (attention, s.attention, scratch);
}
