/* gst-continual: a stream of samples cut into overlapping frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mel/melsettings.h"

G_BEGIN_DECLS

typedef struct _MelFramer MelFramer;

MelFramer *mel_framer_new (const MelSettings * s);
void mel_framer_free (MelFramer * self);
/* The next sample is the first of a stream. */
void mel_framer_reset (MelFramer * self);

/* Appends @n samples to the stream. Returns them, (n), for the caller to fill before any other call. NULL: there is no room,
 * and nothing changed. */
gfloat *mel_framer_append (MelFramer * self, gsize n);
/* The stream has ended: frames that reach past its end are padded. */
void mel_framer_end (MelFramer * self);

/* Samples since the start; index of the next frame. */
guint64 mel_framer_get_n_samples (const MelFramer * self);
guint64 mel_framer_get_next (const MelFramer * self);
/* Frames that can be taken now. */
guint64 mel_framer_get_n_ready (const MelFramer * self);
void mel_framer_take (MelFramer * self,
    gdouble * frame /* (frame length) */ );

/* Index of the sample that gives frame @t its time: its centre with center, else its first sample. */
guint64 mel_framer_get_position (const MelFramer * self, guint64 t);
/* Most samples from the one that gives a frame its time to the one that completes its buffer. */
guint64 mel_settings_get_lookahead (const MelSettings * s);

G_END_DECLS
