/* gst-continual: the elements of the plugin
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (continual_debug);

GST_ELEMENT_REGISTER_DECLARE (classlabeler);
GST_ELEMENT_REGISTER_DECLARE (continualattention);
GST_ELEMENT_REGISTER_DECLARE (continualdecoder);
GST_ELEMENT_REGISTER_DECLARE (continualdemux);
GST_ELEMENT_REGISTER_DECLARE (continualencoder);
GST_ELEMENT_REGISTER_DECLARE (continualmux);
GST_ELEMENT_REGISTER_DECLARE (melspectrogram);
GST_ELEMENT_REGISTER_DECLARE (tensorscope);
GST_ELEMENT_REGISTER_DECLARE (videototensor);

G_END_DECLS
