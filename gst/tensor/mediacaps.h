/* gst-continual: tensors that caps of video and audio list (GStreamer 1.28)
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

#include "tensor/media.h"

G_BEGIN_DECLS

/* From GStreamer 1.28 on, caps of media have a field `tensors`: the groups of tensors that buffers carry, each tensor with
 * its id, type and dimensions. Here a group holds one tensor and has its id. */
#if defined HAVE_ANALYTICS && GST_CHECK_VERSION (1, 28, 0)
#define HAVE_TENSOR_CAPS
#endif

#ifdef HAVE_TENSOR_CAPS

/* For tensordecodebin: before GStreamer's own decoder of classes, which knows no labels */
#define MEDIA_DECODER_RANK GST_RANK_PRIMARY
#define MEDIA_CAPS_ONE(Media, Id, Dims) Media ", tensors=(structure)[tensorgroups, " Id "=(/uniquelist){(GstCaps)[" \
    "tensor/strided, tensor-id=(string)" Id ", dims=" Dims ", dims-order=(string)row-major, type=(string)float32]}]; "
/* For pad templates: media with one row of values, or several, in a tensor @Id */
#define MEDIA_CAPS_WITH(Id) \
    MEDIA_CAPS_ONE ("video/x-raw(ANY)", Id, "<(int)[1,max]>") MEDIA_CAPS_ONE ("video/x-raw(ANY)", Id, "<(int)[0,max],(int)[1,max]>") \
    MEDIA_CAPS_ONE ("audio/x-raw(ANY)", Id, "<(int)[1,max]>") MEDIA_CAPS_ONE ("audio/x-raw(ANY)", Id, "<(int)[0,max],(int)[1,max]>")

/* Lists a tensor of float32 (dims, outermost first) in all of @media, which is consumed. */
GstCaps *media_caps_add_tensor (GstCaps * media, const gchar * id,
    gsize n_dims, const gsize * dims);
/* Takes the group @id from the lists of all of @media, which is consumed. */
GstCaps *media_caps_drop_tensor (GstCaps * media, const gchar * id);

/* Looks in fixed @media for the float32 tensor that media_tensor_find() will find on the buffers: named as the first of @ids
 * that is listed, or with NULL the first one, of @n values, or with 0 of any number. MEDIA_TENSOR_FOUND: *id is its name, or
 * NULL if the caps list no tensors (free it). MEDIA_TENSOR_MISFIT: *why (free it). */
MediaTensorResult media_caps_find_tensor (const GstCaps * media,
    const gchar * const *ids, gsize n, gchar ** id, gchar ** why);

#else

#define MEDIA_DECODER_RANK GST_RANK_NONE
#define MEDIA_CAPS_WITH(Id)

static inline GstCaps *
media_caps_add_tensor (GstCaps * media, const gchar * id, gsize n_dims,
    const gsize * dims)
{
  return media;
}

static inline GstCaps *
media_caps_drop_tensor (GstCaps * media, const gchar * id)
{
  return media;
}

static inline MediaTensorResult
media_caps_find_tensor (const GstCaps * media, const gchar * const *ids,
    gsize n, gchar ** id, gchar ** why)
{
  return MEDIA_TENSOR_FOUND;
}

#endif

G_END_DECLS
