/* gst-continual: tensors over NATS JetStream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/elements.h"

GST_DEBUG_CATEGORY (continualnats_debug);

static gboolean
plugin_init (GstPlugin * plugin)
{
  GST_DEBUG_CATEGORY_INIT (continualnats_debug, "continualnats", 0,
      "Tensors over NATS JetStream");
  return GST_ELEMENT_REGISTER (natstensorsink, plugin)
      && GST_ELEMENT_REGISTER (natstensorsrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, continualnats,
    "Tensors and labels over NATS JetStream", plugin_init, PACKAGE_VERSION,
    "LGPL", GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
