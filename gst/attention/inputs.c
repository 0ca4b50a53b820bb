/* gst-continual: the inputs of continualattention: pads, widths, rates, latency
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention/private.h"

#include "host/caps.h"

void
attention_ref_pads (GstContinualAttention * self, VectorPad * pads[N_INPUTS])
{
  GST_OBJECT_LOCK (self);
  pads[INPUT_QUERY] = gst_object_ref (self->pads[INPUT_QUERY]); /* an always pad */
  for (AttentionInput i = INPUT_KEY; i < N_INPUTS; i++)
    pads[i] = self->pads[i] ? gst_object_ref (self->pads[i]) : NULL;
  GST_OBJECT_UNLOCK (self);
}

void
attention_unref_pads (VectorPad * pads[N_INPUTS])
{
  for (AttentionInput i = 0; i < N_INPUTS; i++)
    gst_clear_object (&pads[i]);
}

const gchar *
attention_get_input_name (AttentionInput input)
{
  static const gchar *const names[N_INPUTS] = { "queries", "keys", "values" };

  return names[input];
}

AttentionInput
attention_find_input (GstContinualAttention * self, GstAggregatorPad * pad)
{
  AttentionInput input = INPUT_QUERY;

  GST_OBJECT_LOCK (self);
  while (input < N_INPUTS - 1
      && (gpointer) self->pads[input] != (gpointer) pad)
    input++;
  GST_OBJECT_UNLOCK (self);
  return input;
}

gsize
attention_get_width (const CoModelInfo * info, AttentionInput input)
{
  return input == INPUT_QUERY ? info->n_inputs : input == INPUT_KEY ?
      info->n_keys : info->n_values;
}

/* Vectors of an input that has no pad: keys serve as values, queries as keys. */
static gchar *
check_widths (const CoModelInfo * info, VectorPad * const pads[N_INPUTS])
{
  AttentionInput source = INPUT_QUERY;

  for (AttentionInput i = 0; i < N_INPUTS; i++) {
    guint found;

    if (i > INPUT_QUERY && pads[i])
      source = i;
    found = pads[source]->input.dims[0];
    if (found == attention_get_width (info, i))
      continue;
    return source == i ? g_strdup_printf ("expected %s of %" G_GSIZE_FORMAT
        " values, as the model takes them, found %u", attention_get_input_name
        (i), attention_get_width (info, i), found) :
        g_strdup_printf ("expected %s of %" G_GSIZE_FORMAT " values, as the "
        "model takes them, found no pad for them and %s of %u: link the pad %s",
        attention_get_input_name (i), attention_get_width (info, i),
        attention_get_input_name (source), found,
        i == INPUT_KEY ? "key" : "value");
  }
  return NULL;
}

static gboolean
fractions_equal (guint64 a_n, guint64 a_d, guint64 b_n, guint64 b_d)
{
  return a_n * b_d == b_n * a_d;
}

/* Caps do not say whether a framerate counts vectors or buffers of T vectors: rates differ if they differ both ways. */
static gboolean
framerates_differ (const TensorInfo * a, const TensorInfo * b)
{
  return a->fps_n && b->fps_n
      && !fractions_equal (a->fps_n, a->fps_d, b->fps_n, b->fps_d)
      && !fractions_equal ((guint64) a->fps_n * a->dims[1], a->fps_d,
      (guint64) b->fps_n * b->dims[1], b->fps_d);
}

gchar *
attention_check_inputs (GstContinualAttention * self,
    VectorPad * const pads[N_INPUTS])
{
  const TensorInfo *query = &pads[INPUT_QUERY]->input;
  gchar *why = check_widths (model_host_get_info (&self->host), pads);

  for (AttentionInput i = INPUT_KEY; !why && i < N_INPUTS; i++) {
    const TensorInfo *input = pads[i] ? &pads[i]->input : query;
    const gchar *name = attention_get_input_name (i);

    if (input->dims[2] != query->dims[2])
      why = g_strdup_printf ("expected %s of as many streams as the queries, "
          "%u, found %u: correct the last of the dimensions", name,
          query->dims[2], input->dims[2]);
    else if (framerates_differ (query, input))
      why = g_strdup_printf ("expected %s at the rate of the queries, "
          "framerate=%d/%d, found framerate=%d/%d: bring them to one rate "
          "before this element", name, query->fps_n, query->fps_d,
          input->fps_n, input->fps_d);
  }
  return why;
}

GstCaps *
attention_make_src_caps (AttentionWeights weights, const CoModelInfo * info,
    const VectorPad * query)
{
  const TensorInfo *in = &query->input;
  GstCaps *caps = tensor_caps_new (in->dims, in->fps_n, in->fps_d);
  GstCaps *res = attention_weights_add_to_caps (weights, info,
      model_caps_to_src (info, caps));

  gst_caps_unref (caps);
  return res;
}

gchar *
attention_check_next (GstContinualAttention * self, const CoModelInfo * next)
{
  VectorPad *pads[N_INPUTS];
  GstCaps *out, *possible;
  gchar *why = NULL;

  attention_ref_pads (self, pads);
  if (self->negotiated)
    why = check_widths (next, pads);
  if (self->negotiated && !why) {
    out = attention_make_src_caps (self->host.weights, next,
        pads[INPUT_QUERY]);
    possible = gst_pad_peer_query_caps (GST_AGGREGATOR (self)->srcpad, out);
    if (gst_caps_is_empty (possible))
      why = model_caps_explain_refused (next);
    gst_caps_unref (possible);
    gst_caps_unref (out);
  }
  attention_unref_pads (pads);
  return why;
}

void
attention_set_vector_duration (GstContinualAttention * self,
    GstClockTime duration)
{
  GstClockTime delay = 0;

  if (duration == self->vector_duration)
    return;
  self->vector_duration = duration;
  if (GST_CLOCK_TIME_IS_VALID (duration))
    delay = model_host_get_delay (&self->host) * duration;
  gst_aggregator_set_latency (GST_AGGREGATOR (self), delay, delay);
}
