/* gst-continual: from video's caps to vectors' and back
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Eight bits a value, no subsampling: these differ in order and in what is left out. */
#define VIDEO_GRAY_CAPS GST_VIDEO_CAPS_MAKE ("GRAY8")
#define VIDEO_COLOR_CAPS GST_VIDEO_CAPS_MAKE ("{ RGB, BGR, RGBx, BGRx, xRGB, " \
    "xBGR, RGBA, BGRA, ARGB, ABGR, RGBP, BGRP, GBR, GBRA }")

/* Red, green and blue, or grey. */
guint video_caps_get_channels (const GstVideoInfo * info);

/* The values of a frame; 0: more than caps can say. */
guint video_caps_get_size (const GstVideoInfo * info);

/* Caps of one pad from those of the other. */
GstCaps *video_caps_transform (GstPadDirection direction, GstCaps * caps,
    GstCaps * filter);

/* Whether @downstream takes the vectors of @info. FALSE: *why (free it). */
gboolean video_caps_check (const GstVideoInfo * info, GstCaps * downstream,
    gchar ** why);

G_END_DECLS
