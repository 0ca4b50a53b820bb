/* gst-continual: memory for vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensorpool.h"

void
tensor_pool_require (GstQuery * query, gsize size)
{
  GstBufferPool *pool = NULL;
  guint theirs, min, max;

  if (gst_query_get_n_allocation_pools (query) == 0) {
    gst_query_add_allocation_pool (query, NULL, (guint) size, 0, 0);
    return;
  }
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &theirs, &min, &max);
  gst_query_set_nth_allocation_pool (query, 0, pool, MAX (theirs,
          (guint) size), min, max);
  gst_clear_object (&pool);
}
