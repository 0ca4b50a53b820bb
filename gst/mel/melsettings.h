/* gst-continual: settings of a mel spectrogram
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tensor/propertytable.h"

G_BEGIN_DECLS

typedef enum
{
  MEL_CHANNELS_MONO,
  MEL_CHANNELS_MIX
} MelChannels;

typedef enum
{
  MEL_WINDOW_HANN,
  MEL_WINDOW_HANN_SYMMETRIC,
  MEL_WINDOW_HAMMING,
  MEL_WINDOW_HAMMING_SYMMETRIC,
  MEL_WINDOW_BLACKMAN,
  MEL_WINDOW_BLACKMAN_SYMMETRIC,
  MEL_WINDOW_POVEY,
  MEL_WINDOW_RECTANGULAR
} MelWindow;

typedef enum
{
  MEL_PAD_NONE,
  MEL_PAD_CONSTANT,
  MEL_PAD_REFLECT,
  MEL_PAD_REPLICATE
} MelPad;

typedef enum
{
  MEL_SCALE_HTK,
  MEL_SCALE_SLANEY,
  MEL_SCALE_KALDI
} MelScale;

typedef enum
{
  MEL_NORM_NONE,
  MEL_NORM_SLANEY
} MelNorm;

typedef enum
{
  MEL_DOMAIN_HZ,
  MEL_DOMAIN_MEL
} MelDomain;

typedef enum
{
  MEL_LOG_NONE,
  MEL_LOG_LN,
  MEL_LOG_LOG10,
  MEL_LOG_DB
} MelLog;

typedef enum
{
  MEL_CLAMP_NONE,
  MEL_CLAMP_FIXED,
  MEL_CLAMP_RUNNING
} MelClamp;

/* The values of the properties; properties.c describes each one. */
typedef struct
{
  guint rate, channels;
  guint n_fft, win_length, hop_length;
  guint window;
  gboolean left_window, center;
  guint pad_mode;
  gboolean snip_edges, drop_last;
  gdouble input_scale, dither;
  guint seed;
  gboolean remove_dc;
  gdouble preemphasis;
  gdouble power;
  guint n_mels;
  gdouble f_min, f_max;
  guint mel_scale, mel_norm, filter_domain;
  gboolean zero_dc, drop_nyquist;
  guint log;
  gdouble log_floor, log_offset;
  guint clamp;
  gdouble clamp_max, clamp_range;
  guint64 clamp_time;
  gdouble mean, scale, shift;
  guint frames_per_buffer;
  guint64 alignment_threshold, discont_wait;
} MelSettings;

/* Samples under the window; win_length 0: n_fft. */
guint mel_settings_win_length (const MelSettings * s);
/* Samples of a frame: win_length with left_window, else n_fft. */
guint mel_settings_frame_length (const MelSettings * s);
/* Upper end of the filters in Hz; f_max 0: half of @rate. */
gdouble mel_settings_f_max (const MelSettings * s, guint rate);
/* NULL: the settings agree with each other and with audio of @rate Hz (0: not known yet). Else what contradicts what,
 * and what to do; free it. */
gchar *mel_settings_check (const MelSettings * s, guint rate);

/* One row per field. */
extern const PropertyTable mel_properties;

G_END_DECLS
