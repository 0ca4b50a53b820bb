/* gst-continual: pixels to numbers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

typedef enum
{
  PIXEL_LAYOUT_PLANAR,
  PIXEL_LAYOUT_INTERLEAVED
} PixelLayout;

/* What each of the 256 values becomes, for each channel. */
typedef struct
{
  gfloat values[3][256];
} PixelTable;

/* "0.5" or "0.485,0.456,0.406": one to three numbers. 0: *why (free it). */
guint pixel_numbers_parse (const gchar * property, const gchar * text,
    gdouble numbers[3], gchar ** why);

/* (value * scale - mean) / std, in double and rounded once. @n_mean and @n_std: 1, or @channels. */
void pixel_table_fill (PixelTable * table, guint channels, gdouble scale,
    const gdouble * mean, guint n_mean, const gdouble * std, guint n_std);

/* @width x @height pixels of @frame from @x, @y on. @out: (channels, height, width) if planar, else (height, width,
 * channels). */
void pixels_convert (const GstVideoFrame * frame, guint x, guint y,
    guint width, guint height, guint channels, PixelLayout layout,
    const PixelTable * table, gfloat * out);

G_END_DECLS
