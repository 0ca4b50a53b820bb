/* gst-continual: tells ThreadSanitizer what GLib and GStreamer order
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Distributions' libraries are not instrumented, and GLib's locks are bare futexes: ThreadSanitizer sees none of what
 * they order and would report every access under a lock. Linked into a test, these functions take the place of the
 * libraries' own, for all that is loaded, and say only what is true: a lock orders, a hand-over from thread to thread
 * orders, nothing else does. GRecMutex and GRWLock are pthreads', which ThreadSanitizer knows; g_atomic_* are inline. */
#include <dlfcn.h>
#include <glib.h>
#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>

#define EXPORT __attribute__ ((visibility ("default")))

static gpointer
find_next (gpointer * cache, const gchar * name)
{
  gpointer f = __atomic_load_n (cache, __ATOMIC_RELAXED);

  if (!f) {
    f = dlsym (RTLD_NEXT, name);
    if (!f)
      g_error ("%s: %s", name, dlerror ());
    __atomic_store_n (cache, f, __ATOMIC_RELAXED);
  }
  return f;
}

/* The library's own @function */
#define NEXT(function) \
  ({ static gpointer cache_; (__typeof__ (&function)) find_next (&cache_, #function); })

/* Locks */

EXPORT void
g_mutex_lock (GMutex * mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  NEXT (g_mutex_lock) (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

EXPORT gboolean
g_mutex_trylock (GMutex * mutex)
{
  gboolean locked;

  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  locked = NEXT (g_mutex_trylock) (mutex);
  __tsan_mutex_post_lock (mutex, locked ? __tsan_mutex_try_lock :
      __tsan_mutex_try_lock | __tsan_mutex_try_lock_failed, 0);
  return locked;
}

EXPORT void
g_mutex_unlock (GMutex * mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  NEXT (g_mutex_unlock) (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

EXPORT void
g_mutex_clear (GMutex * mutex)
{
  __tsan_mutex_destroy (mutex, 0);
  NEXT (g_mutex_clear) (mutex);
}

/* Who waits gives the lock away meanwhile. */
EXPORT void
g_cond_wait (GCond * cond, GMutex * mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
  NEXT (g_cond_wait) (cond, mutex);
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

EXPORT gboolean
g_cond_wait_until (GCond * cond, GMutex * mutex, gint64 end)
{
  gboolean signalled;

  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
  signalled = NEXT (g_cond_wait_until) (cond, mutex, end);
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
  return signalled;
}

#undef g_once_init_leave
EXPORT void
g_once_init_leave (volatile void *location, gsize result)
{
  __tsan_release ((void *) location);
  NEXT (g_once_init_leave) (location, result);
}

/* The last reference: who gave up theirs before is done with the object. */

EXPORT void
g_object_unref (gpointer object)
{
  __tsan_release (object);
  __tsan_acquire (object);
  NEXT (g_object_unref) (object);
}

EXPORT void
gst_mini_object_unref (GstMiniObject * object)
{
  __tsan_release (object);
  __tsan_acquire (object);
  NEXT (gst_mini_object_unref) (object);
}

/* So is who gave a buffer back to its pool. */
EXPORT GstFlowReturn
gst_buffer_pool_acquire_buffer (GstBufferPool * pool, GstBuffer ** buffer,
    GstBufferPoolAcquireParams * params)
{
  GstFlowReturn ret =
      NEXT (gst_buffer_pool_acquire_buffer) (pool, buffer, params);

  if (ret == GST_FLOW_OK)
    __tsan_acquire (*buffer);
  return ret;
}

/* Work for other threads */

typedef struct
{
  GFunc func;
  gpointer data;
} Pool;

static void
run (gpointer task, gpointer data)
{
  const Pool *pool = data;

  __tsan_acquire (task);
  pool->func (task, pool->data);
}

/* Pools live as long as the process does. */
EXPORT GThreadPool *
g_thread_pool_new (GFunc func, gpointer data, gint max_threads,
    gboolean exclusive, GError ** error)
{
  Pool *pool = g_new (Pool, 1);

  *pool = (Pool) {
  func, data};
  return NEXT (g_thread_pool_new) (run, pool, max_threads, exclusive, error);
}

EXPORT gboolean
g_thread_pool_push (GThreadPool * pool, gpointer task, GError ** error)
{
  __tsan_release (task);
  return NEXT (g_thread_pool_push) (pool, task, error);
}

/* Queues, of which a GstHarness has two */

EXPORT void
g_async_queue_push (GAsyncQueue * queue, gpointer item)
{
  __tsan_release (item);
  NEXT (g_async_queue_push) (queue, item);
}

static gpointer
popped (gpointer item)
{
  if (item)
    __tsan_acquire (item);
  return item;
}

EXPORT gpointer
g_async_queue_pop (GAsyncQueue * queue)
{
  return popped (NEXT (g_async_queue_pop) (queue));
}

EXPORT gpointer
g_async_queue_try_pop (GAsyncQueue * queue)
{
  return popped (NEXT (g_async_queue_try_pop) (queue));
}

EXPORT gpointer
g_async_queue_try_pop_unlocked (GAsyncQueue * queue)
{
  return popped (NEXT (g_async_queue_try_pop_unlocked) (queue));
}

EXPORT gpointer
g_async_queue_timeout_pop (GAsyncQueue * queue, guint64 timeout)
{
  return popped (NEXT (g_async_queue_timeout_pop) (queue, timeout));
}
