/* gst-continual: attention with separate queries, keys and values
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstaggregator.h>

G_BEGIN_DECLS

#define GST_TYPE_CONTINUAL_ATTENTION (gst_continual_attention_get_type ())
G_DECLARE_FINAL_TYPE (GstContinualAttention, gst_continual_attention, GST,
    CONTINUAL_ATTENTION, GstAggregator)

G_END_DECLS
