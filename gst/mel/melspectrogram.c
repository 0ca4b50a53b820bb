/* gst-continual: audio to mel frames
 * SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-melspectrogram
 * @title: melspectrogram
 * @short_description: mel frames from audio, computed as in the training of the model
 *
 * Cuts audio into overlapping frames and computes a vector of mel band energies, or of their logarithms, for each:
 * other/tensors of n-mels float32 values, rate / hop-length times a second. The properties cover what torchaudio,
 * librosa, Whisper, VGGish and Kaldi compute. Presets with these names set all of them. (gst-launch-1.0 loads a preset
 * last: it overrides the other properties on its line.)
 *
 * Timestamps are counted in samples from the last resynchronisation and never drift. After a discontinuity (the DISCONT
 * flag, a GAP event, or timestamps that are off by more than alignment-threshold for discont-wait) the incomplete frame is
 * dropped, and the next sample is the first of a new stream, with padding. The same happens after a flush, in a new
 * segment and for a new stream. Repeated discontinuities are warned of on the bus.
 *
 * The last frame can have the time of the segment's stop, which sinks leave out: downstream, the stop is one frame later.
 *
 * |[
 * gst-launch-1.0 autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! fakesink dump=true
 * gst-launch-1.0 filesrc location=a.wav ! decodebin ! audioconvert ! audioresample ! melspectrogram @preset=whisper ! filesink location=a.mel
 * ]|
 */
#include "mel/melspectrogram.h"

#include "elements.h"
#include "mel/caps.h"
#include "mel/framer.h"
#include "mel/presets.h"
#include "mel/stream.h"
#include "tensor/about.h"
#include "tensor/caps.h"
#include "tensor/bytesegment.h"
#include "tensor/events.h"
#include "tensor/pool.h"
#include "tensor/tally.h"
#include "tensor/vectorcaps.h"
#include "tensor/vectorclock.h"

#define GST_CAT_DEFAULT element_debug (self)

struct _GstMelSpectrogram
{
  GstBaseTransform parent;

  /* Under the object lock; constant between start and stop, so that the streaming thread reads them without it. */
  MelSettings settings;
  gboolean started;

  guint lookahead_rate;         /* under the object lock; 0: not negotiated */

  /* Streaming thread only. */
  MelStream *stream;            /* NULL: not negotiated */
  gboolean untimed;             /* the segment is in bytes: offsets give the times */
  GstSegment segment;           /* of upstream: downstream's stops later */
  gboolean caps_refused;        /* and the reason was posted: upstream repeats them before each buffer */
  guint64 n_discont;            /* discontinuities since the start of the element */
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (MEL_AUDIO_CAPS));
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

  if (!property_table_set (&mel_properties, &self->settings,
          GST_ELEMENT (self), &self->started, value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_mel_spectrogram_get_property (GObject * object, guint id,
    GValue * value, GParamSpec * pspec)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (object);

  if (!property_table_get (&mel_properties, &self->settings,
          GST_ELEMENT (self), value, pspec))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
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
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->untimed = TRUE;
  self->caps_refused = FALSE;
  self->n_discont = 0;

  if (why) {
    property_post_error (GST_ELEMENT (self), why);
    g_free (why);
    return FALSE;
  }
  return TRUE;
}

static gboolean
gst_mel_spectrogram_stop (GstBaseTransform * trans)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);

  g_clear_pointer (&self->stream, mel_stream_free);
  GST_OBJECT_LOCK (self);
  self->started = FALSE;
  self->lookahead_rate = 0;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static GstCaps *
gst_mel_spectrogram_transform_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps, GstCaps * filter)
{
  MelSettings s = get_settings (GST_MEL_SPECTROGRAM (trans));

  return mel_caps_transform (&s, direction, caps, filter);
}

/* Accepts everything: a CAPS event that does not fit is refused with a reason. */
static gboolean
gst_mel_spectrogram_accept_caps (GstBaseTransform * trans,
    GstPadDirection direction, GstCaps * caps)
{
  return direction == GST_PAD_SINK || GST_BASE_TRANSFORM_CLASS
      (gst_mel_spectrogram_parent_class)->accept_caps (trans, direction, caps);
}

/* A buffer of frames-per-buffer frames or, with @partial, of fewer. NULL: they are not ready, or *ret says why. */
static GstBuffer *
make_buffer (GstMelSpectrogram * self, gboolean partial, GstFlowReturn * ret)
{
  const MelSettings *s = &self->settings;
  guint64 n = self->stream ? mel_stream_get_n_ready (self->stream) : 0;
  GstBufferPool *pool;
  GstBuffer *buf = NULL;
  GstMapInfo map;

  *ret = GST_FLOW_OK;
  if (n == 0 || (n < s->frames_per_buffer && !partial))
    return NULL;
  n = MIN (n, s->frames_per_buffer);

  pool = gst_base_transform_get_buffer_pool (GST_BASE_TRANSFORM (self));
  if (!pool) {
    *ret = GST_FLOW_FLUSHING;
    return NULL;
  }
  *ret = tensor_pool_acquire (pool, GST_ELEMENT (self),
      n * s->n_mels * sizeof (gfloat), &buf, &map);
  if (*ret != GST_FLOW_OK)
    return NULL;
  mel_stream_take (self->stream, (gfloat *) map.data, n, buf);
  gst_buffer_unmap (buf, &map);
  return buf;
}

/* Pushes complete frames, also if they are fewer than frames-per-buffer. */
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

/* Posts a warning for the 2nd, the 10th, the 100th, ...: one may be a seek of the source. */
static void
warn_discont (GstMelSpectrogram * self, GstClockTime pts)
{
  const guint64 n = ++self->n_discont;

  GST_INFO_OBJECT (self, "discontinuity at %" GST_TIME_FORMAT,
      GST_TIME_ARGS (pts));
  if (n == 2 || (n > 2 && tally_is_told (n)))
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("Expected audio whose timestamps follow its samples, found one at %"
            GST_TIME_FORMAT " where %" GST_TIME_FORMAT " was next. That makes %"
            G_GUINT64_FORMAT " discontinuities, and an incomplete frame is lost "
            "at each: put an audiorate before, correct the timestamps of the "
            "source, or raise alignment-threshold or discont-wait.",
            GST_TIME_ARGS (pts),
            GST_TIME_ARGS (mel_stream_get_expected (self->stream)), n), (NULL));
}

/* The next samples do not follow the last ones. */
static GstFlowReturn
resync (GstMelSpectrogram * self)
{
  GstFlowReturn ret = push_complete (self);

  if (self->stream)
    mel_stream_reset (self->stream);
  return ret;
}

/* The stream ends: pushes the remaining frames, padded. */
static GstFlowReturn
drain (GstMelSpectrogram * self)
{
  if (self->stream)
    mel_stream_end (self->stream);
  return resync (self);
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
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected complete raw audio caps, found others: put an audioconvert "
            "before."), ("caps %" GST_PTR_FORMAT, incaps));
    return FALSE;
  }
  if (self->stream
      && gst_audio_info_is_equal (&info, mel_stream_get_info (self->stream)))
    return TRUE;

  why = mel_settings_check (s, GST_AUDIO_INFO_RATE (&info));
  if (why) {
    property_post_error (GST_ELEMENT (self), why);
    g_free (why);
    return FALSE;
  }

  if (s->f_max > GST_AUDIO_INFO_RATE (&info) / 2.0)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("Expected f-max to be at most %g Hz, half of the sample rate, found "
            "%g Hz: unless the model was trained so, lower f-max or set it to "
            "0.", GST_AUDIO_INFO_RATE (&info) / 2.0, s->f_max), (NULL));

  drain (self);
  mel_stream_free (self->stream);
  self->stream = mel_stream_new (s, &info);
  GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT " gives %" GST_PTR_FORMAT, incaps,
      outcaps);
  n = mel_stream_count_empty_filters (self->stream);
  if (n)
    /* Not on the bus: recipes of other libraries have such filters, too. */
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

  tensor_pool_require (query, (gsize) self->settings.n_mels *
      self->settings.frames_per_buffer * sizeof (gfloat));
  return GST_BASE_TRANSFORM_CLASS
      (gst_mel_spectrogram_parent_class)->decide_allocation (trans, query);
}

/* The time of a buffer without one, in a segment that counts bytes. */
static GstClockTime
offset_to_time (const GstAudioInfo * info, GstBuffer * buf)
{
  if (!GST_BUFFER_OFFSET_IS_VALID (buf))
    return 0;
  return gst_util_uint64_scale (GST_BUFFER_OFFSET (buf) /
      GST_AUDIO_INFO_BPF (info), GST_SECOND, GST_AUDIO_INFO_RATE (info));
}

/* Takes @buf. */
static GstFlowReturn
push_audio (GstMelSpectrogram * self, GstBuffer * buf)
{
  const GstAudioInfo *info = mel_stream_get_info (self->stream);
  GstFlowReturn ret = GST_FLOW_OK;
  GstClockTime pts = GST_BUFFER_PTS (buf);
  GstMapInfo map;

  if (self->untimed && !GST_CLOCK_TIME_IS_VALID (pts))
    pts = offset_to_time (info, buf);
  if (mel_stream_align (self->stream, GST_BUFFER_IS_DISCONT (buf), pts,
          gst_buffer_get_size (buf) / GST_AUDIO_INFO_BPF (info))) {
    warn_discont (self, pts);
    ret = resync (self);
    if (ret != GST_FLOW_OK)
      goto out;
  }
  if (!gst_buffer_map (buf, &map, GST_MAP_READ)) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ,
        ("Expected a buffer in readable memory, found one that can't be "
            "mapped."), ("%" GST_PTR_FORMAT, buf));
    ret = GST_FLOW_ERROR;
    goto out;
  }
  if (!mel_stream_push (self->stream, map.data,
          map.size / GST_AUDIO_INFO_BPF (info), pts)) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("Expected room for %" G_GSIZE_FORMAT " more samples, found less: lower "
            "hop-length or frames-per-buffer.",
            map.size / GST_AUDIO_INFO_BPF (info)), (NULL));
    ret = GST_FLOW_ERROR;
  }
  gst_buffer_unmap (buf, &map);
out:
  gst_buffer_unref (buf);
  return ret;
}

static GstFlowReturn
gst_mel_spectrogram_submit_input_buffer (GstBaseTransform * trans,
    gboolean is_discont, GstBuffer * input)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);
  const GstAudioInfo *info;
  GstFlowReturn ret;
  GstBuffer *buf;
  gsize bpf;

  ret = GST_BASE_TRANSFORM_CLASS
      (gst_mel_spectrogram_parent_class)->submit_input_buffer (trans,
      is_discont, input);
  if (ret != GST_FLOW_OK)
    return ret;
  buf = g_steal_pointer (&trans->queued_buf);
  if (!buf)
    return GST_FLOW_OK;
  if (!self->stream) {
    gst_buffer_unref (buf);
    return GST_FLOW_NOT_NEGOTIATED;
  }

  GST_LOG_OBJECT (self, "%" GST_PTR_FORMAT, buf);
  info = mel_stream_get_info (self->stream);
  bpf = GST_AUDIO_INFO_BPF (info);
  if (gst_buffer_get_size (buf) % bpf) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected whole samples of %" G_GSIZE_FORMAT " bytes, found a buffer "
            "of %" G_GSIZE_FORMAT " bytes: put a rawaudioparse before.", bpf,
            gst_buffer_get_size (buf)), (NULL));
    gst_buffer_unref (buf);
    return GST_FLOW_ERROR;
  }
  if (!self->untimed)
    buf = gst_audio_buffer_clip (buf, &self->segment,
        GST_AUDIO_INFO_RATE (info), bpf);
  return buf ? push_audio (self, buf) : GST_FLOW_OK;
}

/* Called until *outbuf is NULL. */
static GstFlowReturn
gst_mel_spectrogram_generate_output (GstBaseTransform * trans,
    GstBuffer ** outbuf)
{
  GstFlowReturn ret;

  *outbuf = make_buffer (GST_MEL_SPECTROGRAM (trans), FALSE, &ret);
  return ret;
}

/* Never called, since generate_output() makes every buffer. Without it, the base class would not negotiate memory. */
static GstFlowReturn
gst_mel_spectrogram_transform (GstBaseTransform * trans, GstBuffer * inbuf,
    GstBuffer * outbuf)
{
  return GST_FLOW_NOT_SUPPORTED;
}

/* Without caps so far, the longest that caps allow */
static GstClockTime
get_frame_duration (GstMelSpectrogram * self)
{
  const MelSettings *s = &self->settings;
  const GstAudioInfo *info =
      self->stream ? mel_stream_get_info (self->stream) : NULL;
  const guint rate = info ? (guint) GST_AUDIO_INFO_RATE (info) : s->rate;

  return gst_util_uint64_scale_ceil (s->hop_length, GST_SECOND, MAX (rate, 1));
}

/* The segment for downstream: the last frame can have the time of the stop, and is not to be outside. A segment in bytes,
 * as filesrc sends it for raw audio, becomes one in time from 0. NULL: an error was posted. */
static GstEvent *
take_segment (GstMelSpectrogram * self, GstEvent * event)
{
  GstSegment segment;

  gst_event_copy_segment (event, &segment);
  if (segment.rate < 0) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT,
        ("Expected a segment that plays forwards, found one of rate %g: frames "
            "overlap, and a model behind can't run backwards; seek with a "
            "positive rate.", segment.rate), (NULL));
    gst_event_unref (event);
    return NULL;
  }
  if (vector_segment_is_continued (&segment, &self->segment))
    push_complete (self);
  else
    resync (self);
  self->segment = segment;
  self->untimed = segment.format != GST_FORMAT_TIME;
  if (self->untimed)
    gst_segment_init (&segment, GST_FORMAT_TIME);
  else if (GST_CLOCK_TIME_IS_VALID (segment.stop))
    segment.stop += get_frame_duration (self);
  return segment_event_replace (event, &segment);
}

/* Of raw audio that counts bytes; takes @event. */
static GstEvent *
convert_done (GstMelSpectrogram * self, GstEvent * event)
{
  const GstAudioInfo *info =
      self->stream ? mel_stream_get_info (self->stream) : NULL;
  const ByteScale scale = {
    .size = info ? GST_AUDIO_INFO_BPF (info) : 0,
    .rate_n = info ? GST_AUDIO_INFO_RATE (info) : 0,
    .rate_d = 1
  };

  return byte_scale_convert_done (&scale, event);
}

/* Before the base class negotiates: it gives no reasons. */
static gboolean
check_caps (GstMelSpectrogram * self, GstEvent * event)
{
  g_autofree gchar *why = NULL;
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  why = mel_caps_explain (&self->settings, caps);
  if (why && !self->caps_refused)
    vector_caps_post_error (GST_ELEMENT (self), why, caps);
  self->caps_refused = why != NULL;
  return why == NULL;
}

static gboolean
gst_mel_spectrogram_sink_event (GstBaseTransform * trans, GstEvent * event)
{
  GstMelSpectrogram *self = GST_MEL_SPECTROGRAM (trans);

  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, event);
  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_SEGMENT_DONE:
      drain (self);
      /* What comes then is padded anew, wherever it begins. */
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
      event = convert_done (self, event);
      break;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_EOS:
      drain (self);
      break;
    case GST_EVENT_CAPS:
      if (!check_caps (self, event)) {
        gst_event_unref (event);
        return FALSE;
      }
      break;
    case GST_EVENT_GAP:
      resync (self);
      break;
    case GST_EVENT_SEGMENT:
      event = take_segment (self, event);
      if (!event)
        return FALSE;
      break;
    case GST_EVENT_FLUSH_STOP:
      if (self->stream)
        mel_stream_reset (self->stream);
      gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
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
  GstClockTime own = 0;
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
  latency_query_add (query, own);
  return TRUE;
}

static void
gst_mel_spectrogram_finalize (GObject * object)
{
  mel_stream_free (GST_MEL_SPECTROGRAM (object)->stream);
  G_OBJECT_CLASS (gst_mel_spectrogram_parent_class)->finalize (object);
}

static const ElementAbout about = {
  .name = "melspectrogram",
  .title = "Mel spectrogram",
  .classes = "Filter/Converter/Audio/Tensor",
  .description = "Turns audio into mel frames, with the numbers of torchaudio, librosa, Whisper, VGGish or "
      "Kaldi",
  .example = "autoaudiosrc ! audioconvert ! audioresample ! melspectrogram ! continualencoder model-"
      "path=words.safetensors ! fakesink",
  .page = "docs/melspectrogram.md",
};

static void
gst_mel_spectrogram_class_init (GstMelSpectrogramClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_mel_spectrogram_set_property;
  object_class->get_property = gst_mel_spectrogram_get_property;
  object_class->finalize = gst_mel_spectrogram_finalize;
  property_table_install (&mel_properties, object_class, 1);

  element_about (element_class, &about);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = gst_mel_spectrogram_start;
  trans_class->stop = gst_mel_spectrogram_stop;
  trans_class->accept_caps = gst_mel_spectrogram_accept_caps;
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
  property_table_init (&mel_properties, &self->settings);
}
