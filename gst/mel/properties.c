/* gst-continual: the settings as GObject properties
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings.h"

#include <string.h>

#include "enums.h"

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)

/* Where property id's field is, (id). */
static gsize offsets[64];
static guint n_properties;

static void
add (GObjectClass * klass, gsize offset, GParamSpec * pspec)
{
  g_assert (n_properties + 1 < G_N_ELEMENTS (offsets));
  offsets[++n_properties] = offset;
  g_object_class_install_property (klass, n_properties, pspec);
}

#define ADD_UINT(field, name, nick, blurb, min, max, def) \
    add (klass, G_STRUCT_OFFSET (MelSettings, field), \
        g_param_spec_uint (name, nick, blurb, min, max, def, FLAGS))
#define ADD_UINT64(field, name, nick, blurb, min, max, def) \
    add (klass, G_STRUCT_OFFSET (MelSettings, field), \
        g_param_spec_uint64 (name, nick, blurb, min, max, def, FLAGS))
#define ADD_DOUBLE(field, name, nick, blurb, min, max, def) \
    add (klass, G_STRUCT_OFFSET (MelSettings, field), \
        g_param_spec_double (name, nick, blurb, min, max, def, FLAGS))
#define ADD_BOOLEAN(field, name, nick, blurb, def) \
    add (klass, G_STRUCT_OFFSET (MelSettings, field), \
        g_param_spec_boolean (name, nick, blurb, def, FLAGS))
#define ADD_ENUM(field, name, nick, blurb, type, def) \
    add (klass, G_STRUCT_OFFSET (MelSettings, field), \
        g_param_spec_enum (name, nick, blurb, type, def, FLAGS))

static void
add_framing (GObjectClass * klass)
{
  ADD_UINT (rate, "rate", "Sample rate",
      "The only sample rate in Hz that is accepted, so that an audioresample "
      "upstream converts to what the model was trained on (0: any)",
      0, G_MAXINT, 16000);
  ADD_ENUM (channels, "channels", "Channels",
      "Whether audio of more than one channel is refused (an audioconvert "
      "upstream mixes it down) or averaged here",
      MEL_TYPE_CHANNELS, MEL_CHANNELS_MONO);
  ADD_UINT (n_fft, "n-fft", "FFT length",
      "Samples in the Fourier transform; n-fft / 2 + 1 bins. Odd ones work, at "
      "twice the cost", 2, 65536, 400);
  ADD_UINT (win_length, "win-length", "Window length",
      "Samples under the window, at most n-fft; zeros fill up the rest "
      "(0: n-fft)", 0, 65536, 0);
  ADD_UINT (hop_length, "hop-length", "Hop length",
      "Samples from one frame to the next: a frame's duration, and with the "
      "sample rate the framerate", 1, G_MAXINT / 4096, 160);
  ADD_ENUM (window, "window", "Window",
      "What each frame is multiplied with", MEL_TYPE_WINDOW, MEL_WINDOW_HANN);
  ADD_BOOLEAN (left_window, "left-window", "Left window",
      "A window shorter than n-fft stands at the beginning of the FFT, zeros "
      "follow it, and a frame is win-length samples long (Kaldi, VGGish); "
      "otherwise it stands in the middle of a frame of n-fft samples (torch, "
      "librosa)", FALSE);
  ADD_BOOLEAN (center, "center", "Center",
      "A frame's time is its centre, and with a pad-mode the first frame's "
      "centre is the first sample and the last one's lies within the last hop: "
      "half a frame is made up before the start of the stream and after its "
      "end. Otherwise a frame's time is its first sample, and only what is "
      "wholly in the stream is framed", TRUE);
  ADD_ENUM (pad_mode, "pad-mode", "Padding",
      "What is made up outside the stream when center is set",
      MEL_TYPE_PAD, MEL_PAD_REFLECT);
  ADD_BOOLEAN (drop_last, "drop-last", "Drop last",
      "Leave out the last frame before EOS, as Whisper does. A frame is then "
      "held back until the next one is certain to come", FALSE);
}

static void
add_signal (GObjectClass * klass)
{
  ADD_DOUBLE (input_scale, "input-scale", "Input scale",
      "Factor for the samples, which are -1 to 1 in either format (32768: as "
      "if they were 16 bit integers, as Kaldi has them)",
      -G_MAXDOUBLE, G_MAXDOUBLE, 1.0);
  ADD_DOUBLE (dither, "dither", "Dither",
      "Standard deviation of the Gaussian noise added to each sample of a "
      "frame after input-scale (0: none)", 0.0, G_MAXDOUBLE, 0.0);
  ADD_UINT (seed, "seed", "Seed",
      "Seed of the dither: equal seeds give equal noise, from the start of "
      "every stream", 0, G_MAXUINT, 0);
  ADD_BOOLEAN (remove_dc, "remove-dc", "Remove DC",
      "Subtract each frame's mean before preemphasis and window", FALSE);
  ADD_DOUBLE (preemphasis, "preemphasis", "Preemphasis",
      "Within each frame, x[i] - preemphasis * x[i - 1], the first sample "
      "being its own predecessor (0: none; Kaldi has 0.97)", -1.0, 1.0, 0.0);
  ADD_DOUBLE (power, "power", "Power",
      "Exponent of the magnitude spectrum: 1 for magnitude, 2 for power",
      0.01, 16.0, 2.0);
}

static void
add_filters (GObjectClass * klass)
{
  ADD_UINT (n_mels, "n-mels", "Mel bands",
      "Number of mel filters: the size of a vector", 1, 8192, 80);
  ADD_DOUBLE (f_min, "f-min", "Lowest frequency",
      "Where the first filter begins, in Hz", 0.0, G_MAXINT, 0.0);
  ADD_DOUBLE (f_max, "f-max", "Highest frequency",
      "Where the last filter ends, in Hz (0: half of the sample rate; more than "
      "that is as a model may have been trained, with a warning)",
      0.0, G_MAXINT, 0.0);
  ADD_ENUM (mel_scale, "mel-scale", "Mel scale",
      "Formula from Hz to mel", MEL_TYPE_SCALE, MEL_SCALE_HTK);
  ADD_ENUM (mel_norm, "mel-norm", "Filter norm",
      "Whether each filter's peak or its area is 1",
      MEL_TYPE_NORM, MEL_NORM_NONE);
  ADD_ENUM (filter_domain, "filter-domain", "Filter domain",
      "Over which axis the filters' sides are straight lines",
      MEL_TYPE_DOMAIN, MEL_DOMAIN_HZ);
  ADD_BOOLEAN (zero_dc, "zero-dc", "Exclude DC",
      "The filters leave out the bin at 0 Hz, as VGGish says. Since f-min is at "
      "least 0, no filter reaches it anyway", FALSE);
  ADD_BOOLEAN (drop_nyquist, "drop-nyquist", "Exclude Nyquist",
      "The filters leave out the bin at half of the sample rate, as Kaldi does: "
      "it matters when f-max lies above", FALSE);
}

static void
add_output (GObjectClass * klass)
{
  ADD_ENUM (log, "log", "Logarithm",
      "Logarithm of max(mel + log-offset, log-floor)",
      MEL_TYPE_LOG, MEL_LOG_LN);
  ADD_DOUBLE (log_floor, "log-floor", "Floor",
      "Least value whose logarithm is taken (0: 1.18e-38, so that silence never "
      "becomes minus infinity)", 0.0, G_MAXDOUBLE, 1e-10);
  ADD_DOUBLE (log_offset, "log-offset", "Offset",
      "Added before the logarithm is taken", 0.0, G_MAXDOUBLE, 0.0);
  ADD_ENUM (clamp, "clamp", "Clamp",
      "Raise values to at least clamp-range below a maximum (Whisper, and "
      "top_db of others, have the whole file's, which no stream can know)",
      MEL_TYPE_CLAMP, MEL_CLAMP_NONE);
  ADD_DOUBLE (clamp_max, "clamp-max", "Clamp maximum",
      "The maximum with clamp=fixed, in the logarithm's unit",
      -G_MAXDOUBLE, G_MAXDOUBLE, 0.0);
  ADD_DOUBLE (clamp_range, "clamp-range", "Clamp range",
      "How far below the maximum values may lie, in the logarithm's unit "
      "(Whisper has 8)", 0.0, G_MAXDOUBLE, 8.0);
  ADD_UINT64 (clamp_time, "clamp-time", "Clamp time",
      "How far back the maximum with clamp=running looks, in nanoseconds "
      "(0: to the start of the stream)", 0, G_MAXINT64, 30 * GST_SECOND);
  ADD_DOUBLE (mean, "mean", "Mean",
      "What comes out is (value - mean) * scale + shift",
      -G_MAXDOUBLE, G_MAXDOUBLE, 0.0);
  ADD_DOUBLE (scale, "scale", "Scale",
      "What comes out is (value - mean) * scale + shift",
      -G_MAXDOUBLE, G_MAXDOUBLE, 1.0);
  ADD_DOUBLE (shift, "shift", "Shift",
      "What comes out is (value - mean) * scale + shift",
      -G_MAXDOUBLE, G_MAXDOUBLE, 0.0);
  ADD_UINT (frames_per_buffer, "frames-per-buffer", "Frames per buffer",
      "Mel vectors in an output buffer (caps n-mels:frames-per-buffer): more "
      "cost latency and save time. A last one may hold fewer", 1, 4096, 1);
  ADD_UINT64 (alignment_threshold, "alignment-threshold",
      "Alignment threshold",
      "Timestamps that differ by more than this from the count of samples, in "
      "nanoseconds, are a discontinuity", 0, G_MAXINT64, 40 * GST_MSECOND);
}

void
mel_settings_install_properties (GObjectClass * klass)
{
  n_properties = 0;
  add_framing (klass);
  add_signal (klass);
  add_filters (klass);
  add_output (klass);
}

void
mel_settings_init (MelSettings * s, GObjectClass * klass)
{
  guint i, n;
  GParamSpec **pspecs = g_object_class_list_properties (klass, &n);

  memset (s, 0, sizeof (*s));
  for (i = 0; i < n; i++)
    if (pspecs[i]->owner_type == G_OBJECT_CLASS_TYPE (klass))
      mel_settings_set (s, pspecs[i]->param_id,
          g_param_spec_get_default_value (pspecs[i]), pspecs[i]);
  g_free (pspecs);
}

void
mel_settings_set (MelSettings * s, guint id, const GValue * value,
    GParamSpec * pspec)
{
  gpointer field = G_STRUCT_MEMBER_P (s, offsets[id]);

  g_return_if_fail (id > 0 && id <= n_properties);
  if (G_VALUE_HOLDS_UINT (value))
    *(guint *) field = g_value_get_uint (value);
  else if (G_VALUE_HOLDS_UINT64 (value))
    *(guint64 *) field = g_value_get_uint64 (value);
  else if (G_VALUE_HOLDS_DOUBLE (value))
    *(gdouble *) field = g_value_get_double (value);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    *(gboolean *) field = g_value_get_boolean (value);
  else
    *(guint *) field = g_value_get_enum (value);
}

void
mel_settings_get (const MelSettings * s, guint id, GValue * value,
    GParamSpec * pspec)
{
  gconstpointer field = G_STRUCT_MEMBER_P (s, offsets[id]);

  g_return_if_fail (id > 0 && id <= n_properties);
  if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, *(const guint *) field);
  else if (G_VALUE_HOLDS_UINT64 (value))
    g_value_set_uint64 (value, *(const guint64 *) field);
  else if (G_VALUE_HOLDS_DOUBLE (value))
    g_value_set_double (value, *(const gdouble *) field);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, *(const gboolean *) field);
  else
    g_value_set_enum (value, *(const guint *) field);
}
