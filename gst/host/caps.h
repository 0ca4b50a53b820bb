/* gst-continual: caps of the inputs and outputs of a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

#include "tensor/caps.h"

G_BEGIN_DECLS

/* Caps of one pad for those of the other. @info: NULL before a model is loaded. A dimension string cannot say "any number
 * of vectors or streams": that is a last structure without dimensions. */
GstCaps *model_caps_to_src (const CoModelInfo * info, const GstCaps * caps);
GstCaps *model_caps_to_sink (const CoModelInfo * info, const GstCaps * caps);

/* Removes structures that do not fit the model from the sink pad's @caps, which it consumes. If none fits, all stay: then
 * a CAPS event comes and is refused with a reason. */
GstCaps *model_caps_prefer_fitting (const CoModelInfo * info,
    GstCaps * caps);

/* Why the next model is refused if downstream takes none of its outputs; free it. */
gchar *model_caps_explain_refused (const CoModelInfo * next);

G_END_DECLS
