/* gst-continual: the state of streams in a file
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/stream.h"

G_BEGIN_DECLS

/* Of each save and restoration, with `path`, `saved` (else restored) and `position`: vectors taken of each stream. */
#define STATE_MESSAGE_NAME "continual-state"

/**
 * ModelState: keeps a file with the newest snapshot
 *
 * @lock guards @stream, which it may find replaced or NULL.
 */
typedef struct
{
  GstElement *element;
  GMutex *lock;
  ModelStream **stream;

  /* Not changed between begin and end. */
  gchar *path;                  /* NULL: no file */
  guint interval;               /* seconds; 0: at the end only */

  GMutex file_lock;             /* one thread writes at a time */
  gboolean open;                /* under it: from restore to end */
  gint saving;                  /* atomic: a save is on its way */
  GstClockTime last;            /* the streaming thread's: when one was asked for */
  gboolean due;                 /* the streaming thread's: restore is to come */
  GBytes *found;                /* read at the start, to go on from once the number of streams is known */
} ModelState;

void model_state_init (ModelState * self, GstElement * element, GMutex * lock,
    ModelStream ** stream);
void model_state_clear (ModelState * self);

/* Reads the file, if there is one. */
void model_state_begin (ModelState * self);
/* Writes it, if streams have come. They must still be there. */
void model_state_end (ModelState * self);

/* The number of streams is known: goes on from what was read, once. Nothing is written before. */
void model_state_restore (ModelState * self);

/* After steps: writes the file in another thread if it is time. */
void model_state_tick (ModelState * self);

G_END_DECLS
