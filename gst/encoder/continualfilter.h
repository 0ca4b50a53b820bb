/* gst-continual: an element that runs a model on every vector
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

#include "analytics/filtermedia.h"
#include "tensor/bytesegment.h"
#include "elements.h"
#include "host/host.h"
#include "tensor/caps.h"

G_BEGIN_DECLS

#define GST_CAT_DEFAULT continual_debug

#define GST_TYPE_CONTINUAL_FILTER (gst_continual_filter_get_type ())
typedef struct _GstContinualFilterClass GstContinualFilterClass;
#define GST_CONTINUAL_FILTER(object) \
    (G_TYPE_CHECK_INSTANCE_CAST ((object), GST_TYPE_CONTINUAL_FILTER, GstContinualFilter))
#define GST_CONTINUAL_FILTER_CLASS(klass) \
    (G_TYPE_CHECK_CLASS_CAST ((klass), GST_TYPE_CONTINUAL_FILTER, GstContinualFilterClass))
#define GST_CONTINUAL_FILTER_GET_CLASS(object) \
    (G_TYPE_INSTANCE_GET_CLASS ((object), GST_TYPE_CONTINUAL_FILTER, GstContinualFilterClass))

GType gst_continual_filter_get_type (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstContinualFilter, gst_object_unref)

/* The base of continualencoder and continualdecoder, which install their properties and begin the host. */
struct _GstContinualFilter
{
  GstBaseTransform parent;

  ModelHost host;

  /* Under the object lock. */
  GstClockTime vector_duration; /* for the latency; none: not known */
  GstClockTime newest;          /* running time of the newest vector's end; none: not known */
  guint64 missed;               /* vectors that timestamps leave room for */
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
  gboolean begun;               /* a segment came */
  GstClockTime expected;        /* where the next buffer should begin; none: anywhere */
  guint32 stream_start;         /* seqnum of the stream that is running */

  FilterMedia media;
};

struct _GstContinualFilterClass
{
  GstBaseTransformClass parent_class;

  /* Before the next *n steps of the buffer in work: may take fewer, wait, or fail. NULL: nothing to do. */
  GstFlowReturn (*prepare) (GstContinualFilter * self, gsize * n);
};

/* continualfilter.c */
/* Properties and signals of the host, for class_init() of @element. */
void filter_install_properties (GObjectClass * klass, ModelElement element);
/* The host's add_stats. */
void filter_add_stats (GstElement * element, GstStructure * stats);
/* The host's drain. */
void filter_drain_host (GstElement * element);

/* negotiation.c */
void filter_negotiation_class_init (GstBaseTransformClass * klass);
/* Why @model can't take over from the one in use; NULL: it can. */
gchar *filter_find_obstacle (GstElement * element, CoModel * model);
/* The caps of a CAPS event disagree with the model: FALSE, and an error was posted. */
gboolean filter_check_caps (GstContinualFilter * self, GstCaps * caps);
/* What the caps and the segment say about bytes has changed. */
void filter_update_byte_scale (GstContinualFilter * self);
/* One vector takes @duration: latency may have changed. */
void filter_set_vector_duration (GstContinualFilter * self,
    GstClockTime duration);

/* flow.c */
void filter_flow_class_init (GstBaseTransformClass * klass);
/* Answers what waits for the end of a chunk, and pushes it. */
GstFlowReturn filter_drain (GstContinualFilter * self);
/* Before a buffer or caps: makes the model that was set meanwhile the one in use. */
void filter_adopt_next_model (GstContinualFilter * self);
/* Drops what is in work. */
void filter_flow_clear (GstContinualFilter * self);

G_END_DECLS
