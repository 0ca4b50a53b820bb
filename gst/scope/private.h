/* gst-continual: the files of tensorscope
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

#include "scope/caps.h"
#include "scope/frameclock.h"
#include "scope/picture.h"
#include "scope/tensorscope.h"
#include "tensor/about.h"

#define GST_CAT_DEFAULT element_debug (self)

G_BEGIN_DECLS

/* What may change while the element runs */
typedef struct
{
  gdouble min, max;             /* SCOPE_AUTO_MIN, SCOPE_AUTO_MAX: by the values */
  ScopeColormap colormap;
} ScopeLook;

#define SCOPE_AUTO_MIN (-G_MAXFLOAT)
#define SCOPE_AUTO_MAX G_MAXFLOAT

typedef struct
{
  ScopeStyleId style;
  guint history;
  gboolean softmax;
  ScopeLook look;
} ScopeSettings;

struct _GstTensorScope
{
  GstBaseTransform parent;

  /* Under the object lock; all but settings.look is constant between start and stop, so that the streaming thread reads it
   * without the lock. */
  ScopeSettings settings;
  gboolean started;
  GstClockTime latency;
  ByteScale byte_scale;         /* of size 0: upstream counts time */

  /* Streaming thread only. */
  const ScopeStyle *style;
  ScopeInput input;
  GstVideoInfo info;
  GstSegment segment;           /* of upstream */
  gboolean in_bytes;            /* it counts bytes */
  ByteSegment bytes;
  gchar **labels;               /* NULL: numbers */
  gboolean labels_checked;      /* and given to the picture */

  ScopeHistory *history;        /* NULL: not negotiated */
  ScopePicture *picture;
  ScopeRange range;
  gboolean warned;              /* of weights that are none */
  ScopeLook drawn;              /* how the picture was drawn */
  gboolean dirty;               /* it has to be drawn again */
  FrameClock clock;
  gboolean discont;             /* the next frame does not follow the last one */

  GstBuffer *buffer;            /* what is being shown, or NULL */
  VectorTime time;              /* of all of it */
  gsize n, next;                /* vectors in it, and the next one */
  gboolean reached;             /* the clock is at the next one */
  GstClockTime expected;        /* time of the next buffer, if it says none; none: not known */
};

/* Vectors that are kept */
static inline guint
tensor_scope_get_length (const GstTensorScope * self)
{
  return self->style->scrolls ? self->settings.history : 1;
}

/* At a new number or size of what is shown: nothing is known of it. */
void scope_flow_clear (GstTensorScope * self);

/* Frees what belongs to the buffer that is being shown. */
void scope_flow_discard (GstTensorScope * self);

/* The frame of @time, with the picture as it is. Not GST_FLOW_OK: flushing, or an error was posted. */
GstFlowReturn scope_make_frame (GstTensorScope * self,
    const VectorTime * time, GstBuffer ** out);

void scope_flow_update_byte_scale (GstTensorScope * self);

void scope_flow_class_init (GstTensorScopeClass * klass);

G_END_DECLS
