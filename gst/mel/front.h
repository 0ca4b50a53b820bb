/* gst-continual: one frame of samples to one mel vector
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mel/melsettings.h"

G_BEGIN_DECLS

typedef struct _MelFront MelFront;

MelFront *mel_front_new (const MelSettings * s, guint rate);
void mel_front_free (MelFront * self);
/* For a new stream: resets the running maximum and the seed of the dither. */
void mel_front_reset (MelFront * self);

/* Buffer for the samples of the next frame, (frame length); mel_front_run() overwrites it. */
gdouble *mel_front_get_frame (MelFront * self);
void mel_front_run (MelFront * self, gfloat * mel /* (n_mels) */ );
/* Number of filters that cover no bin. */
guint mel_front_count_empty_filters (const MelFront * self);

G_END_DECLS
