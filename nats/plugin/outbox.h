/* gst-continual: buffers on their way to a subject
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/link.h"
#include "common/message.h"

G_BEGIN_DECLS

typedef enum
{
  OUTBOX_WAITING,               /* a message was not taken, and is tried again: why */
  OUTBOX_RECOVERED,             /* it was taken */
  OUTBOX_FAILED                 /* it never will be: why. Nothing more is sent */
} OutboxNews;

typedef void (*OutboxFunc) (OutboxNews news, const gchar * why, gpointer data);

typedef struct
{
  const gchar *subject;
  gsize max_bytes;              /* of a message */
  guint64 labels_interval;      /* ns of running time; 0: at the begin of a stream only */
} OutboxSettings;

/**
 * Outbox: a thread that publishes buffers in order
 *
 * One message at a time is on its way, until JetStream acknowledges that it is stored; while it is, the buffers that come are
 * collected in the next one. So the order is kept whatever fails, and messages become larger, not more, where the way is
 * long. A message is published again, under the same ID, until it is acknowledged.
 *
 * One thread calls it, but for outbox_set_flushing().
 */
typedef struct _Outbox Outbox;

/* @news is called from the thread of the outbox. */
Outbox *outbox_new (Link * link, const OutboxSettings * settings,
    OutboxFunc news, gpointer data);
/* Drops what is not acknowledged. */
void outbox_free (Outbox * self);

/* What comes next is of another stream. */
void outbox_begin_stream (Outbox * self);
void outbox_set_caps (Outbox * self, const gchar * caps);
/* @labels: NULL-terminated; empty: there are none any more */
void outbox_set_labels (Outbox * self, gchar ** labels);

/* Adds a buffer, or a gap; waits while there is no room. FALSE: flushing, or failed. */
gboolean outbox_push (Outbox * self, const TensorBuffer * buffer,
    gconstpointer data);

/* Ends the stream. FALSE: as above. */
gboolean outbox_end_stream (Outbox * self);

/* Waits until all is acknowledged, for @timeout microseconds at most; -1: until then. FALSE: it is not. */
gboolean outbox_drain (Outbox * self, gint64 timeout);

/* TRUE: OUTBOX_FAILED was told. */
gboolean outbox_has_failed (Outbox * self);

/* TRUE: calls that wait return FALSE. From any thread. */
void outbox_set_flushing (Outbox * self, gboolean flushing);

G_END_DECLS
