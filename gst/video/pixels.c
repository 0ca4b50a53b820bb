/* gst-continual: pixels to numbers
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/pixels.h"

#include <math.h>

guint
pixel_numbers_parse (const gchar * property, const gchar * text,
    gdouble numbers[3], gchar ** why)
{
  gchar **parts = g_strsplit (text, ",", -1);
  guint n = g_strv_length (parts);
  gboolean ok = n >= 1 && n <= 3;

  for (guint i = 0; ok && i < n; i++) {
    gchar *end, *part = g_strstrip (parts[i]);

    numbers[i] = g_ascii_strtod (part, &end);
    ok = *part && !*end && isfinite (numbers[i]);
  }
  g_strfreev (parts);
  if (ok)
    return n;
  *why = g_strdup_printf ("expected %s to be one number, or one for each of "
      "red, green and blue, separated by commas, found \"%s\": write for "
      "example %s=0.5 or %s=0.485,0.456,0.406", property, text, property,
      property);
  return 0;
}

void
pixel_table_fill (PixelTable * table, guint channels, gboolean limited,
    gdouble scale,
    const gdouble * mean, guint n_mean, const gdouble * std, guint n_std)
{
  for (guint c = 0; c < channels; c++) {
    gdouble m = mean[n_mean == 1 ? 0 : c], s = std[n_std == 1 ? 0 : c];

    for (guint v = 0; v < 256; v++) {
      const gdouble x = limited ? CLAMP ((v - 16.0) * 255 / 219, 0, 255) : v;

      table->values[c][v] = (gfloat) ((x * scale - m) / s);
    }
  }
}

void
pixels_convert (const GstVideoFrame * frame, guint x, guint y, guint width,
    guint height, guint channels, PixelLayout layout,
    const PixelTable * table, gfloat * out)
{
  const gsize step = layout == PIXEL_LAYOUT_PLANAR ? 1 : channels;

  for (guint row = 0; row < height; row++) {
    for (guint c = 0; c < channels; c++) {
      const gfloat *values = table->values[c];
      const gint from_step = GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c);
      const guint8 *from = GST_VIDEO_FRAME_COMP_DATA (frame, c);
      gfloat *to = out + (layout == PIXEL_LAYOUT_PLANAR ?
          ((gsize) c * height + row) * width : (gsize) row * width * step + c);

      from += (gssize) (y + row) * GST_VIDEO_FRAME_COMP_STRIDE (frame, c)
          + (gssize) x * from_step;
      for (guint i = 0; i < width; i++, from += from_step, to += step)
        *to = values[*from];
    }
  }
}
