/* gst-continual: a stream of samples cut into overlapping frames
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frame t starts at sample t * hop - lead. Samples outside the stream come from the padding mode. The number of frames is
 * that of torch.stft and librosa; with snip-edges=false that of Kaldi, (samples + hop / 2) / hop in integers, of which
 * frame t is centred on sample t * hop + hop / 2 (Kaldi's documentation of feat/feature-window.h). */
#include "mel/framer.h"

#include <string.h>

struct _MelFramer
{
  guint length, hop, centre;
  gint64 lead;                  /* samples of frame 0 before the stream; negative: the stream's samples before frame 0 */
  guint64 tail;                 /* samples at the end of the stream that a reflection may need */
  MelPad mode;
  gboolean snip_edges, drop_last;

  guint64 n;                    /* samples since the start */
  guint64 next;                 /* frame */
  gboolean ended;

  gfloat *samples;              /* (capacity): samples base to n - 1 of the stream */
  guint64 base;
  gsize capacity;
};

static gint64
get_lead (const MelSettings * s)
{
  const gint64 half = mel_settings_frame_length (s) / 2;

  if (!s->snip_edges)
    return half - s->hop_length / 2;
  return s->center && s->pad_mode != MEL_PAD_NONE ? half : 0;
}

/* The sample of a frame that gives it its time */
static guint
get_centre (const MelSettings * s)
{
  return s->center || !s->snip_edges ? mel_settings_frame_length (s) / 2 : 0;
}

MelFramer *
mel_framer_new (const MelSettings * s)
{
  MelFramer *self = g_new0 (MelFramer, 1);

  self->length = mel_settings_frame_length (s);
  self->hop = s->hop_length;
  self->lead = get_lead (s);
  self->tail = self->length / 2 + 1;
  self->centre = get_centre (s);
  self->mode = s->pad_mode;
  self->snip_edges = s->snip_edges;
  self->drop_last = s->drop_last;
  return self;
}

void
mel_framer_free (MelFramer * self)
{
  if (!self)
    return;
  g_free (self->samples);
  g_free (self);
}

void
mel_framer_reset (MelFramer * self)
{
  self->n = self->next = self->base = 0;
  self->ended = FALSE;
}

/* The first sample that a later frame may need, also for a reflection at the end of the stream. */
static guint64
first_needed (const MelFramer * self)
{
  const gint64 start = (gint64) (self->next * self->hop) - self->lead;
  const guint64 a = MAX (start, 0);
  const guint64 b = self->n > self->tail ? self->n - self->tail : 0;

  return MIN (a, b);
}

gfloat *
mel_framer_append (MelFramer * self, gsize n)
{
  guint64 from = MAX (first_needed (self), self->base);
  gsize kept = self->n - from;

  if (kept + n > self->capacity) {
    const gsize capacity = MAX (kept + n, 2 * self->capacity);
    gfloat *more = g_try_renew (gfloat, self->samples, capacity);

    if (!more)
      return NULL;
    self->samples = more;
    self->capacity = capacity;
  }
  if (from > self->base)
    memmove (self->samples, self->samples + (from - self->base),
        kept * sizeof (gfloat));
  self->base = from;
  self->n += n;
  return self->samples + kept;
}

void
mel_framer_end (MelFramer * self)
{
  self->ended = TRUE;
}

guint64
mel_framer_get_n_samples (const MelFramer * self)
{
  return self->n;
}

guint64
mel_framer_get_next (const MelFramer * self)
{
  return self->next;
}

/* Frames in @n_samples samples from the start of frame 0 on */
static guint64
count_frames (const MelFramer * self, gint64 n_samples)
{
  return n_samples >= (gint64) self->length ?
      1 + (n_samples - self->length) / self->hop : 0;
}

/* All frames, if the stream ended here. */
static guint64
count_total (const MelFramer * self)
{
  guint64 total = self->snip_edges ?
      count_frames (self, (gint64) self->n + 2 * self->lead) :
      (self->n + self->hop / 2) / self->hop;

  return self->drop_last && total > 0 ? total - 1 : total;
}

guint64
mel_framer_get_n_ready (const MelFramer * self)
{
  guint64 total, ready;

  if (self->n == 0)
    return 0;
  total = count_total (self);
  if (self->ended)
    ready = total;
  else if (self->snip_edges && self->mode == MEL_PAD_REFLECT
      && (gint64) self->n <= self->lead)
    ready = 0;
  else
    ready = MIN (total, count_frames (self, (gint64) self->n + self->lead));
  return ready > self->next ? ready - self->next : 0;
}

/* Index of the sample that replaces sample @i, which is outside the stream; -1: zero. */
static gint64
outside (const MelFramer * self, gint64 i)
{
  gint64 last = self->n - 1;

  /* Kaldi repeats the sample at the edge: -1 is sample 0. */
  if (!self->snip_edges) {
    i = i < 0 ? -1 - i : i;
    i %= 2 * (gint64) self->n;
    return i > last ? 2 * last + 1 - i : i;
  }
  switch (self->mode) {
    case MEL_PAD_REFLECT:
      if (last == 0)
        return 0;
      i = ABS (i) % (2 * last);
      return i > last ? 2 * last - i : i;
    case MEL_PAD_REPLICATE:
      return i < 0 ? 0 : last;
    default:
      return -1;
  }
}

void
mel_framer_take (MelFramer * self, gdouble * frame)
{
  gint64 start = (gint64) (self->next * self->hop) - self->lead;
  guint i;

  for (i = 0; i < self->length; i++) {
    gint64 k = start + i;

    if (k < 0 || k >= (gint64) self->n)
      k = outside (self, k);
    frame[i] = k < 0 ? 0.0 : self->samples[k - (gint64) self->base];
  }
  self->next++;
}

guint64
mel_framer_get_position (const MelFramer * self, guint64 t)
{
  return t * self->hop + (self->centre - self->lead);
}

guint64
mel_settings_get_lookahead (const MelSettings * s)
{
  const gint64 length = mel_settings_frame_length (s), lead = get_lead (s);
  const gint64 centre = get_centre (s), hop = s->hop_length;
  gint64 samples = length - centre;

  /* A frame is not the last one if the next one is certain to come. */
  if (s->drop_last)
    samples = MAX (samples, s->snip_edges ? hop + length - lead - centre :
        2 * hop - 2 * (hop / 2));
  samples += (s->frames_per_buffer - 1) * hop;
  /* The first frame waits for the samples of its reflection. */
  if (s->snip_edges && lead && s->pad_mode == MEL_PAD_REFLECT)
    samples = MAX (samples, lead + 1);
  return samples;
}
