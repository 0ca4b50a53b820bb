/* gst-continual: buffers of video and audio that carry the vectors of a continualfilter
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"
#include "tensor/media.h"
#include "tensor/propertytable.h"

G_BEGIN_DECLS

/* Buffers wait until their vectors are answered. They leave in the order in which they came. */
typedef struct
{
  gchar *input, *output;        /* properties: names of tensors, or NULL. Under the object lock; constant while it runs */

  /* Streaming thread only. */
  gboolean active;              /* media comes; FALSE before GStreamer 1.26 */
  gchar *listed;                /* the name of the input tensor that the caps list, or NULL */
  GQueue waiting;               /* of MediaEntry */
  guint n_pending;              /* entries whose vector may still be answered */
  gboolean warned;              /* about a buffer without tensors */
} FilterMedia;

#ifdef HAVE_ANALYTICS

extern const PropertyTable filter_media_properties;

void filter_media_init (FilterMedia * self);
void filter_media_clear (FilterMedia * self);

/* Media on the other pad: on src the tensors of the output are listed, too. @caps: other caps are left out. */
GstCaps *filter_media_transform_caps (FilterMedia * self, ModelHost * host,
    const CoModelInfo * info, GstPadDirection direction, const GstCaps * caps);
/* Whether fixed @caps do not exclude that buffers carry a vector of @info. *id: its name, if it is listed (free it). FALSE:
 * *why (free it). */
gboolean filter_media_check_caps (FilterMedia * self,
    const CoModelInfo * info, const GstCaps * caps, gchar ** id, gchar ** why);

/* Drops the buffers that wait. */
void filter_media_discard (FilterMedia * self);

/* Takes @buffer. *vector: its tensor of the inputs of @info, a new reference, or NULL: it has none, and will not be
 * answered. GST_FLOW_ERROR: @element posted an error. */
GstFlowReturn filter_media_take (FilterMedia * self, GstElement * element,
    const CoModelInfo * info, GstBuffer * buffer, GstBuffer ** vector);
/* The newest vector will not be answered. */
void filter_media_refuse (FilterMedia * self);
/* Adds a MODEL_OUTPUT of @host to the buffer that it answers. GST_FLOW_ERROR: an error was posted. */
GstFlowReturn filter_media_answer (FilterMedia * self, ModelHost * host,
    const ModelEvent * event);
/* The oldest buffer, if its vector will not be answered, or @n_later vectors or more came after it; else NULL. */
GstBuffer *filter_media_pop (FilterMedia * self, gsize n_later);

#else

/* Media never comes. */
static const PropertyTable filter_media_properties = { NULL, 0 };
#define filter_media_init(self) ((void) 0)
#define filter_media_clear(self) ((void) 0)
#define filter_media_transform_caps(self, host, info, direction, caps) gst_caps_new_empty ()
#define filter_media_discard(self) ((void) 0)

static inline gboolean
filter_media_check_caps (FilterMedia * self, const CoModelInfo * info,
    const GstCaps * caps, gchar ** id, gchar ** why)
{
  return TRUE;
}

#define filter_media_take(self, element, info, buffer, vector) GST_FLOW_NOT_SUPPORTED
#define filter_media_refuse(self) ((void) 0)
#define filter_media_answer(self, host, event) GST_FLOW_OK
#define filter_media_pop(self, n_later) NULL

#endif

G_END_DECLS
