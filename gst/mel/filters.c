/* gst-continual: triangular mel filters
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mel/filters.h"

#include <math.h>

/* Slaney's scale: 3 mels in 200 Hz up to 1 kHz, then 27 mels in a factor of 6.4. */
#define SLANEY_HZ_PER_MEL (200.0 / 3.0)
#define SLANEY_KNEE_HZ 1000.0
#define SLANEY_KNEE_MEL (SLANEY_KNEE_HZ / SLANEY_HZ_PER_MEL)
#define SLANEY_LOG_STEP (log (6.4) / 27.0)

gdouble
mel_from_hz (MelScale scale, gdouble hz)
{
  switch (scale) {
    case MEL_SCALE_SLANEY:
      return hz < SLANEY_KNEE_HZ ? hz / SLANEY_HZ_PER_MEL :
          SLANEY_KNEE_MEL + log (hz / SLANEY_KNEE_HZ) / SLANEY_LOG_STEP;
    case MEL_SCALE_KALDI:
      return 1127.0 * log1p (hz / 700.0);
    case MEL_SCALE_HTK:
    default:
      return 2595.0 * log10 (1.0 + hz / 700.0);
  }
}

gdouble
mel_to_hz (MelScale scale, gdouble mel)
{
  switch (scale) {
    case MEL_SCALE_SLANEY:
      return mel < SLANEY_KNEE_MEL ? mel * SLANEY_HZ_PER_MEL :
          SLANEY_KNEE_HZ * exp ((mel - SLANEY_KNEE_MEL) * SLANEY_LOG_STEP);
    case MEL_SCALE_KALDI:
      return 700.0 * expm1 (mel / 1127.0);
    case MEL_SCALE_HTK:
    default:
      return 700.0 * (pow (10.0, mel / 2595.0) - 1.0);
  }
}

static gdouble
triangle (gdouble x, gdouble left, gdouble peak, gdouble right)
{
  gdouble w = MIN ((x - left) / (peak - left), (right - x) / (right - peak));

  return MAX (w, 0.0);
}

MelFilters *
mel_filters_new (const MelSettings * s, guint rate)
{
  MelFilters *f = g_new0 (MelFilters, 1);
  GArray *weights = g_array_new (FALSE, FALSE, sizeof (gdouble));
  gdouble low = mel_from_hz (s->mel_scale, s->f_min);
  gdouble high = mel_from_hz (s->mel_scale, mel_settings_f_max (s, rate));
  gdouble step = (high - low) / (s->n_mels + 1);
  guint first_bin = s->zero_dc ? 1 : 0;
  guint end_bin = s->n_fft / 2 + 1;
  guint m, k;

  if (s->drop_nyquist && s->n_fft % 2 == 0)
    end_bin--;

  f->n_mels = s->n_mels;
  f->first = g_new0 (guint, s->n_mels);
  f->offset = g_new0 (guint, s->n_mels + 1);

  for (m = 0; m < s->n_mels; m++) {
    gdouble edge[3], hz[3], gain = 1.0;

    for (k = 0; k < 3; k++) {
      edge[k] = low + (m + k) * step;
      hz[k] = mel_to_hz (s->mel_scale, edge[k]);
      if (s->filter_domain == MEL_DOMAIN_HZ)
        edge[k] = hz[k];
    }
    if (s->mel_norm == MEL_NORM_SLANEY)
      gain = 2.0 / (hz[2] - hz[0]);

    for (k = first_bin; k < end_bin; k++) {
      gdouble x = (gdouble) k * rate / s->n_fft, w;

      if (s->filter_domain == MEL_DOMAIN_MEL)
        x = mel_from_hz (s->mel_scale, x);
      w = gain * triangle (x, edge[0], edge[1], edge[2]);
      if (w > 0.0) {
        if (weights->len == f->offset[m])
          f->first[m] = k;
        g_array_append_val (weights, w);
      } else if (weights->len > f->offset[m]) {
        break;
      }
    }
    f->offset[m + 1] = weights->len;
  }
  f->weights = (gdouble *) g_array_free (weights, FALSE);
  return f;
}

void
mel_filters_free (MelFilters * f)
{
  if (!f)
    return;
  g_free (f->first);
  g_free (f->offset);
  g_free (f->weights);
  g_free (f);
}

void
mel_filters_apply (const MelFilters * f, const gdouble * spectrum,
    gdouble * mel)
{
  guint m, i;

  for (m = 0; m < f->n_mels; m++) {
    const gdouble *w = f->weights + f->offset[m];
    const gdouble *x = spectrum + f->first[m];
    guint n = f->offset[m + 1] - f->offset[m];
    gdouble sum = 0.0;

    for (i = 0; i < n; i++)
      sum += w[i] * x[i];
    mel[m] = sum;
  }
}

guint
mel_filters_count_empty (const MelFilters * f)
{
  guint m, n = 0;

  for (m = 0; m < f->n_mels; m++)
    n += f->offset[m + 1] == f->offset[m];
  return n;
}
