/* gst-continual: queue between the memory pad of a continualdecoder and its vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * MemoryQueue: memories that wait for their running time
 *
 * One thread puts memories, another one takes those in force at the times of its vectors, and sleeps while there was
 * none yet. The lock guards all fields. It is the innermost lock: nothing is called, posted or pushed under it.
 */
typedef struct
{
  GMutex lock;
  GCond cond;
  GQueue pending;               /* of Memory */
  gboolean flushed;             /* TRUE from a flush of the memory pad to the next memory that is taken */
  gboolean failed, ended, linked;       /* whether a memory can still come */
  gboolean put_flushing, take_flushing;
  gboolean take_ended;          /* no more vectors will come */
} MemoryQueue;

typedef enum
{
  MEMORY_TAKEN,                 /* *memory: a new one; NULL: the last one is still in force */
  MEMORY_FLUSHING,
  MEMORY_FAILED,                /* the thread that puts has posted an error */
  MEMORY_ENDED,                 /* no memory yet, and the memory pad is at EOS */
  MEMORY_UNLINKED               /* no memory yet, and the memory pad is not linked */
} MemoryResult;

void memory_queue_init (MemoryQueue * self);
void memory_queue_clear (MemoryQueue * self);

/* At the start of the element: drops all memories. */
void memory_queue_start (MemoryQueue * self);
/* Wakes both threads; put() and take() return at once until the next start. */
void memory_queue_stop (MemoryQueue * self);

/* Takes @memory, in force from running time @begin on (GST_CLOCK_STIME_NONE: from now on). Blocks while the queue is
 * full. */
GstFlowReturn memory_queue_put (MemoryQueue * self, GstBuffer * memory,
    GstClockTimeDiff begin);

/* The memory in force at @now, the running time of a vector (GST_CLOCK_STIME_NONE: not known). Blocks only if the streams
 * have no memory (@missing), or after a flush; then the first memory is taken even if its time is later. *until: start of
 * the next memory; GST_CLOCK_STIME_NONE: not known. */
MemoryResult memory_queue_take (MemoryQueue * self, GstClockTimeDiff now,
    gboolean missing, GstBuffer ** memory, GstClockTimeDiff * until);

void memory_queue_set_linked (MemoryQueue * self, gboolean linked);
void memory_queue_set_ended (MemoryQueue * self, gboolean ended);
void memory_queue_set_failed (MemoryQueue * self);
/* A flush of the memory pad: its end drops all memories. */
void memory_queue_flush_put (MemoryQueue * self, gboolean flushing);
void memory_queue_flush_take (MemoryQueue * self, gboolean flushing);
void memory_queue_set_take_ended (MemoryQueue * self, gboolean ended);

G_END_DECLS
