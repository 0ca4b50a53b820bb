/* gst-continual: buffers to a subject of NATS JetStream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasesink.h>

G_BEGIN_DECLS

#define GST_TYPE_NATS_TENSOR_SINK (gst_nats_tensor_sink_get_type ())
G_DECLARE_FINAL_TYPE (GstNatsTensorSink, gst_nats_tensor_sink, GST,
    NATS_TENSOR_SINK, GstBaseSink)

G_END_DECLS
