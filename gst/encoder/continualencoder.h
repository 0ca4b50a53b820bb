/* gst-continual: a continual Transformer encoder
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "encoder/filter.h"

G_BEGIN_DECLS

#define GST_TYPE_CONTINUAL_ENCODER (gst_continual_encoder_get_type ())
G_DECLARE_FINAL_TYPE (GstContinualEncoder, gst_continual_encoder, GST,
    CONTINUAL_ENCODER, GstContinualFilter)

G_END_DECLS
