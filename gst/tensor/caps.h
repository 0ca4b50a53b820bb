/* gst-continual: other/tensors caps, as NNStreamer spells them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define TENSOR_CAPS_NAME "other/tensors"
/* For pad templates: neither dimensions nor framerate. */
#define TENSOR_CAPS_TEMPLATE \
    "other/tensors, format=(string)static, num_tensors=(int)1, types=(string)float32"

/* The sizes of one tensor, innermost first; missing and trailing ones are 1. */
typedef struct
{
  guint dims[4];
  gint fps_n, fps_d;            /* 0/1: unknown */
} TensorInfo;

/* Caps with a structure for each spelling of @dims: padded to four first, then with trailing 1s left out one
 * by one, so that they intersect with whatever spelling the other side uses. @fps_d = 0: without a framerate
 * field. */
GstCaps *tensor_caps_new (const guint dims[4], gint fps_n, gint fps_d);

/* Reads fixed caps. FALSE: *why (free it) says what was expected, what was found and what to write. Takes
 * dimensions as a string or an int; refuses the flag set that GStreamer makes of an untyped 64:16. */
gboolean tensor_caps_parse (const GstCaps * caps, TensorInfo * info,
    gchar ** why);

/* For transform_caps() and CAPS queries: whether @caps, or the filter of the query, hold such a flag set. A
 * capsfilter refuses it without a word of why, before any CAPS event; then this posts the error that says it. */
gboolean tensor_caps_refuse_untyped (GstElement * element,
    const GstCaps * caps);

/* "64:1:1:1" without its trailing 1s: "64". Free it. */
gchar *tensor_dims_to_string (const guint dims[4]);

G_END_DECLS
