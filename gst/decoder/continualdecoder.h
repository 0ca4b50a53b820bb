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

  /* The memory pad's thread's. */
  TensorInfo input;             /* dims[0] 0: no caps yet */
  GstSegment segment;

  /* Under the object lock. */
  guint64 n_memories;           /* that were attended to */
};

/* pad.c */
/* The functions of the memory pad. */
void decoder_pad_init (GstContinualDecoder * self);
/* A new run of the element. */
void decoder_pad_start (GstContinualDecoder * self);

G_END_DECLS
