/* gst-continual: a continualfilter in a pipeline of media, whose buffers carry the tensors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "analytics/media.h"
#include "host/stream.h"
#include "tensor/vectorclock.h"

G_BEGIN_DECLS

typedef struct _GstContinualFilter GstContinualFilter;

/* Buffers wait until their vectors are answered, and go on in the order in which they came. */
typedef struct
{
  gchar *input, *output;        /* names of tensors, under the object lock; input may be NULL */

  /* The streaming thread's. */
  gboolean active;              /* media comes; FALSE before GStreamer 1.26 */
  GQueue waiting;               /* of MediaEntry */
  guint n_asked;                /* of them, those whose vector may yet be answered */
  gboolean warned;              /* of a buffer without tensors */
} FilterMedia;

#ifdef HAVE_ANALYTICS

/* The first of its properties will have the id @first_id. */
void filter_media_install_properties (GObjectClass * klass, guint first_id);
/* FALSE: @pspec is another one's. */
gboolean filter_media_set_property (GstContinualFilter * self,
    const GValue * value, GParamSpec * pspec);
gboolean filter_media_get_property (GstContinualFilter * self, GValue * value,
    GParamSpec * pspec);

void filter_media_init (FilterMedia * self);
void filter_media_clear (FilterMedia * self);
void filter_media_finalize (FilterMedia * self);

/* Takes @buffer; *vector: its tensor, if it has one that may be answered (unref it), else NULL. */
GstFlowReturn filter_media_take (GstContinualFilter * self,
    GstBuffer * buffer, GstBuffer ** vector);
/* The newest vector won't be answered. */
void filter_media_refuse (FilterMedia * self);
/* Adds an output to the buffer that it answers for. */
void filter_media_answer (GstContinualFilter * self, const ModelEvent * event);
/* The oldest buffer, if @n_later vectors or more came since; NULL: none. */
GstBuffer *filter_media_pop (FilterMedia * self, gsize n_later);

#else

/* Media never comes. */
#define filter_media_install_properties(klass, first_id) ((void) (first_id))
#define filter_media_set_property(self, value, pspec) FALSE
#define filter_media_get_property(self, value, pspec) FALSE
#define filter_media_init(self) ((void) 0)
#define filter_media_clear(self) ((void) 0)
#define filter_media_finalize(self) ((void) 0)
#define filter_media_take(self, buffer, vector) GST_FLOW_NOT_SUPPORTED
#define filter_media_refuse(self) ((void) 0)
#define filter_media_answer(self, event) ((void) 0)
#define filter_media_pop(self, n_later) NULL

#endif

G_END_DECLS
