/* gst-continual: tensors that are vectors in time
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tensor/caps.h"

G_BEGIN_DECLS

/* What a pad offers that takes vectors of @width: any number of vectors and streams, which a dimension string can't
 * say, is a last structure without dimensions. */
GstCaps *vector_caps_new (gsize width);

/* Reads fixed caps of vectors of @width. FALSE: *why (free it) says what disagrees; @what: "vectors", "keys". */
gboolean vector_caps_read (const GstCaps * caps, gsize width,
    const gchar * what, TensorInfo * tensor, gchar ** why);

/* Whether @size bytes are whole vectors of each stream, and no more than the caps say. FALSE: *why (free it). */
gboolean vector_caps_check_size (const TensorInfo * tensor, gsize size,
    gchar ** why);

/* The duration of one vector; none without a framerate, which counts buffers of T vectors. */
GstClockTime vector_caps_get_duration (const TensorInfo * tensor);

/* Says @why as an error message of @element: "Expected ...". */
void vector_caps_post_error (GstElement * element, const gchar * why,
    const GstCaps * caps);

G_END_DECLS
