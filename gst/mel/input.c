/* gst-continual: conversion of audio to mono float
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mel/input.h"

void
mel_input_convert (const GstAudioInfo * info, gconstpointer in, gsize n,
    gfloat * out)
{
  guint channels = GST_AUDIO_INFO_CHANNELS (info), c;
  const gfloat *f = in;
  const gint16 *s = in;
  gsize i;

  if (GST_AUDIO_INFO_FORMAT (info) == GST_AUDIO_FORMAT_F32) {
    for (i = 0; i < n; i++) {
      gfloat sum = 0.0f;

      for (c = 0; c < channels; c++)
        sum += *f++;
      out[i] = sum / channels;
    }
  } else {
    for (i = 0; i < n; i++) {
      gint sum = 0;

      for (c = 0; c < channels; c++)
        sum += *s++;
      out[i] = sum / (32768.0f * channels);
    }
  }
}
