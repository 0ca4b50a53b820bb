/* gst-continual: vectors of continualattention: matching and processing
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/private.h"

#include "host/output.h"
#include "tensor/vectorcaps.h"

/* Nothing more to do in this aggregate() call; never returned from it. */
#define FLOW_WAIT GST_FLOW_CUSTOM_SUCCESS_1

static GstFlowReturn
fail (GstContinualAttention * self, const gchar * why)
{
  vector_caps_post_error (GST_ELEMENT (self), why, NULL);
  return GST_FLOW_ERROR;
}

/* The fronts of the requested pads, @ahead vectors after the next one, and their inputs. Returns their number; 0: a pad
 * has no such vector in its buffer. */
static guint
get_fronts (VectorPad * const pads[N_INPUTS], gsize ahead,
    PadFront fronts[N_INPUTS], AttentionInput inputs[N_INPUTS])
{
  guint n = 0;

  for (AttentionInput i = 0; i < N_INPUTS; i++) {
    if (!pads[i])
      continue;
    if (ahead == 0)
      fronts[n] = vector_pad_get_front (pads[i]);
    else if (!vector_pad_get_ahead (pads[i], ahead, &fronts[n]))
      return 0;
    inputs[n++] = i;
  }
  return n;
}

static gchar *
check_rates (const PadFront * fronts /* (n) */ ,
    const AttentionInput * inputs /* (n) */ , guint n)
{
  for (guint i = 1; i < n; i++)
    if (attention_rates_differ (&fronts[0], &fronts[i]))
      return g_strdup_printf ("expected %s at the rate of the queries, found "
          "vectors of %" GST_TIME_FORMAT " and queries of %" GST_TIME_FORMAT
          ": bring them to one rate before this element",
          attention_get_input_name (inputs[i]),
          GST_TIME_ARGS (fronts[i].end - fronts[i].begin),
          GST_TIME_ARGS (fronts[0].end - fronts[0].begin));
  return NULL;
}

/* How many vectors match, from the next one on, in the buffers that are being processed. */
static gsize
count_matches (GstContinualAttention * self, VectorPad * const pads[N_INPUTS])
{
  const gsize max = model_host_get_max_steps (&self->host);
  PadFront fronts[N_INPUTS];
  AttentionInput inputs[N_INPUTS];
  gsize n = 1;
  guint n_fronts, which;

  while (n < max && (n_fronts = get_fronts (pads, n, fronts, inputs)) > 0
      && attention_match (fronts, n_fronts, GST_CLOCK_STIME_NONE,
          &which) == MATCH_TAKE)
    n++;
  return n;
}

static void
post_stats (GstContinualAttention * self)
{
  GstStructure *stats = model_host_take_due_stats (&self->host);

  if (!stats)
    return;
  attention_add_stats (self, stats);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), stats));
}

/* Processes the next vectors of all inputs, which match. */
static GstFlowReturn
take (GstContinualAttention * self, VectorPad * const pads[N_INPUTS])
{
  GstAggregator *agg = GST_AGGREGATOR (self);
  ModelInput input = { {0} };
  g_autofree gchar *why = attention_check_inputs (self, pads);
  GstFlowReturn ret = GST_FLOW_OK;
  PadFront front;
  VectorTime time, unused;
  gsize n;

  if (why)
    return fail (self, why);
  front = vector_pad_get_front (pads[INPUT_QUERY]);
  if (GST_CLOCK_STIME_IS_VALID (front.end))
    attention_set_vector_duration (self, front.end - front.begin);
  if (self->host.reset_on_discont
      && vector_pad_is_discont (pads[INPUT_QUERY])) {
    ret = attention_drain (self);
    model_host_reset (&self->host, -1);
  }

  n = count_matches (self, pads);
  GST_LOG_OBJECT (self, "%" G_GSIZE_FORMAT " match at %" GST_STIME_FORMAT, n,
      GST_STIME_ARGS (front.begin));
  input.x = vector_pad_get_rows (pads[INPUT_QUERY], &time);
  if (pads[INPUT_KEY])
    input.key = vector_pad_get_rows (pads[INPUT_KEY], &unused);
  if (pads[INPUT_VALUE])
    input.value = vector_pad_get_rows (pads[INPUT_VALUE], &unused);
  gst_aggregator_selected_samples (agg, time.pts, GST_CLOCK_TIME_NONE,
      time.duration, NULL);
  if (ret == GST_FLOW_OK)
    ret = model_host_forward (&self->host, &input, n, &time);
  if (ret != GST_FLOW_OK)
    return ret;
  post_stats (self);
  for (AttentionInput i = 0; i < N_INPUTS; i++)
    if (pads[i])
      vector_pad_skip (pads[i], n);
  return attention_push_outputs (self);
}

/* The front of @input has no match. */
static void
drop (GstContinualAttention * self, VectorPad * pad, AttentionInput input)
{
  const gboolean vector = vector_pad_get_front (pad).type == FRONT_VECTOR;
  VectorTime time = vector_pad_get_time (pad);

  if (vector) {
    GST_DEBUG_OBJECT (self, "%s: no match for the vector of %" GST_TIME_FORMAT,
        GST_PAD_NAME (pad), GST_TIME_ARGS (time.pts));
    GST_OBJECT_LOCK (self);
    self->unmatched[input]++;
    GST_OBJECT_UNLOCK (self);
  }
  vector_pad_skip (pad, 1);
  if (input == INPUT_QUERY)
    attention_push_gap (self, &time);
}

/* The segment ended, and another one may come. */
static GstFlowReturn
finish_segment (GstContinualAttention * self, VectorPad * const pads[N_INPUTS])
{
  const GstFlowReturn ret = attention_drain (self);
  GstPad *srcpad = GST_AGGREGATOR (self)->srcpad;
  GstEvent *event = gst_event_new_segment_done (GST_FORMAT_TIME,
      GST_AGGREGATOR_PAD (srcpad)->segment.position);

  for (AttentionInput i = 0; i < N_INPUTS; i++)
    if (pads[i])
      vector_pad_finish_segment (pads[i]);
  if (self->segment_seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (event, self->segment_seqnum);
  gst_pad_push_event (srcpad, event);
  return ret;
}

static GstFlowReturn
finish (GstContinualAttention * self, VectorPad * const pads[N_INPUTS])
{
  GstFlowReturn ret;

  for (AttentionInput i = 0; i < N_INPUTS; i++)
    if (pads[i] && vector_pad_is_done (pads[i]))
      return finish_segment (self, pads);
  ret = attention_drain (self);

  for (AttentionInput i = 0; i < N_INPUTS; i++)
    if (pads[i])
      vector_pad_end (pads[i]);
  model_host_report_end (&self->host);
  return ret == GST_FLOW_OK ? GST_FLOW_EOS : ret;
}

static GstFlowReturn
do_next (GstContinualAttention * self, VectorPad * const pads[N_INPUTS],
    gboolean timeout, GstClockTimeDiff * late)
{
  PadFront fronts[N_INPUTS];
  AttentionInput inputs[N_INPUTS];
  g_autofree gchar *why = NULL;
  guint n, which;

  for (AttentionInput i = 0; i < N_INPUTS; i++)
    if (pads[i] && !vector_pad_load (pads[i], &why))
      return fail (self, why);
  n = get_fronts (pads, 0, fronts, inputs);
  if (timeout)
    *late = attention_get_late (fronts, n);
  switch (attention_match (fronts, n, *late, &which)) {
    case MATCH_TAKE:
      why = check_rates (fronts, inputs, n);
      return why ? fail (self, why) : take (self, pads);
    case MATCH_DROP:
      drop (self, pads[inputs[which]], inputs[which]);
      return GST_FLOW_OK;
    case MATCH_END:
      return finish (self, pads);
    default:
      return FLOW_WAIT;
  }
}

/* TRUE: the model that was set while the element runs took over. */
static gboolean
adopt_next_model (GstContinualAttention * self)
{
  const CoModelInfo *next = model_host_take_next (&self->host);
  g_autofree gchar *why = NULL;

  if (!next)
    return FALSE;
  why = attention_check_next (self, next);
  if (why) {
    model_host_refuse_next (&self->host, why);
    return FALSE;
  }
  attention_drain (self);
  return model_host_adopt_next (&self->host);
}

static GstFlowReturn
aggregate (GstAggregator * agg, gboolean timeout)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  VectorPad *pads[N_INPUTS];
  GstClockTimeDiff late = GST_CLOCK_STIME_NONE;
  GstFlowReturn ret = GST_FLOW_OK;
  gboolean flushed = FALSE;

  if (self->failed)
    return GST_FLOW_ERROR;
  if (adopt_next_model (self)) {
    /* The base class negotiates its caps first. */
    gst_pad_mark_reconfigure (agg->srcpad);
    return GST_FLOW_OK;
  }

  attention_ref_pads (self, pads);
  for (AttentionInput i = 0; i < N_INPUTS; i++)
    flushed |= pads[i] && vector_pad_check_flushed (pads[i]);
  if (flushed)
    model_host_reset (&self->host, -1);
  do {
    ret = do_next (self, pads, timeout, &late);
    timeout = FALSE;
  } while (ret == GST_FLOW_OK);
  attention_unref_pads (pads);
  return ret == FLOW_WAIT ? GST_FLOW_OK : ret;
}

/* The deadline of the oldest front. The latency of this element includes the delay of the model, for which matching must
 * not wait. */
static GstClockTime
get_next_time (GstAggregator * agg)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);
  VectorPad *pads[N_INPUTS];
  GstClockTime next = GST_CLOCK_TIME_NONE, delay = 0;

  attention_ref_pads (self, pads);
  for (AttentionInput i = 0; i < N_INPUTS; i++)
    if (pads[i])
      next = MIN (next, vector_pad_get_begin (pads[i]));
  attention_unref_pads (pads);
  if (GST_CLOCK_TIME_IS_VALID (self->vector_duration))
    delay = model_host_get_delay (&self->host) * self->vector_duration;
  if (!GST_CLOCK_TIME_IS_VALID (next))
    return GST_CLOCK_TIME_NONE;
  return next < delay ? 0 : next - delay;
}

static GstFlowReturn
flush (GstAggregator * agg)
{
  GstContinualAttention *self = GST_CONTINUAL_ATTENTION (agg);

  model_host_discard_events (&self->host);
  self->segment_due = TRUE;
  return GST_FLOW_OK;
}

void
attention_flow_class_init (GstAggregatorClass * klass)
{
  klass->aggregate = aggregate;
  klass->get_next_time = get_next_time;
  klass->flush = flush;
}
