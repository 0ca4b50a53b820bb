/* gst-continual: tensors and classes on buffers of video and audio
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* GStreamer 1.26 has metadata for tensors and classes; elements that know it take media as well, for pad templates: */
#ifdef HAVE_ANALYTICS
#define MEDIA_CAPS "video/x-raw(ANY); audio/x-raw(ANY)"
#define MEDIA_CAPS_TOO "; " MEDIA_CAPS
#else
#define MEDIA_CAPS "EMPTY"
#define MEDIA_CAPS_TOO ""
#endif

#define MEDIA_OUTPUT_TENSOR "continual"

/* The structures of @caps that are media, as they are on the other side; of ANY, whatever may be. None before GStreamer
 * 1.26. */
GstCaps *media_caps_select (const GstCaps * caps);
/* Fixed ones. */
gboolean media_caps_check (const GstCaps * caps);

#ifdef HAVE_ANALYTICS

typedef enum
{
  MEDIA_TENSOR_FOUND,
  MEDIA_TENSOR_NONE,            /* the buffer has none at all, or none of that name */
  MEDIA_TENSOR_MISFIT
} MediaTensorResult;

/* A tensor that @buffer carries */
typedef struct
{
  GstBuffer *data;              /* borrowed */
  gsize n, width;               /* float32 values, of which the last dimension has width */
} MediaTensor;

/* The float32 tensor named @id; NULL: the first of @n values. @n 0: of any size. MEDIA_TENSOR_MISFIT: *why (free it). */
MediaTensorResult media_tensor_find (GstBuffer * buffer, const gchar * id,
    gsize n, MediaTensor * tensor, gchar ** why);

/* Adds @values (dims, outermost first; consumed) to the tensors of @buffer, which must be writable. */
void media_tensor_add (GstBuffer * buffer, const gchar * id, gfloat * values,
    gsize n_dims, const gsize * dims);

#endif

G_END_DECLS
