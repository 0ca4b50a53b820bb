/* gst-continual: tensors that are vectors in time
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tensor/caps.h"

G_BEGIN_DECLS

/* Vectors in a buffer; those at @from are next */
typedef struct
{
  gconstpointer data;           /* (S, length, width) float32, aligned or not */
  gsize length, from;
} VectorRows;

/* Caps of a pad that takes vectors of @width values. A dimension string cannot say "any number of vectors and streams":
 * that is a last structure without dimensions. */
GstCaps *vector_caps_new (gsize width);

/* Reads fixed caps of vectors of @width values. @what: "vectors", "keys". FALSE: *why (free it). */
gboolean vector_caps_read (const GstCaps * caps, gsize width,
    const gchar * what, TensorInfo * tensor, gchar ** why);

/* TRUE: @size bytes are whole vectors of each stream, at most as many as the caps say. FALSE: *why (free it). */
gboolean vector_caps_check_size (const TensorInfo * tensor, gsize size,
    gchar ** why);

/* Answers an ACCEPT_CAPS query: everything is accepted, so that a CAPS event that does not fit comes and is refused with a
 * reason. FALSE: it is another query. */
gboolean vector_caps_accept (GstQuery * query);

/* Duration of one vector; none without a framerate. (A framerate counts buffers of T vectors.) */
GstClockTime vector_caps_get_duration (const TensorInfo * tensor);

/* Posts @why, which begins with "expected", as an error message of @element. */
void vector_caps_post_error (GstElement * element, const gchar * why,
    const GstCaps * caps);

/* FALSE: no caps came on @sinkpad, and an error message of @element says so. */
gboolean vector_caps_require (GstElement * element, GstPad * sinkpad);

G_END_DECLS
