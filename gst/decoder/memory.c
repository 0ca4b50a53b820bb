/* gst-continual: queue between the memory pad of a continualdecoder and its vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decoder/memory.h"

/* The queue is full with this many memories that wait for their time. */
#define MAX_PENDING 16

typedef struct
{
  GstBuffer *buffer;
  GstClockTimeDiff begin;
} Memory;

static void
memory_free (gpointer data)
{
  Memory *memory = data;

  gst_buffer_unref (memory->buffer);
  g_free (memory);
}

void
memory_queue_init (MemoryQueue * self)
{
  *self = (MemoryQueue) {
  0};
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_queue_init (&self->pending);
}

void
memory_queue_clear (MemoryQueue * self)
{
  g_queue_clear_full (&self->pending, memory_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
}

static void
discard_pending (MemoryQueue * self)
{
  g_queue_clear_full (&self->pending, memory_free);
  self->failed = self->ended = FALSE;
}

void
memory_queue_start (MemoryQueue * self)
{
  g_mutex_lock (&self->lock);
  discard_pending (self);
  self->flushed = FALSE;
  self->put_flushing = self->take_flushing = self->take_ended = FALSE;
  g_mutex_unlock (&self->lock);
}

void
memory_queue_stop (MemoryQueue * self)
{
  g_mutex_lock (&self->lock);
  self->put_flushing = self->take_flushing = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

GstFlowReturn
memory_queue_put (MemoryQueue * self, GstBuffer * memory,
    GstClockTimeDiff begin)
{
  GstFlowReturn ret;
  Memory *entry = g_new (Memory, 1);

  *entry = (Memory) {
  memory, begin};
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->pending, entry);
  g_cond_broadcast (&self->cond);
  while (self->pending.length > MAX_PENDING && !self->put_flushing
      && !self->take_ended)
    g_cond_wait (&self->cond, &self->lock);
  ret = self->put_flushing ? GST_FLOW_FLUSHING :
      self->take_ended ? GST_FLOW_EOS : GST_FLOW_OK;
  g_mutex_unlock (&self->lock);
  return ret;
}

/* Removes the memories in force at @now, of which *taken becomes the last; @any: at least the first one. */
static void
pop (MemoryQueue * self, GstClockTimeDiff now, gboolean any,
    GstBuffer ** taken)
{
  Memory *first;

  while ((first = g_queue_peek_head (&self->pending)) != NULL) {
    /* GST_CLOCK_STIME_NONE sorts before all times. */
    if (!any && GST_CLOCK_STIME_IS_VALID (now) && first->begin > now)
      return;
    any = FALSE;
    g_queue_pop_head (&self->pending);
    gst_buffer_replace (taken, first->buffer);
    memory_free (first);
  }
}

MemoryResult
memory_queue_take (MemoryQueue * self, GstClockTimeDiff now,
    gboolean missing, GstBuffer ** memory, GstClockTimeDiff * until)
{
  MemoryResult res = MEMORY_TAKEN;
  const Memory *next;

  *memory = NULL;
  g_mutex_lock (&self->lock);
  missing = missing || self->flushed;
  while (!self->take_flushing) {
    pop (self, now, missing, memory);
    if (*memory || !missing)
      break;
    if (self->failed || self->ended || !self->linked) {
      res = self->failed ? MEMORY_FAILED : self->ended ? MEMORY_ENDED :
          MEMORY_UNLINKED;
      break;
    }
    g_cond_wait (&self->cond, &self->lock);
  }
  if (self->take_flushing) {
    gst_clear_buffer (memory);
    res = MEMORY_FLUSHING;
  }
  if (*memory)
    self->flushed = FALSE;
  next = g_queue_peek_head (&self->pending);
  *until = next ? next->begin : GST_CLOCK_STIME_NONE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  return res;
}

static void
set (MemoryQueue * self, gboolean * flag, gboolean value)
{
  g_mutex_lock (&self->lock);
  *flag = value;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}

void
memory_queue_set_linked (MemoryQueue * self, gboolean linked)
{
  set (self, &self->linked, linked);
}

void
memory_queue_set_ended (MemoryQueue * self, gboolean ended)
{
  set (self, &self->ended, ended);
}

void
memory_queue_set_failed (MemoryQueue * self)
{
  set (self, &self->failed, TRUE);
}

void
memory_queue_flush_take (MemoryQueue * self, gboolean flushing)
{
  set (self, &self->take_flushing, flushing);
}

void
memory_queue_set_take_ended (MemoryQueue * self, gboolean ended)
{
  set (self, &self->take_ended, ended);
}

void
memory_queue_flush_put (MemoryQueue * self, gboolean flushing)
{
  g_mutex_lock (&self->lock);
  self->put_flushing = flushing;
  if (!flushing) {
    discard_pending (self);
    self->flushed = TRUE;
  }
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}
