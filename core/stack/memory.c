/* libcontinual: the memory of a decoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack/memory.h"
#include "math/alloc.h"
#include <string.h>

struct _CoMemory
{
  gint ref_count;
  gsize n, n_layers;
  float *vectors;               /* (n, n_features) */
  gpointer layers[];
};

CoMemory *
co_memory_new (const float *vectors, gsize n, gsize n_features,
    const gsize * sizes, gsize n_layers)
{
  CoMemory *self = g_malloc0 (sizeof *self + n_layers * sizeof (gpointer));
  gboolean fits;

  self->ref_count = 1;
  self->n = n;
  self->n_layers = n_layers;
  self->vectors = co_try_alloc0 (n, n_features * sizeof (float));
  fits = self->vectors != NULL;
  for (gsize l = 0; fits && l < n_layers; l++) {
    self->layers[l] = co_try_alloc0 (1, sizes[l]);
    fits = self->layers[l] != NULL;
  }
  if (!fits) {
    co_memory_unref (self);
    return NULL;
  }
  memcpy (self->vectors, vectors, n * n_features * sizeof (float));
  return self;
}

CoMemory *
co_memory_ref (CoMemory * self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
co_memory_unref (CoMemory * self)
{
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  for (gsize l = 0; l < self->n_layers; l++)
    co_free (self->layers[l]);
  co_free (self->vectors);
  g_free (self);
}

gpointer
co_memory_get_layer (const CoMemory * self, gsize layer)
{
  return self->layers[layer];
}

gsize
co_memory_get_length (const CoMemory * self)
{
  return self->n;
}

const float *
co_memory_get_vectors (const CoMemory * self)
{
  return self->vectors;
}
