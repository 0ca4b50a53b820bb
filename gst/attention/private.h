/* gst-continual: what is inside a continualattention
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attention/pad.h"
#include "attention/continualattention.h"
#include "elements.h"
#include "host/host.h"

G_BEGIN_DECLS

#define GST_CAT_DEFAULT continual_debug

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
  AttentionPad *pads[N_INPUTS]; /* not referenced; NULL: not requested */
  guint64 unmatched[N_INPUTS];  /* vectors without a counterpart */

  /* The streaming thread's. */
  gboolean failed;              /* an event was wrong, and an error posted */
  gboolean negotiated;          /* downstream knows the caps */
  gboolean segment_due;         /* it doesn't know the segment */
  guint32 segment_seqnum;
  GstClockTime vector_duration; /* of queries; none: not known */
};

/* continualattention.c */
/* The pads that there are, the others NULL. */
void attention_ref_pads (GstContinualAttention * self,
    AttentionPad * pads[N_INPUTS]);
void attention_unref_pads (AttentionPad * pads[N_INPUTS]);
/* "queries", "keys", "values" */
const gchar *attention_get_input_name (AttentionInput input);

/* negotiation.c */
void attention_negotiation_class_init (GstAggregatorClass * klass);
/* Why @model can't take over from the one in use; NULL: it can. */
gchar *attention_find_obstacle (GstElement * element, CoModel * model);
/* Why the inputs don't fit each other or the model; NULL: they do. */
gchar *attention_check_inputs (GstContinualAttention * self,
    AttentionPad * const pads[N_INPUTS]);
void attention_set_vector_duration (GstContinualAttention * self,
    GstClockTime duration);

/* flow.c */
void attention_flow_class_init (GstAggregatorClass * klass);
/* Answers what waits for the end of a chunk, and pushes it. */
GstFlowReturn attention_drain (GstContinualAttention * self);

G_END_DECLS
