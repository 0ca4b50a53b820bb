/* gst-continual: a stream of samples cut into overlapping frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "mel/melsettings.h"

G_BEGIN_DECLS

typedef struct _MelFramer MelFramer;

MelFramer *mel_framer_new (const MelSettings * s);
void mel_framer_free (MelFramer * self);
/* As new: what comes next is the start of a stream. */
void mel_framer_reset (MelFramer * self);

/* Adds @n samples to the stream: the caller fills them before any other call. */
gfloat *mel_framer_append (MelFramer * self, gsize n);
/* The stream has ended: frames that reach past its end are padded. */
void mel_framer_end (MelFramer * self);

/* Samples since the start, and the frame that comes next. */
guint64 mel_framer_get_n_samples (const MelFramer * self);
guint64 mel_framer_get_next (const MelFramer * self);
/* Frames that can be taken now. */
guint64 mel_framer_get_n_ready (const MelFramer * self);
void mel_framer_take (MelFramer * self,
    gdouble * frame /* (frame length) */ );

/* The sample whose time is that of frame @t: its centre if centred, else its first. */
guint64 mel_framer_get_position (const MelFramer * self, guint64 t);
/* Samples from the one that gives frame t its time to when the frame is complete, at most. */
guint64 mel_settings_get_lookahead (const MelSettings * s);

G_END_DECLS
