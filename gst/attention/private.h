/* gst-continual: the files of continualattention
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attention/continualattention.h"
#include "attention/match.h"
#include "tensor/vectorpad.h"
#include "elements.h"
#include "host/host.h"
#include "tensor/about.h"

G_BEGIN_DECLS

#define GST_CAT_DEFAULT element_debug (self)

typedef enum
{
  INPUT_QUERY,
  INPUT_KEY,
  INPUT_VALUE,
  N_INPUTS
} AttentionInput;

struct _GstContinualAttention
{
  GstAggregator parent;

  ModelHost host;

  /* Under the object lock. */
  VectorPad *pads[N_INPUTS]; /* not referenced; NULL: not requested */
  guint64 unmatched[N_INPUTS];  /* vectors that were left out without a match */

  /* Streaming thread only. */
  gboolean failed;              /* an event was wrong, and an error posted */
  gboolean negotiated;          /* caps were sent downstream */
  gboolean segment_due;         /* the segment was not */
  guint32 segment_seqnum;
  GstClockTime vector_duration; /* of queries; none: not known */
};

/* inputs.c: what the pads and the model say about inputs */
/* References to the pads; NULL: not requested. */
void attention_ref_pads (GstContinualAttention * self,
    VectorPad * pads[N_INPUTS]);
void attention_unref_pads (VectorPad * pads[N_INPUTS]);
/* Which input @pad is. */
AttentionInput attention_find_input (GstContinualAttention * self,
    GstAggregatorPad * pad);
/* "queries", "keys", "values" */
const gchar *attention_get_input_name (AttentionInput input);
/* Values of a vector of @input. */
gsize attention_get_width (const CoModelInfo * info, AttentionInput input);
/* NULL: the inputs fit each other and the model. Else why not; free it. */
gchar *attention_check_inputs (GstContinualAttention * self,
    VectorPad * const pads[N_INPUTS]);
/* NULL: @next can replace the model in use. Else why not; free it. */
gchar *attention_check_next (GstContinualAttention * self,
    const CoModelInfo * next);
/* Caps of the outputs for the queries of the pad @query. */
GstCaps *attention_make_src_caps (AttentionWeights weights,
    const CoModelInfo * info, const VectorPad * query);
/* Queries take @duration each (none: not known): sets the latency. */
void attention_set_vector_duration (GstContinualAttention * self,
    GstClockTime duration);

/* output.c: what goes downstream */
void attention_push_gap (GstContinualAttention * self, const VectorTime * time);
/* Pushes the outputs of the last steps. */
GstFlowReturn attention_push_outputs (GstContinualAttention * self);
/* Answers the vectors that wait for the end of a chunk, and pushes the outputs. */
GstFlowReturn attention_drain (GstContinualAttention * self);
/* Adds fields to the statistics. */
void attention_add_stats (GstContinualAttention * self, GstStructure * stats);

/* negotiation.c: events, caps, memory */
void attention_negotiation_class_init (GstAggregatorClass * klass);

/* flow.c: vectors */
void attention_flow_class_init (GstAggregatorClass * klass);

G_END_DECLS
