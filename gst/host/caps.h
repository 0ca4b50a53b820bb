/* gst-continual: which tensors go into a model and which come out
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

#include "tensor/caps.h"

G_BEGIN_DECLS

/* Caps of one pad from those of the other, in either direction. @info: NULL before a model is loaded. What a
 * dimension string can't say (any number of vectors or streams) is offered as a last structure without dimensions. */
GstCaps *model_caps_to_src (const CoModelInfo * info, const GstCaps * caps);
GstCaps *model_caps_to_sink (const CoModelInfo * info, const GstCaps * caps);

/* Leaves out those of the sink pad's @caps, which it consumes, that can't go in; if none can, they stay, so that a CAPS
 * event comes to be refused with a reason. */
GstCaps *model_caps_prefer_fitting (const CoModelInfo * info,
    GstCaps * caps);

/* Why the next model is refused if downstream takes none of its outputs; free it. */
gchar *model_caps_explain_refused (const CoModelInfo * next);

/* Whether the states of @n_streams fit into memory. FALSE: *why (free it). */
gboolean model_caps_check_streams (const CoModelInfo * info, guint n_streams,
    gchar ** why);

G_END_DECLS
