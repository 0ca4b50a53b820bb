/* gst-continual: tensors as pictures
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_TENSOR_SCOPE (gst_tensor_scope_get_type ())
G_DECLARE_FINAL_TYPE (GstTensorScope, gst_tensor_scope, GST, TENSOR_SCOPE,
    GstBaseTransform)

G_END_DECLS
