/* gst-continual: the connection of an element
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin/connect.h"

/* From a thread of the NATS library */
static void
on_changed (gboolean connected, gpointer data)
{
  GstElement *element = data;
  g_autofree gchar *subject = NULL;

  g_object_get (element, "subject", &subject, NULL);
  gst_element_post_message (element,
      gst_message_new_element (GST_OBJECT (element),
          gst_structure_new ("continual-nats", "subject", G_TYPE_STRING,
              subject, "connected", G_TYPE_BOOLEAN, connected, NULL)));
}

Link *
connect_element (GstElement * element, const gchar * servers,
    const gchar * credentials, gchar ** why)
{
  const LinkSettings settings = {
    servers ? servers : LINK_DEFAULT_SERVERS, credentials, GST_OBJECT_NAME (element)
  };

  return link_open (&settings, on_changed, element, why);
}
