/* gst-continual: audio to timestamped mel frames
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each time is computed from the time of the first sample, so that rounding errors do not add up. */
#include "mel/stream.h"

#include "mel/framer.h"
#include "mel/front.h"
#include "mel/input.h"

struct _MelStream
{
  GstAudioInfo info;
  guint n_mels;

  GstAudioStreamAlign *align;   /* compares timestamps with the samples that were counted */

  MelFramer *framer;
  MelFront *front;
  GstClockTime base_time;       /* of the framer's sample 0 */
  gboolean fresh;               /* no frame was taken yet */
};

MelStream *
mel_stream_new (const MelSettings * s, const GstAudioInfo * info)
{
  MelStream *self = g_new0 (MelStream, 1);

  self->info = *info;
  self->n_mels = s->n_mels;
  self->align = gst_audio_stream_align_new (GST_AUDIO_INFO_RATE (info),
      s->alignment_threshold, s->discont_wait);
  self->framer = mel_framer_new (s);
  self->front = mel_front_new (s, GST_AUDIO_INFO_RATE (info));
  mel_stream_reset (self);
  return self;
}

void
mel_stream_free (MelStream * self)
{
  if (!self)
    return;
  gst_audio_stream_align_free (self->align);
  mel_framer_free (self->framer);
  mel_front_free (self->front);
  g_free (self);
}

const GstAudioInfo *
mel_stream_get_info (const MelStream * self)
{
  return &self->info;
}

guint
mel_stream_count_empty_filters (const MelStream * self)
{
  return mel_front_count_empty_filters (self->front);
}

void
mel_stream_reset (MelStream * self)
{
  mel_framer_reset (self->framer);
  mel_front_reset (self->front);
  self->base_time = GST_CLOCK_TIME_NONE;
  self->fresh = TRUE;
}

static GstClockTime
samples_to_time (const MelStream * self, guint64 samples)
{
  return gst_util_uint64_scale (samples, GST_SECOND,
      GST_AUDIO_INFO_RATE (&self->info));
}

gboolean
mel_stream_is_empty (const MelStream * self)
{
  return mel_framer_get_n_samples (self->framer) == 0;
}

GstClockTime
mel_stream_get_expected (const MelStream * self)
{
  return GST_CLOCK_TIME_IS_VALID (self->base_time) ? self->base_time +
      samples_to_time (self, mel_framer_get_n_samples (self->framer)) :
      GST_CLOCK_TIME_NONE;
}

gboolean
mel_stream_align (MelStream * self, gboolean discont, GstClockTime pts, gsize n)
{
  const gboolean empty = mel_stream_is_empty (self);
  const GstClockTime expected = mel_stream_get_expected (self);

  /* Samples without a time follow those before. */
  if (!GST_CLOCK_TIME_IS_VALID (pts))
    pts = expected;
  if (!GST_CLOCK_TIME_IS_VALID (pts)
      || (!empty && !GST_CLOCK_TIME_IS_VALID (expected)))
    return discont && !empty;
  return gst_audio_stream_align_process (self->align, discont || empty, pts,
      (guint) n, NULL, NULL, NULL) && !empty;
}

gboolean
mel_stream_push (MelStream * self, gconstpointer samples, gsize n,
    GstClockTime pts)
{
  const gboolean first = mel_stream_is_empty (self);
  gfloat *room;

  if (n == 0)
    return TRUE;
  room = mel_framer_append (self->framer, n);
  if (!room)
    return FALSE;
  if (first)
    self->base_time = pts;
  mel_input_convert (&self->info, samples, n, room);
  return TRUE;
}

void
mel_stream_end (MelStream * self)
{
  mel_framer_end (self->framer);
}

guint64
mel_stream_get_n_ready (const MelStream * self)
{
  return mel_framer_get_n_ready (self->framer);
}

void
mel_stream_take (MelStream * self, gfloat * mel, guint n, GstBuffer * buf)
{
  guint64 first = mel_framer_get_next (self->framer);
  GstClockTime from = samples_to_time (self,
      mel_framer_get_position (self->framer, first));
  GstClockTime to = samples_to_time (self,
      mel_framer_get_position (self->framer, first + n));
  guint t;

  for (t = 0; t < n; t++) {
    mel_framer_take (self->framer, mel_front_get_frame (self->front));
    mel_front_run (self->front, mel + t * self->n_mels);
  }

  if (GST_CLOCK_TIME_IS_VALID (self->base_time))
    GST_BUFFER_PTS (buf) = self->base_time + from;
  GST_BUFFER_DURATION (buf) = to - from;
  if (self->fresh)
    GST_BUFFER_FLAG_SET (buf, GST_BUFFER_FLAG_DISCONT);
  self->fresh = FALSE;
}
