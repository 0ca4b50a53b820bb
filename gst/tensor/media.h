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

/* Names of tensors: any vector; logits of classes; their probabilities. The last two are in GStreamer's register of ids. */
#define MEDIA_VECTOR_ID "continual"
#define MEDIA_LOGITS_ID "classification-generic-out"
#define MEDIA_PROBABILITIES_ID "classification-generic-softmaxed-out"

/* The structures of @caps that are media, for the other pad; of ANY, all media. Empty before GStreamer 1.26. */
GstCaps *media_caps_select (const GstCaps * caps);
/* Whether fixed @caps are media. */
gboolean media_caps_check (const GstCaps * caps);

typedef enum
{
  MEDIA_TENSOR_FOUND,
  MEDIA_TENSOR_NONE,            /* the buffer has no tensor, or none of that name */
  MEDIA_TENSOR_MISFIT           /* tensors of another size or type */
} MediaTensorResult;

#ifdef HAVE_ANALYTICS

#include <gst/analytics/analytics.h>

/* A tensor of a buffer */
typedef struct
{
  GstBuffer *data;              /* borrowed */
  const gchar *id;              /* its name, or "" */
  gsize n, width;               /* float32 values, and the size of the last dimension */
} MediaTensor;

/* The float32 tensor that is named as the first of @ids (NULL-terminated) that @buffer has, or with NULL the first tensor, of
 * @n values, or with 0 of any number: in a GstTensorMeta, or a GstAnalyticsTensorMtd (GStreamer 1.28). MEDIA_TENSOR_MISFIT:
 * *why (free it). */
MediaTensorResult media_tensor_find (GstBuffer * buffer,
    const gchar * const *ids, gsize n, MediaTensor * tensor, gchar ** why);
/* Whether @buffer has a tensor named @id */
gboolean media_tensor_exists (GstBuffer * buffer, const gchar * id);

/* A float32 tensor of @values (dims, outermost first; consumed) */
GstTensor *media_tensor_new (const gchar * id, gfloat * values, gsize n_dims,
    const gsize * dims);
/* Adds @tensors (n; consumed) to @buffer, which must be writable, as a GstTensorMeta of their own. */
void media_tensors_add (GstBuffer * buffer, GstTensor ** tensors, guint n);

#endif

G_END_DECLS
