/* gst-continual: what is inside a continualencoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bytesegment.h"
#include "continualencoder.h"
#include "elements.h"
#include "modelhost.h"
#include "tensorcaps.h"

G_BEGIN_DECLS

#define GST_CAT_DEFAULT continual_debug

struct _GstContinualEncoder
{
  GstBaseTransform parent;

  ModelHost host;

  /* Under the object lock. */
  GstClockTime vector_duration; /* for the latency; none: not known */
  ByteScale byte_scale;         /* of size 0: upstream counts time */

  /* The streaming thread's. */
  TensorInfo input;             /* dims[0] 0: no caps yet */
  gboolean caps_refused;        /* upstream repeats them with each buffer; the reason was posted */
  gboolean in_bytes;            /* upstream's segment counts bytes */
  ByteSegment bytes;
  GstBuffer *buffer;            /* in work, or NULL */
  GstMapInfo map;
  gsize n_steps, next_step;     /* vectors of each stream in it, and the next to do */
  VectorTime time;              /* of all of it */
  guint32 stream_start;         /* seqnum of the stream that is running */
};

/* encodernegotiation.c */
void encoder_negotiation_class_init (GstBaseTransformClass * klass);
/* Why @model can't take over from the one in use; NULL: it can. */
gchar *encoder_find_obstacle (GstElement * element, CoModel * model);
/* The caps of a CAPS event disagree with the model: FALSE, and an error was posted. */
gboolean encoder_check_caps (GstContinualEncoder * self, GstCaps * caps);
/* What the caps and the segment say about bytes has changed. */
void encoder_update_byte_scale (GstContinualEncoder * self);
/* One vector takes @duration: latency may have changed. */
void encoder_set_vector_duration (GstContinualEncoder * self,
    GstClockTime duration);

/* encoderflow.c */
void encoder_flow_class_init (GstBaseTransformClass * klass);
/* Answers what waits for the end of a chunk, and pushes it. */
GstFlowReturn encoder_drain (GstContinualEncoder * self);
/* Before a buffer or caps: makes the model that was set meanwhile the one in use. */
void encoder_adopt_next_model (GstContinualEncoder * self);
/* Drops what is in work. */
void encoder_flow_clear (GstContinualEncoder * self);

G_END_DECLS
