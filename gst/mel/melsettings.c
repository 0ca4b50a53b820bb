/* gst-continual: settings of a mel spectrogram that depend on each other
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mel/melsettings.h"

guint
mel_settings_win_length (const MelSettings * s)
{
  return s->win_length ? s->win_length : s->n_fft;
}

guint
mel_settings_frame_length (const MelSettings * s)
{
  return s->left_window ? mel_settings_win_length (s) : s->n_fft;
}

gdouble
mel_settings_f_max (const MelSettings * s, guint rate)
{
  return s->f_max > 0 ? s->f_max : rate / 2.0;
}

gchar *
mel_settings_check (const MelSettings * s, guint rate)
{
  if (s->win_length > s->n_fft)
    return g_strdup_printf ("expected win-length (%u) to be at most n-fft (%u):"
        " lower win-length or raise n-fft", s->win_length, s->n_fft);
  if (!s->snip_edges && s->center)
    return g_strdup ("expected center=false with snip-edges=false, which "
        "centres frames itself, found center=true: set center=false, or "
        "snip-edges=true");
  if (s->f_max > 0 && s->f_min >= s->f_max)
    return g_strdup_printf ("expected f-min (%g Hz) to be below f-max (%g Hz):"
        " lower f-min, raise f-max, or set f-max=0 for half the rate",
        s->f_min, s->f_max);
  if (rate && s->f_min >= rate / 2.0)
    return g_strdup_printf ("expected f-min (%g Hz) to be below %g Hz, the"
        " highest frequency in audio at %u Hz: lower f-min", s->f_min,
        rate / 2.0, rate);
  return NULL;
}
