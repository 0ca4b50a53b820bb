/* libcontinual: the threads of a stream's calls
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/stream.h"
#include "math/alloc.h"
#include "math/fpmode.h"
#include "math/team.h"

G_STATIC_ASSERT (CO_MAX_THREADS == CO_TEAM_MAX);

CoCall
co_stream_begin_call (const CoStream * self)
{
  return (CoCall) {
  .mode = co_fp_enter (),.n_threads =
        co_team_enter (MIN (self->n_threads, self->n_room))};
}

void
co_stream_end_call (CoCall before)
{
  co_team_leave (before.n_threads);
  co_fp_leave (before.mode);
}

/* Scratch memory for @n_threads, @size floats each for an attention to a memory. FALSE: no room; nothing changed. */
static gboolean
reserve (CoStream * self, guint n_threads, gsize size)
{
  CoWork *work = &self->work;
  float *scratch = NULL, *cross = NULL;

  if (n_threads > self->n_room && !(scratch = co_try_alloc0 (n_threads,
              work->scratch_size * sizeof (float))))
    return FALSE;
  if (size > 0 && !(cross = co_try_alloc0 (n_threads, size * sizeof (float)))) {
    co_free (scratch);
    return FALSE;
  }
  if (scratch) {
    co_free (self->team_scratch);
    work->scratch = self->team_scratch = scratch;
    self->n_room = n_threads;
  }
  if (cross) {
    co_free (work->cross_scratch);
    work->cross_scratch = cross;
    work->cross_scratch_size = size;
  }
  return TRUE;
}

gboolean
co_stream_reserve_scratch (CoStream * self, gsize size)
{
  return size <= self->work.cross_scratch_size || reserve (self, self->n_room, CO_ALIGN_FLOATS (size));
}

void
co_stream_set_n_threads (CoStream * self, guint n_threads)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (n_threads > 0 && n_threads <= CO_MAX_THREADS);

  self->n_threads = n_threads;
  if (n_threads > self->n_room)
    reserve (self, n_threads, self->work.cross_scratch_size);
  co_team_leave (co_team_enter (n_threads));    /* starts them now */
}

guint
co_stream_get_n_threads (const CoStream * self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_threads;
}
