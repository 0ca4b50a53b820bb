/* gst-continual: memory for vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* For decide_allocation() of elements whose buffers aren't sized as their input is: makes the pool of @query, or one
 * of our own if downstream has none, hold @size bytes a buffer. GstBaseTransform configures it. */
void tensor_pool_require (GstQuery * query, gsize size);

/* Configures it where the base class does not (GstAggregator): makes a pool if there is none, or if downstream's
 * refuses. */
gboolean tensor_pool_configure (GstQuery * query);

G_END_DECLS
