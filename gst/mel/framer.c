/* gst-continual: a stream of samples cut into overlapping frames
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frame t starts at sample t * hop - pad. Samples outside the stream come from the padding mode. The number of
 * frames is that of torch.stft and librosa. */
#include "mel/framer.h"

#include <string.h>

struct _MelFramer
{
  guint length, hop, pad, centre;
  MelPad mode;
  gboolean drop_last;

  guint64 n;                    /* samples since the start */
  guint64 next;                 /* frame */
  gboolean ended;

  gfloat *samples;              /* (capacity): samples base to n - 1 of the stream */
  guint64 base;
  gsize capacity;
};

static guint
padding (const MelSettings * s)
{
  return s->center && s->pad_mode != MEL_PAD_NONE ?
      mel_settings_frame_length (s) / 2 : 0;
}

MelFramer *
mel_framer_new (const MelSettings * s)
{
  MelFramer *self = g_new0 (MelFramer, 1);

  self->length = mel_settings_frame_length (s);
  self->hop = s->hop_length;
  self->pad = padding (s);
  self->centre = s->center ? self->length / 2 : 0;
  self->mode = s->pad_mode;
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
  guint64 start = self->next * self->hop;
  guint64 a = start > self->pad ? start - self->pad : 0;
  guint64 b = self->n > self->pad + 1 ? self->n - self->pad - 1 : 0;

  return MIN (a, b);
}

gfloat *
mel_framer_append (MelFramer * self, gsize n)
{
  guint64 from = MAX (first_needed (self), self->base);
  gsize kept = self->n - from;

  if (from > self->base)
    memmove (self->samples, self->samples + (from - self->base),
        kept * sizeof (gfloat));
  self->base = from;
  if (kept + n > self->capacity) {
    self->capacity = MAX (kept + n, 2 * self->capacity);
    self->samples = g_renew (gfloat, self->samples, self->capacity);
  }
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

static guint64
count_frames (const MelFramer * self, guint64 n_samples)
{
  return n_samples >= self->length ?
      1 + (n_samples - self->length) / self->hop : 0;
}

guint64
mel_framer_get_n_ready (const MelFramer * self)
{
  guint64 total, ready;

  if (self->n == 0)
    return 0;
  /* All frames, if the stream ended here. */
  total = count_frames (self, self->n + 2 * self->pad);
  if (self->drop_last && total > 0)
    total--;
  if (self->ended)
    ready = total;
  else if (self->mode == MEL_PAD_REFLECT && self->n <= self->pad)
    ready = 0;
  else
    ready = MIN (total, count_frames (self, self->n + self->pad));
  return ready > self->next ? ready - self->next : 0;
}

/* Index of the sample that replaces sample @i, which is outside the stream; -1: zero. */
static gint64
outside (const MelFramer * self, gint64 i)
{
  gint64 last = self->n - 1;

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
  gint64 start = (gint64) (self->next * self->hop) - self->pad;
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
  return t * self->hop + (self->centre - self->pad);
}

guint64
mel_settings_get_lookahead (const MelSettings * s)
{
  guint length = mel_settings_frame_length (s), pad = padding (s);
  guint centre = s->center ? length / 2 : 0;
  guint64 samples = length - centre;

  /* A frame is not the last one if the next one is certain to come. */
  if (s->drop_last)
    samples = MAX (samples, s->hop_length + length - pad - centre);
  samples += (guint64) (s->frames_per_buffer - 1) * s->hop_length;
  /* The first frame waits for the samples of its reflection. */
  if (pad && s->pad_mode == MEL_PAD_REFLECT)
    samples = MAX (samples, pad + 1);
  return samples;
}
