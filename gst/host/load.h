/* gst-continual: loading the model of an element
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/attention-weights.h"
#include "host/modelproperties.h"

G_BEGIN_DECLS

/* Loads the file or folder @path (NULL: not set) for an element of @kind with its property attention-weights. @element
 * posts what the library warns of. NULL: @element posted an error or, with @keep, a warning that the model in use stays:
 * @path cannot be loaded, the model is for another element, or it has no @weights. */
CoModel *model_load (GstElement * element, ModelElement kind,
    AttentionWeights weights, const gchar * path, const CoOptions * options,
    gboolean keep);

G_END_DECLS
