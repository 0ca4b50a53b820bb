/* gst-continual: whether ThreadSanitizer sees a race, and none where GLib's locks and queues prevent it
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * usage: race guarded|bare */
#include <glib.h>

static GMutex lock;
static gboolean guarded;
static gint n;

static gpointer
count (gpointer queue)
{
  for (gint i = 0; i < 1000; i++) {
    if (guarded)
      g_mutex_lock (&lock);
    n++;
    if (guarded)
      g_mutex_unlock (&lock);
  }
  g_async_queue_push (queue, g_memdup2 (&guarded, sizeof guarded));
  return NULL;
}

int
main (int argc, char **argv)
{
  GAsyncQueue *queue = g_async_queue_new ();
  GThread *threads[2];

  guarded = argc == 2 && g_str_equal (argv[1], "guarded");
  for (gint i = 0; i < 2; i++)
    threads[i] = g_thread_new ("count", count, queue);
  for (gint i = 0; i < 2; i++) {
    gboolean *found = g_async_queue_pop (queue);

    g_assert_true (*found == guarded);
    g_free (found);
  }
  for (gint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  g_async_queue_unref (queue);
  return 0;
}
