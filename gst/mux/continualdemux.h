/* gst-continual: separates the streams of a continualmux
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_CONTINUAL_DEMUX (gst_continual_demux_get_type ())
G_DECLARE_FINAL_TYPE (GstContinualDemux, gst_continual_demux, GST,
    CONTINUAL_DEMUX, GstElement)

#define GST_TYPE_CONTINUAL_DEMUX_PAD (gst_continual_demux_pad_get_type ())
G_DECLARE_FINAL_TYPE (GstContinualDemuxPad, gst_continual_demux_pad, GST,
    CONTINUAL_DEMUX_PAD, GstPad)

G_END_DECLS
