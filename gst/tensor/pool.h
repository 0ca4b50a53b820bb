/* gst-continual: buffer pools for vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* For decide_allocation(): the buffers of the pool of @query, or of a new pool if downstream offers none, must hold
 * @size bytes. GstBaseTransform then configures the pool. */
void tensor_pool_require (GstQuery * query, gsize size);

/* Configures the pool for GstAggregator, which does not. Makes a new pool if there is none, or if that of downstream
 * refuses. FALSE: no pool could be configured. */
gboolean tensor_pool_configure (GstQuery * query);

/* GStreamer ends the process where it finds no room for a buffer. FALSE: there is none for one of @size bytes, and @element
 * posted an error. */
gboolean tensor_pool_check_room (GstElement * element, gsize size);

/* Activates @pool, which it consumes, and takes a buffer of @size bytes from it, mapped for writing. Not GST_FLOW_OK:
 * flushing, or @element posted an error. */
GstFlowReturn tensor_pool_acquire (GstBufferPool * pool, GstElement * element,
    gsize size, GstBuffer ** buffer, GstMapInfo * map);

G_END_DECLS
