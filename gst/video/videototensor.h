/* gst-continual: video to vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_VIDEO_TO_TENSOR (gst_video_to_tensor_get_type ())
G_DECLARE_FINAL_TYPE (GstVideoToTensor, gst_video_to_tensor, GST,
    VIDEO_TO_TENSOR, GstBaseTransform);

G_END_DECLS
