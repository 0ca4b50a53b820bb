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

/* For src pads: with the weights or without. */
#define TENSOR_CAPS_TEMPLATE_WITH_WEIGHTS \
    TENSOR_CAPS_TEMPLATE "; other/tensors, format=(string)static, num_tensors=(int)2, " \
    "types=(string)\"float32,float32\""

/* Of one stream's output, in floats: (H, P, W), or (P, W) of the mean. */
gsize attention_weights_get_size (AttentionWeights self,
    const CoModelInfo * info);

/* As attention_weights_get_size() has it, from what the core gives. */
void attention_weights_read (AttentionWeights self, const CoModelInfo * info,
    const float *weights /* (H, P, W) */ , float *to);

/* From the src pad's caps without weights to those with them, and back. Consume @caps. */
GstCaps *attention_weights_add_to_caps (AttentionWeights self,
    const CoModelInfo * info, GstCaps * caps);
GstCaps *attention_weights_drop_from_caps (AttentionWeights self,
    GstCaps * caps);

G_END_DECLS
