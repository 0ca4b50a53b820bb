/* gst-continual: caps of video and of vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/* Formats with eight bits a value and without subsampling */
#define VIDEO_GRAY_CAPS GST_VIDEO_CAPS_MAKE ("GRAY8")
#define VIDEO_COLOR_CAPS GST_VIDEO_CAPS_MAKE ("{ RGB, BGR, RGBx, BGRx, xRGB, " \
    "xBGR, RGBA, BGRA, ARGB, ABGR, RGBP, BGRP, GBR, GBRA }")

/* Formats whose first component is luma, and whose caps say its range */
#define VIDEO_LUMA_CAPS GST_VIDEO_CAPS_MAKE ("{ I420, YV12, NV12, NV21, " \
    "YUY2, UYVY, YVYU, Y41B, Y42B, Y444 }")

/* @luma in what follows: video is taken by its luma only, else by its colours or as grey. */

/* NULL: the fixed @caps are video that the element takes; *info describes it. Else what to put before it; free it. */
gchar *video_caps_explain (const GstCaps * caps, gboolean luma,
    GstVideoInfo * info);

/* 3: red, green and blue; 1: grey or luma. */
guint video_caps_get_channels (const GstVideoInfo * info);

/* Values of a frame; 0: too many for caps. */
guint video_caps_get_size (const GstVideoInfo * info);

/* For transform_caps(): caps of the other pad. */
GstCaps *video_caps_transform (GstPadDirection direction, gboolean luma,
    GstCaps * caps, GstCaps * filter);

/* TRUE: @downstream takes the vectors of @info. FALSE: *why (free it). */
gboolean video_caps_check (const GstVideoInfo * info, GstCaps * downstream,
    gchar ** why);

G_END_DECLS
