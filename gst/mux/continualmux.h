/* gst-continual: vectors of many streams in one buffer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstaggregator.h>

G_BEGIN_DECLS

#define GST_TYPE_CONTINUAL_MUX (gst_continual_mux_get_type ())
G_DECLARE_FINAL_TYPE (GstContinualMux, gst_continual_mux, GST, CONTINUAL_MUX,
    GstAggregator)

G_END_DECLS
