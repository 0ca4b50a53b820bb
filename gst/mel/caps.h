/* gst-continual: from audio's caps to mel frames' and back
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>

#include "mel/melsettings.h"

G_BEGIN_DECLS

#define MEL_AUDIO_CAPS "audio/x-raw, " \
    "format=(string){ " GST_AUDIO_NE (F32) ", " GST_AUDIO_NE (S16) " }, " \
    "layout=(string)interleaved, rate=(int)[ 1, MAX ], channels=(int)[ 1, MAX ]"

/* What the other side can be if the side of @direction is @caps: as GstBaseTransform's transform_caps. */
GstCaps *mel_caps_transform (const MelSettings * s, GstPadDirection direction,
    const GstCaps * caps, GstCaps * filter);

G_END_DECLS
