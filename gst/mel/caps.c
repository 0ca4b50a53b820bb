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

static gchar *
describe_expected (const MelSettings * s)
{
  GString *text = g_string_new ("F32 or S16 audio");

  if (s->rate)
    g_string_append_printf (text, " of %u Hz", s->rate);
  if (s->channels == MEL_CHANNELS_MONO)
    g_string_append (text, ", one channel");
  return g_string_free (text, FALSE);
}

gchar *
mel_caps_explain (const MelSettings * s, const GstCaps * caps)
{
  GstCaps *here = make_audio_caps (s);
  const gboolean ok = gst_caps_can_intersect (caps, here);
  g_autofree gchar *expected = NULL;
  GstAudioInfo info;

  gst_caps_unref (here);
  if (ok)
    return NULL;
  expected = describe_expected (s);
  if (!gst_audio_info_from_caps (&info, caps)
      || GST_AUDIO_INFO_FORMAT (&info) == GST_AUDIO_FORMAT_ENCODED) {
    g_autofree gchar *found = gst_caps_to_string (caps);

    return g_strdup_printf ("expected %s, found %s: put decodebin ! audioconvert "
        "! audioresample before", expected, found);
  }
  return g_strdup_printf ("expected %s, found %s of %d Hz, %d channel%s: put "
      "audioconvert ! audioresample before", expected,
      GST_AUDIO_INFO_NAME (&info), GST_AUDIO_INFO_RATE (&info),
      GST_AUDIO_INFO_CHANNELS (&info),
      GST_AUDIO_INFO_CHANNELS (&info) == 1 ? "" : "s");
}
