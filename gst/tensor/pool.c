/* gst-continual: buffer pools for vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/pool.h"

#include "tensor/about.h"

#define GST_CAT_DEFAULT element_debug (element)
#define LARGE (1 << 16)

/* Pools count bytes in a guint. tensor_pool_acquire() refuses larger buffers. */
static guint
pool_size (gsize size)
{
  return (guint) MIN (size, G_MAXUINT);
}

void
tensor_pool_require (GstQuery * query, gsize size)
{
  GstBufferPool *pool = NULL;
  guint theirs, min, max;

  if (gst_query_get_n_allocation_pools (query) == 0) {
    gst_query_add_allocation_pool (query, NULL, pool_size (size), 0, 0);
    return;
  }
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &theirs, &min, &max);
  gst_query_set_nth_allocation_pool (query, 0, pool, MAX (theirs,
          pool_size (size)), min, max);
  gst_clear_object (&pool);
}

static gboolean
configure (GstBufferPool * pool, GstCaps * caps, guint size, guint min,
    guint max)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  return gst_buffer_pool_set_config (pool, config);
}

gboolean
tensor_pool_configure (GstQuery * query)
{
  GstBufferPool *pool = NULL;
  guint size, min, max;
  GstCaps *caps;
  gboolean ok;

  gst_query_parse_allocation (query, &caps, NULL);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  ok = pool && configure (pool, caps, size, min, max);
  if (!ok) {
    gst_clear_object (&pool);
    pool = gst_buffer_pool_new ();
    max = 0;
    ok = configure (pool, caps, size, min, max);
  }
  gst_query_set_nth_allocation_pool (query, 0, pool, size, min, max);
  gst_object_unref (pool);
  return ok;
}

static gboolean
has_room (gsize size)
{
  gpointer probe = size >= LARGE ? g_try_malloc (size + LARGE) : NULL;

  g_free (probe);
  return probe || size < LARGE;
}

static void
post_no_room (GstElement * element, gsize size, gsize room)
{
  GST_ELEMENT_ERROR (element, RESOURCE, NO_SPACE_LEFT,
      ("Expected an output buffer of %" G_GSIZE_FORMAT " bytes, found room for %"
          G_GSIZE_FORMAT ": use fewer streams, or vectors with fewer features.",
          size, room), (NULL));
}

gboolean
tensor_pool_check_room (GstElement * element, gsize size)
{
  if (has_room (size))
    return TRUE;
  post_no_room (element, size, 0);
  return FALSE;
}

GstFlowReturn
tensor_pool_acquire (GstBufferPool * pool, GstElement * element, gsize size,
    GstBuffer ** buffer, GstMapInfo * map)
{
  GstFlowReturn ret = GST_FLOW_ERROR;
  gsize room = 0;

  *buffer = NULL;
  if (size <= G_MAXUINT && has_room (size)
      && gst_buffer_pool_set_active (pool, TRUE))
    ret = gst_buffer_pool_acquire_buffer (pool, buffer, NULL);
  gst_object_unref (pool);
  if (ret != GST_FLOW_OK && ret != GST_FLOW_ERROR)
    return ret;
  if (ret == GST_FLOW_OK)
    gst_buffer_get_sizes (*buffer, NULL, &room);
  if (room < size) {
    post_no_room (element, size, room);
    gst_clear_buffer (buffer);
    return GST_FLOW_ERROR;
  }
  /* Buffers of downstream's pool may be larger. */
  gst_buffer_set_size (*buffer, size);
  if (gst_buffer_map (*buffer, map, GST_MAP_WRITE))
    return GST_FLOW_OK;
  GST_ELEMENT_ERROR (element, RESOURCE, WRITE,
      ("Expected writable memory from downstream's buffer pool, found none."),
      ("%" GST_PTR_FORMAT, *buffer));
  gst_clear_buffer (buffer);
  return GST_FLOW_ERROR;
}
