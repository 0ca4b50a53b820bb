/* libcontinual: the memory of a decoder's stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/stream.h"
#include "math/fpmode.h"
#include <math.h>

/* Projects the keys and values of every layer. NULL: they do not fit into RAM. */
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
  for (gsize l = 0; memory && l < stack->n_layers; l++)
    stack->layers[l].cross_class->project (&stack->layers[l].cross, vectors, n,
        co_memory_get_layer (memory, l));
  co_fp_leave (mode);
  return memory;
}

/* Floats of scratch for a step that attends to a memory of @n vectors */
static gsize
scratch_size (const CoStack * stack, gsize n)
{
  gsize size = 0;

  for (gsize l = 0; l < stack->n_layers; l++)
    size = MAX (size, stack->layers[l].cross_class->scratch_size (&stack->
            layers[l].cross, n));
  return size;
}

void
co_stream_put_memory (CoStream * self, guint stream, CoMemory * memory)
{
  CoMemory *old = self->work.memories[stream];

  if (memory)
    co_memory_ref (memory);
  self->work.memories[stream] = memory;
  if (old)
    co_memory_unref (old);
}

static gboolean
check_vectors (const float *vectors /* (n, width) */ , gsize n, gsize width,
    GError ** error)
{
  for (gsize i = 0; i < n * width; i++)
    if (!(fabsf (vectors[i]) <= CO_LARGEST)) {
      g_set_error (error, CO_ERROR, CO_ERROR_MEMORY,
          "memory of %" G_GSIZE_FORMAT " vectors: expected finite numbers up to "
          "%g, found %g in vector %" G_GSIZE_FORMAT "; repair what makes the memory",
          n, (double) CO_LARGEST, (double) vectors[i], i / width);
      return FALSE;
    }
  return TRUE;
}

CoMemory *
co_stream_make_memory (CoStream * self, const float *vectors, gsize n,
    GError ** error)
{
  const CoStack *stack = &self->model->stack;
  CoMemory *memory;

  if (!check_vectors (vectors, n, self->model->info.n_memory, error))
    return NULL;
  memory = project (stack, vectors, n);
  if (memory && co_stream_reserve_scratch (self, scratch_size (stack, n)))
    return memory;
  g_clear_pointer (&memory, co_memory_unref);
  g_set_error (error, CO_ERROR, CO_ERROR_MEMORY,
      "memory of %" G_GSIZE_FORMAT " vectors: expected one that fits into RAM "
      "with its keys and values, found too little; give fewer vectors", n);
  return NULL;
}

gboolean
co_stream_set_memory (CoStream * self, guint stream, const float *vectors,
    gsize n, GError ** error)
{
  CoMemory *memory;

  g_return_val_if_fail (self != NULL && vectors != NULL && n > 0, FALSE);
  g_return_val_if_fail (self->model->info.n_memory > 0, FALSE);
  g_return_val_if_fail (stream == CO_ALL_STREAMS
      || stream < self->n_streams, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  memory = co_stream_make_memory (self, vectors, n, error);
  if (!memory)
    return FALSE;
  for (guint s = 0; s < self->n_streams; s++)
    if (stream == CO_ALL_STREAMS || s == stream)
      co_stream_put_memory (self, s, memory);
  co_memory_unref (memory);
  return TRUE;
}

gsize
co_stream_get_memory_length (const CoStream * self, guint stream)
{
  const CoMemory *memory;

  g_return_val_if_fail (self != NULL && stream < self->n_streams, 0);

  memory = self->work.memories ? self->work.memories[stream] : NULL;
  return memory ? co_memory_get_length (memory) : 0;
}
