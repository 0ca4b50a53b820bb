/* gst-continual: what an element says of itself: to gst-inspect-1.0, and in the log
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tensor/about.h"

static GQuark
get_quark (void)
{
  return g_quark_from_static_string ("continual-debug-category");
}

void
element_about (GstElementClass * klass, const ElementAbout * about)
{
  GstDebugCategory *category = NULL;

  GST_DEBUG_CATEGORY_INIT (category, about->name, 0, about->title);
  g_type_set_qdata (G_TYPE_FROM_CLASS (klass), get_quark (), category);
  gst_element_class_set_static_metadata (klass, about->title, about->classes,
      about->description, "The gst-continual developers");
  gst_element_class_add_static_metadata (klass, "example", about->example);
  gst_element_class_add_static_metadata (klass, GST_ELEMENT_METADATA_DOC_URI,
      about->page);
}

GstDebugCategory *
element_debug (gconstpointer element)
{
  GstDebugCategory *category = g_type_get_qdata (G_TYPE_FROM_INSTANCE (element),
      get_quark ());

  return category ? category : GST_CAT_DEFAULT;
}
