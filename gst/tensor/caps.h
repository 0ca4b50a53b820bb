/* gst-continual: other/tensors caps, as NNStreamer spells them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define TENSOR_CAPS_NAME "other/tensors"
/* For pad templates: neither dimensions nor framerate. */
#define TENSOR_CAPS_TEMPLATE \
    "other/tensors, format=(string)static, num_tensors=(int)1, types=(string)float32"

/* The dimensions of one tensor, innermost first; dimensions that caps leave out are 1. */
typedef struct
{
  guint dims[4];
  gint fps_n, fps_d;            /* 0/1: unknown */
} TensorInfo;

/* Caps with one structure for each spelling of @dims: all four dimensions first, then without trailing 1s, one by one.
 * So they intersect with any spelling of the peer. @fps_d = 0: no framerate field. */
GstCaps *tensor_caps_new (const guint dims[4], gint fps_n, gint fps_d);

/* Reads fixed caps with dimensions as a string or an int. FALSE: *why (free it) says what was expected, what was found
 * and what to write. Refuses the flag set that GStreamer makes of an untyped 64:16. */
gboolean tensor_caps_parse (const GstCaps * caps, TensorInfo * info,
    gchar ** why);

/* For transform_caps() and CAPS queries, of which @caps may be the filter. TRUE: @caps have such a flag set, and an error
 * was posted. Without it, a capsfilter refuses them before any CAPS event, without a reason. */
gboolean tensor_caps_refuse_untyped (GstElement * element,
    const GstCaps * caps);

/* "64:1:1:1" without its trailing 1s: "64". Free it. */
gchar *tensor_dims_to_string (const guint dims[4]);

G_END_DECLS
