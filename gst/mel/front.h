/* gst-continual: one frame of samples to one mel vector
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mel/melsettings.h"

G_BEGIN_DECLS

typedef struct _MelFront MelFront;

MelFront *mel_front_new (const MelSettings * s, guint rate);
void mel_front_free (MelFront * self);
/* Forgets the running maximum, and draws the same dither again. */
void mel_front_reset (MelFront * self);

/* Where the next frame's samples go, (frame length): mel_front_run() overwrites them. */
gdouble *mel_front_get_frame (MelFront * self);
void mel_front_run (MelFront * self, gfloat * mel /* (n_mels) */ );
/* Filters that no bin falls into. */
guint mel_front_count_empty_filters (const MelFront * self);

G_END_DECLS
