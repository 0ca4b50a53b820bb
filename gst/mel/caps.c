/* gst-continual: caps of audio and of mel frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mel/caps.h"

#include "tensor/caps.h"

static GstCaps *
make_audio_caps (const MelSettings * s)
{
  GstCaps *caps = gst_caps_from_string (MEL_AUDIO_CAPS);

  if (s->rate)
    gst_caps_set_simple (caps, "rate", G_TYPE_INT, (gint) s->rate, NULL);
  if (s->channels == MEL_CHANNELS_MONO)
    gst_caps_set_simple (caps, "channels", G_TYPE_INT, 1, NULL);
  return caps;
}

/* @rate 0: unknown. The framerate counts buffers, as in NNStreamer. */
static GstCaps *
make_tensor_caps (const MelSettings * s, guint rate)
{
  const guint dims[4] = { s->n_mels, s->frames_per_buffer, 1, 1 };

  return tensor_caps_new (dims, rate,
      rate ? s->hop_length * s->frames_per_buffer : 0);
}

GstCaps *
mel_caps_transform (const MelSettings * s, GstPadDirection direction,
    const GstCaps * caps, GstCaps * filter)
{
  GstCaps *here, *there, *res;
  gint rate = s->rate;

  if (direction == GST_PAD_SINK) {
    here = make_audio_caps (s);
    if (!rate && gst_caps_get_size (caps) == 1)
      gst_structure_get_int (gst_caps_get_structure (caps, 0), "rate", &rate);
    there = make_tensor_caps (s, rate);
  } else {
    here = make_tensor_caps (s, rate);
    there = make_audio_caps (s);
  }

  if (!gst_caps_can_intersect (caps, here))
    res = gst_caps_new_empty ();
  else if (filter)
    res = gst_caps_intersect_full (filter, there, GST_CAPS_INTERSECT_FIRST);
  else
    res = gst_caps_ref (there);
  gst_caps_unref (here);
  gst_caps_unref (there);
  return res;
}
