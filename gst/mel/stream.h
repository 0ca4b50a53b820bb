/* gst-continual: audio to timestamped mel frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/audio/audio.h>

#include "mel/melsettings.h"

G_BEGIN_DECLS

/* Audio of one format between two resynchronisations. */
typedef struct _MelStream MelStream;

MelStream *mel_stream_new (const MelSettings * s, const GstAudioInfo * info);
void mel_stream_free (MelStream * self);
const GstAudioInfo *mel_stream_get_info (const MelStream * self);
/* Number of filters that cover no bin. */
guint mel_stream_count_empty_filters (const MelStream * self);

/* The next sample is the first of a stream. */
void mel_stream_reset (MelStream * self);
/* No sample came since the reset. */
gboolean mel_stream_is_empty (const MelStream * self);
/* Time of the next sample, as counted; none: not known. */
GstClockTime mel_stream_get_expected (const MelStream * self);
/* Before a push of @n samples. TRUE: they do not follow those before, as GstAudioStreamAlign sees it; @discont: they say
 * so. Reset the stream then. */
gboolean mel_stream_align (MelStream * self, gboolean discont,
    GstClockTime pts, gsize n);
/* Adds @n samples of all channels. Times are counted from the @pts of the first call; none: frames have no time. FALSE: there
 * is no room for them. */
gboolean mel_stream_push (MelStream * self, gconstpointer samples, gsize n,
    GstClockTime pts);
/* The stream ends: the last frames are padded. */
void mel_stream_end (MelStream * self);

guint64 mel_stream_get_n_ready (const MelStream * self);
/* Writes @n frames, which are ready, to @mel, and sets times and flags of @buf. */
void mel_stream_take (MelStream * self, gfloat * mel /* (n, n_mels) */ ,
    guint n, GstBuffer * buf);

G_END_DECLS
