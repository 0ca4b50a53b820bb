/* libcontinual: a whole sequence at once
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/stream.h"
#include "math/fpmode.h"
#include <string.h>

/* Kinds whose answer depends on nothing but the window. */
static void
forward_window (const CoModel * self, const float *x, gsize n, float *y,
    float *weights)
{
  CoAnswers answers = {.y = y,.weights = weights };
  CoWork work = { 0 };
  guint8 *memory = g_aligned_alloc (1, co_work_lay_out (&work, &self->stack, 1,
          NULL), 64);

  co_work_lay_out (&work, &self->stack, 1, memory);
  co_stack_forward_window (&self->stack, &work, x, n, &answers);
  g_aligned_free (memory);
}

static void
forward_stream (const CoModel * self, const float *x, gsize n, float *y,
    float *weights)
{
  const CoModelInfo *info = &self->info;
  CoStream *stream = co_stream_new ((CoModel *) self, 1);
  gsize capacity = co_stream_max_outputs (stream, n), got;
  gsize y_size = info->n_positions * info->n_outputs;
  gsize weights_size = info->n_heads * info->n_positions * info->n_weights;
  g_autofree float *all_y = g_new (float, capacity * y_size);
  g_autofree float *all_weights =
      weights ? g_new (float, capacity * weights_size) : NULL;
  CoResult result = {.y = all_y,.weights = all_weights };

  got = co_stream_forward_steps (stream, &(CoInput) {
        .x = x}, n, TRUE, &result);
  if (info->chunk_len > 1) {
    CoResult rest = {.y = all_y + got * y_size };
    got += co_stream_drain (stream, &rest);
  }
  if (got > 0)
    memcpy (y, all_y + (got - 1) * y_size, y_size * sizeof (float));
  if (got > 0 && weights)
    memcpy (weights, all_weights + (got - 1) * weights_size,
        weights_size * sizeof (float));
  co_stream_free (stream);
}

void
co_model_forward (const CoModel * self, const float *x, gsize n, float *y,
    float *weights)
{
  const CoModelInfo *info;

  g_return_if_fail (self != NULL && x != NULL && y != NULL);
  info = &self->info;
  g_return_if_fail (!weights || info->n_weights);

  if (co_stack_is_window (&self->stack)) {
    guint64 mode;
    g_return_if_fail (n == info->sequence_len);
    mode = co_fp_enter ();
    forward_window (self, x, n, y, weights);
    co_fp_leave (mode);
  } else {
    g_return_if_fail (n >= info->warm_up);
    forward_stream (self, x, n, y, weights);
  }
}
