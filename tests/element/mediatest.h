/* gst-continual: buffers of video and audio that carry tensors, for tests (GStreamer 1.26)
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "encodertest.h"

#include <gst/analytics/analytics.h>

#define VIDEO "video/x-raw,format=GRAY8,width=2,height=2,framerate=100/1"
#define TICK (10 * GST_MSECOND)

static inline GstTensor *
tensor_new (const gchar * id, const float *x, gsize n)
{
  gsize dims[] = { 1, n };

  return gst_tensor_new_simple (g_quark_from_string (id),
      GST_TENSOR_DATA_TYPE_FLOAT32, gst_buffer_new_memdup (x, n * sizeof *x),
      GST_TENSOR_DIM_ORDER_ROW_MAJOR, 2, dims);
}

/* Frame @t, without tensors */
static inline GstBuffer *
frame_new (gsize t)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 4, NULL);

  gst_buffer_memset (buffer, 0, (guint8) t, 4);
  GST_BUFFER_PTS (buffer) = t * TICK;
  GST_BUFFER_DURATION (buffer) = TICK;
  return buffer;
}

/* Frame @t as an inference element leaves it: with something else, and then vector @t of the case. */
static inline GstBuffer *
inferred_new (const Golden * g, gsize t)
{
  const gsize C = co_model_get_info (g->model)->n_inputs;
  const float other[] = { 1, 2, 3 };
  GstBuffer *buffer = frame_new (t);
  GstTensor **tensors = g_new (GstTensor *, 2);

  tensors[0] = tensor_new ("boxes", other, 3);
  tensors[1] = tensor_new ("features", g->x + t * C, C);
  gst_tensor_meta_set (gst_buffer_add_tensor_meta (buffer), 2, tensors);
  return buffer;
}

/* The tensor @id of @buffer, NULL: there is none. */
static inline const GstTensor *
get_tensor (GstBuffer * buffer, const gchar * id)
{
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
              GST_TENSOR_META_API_TYPE))) {
    GstTensorMeta *tensors = (GstTensorMeta *) meta;
    const gint i = gst_tensor_meta_get_index_from_id (tensors,
        g_quark_from_string (id));

    if (i >= 0)
      return gst_tensor_meta_get (tensors, i);
  }
  return NULL;
}
