/* gst-continual: file with a snapshot of streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/stream.h"

G_BEGIN_DECLS

/* Element message for each save and restoration: `path`, `saved` (FALSE: restored) and `position`, an array with the
 * number of vectors that each stream has taken. */
#define STATE_MESSAGE_NAME "continual-state"

/**
 * ModelState: writes snapshots of streams to a file, and restores them
 *
 * @lock guards *stream, which other threads may replace, also by NULL.
 */
typedef struct
{
  GstElement *element;
  GMutex *lock;
  ModelStream **stream;

  /* Constant between begin and end. */
  gchar *path;                  /* NULL: no file */
  gchar *file;                  /* that path leads to; claimed */
  guint interval;               /* seconds; 0: at the end only */

  GMutex file_lock;             /* one thread writes at a time */
  gboolean open;                /* under file_lock: TRUE from restore to end */
  gint saving;                  /* atomic: a thread is about to save */
  GstClockTime last;            /* streaming thread: when the last save was started */
  gboolean due;                 /* streaming thread: restore was not called yet */
  GBytes *found;                /* content of the file at the start, until restore */
} ModelState;

void model_state_init (ModelState * self, GstElement * element, GMutex * lock,
    ModelStream ** stream);
void model_state_clear (ModelState * self);

/* At the start: reads the file, if there is one. @model is the file or folder of the model. FALSE: the path leads to
 * something that cannot hold a state; the element posted an error, and there is nothing to end. */
gboolean model_state_begin (ModelState * self, const gchar * model);
/* At the stop, before the streams are freed: writes the file, if restore was called. */
void model_state_end (ModelState * self);

/* Call it when the number of streams is known: restores the state that was read, once. Nothing is written before. */
void model_state_restore (ModelState * self);

/* After steps: writes the file in another thread, if interval has passed. */
void model_state_tick (ModelState * self);

G_END_DECLS
