/* gst-continual: the memories of a continualdecoder, that arrive when they like
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * MemoryQueue: memories that wait for their time
 *
 * One thread puts memories in, another one takes those that hold at the times of its vectors, and sleeps while there
 * is none at all. Its lock is the innermost one: nothing is called, posted or pushed under it.
 */
typedef struct
{
  GMutex lock;
  GCond cond;
  GQueue pending;               /* of Memory */
  gboolean flushed;             /* and none was taken since */
  gboolean failed, ended, linked;       /* why none comes, or may */
  gboolean put_flushing, take_flushing;
  gboolean take_ended;          /* no more vectors come */
} MemoryQueue;

typedef enum
{
  MEMORY_TAKEN,                 /* *memory is one that is new, or NULL: the last one still holds */
  MEMORY_FLUSHING,
  MEMORY_FAILED,                /* an error was posted by who puts */
  MEMORY_ENDED,                 /* there is none, and none will come */
  MEMORY_UNLINKED               /* there is none, and nobody who would put one */
} MemoryResult;

void memory_queue_init (MemoryQueue * self);
void memory_queue_clear (MemoryQueue * self);

/* A new run: what was is forgotten. */
void memory_queue_start (MemoryQueue * self);
/* Both sides return, until the start. */
void memory_queue_stop (MemoryQueue * self);

/* Takes @memory, which holds from running time @begin on, or from now on if that is GST_CLOCK_STIME_NONE. Waits while
 * many wait for their time. */
GstFlowReturn memory_queue_put (MemoryQueue * self, GstBuffer * memory,
    GstClockTimeDiff begin);

/* For a vector of running time @now, or GST_CLOCK_STIME_NONE. Waits only if @missing, or for the first one after
 * a flush; then the first memory will do, although its time is later. *until: when the next one holds, or
 * GST_CLOCK_STIME_NONE. */
MemoryResult memory_queue_take (MemoryQueue * self, GstClockTimeDiff now,
    gboolean missing, GstBuffer ** memory, GstClockTimeDiff * until);

void memory_queue_set_linked (MemoryQueue * self, gboolean linked);
void memory_queue_set_ended (MemoryQueue * self, gboolean ended);
void memory_queue_set_failed (MemoryQueue * self);
/* Those who put flush: at the end of it, what was is forgotten. */
void memory_queue_flush_put (MemoryQueue * self, gboolean flushing);
void memory_queue_flush_take (MemoryQueue * self, gboolean flushing);
void memory_queue_set_take_ended (MemoryQueue * self, gboolean ended);

G_END_DECLS
