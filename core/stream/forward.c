/* libcontinual: a whole sequence without a stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/stream.h"
#include <math.h>
#include <string.h>

static gboolean
has (const CoVectorStatus * status, gsize n, CoVectorStatus which)
{
  for (gsize i = 0; i < n; i++)
    if (status[i] == which)
      return TRUE;
  return FALSE;
}

gboolean
co_model_evaluate (const CoModel * self, const float *x, gsize n, float *y,
    float *weights)
{
  const CoModelInfo *info = &self->info;
  CoStream *stream;
  CoResult result = { 0 };
  gsize capacity, got, y_size, weights_size;
  g_autofree float *all_y = NULL, *all_weights = NULL;
  g_autofree CoVectorStatus *status = g_new (CoVectorStatus, n);
  gboolean known;

  stream = co_stream_new ((CoModel *) self, 1);
  stream->work.answer_interval = 1;     /* the last vector is answered */
  /* Of the sequence, and of a drain after it */
  capacity = co_stream_max_outputs (stream, n) + co_stream_max_outputs (stream, 0);
  y_size = info->n_positions * info->n_outputs;
  weights_size = info->n_heads * info->n_positions * info->n_weights;
  result.y = all_y = g_new (float, capacity * y_size);
  result.weights = all_weights =
      weights ? g_new (float, capacity * weights_size) : NULL;
  result.capacity = capacity;
  result.status = status;
  got = co_stream_forward_steps (stream, &(CoInput) {
        .x = x}, n, TRUE, &result);
  if (info->chunk_len > 1)
    got += co_stream_drain (stream, &(CoResult) {
          .capacity = capacity - got,.y = all_y + got * y_size});
  if (got > 0)
    memcpy (y, all_y + (got - 1) * y_size, y_size * sizeof (float));
  if (got > 0 && weights)
    memcpy (weights, all_weights + (got - 1) * weights_size,
        weights_size * sizeof (float));
  co_stream_unref (stream);
  known = got > 0 && !has (status, n, CO_VECTOR_REFUSED) && !has (status, n, CO_VECTOR_ABSENT);
  for (gsize i = 0; !known && i < y_size; i++)
    y[i] = NAN;
  for (gsize i = 0; !known && weights && i < weights_size; i++)
    weights[i] = NAN;
  return known && !has (status, n, CO_VECTOR_FULL);
}

void
co_model_forward (const CoModel * self, const float *x, gsize n, float *y,
    float *weights)
{
  g_return_if_fail (self != NULL && x != NULL && y != NULL);
  g_return_if_fail (n >= self->info.warm_up);
  g_return_if_fail (!weights || self->info.n_weights);

  co_model_evaluate (self, x, n, y, weights);
}
