/* gst-continual: tensors and classes on buffers of video and audio
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* For pad templates. From GStreamer 1.26 on, buffers can carry tensors and classes as metadata: some elements then take
 * video and audio, too. */
#ifdef HAVE_ANALYTICS
#define MEDIA_CAPS "video/x-raw(ANY); audio/x-raw(ANY)"
#define MEDIA_CAPS_TOO "; " MEDIA_CAPS
#else
#define MEDIA_CAPS "EMPTY"
#define MEDIA_CAPS_TOO ""
#endif

#define MEDIA_OUTPUT_TENSOR "continual"

/* The structures of @caps that are media, for the other pad; of ANY, all media. Empty before GStreamer 1.26. */
GstCaps *media_caps_select (const GstCaps * caps);
/* Whether fixed @caps are media. */
gboolean media_caps_check (const GstCaps * caps);

#ifdef HAVE_ANALYTICS

typedef enum
{
  MEDIA_TENSOR_FOUND,
  MEDIA_TENSOR_NONE,            /* the buffer has no tensor, or none of that name */
  MEDIA_TENSOR_MISFIT           /* tensors of another size or type */
} MediaTensorResult;

/* A tensor of a buffer */
typedef struct
{
  GstBuffer *data;              /* borrowed */
  gsize n, width;               /* float32 values, and the size of the last dimension */
} MediaTensor;

/* The float32 tensor named @id, or with NULL the first one, of @n values, or with 0 of any size. MEDIA_TENSOR_MISFIT:
 * *why (free it). */
MediaTensorResult media_tensor_find (GstBuffer * buffer, const gchar * id,
    gsize n, MediaTensor * tensor, gchar ** why);

/* Adds @values (dims, outermost first; consumed) as a tensor to @buffer, which must be writable. */
void media_tensor_add (GstBuffer * buffer, const gchar * id, gfloat * values,
    gsize n_dims, const gsize * dims);

#endif

G_END_DECLS
