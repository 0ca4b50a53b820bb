/* gst-continual: the elements of the plugin for NATS
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (continualnats_debug);

GST_ELEMENT_REGISTER_DECLARE (natstensorsink);
GST_ELEMENT_REGISTER_DECLARE (natstensorsrc);

/* What may be sent: vectors and labels. */
#define NATS_CAPS "other/tensors; text/x-raw, format=(string)utf8"

G_END_DECLS
