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

/* The output for each of the 256 values of a channel */
typedef struct
{
  gfloat values[3][256];
} PixelTable;

/* Parses "0.5" or "0.485,0.456,0.406". Returns how many numbers, 1 to 3; 0: *why (free it). */
guint pixel_numbers_parse (const gchar * property, const gchar * text,
    gdouble numbers[3], gchar ** why);

/* (value * scale - mean) / std, computed in double. @n_mean and @n_std: 1, or @channels. @limited: values of 16 to 235 are
 * first brought to 0 to 255, and cut there. */
void pixel_table_fill (PixelTable * table, guint channels, gboolean limited,
    gdouble scale,
    const gdouble * mean, guint n_mean, const gdouble * std, guint n_std);

/* Converts @width x @height pixels of @frame, the first one at @x, @y. @out: (channels, height, width) if planar, else
 * (height, width, channels). */
void pixels_convert (const GstVideoFrame * frame, guint x, guint y,
    guint width, guint height, guint channels, PixelLayout layout,
    const PixelTable * table, gfloat * out);

G_END_DECLS
