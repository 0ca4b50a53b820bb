/* gst-continual: caps of audio and of mel frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>

#include "mel/melsettings.h"

G_BEGIN_DECLS

#define MEL_AUDIO_CAPS "audio/x-raw, " \
    "format=(string){ " GST_AUDIO_NE (F32) ", " GST_AUDIO_NE (S16) " }, " \
    "layout=(string)interleaved, rate=(int)[ 1, MAX ], channels=(int)[ 1, MAX ]"

/* For transform_caps() of GstBaseTransform: caps of the other pad, given @caps of the pad of @direction. */
GstCaps *mel_caps_transform (const MelSettings * s, GstPadDirection direction,
    const GstCaps * caps, GstCaps * filter);

/* NULL: the element takes audio of the fixed @caps. Else what was expected and found, and what to put before it; free it. */
gchar *mel_caps_explain (const MelSettings * s, const GstCaps * caps);

G_END_DECLS
