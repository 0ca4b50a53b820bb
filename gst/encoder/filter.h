/* gst-continual: the base of the elements that run a model on every vector of one input
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

#include "elements.h"
#include "encoder/filtermedia.h"
#include "host/host.h"
#include "tensor/about.h"
#include "tensor/bytesegment.h"
#include "tensor/caps.h"

G_BEGIN_DECLS

#define GST_CAT_DEFAULT element_debug (self)

#define GST_TYPE_CONTINUAL_FILTER (gst_continual_filter_get_type ())
typedef struct _GstContinualFilter GstContinualFilter;
typedef struct _GstContinualFilterClass GstContinualFilterClass;
#define GST_CONTINUAL_FILTER(object) \
    (G_TYPE_CHECK_INSTANCE_CAST ((object), GST_TYPE_CONTINUAL_FILTER, GstContinualFilter))
#define GST_CONTINUAL_FILTER_CLASS(klass) \
    (G_TYPE_CHECK_CLASS_CAST ((klass), GST_TYPE_CONTINUAL_FILTER, GstContinualFilterClass))
#define GST_CONTINUAL_FILTER_GET_CLASS(object) \
    (G_TYPE_INSTANCE_GET_CLASS ((object), GST_TYPE_CONTINUAL_FILTER, GstContinualFilterClass))

GType gst_continual_filter_get_type (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstContinualFilter, gst_object_unref)

/* The base of continualencoder and continualdecoder, which install the properties and initialise the host. */
struct _GstContinualFilter
{
  GstBaseTransform parent;

  ModelHost host;

  /* Under the object lock. */
  GstClockTime vector_duration; /* for the latency; none: not known */
  GstClockTime newest;          /* running time of the end of the newest vector; none: not known */
  guint64 missed;               /* vectors that timestamps leave room for */
  ByteScale byte_scale;         /* of size 0: upstream counts time */

  /* Streaming thread only. */
  TensorInfo input;             /* dims[0] 0: no caps yet */
  gboolean caps_refused;        /* and the reason was posted: upstream repeats them before each buffer */
  gboolean in_bytes;            /* the segment of upstream counts bytes */
  ByteSegment bytes;
  GstBuffer *buffer;            /* being processed, mapped, or NULL */
  GstMapInfo map;
  gsize n_steps, next_step;     /* vectors of each stream in it, and the next one to process */
  VectorTime time;              /* of all of it */
  gboolean begun;               /* a segment came */
  gboolean done;                /* it ended, with a SEGMENT_DONE event */
  GstSegment segment;           /* that came last, of upstream */
  GstClockTime expected;        /* PTS of the next buffer if nothing is missing; none: not known */
  guint32 stream_start;         /* seqnum of the current stream */

  FilterMedia media;            /* says which lock guards what */
};

struct _GstContinualFilterClass
{
  GstBaseTransformClass parent_class;

  /* Streaming thread: before the next *n steps of the buffer that is being processed. May lower *n, wait, or fail.
   * NULL: nothing to do. */
  GstFlowReturn (*prepare) (GstContinualFilter * self, gsize * n);
  /* Streaming thread: NULL: @next can replace the model in use, else why not. */
  gchar *(*check_next) (GstContinualFilter * self, const CoModelInfo * next);
  /* Any thread: adds fields to the statistics. */
  void (*add_stats) (GstContinualFilter * self, GstStructure * stats);
};

/* continualfilter.c: installs properties and signals, for class_init() of an element of @kind. */
void filter_install_properties (GObjectClass * klass, ModelElement kind);

/* negotiation.c */
void filter_negotiation_class_init (GstContinualFilterClass * klass);
/* Checks the caps of a CAPS event against the model. FALSE: an error was posted. */
gboolean filter_check_caps (GstContinualFilter * self, GstCaps * caps);
/* Chooses the tensor of media that is the vector, when @caps or the model are new. FALSE: the caps list none that fits. */
gboolean filter_choose_media_tensor (GstContinualFilter * self,
    const CoModelInfo * info, const GstCaps * caps);
/* Call it when caps or segment say something new about bytes. */
void filter_update_byte_scale (GstContinualFilter * self);
/* One vector takes @duration. Posts a LATENCY message if the latency changes. */
void filter_set_vector_duration (GstContinualFilter * self,
    GstClockTime duration);

/* flow.c */
void filter_flow_class_init (GstContinualFilterClass * klass);
/* Drops the buffer that is being processed, and outputs that were not pushed. */
void filter_discard (GstContinualFilter * self);

/* output.c */
/* Pushes the labels of the model, if downstream has not seen them. */
void filter_push_labels (GstContinualFilter * self);
/* The next output of the steps that were done: a buffer, or NULL if there is none. Pushes GAP events. */
GstFlowReturn filter_next_output (GstContinualFilter * self, GstBuffer ** out);
/* Pushes buffers of media whose vectors will not be answered. */
GstFlowReturn filter_push_media (GstContinualFilter * self);
/* Answers the vectors that wait for the end of a chunk, and pushes the outputs. */
GstFlowReturn filter_drain (GstContinualFilter * self);

G_END_DECLS
