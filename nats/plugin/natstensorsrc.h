/* gst-continual: buffers from a subject of NATS JetStream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstpushsrc.h>

G_BEGIN_DECLS

#define GST_TYPE_NATS_TENSOR_SRC (gst_nats_tensor_src_get_type ())
G_DECLARE_FINAL_TYPE (GstNatsTensorSrc, gst_nats_tensor_src, GST,
    NATS_TENSOR_SRC, GstPushSrc)

G_END_DECLS
