/* gst-continual: the settings' choices as GEnums
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "enums.h"

#include "settings.h"

#define DEFINE_ENUM(func, name, ...) \
  GType \
  func (void) \
  { \
    static gsize type = 0; \
    static const GEnumValue values[] = { __VA_ARGS__, {0, NULL, NULL} }; \
    if (g_once_init_enter (&type)) \
      g_once_init_leave (&type, g_enum_register_static (name, values)); \
    return type; \
  }

/* *INDENT-OFF* */
DEFINE_ENUM (mel_channels_get_type, "GstMelSpectrogramChannels",
  {MEL_CHANNELS_MONO, "One channel, others are refused", "mono"},
  {MEL_CHANNELS_MIX, "Any number, their average is taken", "mix"})

DEFINE_ENUM (mel_window_get_type, "GstMelSpectrogramWindow",
  {MEL_WINDOW_HANN, "Hann, periodic", "hann"},
  {MEL_WINDOW_HANN_SYMMETRIC, "Hann, symmetric", "hann-symmetric"},
  {MEL_WINDOW_HAMMING, "Hamming (0.54, 0.46), periodic", "hamming"},
  {MEL_WINDOW_HAMMING_SYMMETRIC, "Hamming (0.54, 0.46), symmetric", "hamming-symmetric"},
  {MEL_WINDOW_BLACKMAN, "Blackman (0.42, 0.5, 0.08), periodic", "blackman"},
  {MEL_WINDOW_BLACKMAN_SYMMETRIC, "Blackman (0.42, 0.5, 0.08), symmetric", "blackman-symmetric"},
  {MEL_WINDOW_POVEY, "Kaldi's: symmetric Hann to the power 0.85", "povey"},
  {MEL_WINDOW_RECTANGULAR, "All ones", "rectangular"})

DEFINE_ENUM (mel_pad_get_type, "GstMelSpectrogramPadMode",
  {MEL_PAD_NONE, "Nothing: only whole frames", "none"},
  {MEL_PAD_CONSTANT, "Zeros", "constant"},
  {MEL_PAD_REFLECT, "Mirrored, the edge sample not repeated", "reflect"},
  {MEL_PAD_REPLICATE, "The edge sample over and over", "replicate"})

DEFINE_ENUM (mel_scale_get_type, "GstMelSpectrogramMelScale",
  {MEL_SCALE_HTK, "HTK: 2595 log10(1 + f / 700)", "htk"},
  {MEL_SCALE_SLANEY, "Slaney: linear to 1 kHz, logarithmic above", "slaney"},
  {MEL_SCALE_KALDI, "Kaldi: 1127 ln(1 + f / 700)", "kaldi"})

DEFINE_ENUM (mel_norm_get_type, "GstMelSpectrogramMelNorm",
  {MEL_NORM_NONE, "Peaks of 1", "none"},
  {MEL_NORM_SLANEY, "Slaney: areas of 1 over Hz", "slaney"})

DEFINE_ENUM (mel_domain_get_type, "GstMelSpectrogramFilterDomain",
  {MEL_DOMAIN_HZ, "Triangles over Hz", "hz"},
  {MEL_DOMAIN_MEL, "Triangles over mel", "mel"})

DEFINE_ENUM (mel_log_get_type, "GstMelSpectrogramLog",
  {MEL_LOG_NONE, "No logarithm", "none"},
  {MEL_LOG_LN, "Natural logarithm", "ln"},
  {MEL_LOG_LOG10, "Decimal logarithm", "log10"},
  {MEL_LOG_DB, "Decibels: 10 log10 of power, 20 log10 of magnitude", "db"},
  {MEL_LOG_DB, "The same, as the unit is written", "dB"})

DEFINE_ENUM (mel_clamp_get_type, "GstMelSpectrogramClamp",
  {MEL_CLAMP_NONE, "None", "none"},
  {MEL_CLAMP_FIXED, "Below clamp-max", "fixed"},
  {MEL_CLAMP_RUNNING, "Below the largest value of the last clamp-time", "running"})
/* *INDENT-ON* */
