/* gst-continual: built-in presets
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* GstPreset with built-in presets (torchaudio, librosa, whisper, vggish, kaldi) before those in files. */
void mel_presets_interface_init (gpointer iface, gpointer data);

G_END_DECLS
