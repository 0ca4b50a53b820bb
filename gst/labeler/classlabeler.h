/* gst-continual: scores to labels
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_CLASS_LABELER (gst_class_labeler_get_type ())
G_DECLARE_FINAL_TYPE (GstClassLabeler, gst_class_labeler, GST, CLASS_LABELER, GstBaseTransform)

G_END_DECLS
