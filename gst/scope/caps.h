/* gst-continual: caps of tensors that are shown, and of the picture
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scope/style.h"
#include "tensor/bytesegment.h"

G_BEGIN_DECLS

/* Largest side of a picture, and of what is shown in one */
#define SCOPE_MAX_SIDE 16384
#define SCOPE_MAX_SIDE_TEXT "16384"

/* What cairo draws */
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define SCOPE_FORMAT "BGRx"
#else
#define SCOPE_FORMAT "xRGB"
#endif

#define SCOPE_VIDEO_CAPS "video/x-raw, format=(string)" SCOPE_FORMAT \
    ", width=(int)[1, " SCOPE_MAX_SIDE_TEXT "], height=(int)[1, " SCOPE_MAX_SIDE_TEXT \
    "], framerate=(fraction)[1/86400, 1000/1]"

/* Where a buffer has what is shown */
typedef struct
{
  TensorInfo tensor;            /* dims[0] 0: no caps yet */
  gsize skip;                   /* bytes of another tensor before it */
  gsize size;                   /* bytes of a whole buffer */
  gboolean shorter;             /* buffers may be shorter */
  guint dims[3];                /* of what one stream has at a time */
  guint n_streams;
  gboolean timed;               /* dims[1] of the tensor are vectors in time */
} ScopeInput;

/* Reads fixed caps of one tensor or two (as continualencoder gives with attention-weights): attention is the last one, all
 * else the first. @history: vectors that are to be kept. FALSE: *why (free it). */
gboolean scope_input_parse (ScopeInput * self, const ScopeStyle * style,
    const GstCaps * caps, guint history, gchar ** why);

/* FALSE: @size bytes are no buffer of it; *why (free it). */
gboolean scope_input_check_size (const ScopeInput * self, gsize size,
    gchar ** why);

/* Vectors in time in a buffer of @size bytes */
gsize scope_input_count (const ScopeInput * self, gsize size);

/* Copies vector @i of @n in @buffer to @rows (S, values). FALSE: the buffer's memory can't be read. */
gboolean scope_input_read (const ScopeInput * self, GstBuffer * buffer,
    gsize i, gfloat * rows);

/* For a stream that counts bytes */
ByteScale scope_input_get_scale (const ScopeInput * self);

/* Caps that are fixed, of those that downstream takes: by default 640 x 240 pixels, or more for many streams, at 25/1 */
GstCaps *scope_caps_fixate (GstCaps * video, guint n_streams);

G_END_DECLS
