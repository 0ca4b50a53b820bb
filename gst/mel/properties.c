/* gst-continual: the settings of melspectrogram as GObject properties
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mel/melsettings.h"

/* *INDENT-OFF* */
PROPERTY_ENUM (channels_enum, "GstMelSpectrogramChannels",
  {MEL_CHANNELS_MONO, "One channel; others are refused", "mono"},
  {MEL_CHANNELS_MIX, "Any number of channels; their mean is used", "mix"});

PROPERTY_ENUM (window_enum, "GstMelSpectrogramWindow",
  {MEL_WINDOW_HANN, "Hann, periodic", "hann"},
  {MEL_WINDOW_HANN_SYMMETRIC, "Hann, symmetric", "hann-symmetric"},
  {MEL_WINDOW_HAMMING, "Hamming (0.54, 0.46), periodic", "hamming"},
  {MEL_WINDOW_HAMMING_SYMMETRIC, "Hamming (0.54, 0.46), symmetric", "hamming-symmetric"},
  {MEL_WINDOW_BLACKMAN, "Blackman (0.42, 0.5, 0.08), periodic", "blackman"},
  {MEL_WINDOW_BLACKMAN_SYMMETRIC, "Blackman (0.42, 0.5, 0.08), symmetric", "blackman-symmetric"},
  {MEL_WINDOW_POVEY, "Kaldi's: symmetric Hann to the power 0.85", "povey"},
  {MEL_WINDOW_RECTANGULAR, "All ones", "rectangular"});

PROPERTY_ENUM (pad_enum, "GstMelSpectrogramPadMode",
  {MEL_PAD_NONE, "No padding: only whole frames", "none"},
  {MEL_PAD_CONSTANT, "Zeros", "constant"},
  {MEL_PAD_REFLECT, "Mirror the samples without repeating the first or last one", "reflect"},
  {MEL_PAD_REPLICATE, "Repeat the first or last sample", "replicate"});

PROPERTY_ENUM (scale_enum, "GstMelSpectrogramMelScale",
  {MEL_SCALE_HTK, "HTK: 2595 log10(1 + f / 700)", "htk"},
  {MEL_SCALE_SLANEY, "Slaney: linear to 1 kHz, logarithmic above", "slaney"},
  {MEL_SCALE_KALDI, "Kaldi: 1127 ln(1 + f / 700)", "kaldi"});

PROPERTY_ENUM (norm_enum, "GstMelSpectrogramMelNorm",
  {MEL_NORM_NONE, "Every filter has a peak of 1", "none"},
  {MEL_NORM_SLANEY, "Slaney: every filter has an area of 1 over Hz", "slaney"});

PROPERTY_ENUM (domain_enum, "GstMelSpectrogramFilterDomain",
  {MEL_DOMAIN_HZ, "Triangles over Hz", "hz"},
  {MEL_DOMAIN_MEL, "Triangles over mel", "mel"});

PROPERTY_ENUM (log_enum, "GstMelSpectrogramLog",
  {MEL_LOG_NONE, "No logarithm", "none"},
  {MEL_LOG_LN, "Natural logarithm", "ln"},
  {MEL_LOG_LOG10, "Decimal logarithm", "log10"},
  {MEL_LOG_DB, "Decibels: 10 log10 of power, 20 log10 of magnitude", "db"},
  {MEL_LOG_DB, "Same as db", "dB"});

PROPERTY_ENUM (clamp_enum, "GstMelSpectrogramClamp",
  {MEL_CLAMP_NONE, "No clamp", "none"},
  {MEL_CLAMP_FIXED, "The maximum is clamp-max", "fixed"},
  {MEL_CLAMP_RUNNING, "The maximum is the largest value of the last clamp-time", "running"});

static const PropertyRow rows[] = {
  /* Frames */
  ROW_UINT (MelSettings, rate, READY, "rate", "Sample rate",
      "The only sample rate in Hz that is accepted, so that an audioresample upstream converts to the rate of the "
      "training data (0: any)", 0, G_MAXINT, 16000),
  ROW_CHOICE (MelSettings, channels, READY, "channels", "Channels",
      "Whether audio with more than one channel is refused (an audioconvert upstream then mixes it down) or "
      "averaged here", channels_enum, MEL_CHANNELS_MONO),
  ROW_UINT (MelSettings, n_fft, READY, "n-fft", "FFT length",
      "Samples in the Fourier transform, which has n-fft / 2 + 1 bins. Odd lengths cost twice as much",
      2, 65536, 400),
  ROW_UINT (MelSettings, win_length, READY, "win-length", "Window length",
      "Samples under the window, at most n-fft; the rest of the transform is filled with zeros (0: n-fft)",
      0, 65536, 0),
  ROW_UINT (MelSettings, hop_length, READY, "hop-length", "Hop length",
      "Samples from one frame to the next: the duration of a frame. Rate / hop-length is the framerate",
      1, G_MAXINT / 4096, 160),
  ROW_CHOICE (MelSettings, window, READY, "window", "Window",
      "Function that each frame is multiplied with", window_enum, MEL_WINDOW_HANN),
  ROW_BOOLEAN (MelSettings, left_window, READY, "left-window", "Left window",
      "True: a frame has win-length samples, and zeros after them fill the transform (Kaldi, VGGish). False: a frame "
      "has n-fft samples with the window in the middle (torch, librosa)", FALSE),
  ROW_BOOLEAN (MelSettings, center, READY, "center", "Center",
      "True: the time of a frame is its centre. With a pad-mode, half a frame is added before the start of the "
      "stream and after its end, so that the first frame is centred on the first sample. False: the time of a frame "
      "is its first sample, and nothing is added", TRUE),
  ROW_CHOICE (MelSettings, pad_mode, READY, "pad-mode", "Padding",
      "Samples that are added outside the stream if center is true", pad_enum, MEL_PAD_REFLECT),
  ROW_BOOLEAN (MelSettings, snip_edges, READY, "snip-edges", "Snip edges",
      "False, with center=false: as Kaldi's snip_edges=False. Frame t is centred on sample t * hop-length + hop-length / 2, "
      "and at both ends of the stream samples are mirrored", TRUE),
  ROW_BOOLEAN (MelSettings, drop_last, READY, "drop-last", "Drop last",
      "Leave out the last frame before EOS, as Whisper does. Each frame is then sent only once the next one is "
      "certain to come", FALSE),

  /* The signal in a frame */
  ROW_DOUBLE (MelSettings, input_scale, READY, "input-scale", "Input scale",
      "Factor for the samples, which are from -1 to 1 in both formats (32768: the range of 16 bit integers, as "
      "Kaldi has it)", -G_MAXDOUBLE, G_MAXDOUBLE, 1.0),
  ROW_DOUBLE (MelSettings, dither, READY, "dither", "Dither",
      "Standard deviation of the Gaussian noise added to each sample of a frame after input-scale (0: none)",
      0.0, G_MAXDOUBLE, 0.0),
  ROW_UINT (MelSettings, seed, READY, "seed", "Seed",
      "Seed of the dither: the same seed gives the same noise from the start of every stream", 0, G_MAXUINT, 0),
  ROW_BOOLEAN (MelSettings, remove_dc, READY, "remove-dc", "Remove DC",
      "Subtract the mean of each frame before preemphasis and window", FALSE),
  ROW_DOUBLE (MelSettings, preemphasis, READY, "preemphasis", "Preemphasis",
      "Within each frame, x[i] - preemphasis * x[i - 1], where x[-1] is x[0] (0: none; Kaldi has 0.97)",
      -1.0, 1.0, 0.0),
  ROW_DOUBLE (MelSettings, power, READY, "power", "Power",
      "Exponent of the magnitude spectrum: 1 for magnitude, 2 for power", 0.01, 16.0, 2.0),

  /* Filters */
  ROW_UINT (MelSettings, n_mels, READY, "n-mels", "Mel bands",
      "Number of mel filters: the size of a vector", 1, 8192, 80),
  ROW_DOUBLE (MelSettings, f_min, READY, "f-min", "Lowest frequency",
      "Start of the first filter, in Hz", 0.0, G_MAXINT, 0.0),
  ROW_DOUBLE (MelSettings, f_max, READY, "f-max", "Highest frequency",
      "End of the last filter, in Hz (0: half of the sample rate). More than half of the sample rate is accepted "
      "with a warning, for models that were trained so", 0.0, G_MAXINT, 0.0),
  ROW_CHOICE (MelSettings, mel_scale, READY, "mel-scale", "Mel scale",
      "Formula from Hz to mel", scale_enum, MEL_SCALE_HTK),
  ROW_CHOICE (MelSettings, mel_norm, READY, "mel-norm", "Filter norm",
      "Whether the peak or the area of each filter is 1", norm_enum, MEL_NORM_NONE),
  ROW_CHOICE (MelSettings, filter_domain, READY, "filter-domain", "Filter domain",
      "Axis over which the sides of the filters are straight lines", domain_enum, MEL_DOMAIN_HZ),
  ROW_BOOLEAN (MelSettings, zero_dc, READY, "zero-dc", "Exclude DC",
      "The filters leave out the bin at 0 Hz, as VGGish does. Since f-min is at least 0, no filter reaches it "
      "anyway", FALSE),
  ROW_BOOLEAN (MelSettings, drop_nyquist, READY, "drop-nyquist", "Exclude Nyquist",
      "The filters leave out the bin at half of the sample rate, as Kaldi does. This matters if f-max lies above",
      FALSE),

  /* The vector */
  ROW_CHOICE (MelSettings, log, READY, "log", "Logarithm",
      "Logarithm of max(mel + log-offset, log-floor)", log_enum, MEL_LOG_LN),
  ROW_DOUBLE (MelSettings, log_floor, READY, "log-floor", "Floor",
      "Least value whose logarithm is taken (0: 1.18e-38, so that silence never becomes minus infinity)",
      0.0, G_MAXDOUBLE, 1e-10),
  ROW_DOUBLE (MelSettings, log_offset, READY, "log-offset", "Offset",
      "Added before the logarithm is taken", 0.0, G_MAXDOUBLE, 0.0),
  ROW_CHOICE (MelSettings, clamp, READY, "clamp", "Clamp",
      "Raise values to at least clamp-range below a maximum. (Whisper and top_db use the maximum of the whole file, "
      "which a stream cannot know)", clamp_enum, MEL_CLAMP_NONE),
  ROW_DOUBLE (MelSettings, clamp_max, READY, "clamp-max", "Clamp maximum",
      "The maximum with clamp=fixed, in the unit of the logarithm", -G_MAXDOUBLE, G_MAXDOUBLE, 0.0),
  ROW_DOUBLE (MelSettings, clamp_range, READY, "clamp-range", "Clamp range",
      "How far below the maximum values may lie, in the unit of the logarithm (Whisper has 8)",
      0.0, G_MAXDOUBLE, 8.0),
  ROW_UINT64 (MelSettings, clamp_time, READY, "clamp-time", "Clamp time",
      "Length of time, in nanoseconds, over which clamp=running takes the maximum (0: from the start of the stream)",
      0, G_MAXINT64, 30 * GST_SECOND),
  ROW_DOUBLE (MelSettings, mean, READY, "mean", "Mean",
      "The output is (value - mean) * scale + shift", -G_MAXDOUBLE, G_MAXDOUBLE, 0.0),
  ROW_DOUBLE (MelSettings, scale, READY, "scale", "Scale",
      "The output is (value - mean) * scale + shift", -G_MAXDOUBLE, G_MAXDOUBLE, 1.0),
  ROW_DOUBLE (MelSettings, shift, READY, "shift", "Shift",
      "The output is (value - mean) * scale + shift", -G_MAXDOUBLE, G_MAXDOUBLE, 0.0),
  ROW_UINT (MelSettings, frames_per_buffer, READY, "frames-per-buffer", "Frames per buffer",
      "Mel vectors in an output buffer (caps n-mels:frames-per-buffer): more of them cost latency and save time. "
      "The last buffer may hold fewer", 1, 4096, 1),
  ROW_UINT64 (MelSettings, alignment_threshold, READY, "alignment-threshold", "Alignment threshold",
      "A timestamp that differs by more than this, in nanoseconds, from the time counted in samples may be a "
      "discontinuity: see discont-wait", 0, G_MAXINT64, 40 * GST_MSECOND),
  ROW_UINT64 (MelSettings, discont_wait, READY, "discont-wait", "Discontinuity wait",
      "Timestamps must differ by more than alignment-threshold for this long, in nanoseconds, to be a discontinuity: "
      "audio that comes in bursts, each with the time of its arrival, is none. The DISCONT flag is one at once",
      0, G_MAXINT64, GST_SECOND),
};
/* *INDENT-ON* */

PROPERTY_TABLE (mel_properties, rows);
