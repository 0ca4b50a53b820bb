/* libcontinual: giving streams a memory
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/stream.h"
#include "math/fpmode.h"

/* Projects the keys and values of every layer. */
static CoMemory *
project (const CoStack * stack, const float *vectors, gsize n)
{
  g_autofree gsize *sizes = g_new (gsize, stack->n_layers);
  CoMemory *memory;
  guint64 mode = co_fp_enter ();

  for (gsize l = 0; l < stack->n_layers; l++)
    sizes[l] = stack->layers[l].cross_class->memory_size (&stack->
        layers[l].cross, n);
  memory = co_memory_new (vectors, n, stack->layers[0].cross.k.n_in, sizes,
      stack->n_layers);
  for (gsize l = 0; l < stack->n_layers; l++)
    stack->layers[l].cross_class->project (&stack->layers[l].cross, vectors, n,
        co_memory_get_layer (memory, l));
  co_fp_leave (mode);
  return memory;
}

/* Room for a step that asks a memory of @n vectors. */
static void
reserve (CoStream * self, gsize n)
{
  const CoStack *stack = &self->model->stack;
  gsize size = 0;

  for (gsize l = 0; l < stack->n_layers; l++)
    size = MAX (size, stack->layers[l].cross_class->scratch_size (&stack->
            layers[l].cross, n));
  if (size <= self->cross_scratch_size)
    return;
  g_aligned_free (self->work.cross_scratch);
  self->work.cross_scratch = g_aligned_alloc (size, sizeof (float), 64);
  self->cross_scratch_size = size;
}

void
co_stream_put_memory (CoStream * self, guint stream, CoMemory * memory)
{
  CoMemory *old = self->work.memories[stream];

  if (memory) {
    reserve (self, co_memory_get_length (memory));
    co_memory_ref (memory);
  }
  self->work.memories[stream] = memory;
  if (old)
    co_memory_unref (old);
}

void
co_stream_set_memory (CoStream * self, gint stream, const float *vectors,
    gsize n)
{
  CoMemory *memory;

  g_return_if_fail (self != NULL && vectors != NULL && n > 0);
  g_return_if_fail (self->model->info.n_memory > 0);
  g_return_if_fail (stream >= -1 && stream < (gint) self->n_streams);

  memory = project (&self->model->stack, vectors, n);
  for (guint s = 0; s < self->n_streams; s++)
    if (stream < 0 || s == (guint) stream)
      co_stream_put_memory (self, s, memory);
  co_memory_unref (memory);
}

gsize
co_stream_get_memory_length (const CoStream * self, guint stream)
{
  const CoMemory *memory;

  g_return_val_if_fail (self != NULL && stream < self->n_streams, 0);

  memory = self->work.memories ? self->work.memories[stream] : NULL;
  return memory ? co_memory_get_length (memory) : 0;
}
