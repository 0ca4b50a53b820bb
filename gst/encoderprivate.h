/* gst-continual: what is inside a continualencoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bytesegment.h"
#include "continualencoder.h"
#include "elements.h"
#include "encoderstream.h"
#include "modelsettings.h"
#include "tensorcaps.h"

G_BEGIN_DECLS

#define GST_CAT_DEFAULT continual_debug

typedef enum
{
  ENCODER_ON_INVALID_DROP,
  ENCODER_ON_INVALID_ERROR
} EncoderOnInvalid;

typedef struct
{
  EncoderCounts sum;            /* step_time: of the last step */
  guint64 steps;
  GstClockTime time;            /* of all steps */
} EncoderStats;

struct _GstContinualEncoder
{
  GstBaseTransform parent;

  /* Under the object lock. Settings but the model's path don't change between start and stop. */
  ModelSettings settings;
  gboolean reset_on_discont;
  EncoderOnInvalid on_invalid;
  gboolean started;
  CoModel *model;               /* NULL: stopped */
  CoModel *next_model;          /* takes over at the next buffer; NULL: none */
  gchar *next_path;
  EncoderStats stats;
  GstClockTime vector_duration; /* for the latency; none: not known */
  ByteScale byte_scale;         /* of size 0: upstream counts time */

  /* The streaming thread replaces the stream and calls it under this lock; other threads reset, save and restore it.
   * What comes out of it is read in the streaming thread alone. Nothing is pushed or posted under it. */
  GMutex stream_lock;
  EncoderStream *stream;        /* NULL: stopped */

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
  gboolean labels_due;          /* before the next buffer */
};

/* continualencoder.c */
/* The model in use; unref it. NULL: stopped. */
CoModel *encoder_ref_model (GstContinualEncoder * self);
/* Streaming thread: makes the next model the one in use, if there is one and it fits. */
void encoder_adopt_next_model (GstContinualEncoder * self);
/* Streaming thread: fresh streams through @model. */
void encoder_renew_stream (GstContinualEncoder * self, CoModel * model,
    guint n_streams);
void encoder_add_counts (GstContinualEncoder * self,
    const EncoderCounts * counts, gsize n_steps);

/* encodernegotiation.c */
void encoder_negotiation_class_init (GstBaseTransformClass * klass);
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
/* Drops what is in work. */
void encoder_flow_clear (GstContinualEncoder * self);

G_END_DECLS
