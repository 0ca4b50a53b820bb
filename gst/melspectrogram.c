/* gst-continual: audio to mel frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-melspectrogram
 * @title: melspectrogram
 * @short_description: mel frames from audio, exactly as a model was trained on
 *
 * Cuts audio into overlapping frames, and makes of each a vector of mel band energies or their logarithms:
 * other/tensors of n-mels float32 values, rate / hop-length times a second. The properties cover what
 * torchaudio, librosa, Whisper, VGGish and Kaldi compute; a preset of each one's name sets all of them
 * (gst-launch loads it last: what else its line says of the recipe is lost).
 *
 * Timestamps are counted in samples from the last resynchronisation and never drift. A discontinuity (the
 * DISCONT flag, a GAP event, or timestamps off by more than alignment-threshold) drops the incomplete frame
 * and begins anew as at the start of a stream, padding included. A flush and a new stream do so too.
 *
 * |[
 * gst-launch-1.0 autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! fakesink dump=true
 * gst-launch-1.0 filesrc location=a.wav ! decodebin ! audioconvert ! audioresample ! melspectrogram @preset=whisper ! filesink location=a.mel
 * ]|
 */
#include "melspectrogram.h"

#include <gst/audio/audio.h>

#include "elements.h"
#include "mel/framer.h"
#include "mel/front.h"
#include "mel/input.h"
#include "mel/presets.h"
#include "tensorcaps.h"

#define GST_CAT_DEFAULT continual_debug

struct _GstMelSpectrogram
{
  GstBaseTransform parent;

  /* Under the object lock; not changed between start and stop. */
  MelSettings settings;
  gboolean started;
  guint lookahead_rate;         /* 0: not negotiated */

  GstAudioInfo info;
  MelFramer *framer;            /* NULL: not negotiated */
  MelFront *front;
  GstClockTime base_time;       /* of the framer's sample 0 */
  gboolean untimed;             /* the segment came in bytes: offsets give the time */
  gboolean discont;             /* the next buffer out begins something new */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS ("audio/x-raw, format=(string){ " GST_AUDIO_NE (F32) ", "
        GST_AUDIO_NE (S16) " }, layout=(string)interleaved, "
        "rate=(int)[ 1, MAX ], channels=(int)[ 1, MAX ]"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (TENSOR_CAPS_TEMPLATE));

G_DEFINE_TYPE_WITH_CODE (GstMelSpectrogram, gst_mel_spectrogram,
    GST_TYPE_BASE_TRANSFORM,
    G_IMPLEMENT_INTERFACE (GST_TYPE_PRESET, mel_presets_interface_init));
GST_ELEMENT_REGISTER_DEFINE (melspectrogram, "melspectrogram", GST_RANK_NONE,
    GST_TYPE_MEL_SPECTROGRAM);

static MelSettings
get_settings (GstMelSpectrogram * self)
{
  MelSettings s;

  GST_OBJECT_LOCK (self);
  s = self->settings;
  GST_OBJECT_UNLOCK (self);
  return s;
}

static void
gst_mel_spectrogram_set_property (GObject * object, guint id,
    const GValue * value, GParamSpec * pspec)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (object);
  gboolean refused;

  GST_OBJECT_LOCK (self);
  refused = self->started;
  if (!refused)
    mel_settings_set (&self->settings, id, value, pspec);
  GST_OBJECT_UNLOCK (self);

  if (refused)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("The property %s was not changed.", pspec->name),
        ("expected the state READY or NULL, found the element running; set %s "
            "before it starts", pspec->name));
}

static void
gst_mel_spectrogram_get_property (GObject * object, guint id,
    GValue * value, GParamSpec * pspec)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (object);
  MelSettings s = get_settings (self);

  mel_settings_get (&s, id, value, pspec);
}

/* Back to the start of a stream. */
static void
reset (GstMelSpectrogram * self)
{
  if (self->framer) {
    mel_framer_reset (self->framer);
    mel_front_reset (self->front);
  }
  self->base_time = GST_CLOCK_TIME_NONE;
  self->discont = TRUE;
}

static void
unprepare (GstMelSpectrogram * self)
{
  g_clear_pointer (&self->framer, mel_framer_free);
  g_clear_pointer (&self->front, mel_front_free);
}

static gboolean
gst_mel_spectrogram_start (GstBaseTransform * trans)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);
  gchar *why;

  GST_OBJECT_LOCK (self);
  why = mel_settings_check (&self->settings, self->settings.rate);
  self->started = why == NULL;
  GST_OBJECT_UNLOCK (self);

  if (why) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("The properties contradict each other."), ("%s", why));
    g_free (why);
    return FALSE;
  }
  reset (self);
  return TRUE;
}

static gboolean
gst_mel_spectrogram_stop (GstBaseTransform * trans)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);

  unprepare (self);
  GST_OBJECT_LOCK (self);
  self->started = FALSE;
  self->lookahead_rate = 0;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static GstCaps *
make_sink_caps (const MelSettings * s)
{
  GstCaps *caps = gst_static_pad_template_get_caps (&sink_template);

  caps = gst_caps_make_writable (caps);
  if (s->rate)
    gst_caps_set_simple (caps, "rate", G_TYPE_INT, (gint) s->rate, NULL);
  if (s->channels == MEL_CHANNELS_MONO)
    gst_caps_set_simple (caps, "channels", G_TYPE_INT, 1, NULL);
  return caps;
}

/* @rate 0: unknown. */
static GstCaps *
make_src_caps (const MelSettings * s, guint rate)
{
  const guint dims[4] = { s->n_mels, s->frames_per_buffer, 1, 1 };

  return tensor_caps_new (dims, rate, rate ? s->hop_length : 0);
}

static GstCaps *
gst_mel_spectrogram_transform_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps, GstCaps * filter)
{
  MelSettings s = get_settings (GST_MEL_SPECTROGRAM (trans));
  GstCaps *here, *res;
  gint rate = s.rate;

  /* What this side can be at all. */
  if (direction == GST_PAD_SINK) {
    here = make_sink_caps (&s);
    if (!rate && gst_caps_get_size (caps) == 1)
      gst_structure_get_int (gst_caps_get_structure (caps, 0), "rate", &rate);
    res = make_src_caps (&s, rate);
  } else {
    here = make_src_caps (&s, rate);
    res = make_sink_caps (&s);
  }
  if (!gst_caps_can_intersect (caps, here))
    gst_caps_replace (&res, NULL);
  gst_caps_unref (here);

  if (!res)
    return gst_caps_new_empty ();
  if (filter) {
    GstCaps *both =
        gst_caps_intersect_full (filter, res, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (res);
    res = both;
  }
  return res;
}

/* Up to frames-per-buffer frames; NULL: not that many are ready (@partial: none is), or *@ret says why. */
static GstBuffer *
make_buffer (GstMelSpectrogram * self, gboolean partial, GstFlowReturn * ret)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);
  const MelSettings *s = &self->settings;
  guint64 n = self->framer ? mel_framer_get_n_ready (self->framer) : 0;
  guint64 first, t;
  gsize row = s->n_mels * sizeof (gfloat);
  GstBufferPool *pool;
  GstBuffer *buf = NULL;
  GstMapInfo map;

  *ret = GST_FLOW_OK;
  if (n == 0 || (n < s->frames_per_buffer && !partial))
    return NULL;
  n = MIN (n, s->frames_per_buffer);

  pool = gst_base_transform_get_buffer_pool (trans);
  if (pool) {
    gst_buffer_pool_set_active (pool, TRUE);
    *ret = gst_buffer_pool_acquire_buffer (pool, &buf, NULL);
    gst_object_unref (pool);
    if (*ret != GST_FLOW_OK)
      return NULL;
    gst_buffer_set_size (buf, n * row);
  } else {
    buf = gst_buffer_new_allocate (NULL, n * row, NULL);
  }

  first = mel_framer_get_next (self->framer);
  if (!gst_buffer_map (buf, &map, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (self, RESOURCE, WRITE, (NULL),
        ("expected writable memory from downstream's buffer pool, found none"));
    gst_buffer_unref (buf);
    *ret = GST_FLOW_ERROR;
    return NULL;
  }
  for (t = 0; t < n; t++) {
    mel_framer_take (self->framer, mel_front_get_frame (self->front));
    mel_front_run (self->front, (gfloat *) (map.data + t * row));
  }
  gst_buffer_unmap (buf, &map);

  if (GST_CLOCK_TIME_IS_VALID (self->base_time)) {
    guint64 from = mel_framer_get_position (self->framer, first);
    guint64 to = mel_framer_get_position (self->framer, first + n);
    guint rate = GST_AUDIO_INFO_RATE (&self->info);

    from = gst_util_uint64_scale (from, GST_SECOND, rate);
    to = gst_util_uint64_scale (to, GST_SECOND, rate);
    GST_BUFFER_PTS (buf) = self->base_time + from;
    GST_BUFFER_DURATION (buf) = to - from;
  } else {
    GST_BUFFER_DURATION (buf) = gst_util_uint64_scale (n * s->hop_length,
        GST_SECOND, GST_AUDIO_INFO_RATE (&self->info));
  }
  if (self->discont)
    GST_BUFFER_FLAG_SET (buf, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
  return buf;
}

/* Frames that are complete but fewer than frames-per-buffer. */
static GstFlowReturn
push_complete (GstMelSpectrogram * self)
{
  GstFlowReturn ret;
  GstBuffer *buf;

  while ((buf = make_buffer (self, TRUE, &ret))) {
    ret = gst_pad_push (GST_BASE_TRANSFORM_SRC_PAD (self), buf);
    if (ret != GST_FLOW_OK)
      break;
  }
  return ret;
}

/* The stream ends here: all that is left of it, padded. */
static GstFlowReturn
drain (GstMelSpectrogram * self)
{
  GstFlowReturn ret = GST_FLOW_OK;

  if (self->framer) {
    mel_framer_end (self->framer);
    ret = push_complete (self);
  }
  reset (self);
  return ret;
}

/* What comes next doesn't follow on what came. */
static GstFlowReturn
resync (GstMelSpectrogram * self)
{
  GstFlowReturn ret = push_complete (self);

  reset (self);
  return ret;
}

static gboolean
gst_mel_spectrogram_set_caps (GstBaseTransform * trans, GstCaps * incaps,
    GstCaps * outcaps)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);
  const MelSettings *s = &self->settings;
  GstAudioInfo info;
  gchar *why;
  guint n;

  if (!gst_audio_info_from_caps (&info, incaps)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, (NULL),
        ("expected complete raw audio caps, found %" GST_PTR_FORMAT
            "; put an audioconvert before", incaps));
    return FALSE;
  }
  if (self->framer && gst_audio_info_is_equal (&info, &self->info))
    return TRUE;

  why = mel_settings_check (s, GST_AUDIO_INFO_RATE (&info));
  if (why) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("The properties don't suit this audio."), ("%s", why));
    g_free (why);
    return FALSE;
  }

  if (s->f_max > GST_AUDIO_INFO_RATE (&info) / 2.0)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("Some mel filters lie above what this audio holds."),
        ("expected f-max to be at most %g Hz, half of the sample rate, found "
            "%g Hz; unless the model was trained so, lower f-max or set it to 0",
            GST_AUDIO_INFO_RATE (&info) / 2.0, s->f_max));

  drain (self);
  unprepare (self);
  self->info = info;
  self->framer = mel_framer_new (s);
  self->front = mel_front_new (s, GST_AUDIO_INFO_RATE (&info));
  n = mel_front_count_empty_filters (self->front);
  if (n)
    GST_WARNING_OBJECT (self, "%u of %u mel filters are narrower than the "
        "distance of two bins and always give 0: raise n-fft or lower n-mels",
        n, s->n_mels);

  GST_OBJECT_LOCK (self);
  self->lookahead_rate = GST_AUDIO_INFO_RATE (&info);
  GST_OBJECT_UNLOCK (self);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_latency (GST_OBJECT (self)));
  return TRUE;
}

static gboolean
gst_mel_spectrogram_decide_allocation (GstBaseTransform * trans,
    GstQuery * query)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);
  guint own = self->settings.n_mels * self->settings.frames_per_buffer *
      sizeof (gfloat);
  GstBufferPool *pool = NULL;
  guint size = 0, min = 0, max = 0;

  /* The base class configures a pool of ours as it does downstream's. */
  if (gst_query_get_n_allocation_pools (query) == 0) {
    gst_query_add_allocation_pool (query, NULL, own, 0, 0);
  } else {
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
    gst_query_set_nth_allocation_pool (query, 0, pool, MAX (size, own), min,
        max);
    gst_clear_object (&pool);
  }
  return GST_BASE_TRANSFORM_CLASS
      (gst_mel_spectrogram_parent_class)->decide_allocation (trans, query);
}

/* Whether @pts is too far from the time that the count of samples gives. */
static gboolean
is_misaligned (GstMelSpectrogram * self, GstClockTime pts)
{
  GstClockTime expected;

  if (!GST_CLOCK_TIME_IS_VALID (pts)
      || !GST_CLOCK_TIME_IS_VALID (self->base_time))
    return FALSE;
  expected = self->base_time +
      gst_util_uint64_scale (mel_framer_get_n_samples (self->framer),
      GST_SECOND, GST_AUDIO_INFO_RATE (&self->info));
  return (pts > expected ? pts - expected : expected - pts) >
      self->settings.alignment_threshold;
}

static GstFlowReturn
gst_mel_spectrogram_submit_input_buffer (GstBaseTransform * trans,
    gboolean is_discont, GstBuffer * input)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);
  GstFlowReturn ret;
  GstBuffer *buf;
  GstMapInfo map;
  gsize n, bpf;

  ret = GST_BASE_TRANSFORM_CLASS
      (gst_mel_spectrogram_parent_class)->submit_input_buffer (trans,
      is_discont, input);
  if (ret != GST_FLOW_OK)
    return ret;
  buf = trans->queued_buf;
  trans->queued_buf = NULL;
  if (!buf)
    return GST_FLOW_OK;
  if (!self->framer) {
    gst_buffer_unref (buf);
    return GST_FLOW_NOT_NEGOTIATED;
  }

  bpf = GST_AUDIO_INFO_BPF (&self->info);
  if (gst_buffer_get_size (buf) % bpf) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, (NULL),
        ("expected whole samples of %" G_GSIZE_FORMAT " bytes, found a buffer "
            "of %" G_GSIZE_FORMAT " bytes; put a rawaudioparse before", bpf,
            gst_buffer_get_size (buf)));
    gst_buffer_unref (buf);
    return GST_FLOW_ERROR;
  }
  buf = gst_audio_buffer_clip (buf, &trans->segment,
      GST_AUDIO_INFO_RATE (&self->info), bpf);
  if (!buf)
    return GST_FLOW_OK;
  if (GST_BUFFER_IS_DISCONT (buf) || is_misaligned (self, GST_BUFFER_PTS (buf))) {
    if (mel_framer_get_n_samples (self->framer))
      GST_INFO_OBJECT (self, "resynchronising at %" GST_PTR_FORMAT, buf);
    ret = resync (self);
    if (ret != GST_FLOW_OK) {
      gst_buffer_unref (buf);
      return ret;
    }
  }
  if (mel_framer_get_n_samples (self->framer) == 0) {
    self->base_time = GST_BUFFER_PTS (buf);
    if (self->untimed && !GST_CLOCK_TIME_IS_VALID (self->base_time))
      self->base_time = GST_BUFFER_OFFSET_IS_VALID (buf) ?
          gst_util_uint64_scale (GST_BUFFER_OFFSET (buf) / bpf, GST_SECOND,
          GST_AUDIO_INFO_RATE (&self->info)) : 0;
  }
  if (!gst_buffer_map (buf, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, (NULL),
        ("expected a buffer in readable memory, found %" GST_PTR_FORMAT, buf));
    gst_buffer_unref (buf);
    return GST_FLOW_ERROR;
  }
  n = map.size / bpf;
  if (n)
    mel_input_convert (&self->info, map.data, n,
        mel_framer_append (self->framer, n));
  gst_buffer_unmap (buf, &map);
  gst_buffer_unref (buf);
  return GST_FLOW_OK;
}

/* Called until it has nothing more to give. */
static GstFlowReturn
gst_mel_spectrogram_generate_output (GstBaseTransform * trans,
    GstBuffer ** outbuf)
{
  GstFlowReturn ret;

  *outbuf = make_buffer (GST_MEL_SPECTROGRAM (trans), FALSE, &ret);
  return ret;
}

/* Never called: generate_output makes every buffer. Without it, the base class would negotiate no memory. */
static GstFlowReturn
gst_mel_spectrogram_transform (GstBaseTransform * trans, GstBuffer * inbuf,
    GstBuffer * outbuf)
{
  return GST_FLOW_NOT_SUPPORTED;
}

/* Raw audio in bytes, as a filesrc sends it, becomes audio in time from 0. */
static GstEvent *
take_segment (GstMelSpectrogram * self, GstEvent * event)
{
  const GstSegment *segment;
  GstSegment time;
  GstEvent *res;

  gst_event_parse_segment (event, &segment);
  self->untimed = segment->format != GST_FORMAT_TIME;
  if (!self->untimed)
    return event;
  gst_segment_init (&time, GST_FORMAT_TIME);
  res = gst_event_new_segment (&time);
  gst_event_set_seqnum (res, gst_event_get_seqnum (event));
  gst_event_unref (event);
  return res;
}

static gboolean
gst_mel_spectrogram_sink_event (GstBaseTransform * trans, GstEvent * event)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_EOS:
      drain (self);
      break;
    case GST_EVENT_GAP:
      resync (self);
      break;
    case GST_EVENT_SEGMENT:
      push_complete (self);
      event = take_segment (self, event);
      break;
    case GST_EVENT_FLUSH_STOP:
      reset (self);
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS
      (gst_mel_spectrogram_parent_class)->sink_event (trans, event);
}

static gboolean
gst_mel_spectrogram_query (GstBaseTransform * trans,
    GstPadDirection direction, GstQuery * query)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);
  MelSettings s;
  GstClockTime min, max, own = 0;
  gboolean live;
  guint rate;

  if (!GST_BASE_TRANSFORM_CLASS
      (gst_mel_spectrogram_parent_class)->query (trans, direction, query))
    return FALSE;
  if (direction != GST_PAD_SRC || GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return TRUE;

  GST_OBJECT_LOCK (self);
  s = self->settings;
  rate = self->lookahead_rate ? self->lookahead_rate : s.rate;
  GST_OBJECT_UNLOCK (self);
  if (rate)
    own = gst_util_uint64_scale_ceil (mel_settings_get_lookahead (&s),
        GST_SECOND, rate);
  gst_query_parse_latency (query, &live, &min, &max);
  min += own;
  if (GST_CLOCK_TIME_IS_VALID (max))
    max += own;
  gst_query_set_latency (query, live, min, max);
  return TRUE;
}

static void
gst_mel_spectrogram_finalize (GObject * object)
{
  unprepare (GST_MEL_SPECTROGRAM (object));
  G_OBJECT_CLASS (gst_mel_spectrogram_parent_class)->finalize (object);
}

static void
gst_mel_spectrogram_class_init (GstMelSpectrogramClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_mel_spectrogram_set_property;
  object_class->get_property = gst_mel_spectrogram_get_property;
  object_class->finalize = gst_mel_spectrogram_finalize;
  mel_settings_install_properties (object_class);

  gst_element_class_set_static_metadata (element_class,
      "Mel spectrogram", "Filter/Converter/Audio/Tensor",
      "Turns audio into tensors of mel frames, logarithmic or not, exactly as "
      "torchaudio, librosa, Whisper, VGGish or Kaldi do: one vector of n-mels "
      "float32 values every hop-length samples. A preset of each one's name sets "
      "all that its recipe says (melspectrogram @preset=whisper). Without one: 80 "
      "natural-logarithmic HTK bands of 16 kHz audio every 10 ms",
      "The gst-continual developers");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_mel_spectrogram_start;
  trans_class->stop = gst_mel_spectrogram_stop;
  trans_class->transform_caps = gst_mel_spectrogram_transform_caps;
  trans_class->set_caps = gst_mel_spectrogram_set_caps;
  trans_class->decide_allocation = gst_mel_spectrogram_decide_allocation;
  trans_class->submit_input_buffer = gst_mel_spectrogram_submit_input_buffer;
  trans_class->generate_output = gst_mel_spectrogram_generate_output;
  trans_class->transform = gst_mel_spectrogram_transform;
  trans_class->sink_event = gst_mel_spectrogram_sink_event;
  trans_class->query = gst_mel_spectrogram_query;
}

static void
gst_mel_spectrogram_init (GstMelSpectrogram * self)
{
  mel_settings_init (&self->settings, G_OBJECT_GET_CLASS (self));
  reset (self);
}
