/* gst-continual: one frame of samples to one mel vector
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything is in double: in float32, rounding errors of a loud bin would show in the logarithm of a quiet one. */
#include "mel/front.h"

#include <gst/fft/gstfftf64.h>
#include <float.h>
#include <math.h>

#include "mel/filters.h"
#include "mel/maximum.h"
#include "mel/window.h"

struct _MelFront
{
  MelSettings s;
  guint length;                 /* samples in a frame */
  guint n_bins;                 /* n_fft / 2 + 1 */
  guint stride;                 /* from one bin of n_fft to the next in the FFT that is computed */

  gdouble *window;              /* (length) */
  gdouble *frame;               /* (length) */
  gdouble *padded;              /* (n_fft * stride): zeros around the frame */
  GstFFTF64Complex *bins;       /* (n_fft * stride / 2 + 1) */
  gdouble *spectrum;            /* (n_bins) */
  gdouble *mel;                 /* (n_mels) */

  GstFFTF64 *fft;
  MelFilters *filters;
  MelMaximum *maximum;          /* NULL unless clamp=running */
  GRand *rand;                  /* NULL without dither */
};

MelFront *
mel_front_new (const MelSettings * s, guint rate)
{
  MelFront *self = g_new0 (MelFront, 1);
  guint win = mel_settings_win_length (s);
  guint fft_length;

  self->s = *s;
  self->length = mel_settings_frame_length (s);
  self->n_bins = s->n_fft / 2 + 1;
  /* gst-fft takes even lengths only. The bins of an odd length are every second bin of twice the length, zero-padded. */
  self->stride = s->n_fft % 2 ? 2 : 1;
  fft_length = s->n_fft * self->stride;

  self->window = g_new0 (gdouble, self->length);
  mel_window_fill (s->window, self->window + (self->length - win) / 2, win);
  self->frame = g_new0 (gdouble, self->length);
  self->padded = g_new0 (gdouble, fft_length);
  self->bins = g_new0 (GstFFTF64Complex, fft_length / 2 + 1);
  self->spectrum = g_new0 (gdouble, self->n_bins);
  self->mel = g_new0 (gdouble, s->n_mels);

  self->fft = gst_fft_f64_new (fft_length, FALSE);
  self->filters = mel_filters_new (s, rate);
  if (s->clamp == MEL_CLAMP_RUNNING)
    self->maximum = mel_maximum_new (s->clamp_time ?
        MAX (1, gst_util_uint64_scale (s->clamp_time, rate,
                (guint64) s->hop_length * GST_SECOND)) : 0);
  if (s->dither > 0.0)
    self->rand = g_rand_new_with_seed (s->seed);
  return self;
}

void
mel_front_free (MelFront * self)
{
  if (!self)
    return;
  g_free (self->window);
  g_free (self->frame);
  g_free (self->padded);
  g_free (self->bins);
  g_free (self->spectrum);
  g_free (self->mel);
  gst_fft_f64_free (self->fft);
  mel_filters_free (self->filters);
  mel_maximum_free (self->maximum);
  g_clear_pointer (&self->rand, g_rand_free);
  g_free (self);
}

void
mel_front_reset (MelFront * self)
{
  if (self->maximum)
    mel_maximum_reset (self->maximum);
  if (self->rand)
    g_rand_set_seed (self->rand, self->s.seed);
}

gdouble *
mel_front_get_frame (MelFront * self)
{
  return self->frame;
}

guint
mel_front_count_empty_filters (const MelFront * self)
{
  return mel_filters_count_empty (self->filters);
}

/* A normal deviate, by Box and Muller. */
static gdouble
draw_normal (GRand * rand)
{
  gdouble u = 1.0 - g_rand_double (rand);
  gdouble v = g_rand_double (rand);

  return sqrt (-2.0 * log (u)) * cos (2.0 * G_PI * v);
}

/* In Kaldi's order: scale, dither, mean, preemphasis, window. */
static void
prepare_frame (MelFront * self)
{
  const MelSettings *s = &self->s;
  gdouble *x = self->frame;
  guint i, n = self->length;

  for (i = 0; i < n; i++)
    x[i] *= s->input_scale;
  if (self->rand)
    for (i = 0; i < n; i++)
      x[i] += s->dither * draw_normal (self->rand);
  if (s->remove_dc) {
    gdouble mean = 0.0;

    for (i = 0; i < n; i++)
      mean += x[i];
    mean /= n;
    for (i = 0; i < n; i++)
      x[i] -= mean;
  }
  if (s->preemphasis != 0.0) {
    for (i = n - 1; i > 0; i--)
      x[i] -= s->preemphasis * x[i - 1];
    x[0] -= s->preemphasis * x[0];
  }
  for (i = 0; i < n; i++)
    self->padded[i] = x[i] * self->window[i];
}

static void
compute_spectrum (MelFront * self)
{
  gdouble power = self->s.power;
  guint k;

  gst_fft_f64_fft (self->fft, self->padded, self->bins);
  for (k = 0; k < self->n_bins; k++) {
    GstFFTF64Complex z = self->bins[k * self->stride];
    gdouble e = z.r * z.r + z.i * z.i;

    if (power == 2.0)
      self->spectrum[k] = e;
    else if (power == 1.0)
      self->spectrum[k] = sqrt (e);
    else
      self->spectrum[k] = pow (e, power / 2.0);
  }
}

/* Unlike MAX(), keeps a NaN: what is no number must not look like silence. */
static gdouble
at_least (gdouble x, gdouble floor)
{
  return x < floor ? floor : x;
}

static void
take_logarithm (MelFront * self)
{
  const MelSettings *s = &self->s;
  /* Never the logarithm of zero: an infinity would make all later outputs of a model NaN. */
  gdouble floor = MAX (s->log_floor, FLT_MIN);
  gdouble gain = 1.0;
  guint m;

  switch (s->log) {
    case MEL_LOG_LN:
      break;
    case MEL_LOG_LOG10:
      gain = 1.0 / G_LN10;
      break;
    case MEL_LOG_DB:
      /* 20 log10 of an amplitude, 10 log10 of a power. */
      gain = 20.0 / s->power / G_LN10;
      break;
    default:
      return;
  }
  for (m = 0; m < s->n_mels; m++)
    self->mel[m] = gain * log (at_least (self->mel[m] + s->log_offset, floor));
}

static void
clamp_to_maximum (MelFront * self)
{
  const MelSettings *s = &self->s;
  gdouble max = s->clamp_max;
  guint m;

  if (s->clamp == MEL_CLAMP_NONE)
    return;
  if (s->clamp == MEL_CLAMP_RUNNING) {
    gdouble of_frame = -G_MAXDOUBLE;

    for (m = 0; m < s->n_mels; m++)
      if (isfinite (self->mel[m]))
        of_frame = MAX (of_frame, self->mel[m]);
    max = mel_maximum_push (self->maximum, of_frame);
  }
  for (m = 0; m < s->n_mels; m++)
    self->mel[m] = at_least (self->mel[m], max - s->clamp_range);
}

void
mel_front_run (MelFront * self, gfloat * mel)
{
  const MelSettings *s = &self->s;
  guint m;

  prepare_frame (self);
  compute_spectrum (self);
  mel_filters_apply (self->filters, self->spectrum, self->mel);
  take_logarithm (self);
  clamp_to_maximum (self);
  for (m = 0; m < s->n_mels; m++)
    mel[m] = (self->mel[m] - s->mean) * s->scale + s->shift;
}
