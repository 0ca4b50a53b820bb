/* gst-continual: audio in, timestamped mel frames out
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>

#include "mel/melsettings.h"

G_BEGIN_DECLS

/* What lies between two resynchronisations, for one format of audio. */
typedef struct _MelStream MelStream;

MelStream *mel_stream_new (const MelSettings * s, const GstAudioInfo * info);
void mel_stream_free (MelStream * self);
const GstAudioInfo *mel_stream_get_info (const MelStream * self);
/* Filters that no bin falls into. */
guint mel_stream_count_empty_filters (const MelStream * self);

/* As new. */
void mel_stream_reset (MelStream * self);
/* FALSE: @pts is further than alignment-threshold from where the count of samples is. */
gboolean mel_stream_is_aligned (const MelStream * self, GstClockTime pts);
/* Adds @n samples of all channels. The first ones' @pts is what time is counted from; none: frames get none. */
void mel_stream_push (MelStream * self, gconstpointer samples, gsize n,
    GstClockTime pts);
/* Nothing more comes: frames that reach past the end are padded. */
void mel_stream_end (MelStream * self);

guint64 mel_stream_get_n_ready (const MelStream * self);
/* Takes @n frames that are ready to @mel, and sets @buf's times and flags. */
void mel_stream_take (MelStream * self, gfloat * mel /* (n, n_mels) */ ,
    guint n, GstBuffer * buf);

G_END_DECLS
