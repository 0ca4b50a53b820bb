/* gst-continual: what an element says of itself: to gst-inspect-1.0, and in the log
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  const gchar *name;            /* of the element, and of its debug category */
  const gchar *title, *classes;
  const gchar *description;     /* one sentence of up to 120 characters, without its full stop */
  const gchar *example;         /* the element in a pipeline, one line */
  const gchar *page;            /* its page, in docs/ */
} ElementAbout;

/* For class_init(): the metadata of the element, and its debug category. */
void element_about (GstElementClass * klass, const ElementAbout * about);

/* The debug category of @element; that of GStreamer's `default` if it has none. For GST_CAT_DEFAULT, in files that several
 * elements share, too: the macros of the log call it only when a level that is on asks for it. */
GstDebugCategory *element_debug (gconstpointer element);

G_END_DECLS
