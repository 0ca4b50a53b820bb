/* gst-continual: attention weights as a second tensor of each output
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

#include "tensor/caps.h"

G_BEGIN_DECLS

/* Values of the property attention-weights. */
typedef enum
{
  ATTENTION_WEIGHTS_NONE,
  ATTENTION_WEIGHTS_MEAN,
  ATTENTION_WEIGHTS_HEADS
} AttentionWeights;

/* For src pads: with or without weights. */
#define TENSOR_CAPS_TEMPLATE_WITH_WEIGHTS \
    TENSOR_CAPS_TEMPLATE "; other/tensors, format=(string)static, num_tensors=(int)2, " \
    "types=(string)\"float32,float32\""

/* Floats of the weights of one stream's output: (H, P, W), or (P, W) for the mean. */
gsize attention_weights_get_size (AttentionWeights self,
    const CoModelInfo * info);

/* Copies the weights of the core to @to, which has attention_weights_get_size() floats. */
void attention_weights_read (AttentionWeights self, const CoModelInfo * info,
    const float *weights /* (H, P, W) */ , float *to);

/* Adds the second tensor to caps of the src pad, or removes it. Both consume @caps. */
GstCaps *attention_weights_add_to_caps (AttentionWeights self,
    const CoModelInfo * info, GstCaps * caps);
GstCaps *attention_weights_drop_from_caps (AttentionWeights self,
    GstCaps * caps);

G_END_DECLS
