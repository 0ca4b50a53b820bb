/* gst-continual: Continual Transformers over live streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements.h"

GST_DEBUG_CATEGORY (continual_debug);

static gboolean
plugin_init (GstPlugin * plugin)
{
  GST_DEBUG_CATEGORY_INIT (continual_debug, "continual", 0,
      "Continual Transformers");
  return GST_ELEMENT_REGISTER (classlabeler, plugin)
      && GST_ELEMENT_REGISTER (continualattention, plugin)
      && GST_ELEMENT_REGISTER (continualdecoder, plugin)
      && GST_ELEMENT_REGISTER (continualdemux, plugin)
      && GST_ELEMENT_REGISTER (continualencoder, plugin)
      && GST_ELEMENT_REGISTER (continualmux, plugin)
      && GST_ELEMENT_REGISTER (melspectrogram, plugin)
#ifdef HAVE_SCOPE
      && GST_ELEMENT_REGISTER (tensorscope, plugin)
#endif
      && GST_ELEMENT_REGISTER (videototensor, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, continual,
    "Continual Transformers over live streams", plugin_init, PACKAGE_VERSION,
    "LGPL", GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
