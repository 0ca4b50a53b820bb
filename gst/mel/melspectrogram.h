/* gst-continual: audio to mel frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_MEL_SPECTROGRAM (gst_mel_spectrogram_get_type ())
G_DECLARE_FINAL_TYPE (GstMelSpectrogram, gst_mel_spectrogram, GST,
    MEL_SPECTROGRAM, GstBaseTransform)

G_END_DECLS
