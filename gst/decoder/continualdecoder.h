/* gst-continual: a continual Transformer decoder with a memory
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "encoder/filter.h"
#include "decoder/memory.h"

G_BEGIN_DECLS

#define GST_TYPE_CONTINUAL_DECODER (gst_continual_decoder_get_type ())
G_DECLARE_FINAL_TYPE (GstContinualDecoder, gst_continual_decoder, GST,
    CONTINUAL_DECODER, GstContinualFilter)

struct _GstContinualDecoder
{
  GstContinualFilter parent;

  MemoryQueue memories;
  GstPad *memory_pad;

  /* Thread of the memory pad only. */
  TensorInfo input;             /* dims[0] 0: no caps yet */
  GstSegment segment;           /* in time */
  gboolean in_bytes;            /* the segment of upstream counts bytes */
  ByteSegment bytes;            /* of a file with a framerate: whole memories, and their times */

  /* Under the object lock. */
  ByteScale byte_scale;         /* of the file; of size 0: upstream counts time, or there is no framerate */
  guint32 seek_seqnum;          /* of the last seek, and its start */
  GstClockTime seek_start;
  guint64 n_memories;           /* memories that the model used */
};

/* pad.c: the memory pad */
/* Sets the functions of the pad. */
void decoder_pad_init (GstContinualDecoder * self);
void decoder_pad_clear (GstContinualDecoder * self);
/* At the start of the element. */
void decoder_pad_start (GstContinualDecoder * self);
/* Sends a seek in time to the memories; takes @event. */
void decoder_pad_seek (GstContinualDecoder * self, GstEvent * event);

G_END_DECLS
