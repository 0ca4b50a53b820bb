/* gst-continual: what leaves a model: buffers, labels, and messages about refused vectors
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"

G_BEGIN_DECLS

/* All of it is for the streaming thread, between start and stop. */

/* The next event of the last forward() or drain() call, in order of time. FALSE: no more. */
gboolean model_host_next_event (ModelHost * self, ModelEvent * event);
/* Drops the events that were not read. Also when stopped. */
void model_host_discard_events (ModelHost * self);

/* Bytes of the first tensor of an output. */
gsize model_host_get_output_size (ModelHost * self);

/* A MODEL_OUTPUT as a buffer of @pool, which is consumed; NULL: the element is stopping. */
GstFlowReturn model_host_make_output (ModelHost * self, GstBufferPool * pool,
    const ModelEvent * event, GstBuffer ** out);

/* The values of a MODEL_OUTPUT, (S, n_positions, D), and its attention weights; free both. NULL: an error was posted, for
 * there is no room; or, of weights, there are none. */
gfloat *model_host_copy_output (ModelHost * self, const ModelEvent * event);
gfloat *model_host_copy_weights (ModelHost * self, const ModelEvent * event);

/* Reports a MODEL_REFUSED, MODEL_NOT_FINITE or MODEL_FULL. GST_FLOW_ERROR: an error was posted. With on-invalid=drop, the 1st, 10th,
 * 100th, ... refused vector, or output that is not finite, posts a warning. */
GstFlowReturn model_host_report_refused (ModelHost * self,
    const ModelEvent * event);

/* At the end of a stream, drained: posts a warning if the vectors since the start were too few for any output. */
void model_host_report_end (ModelHost * self);

/* The labels of the model as an event, before its first output; empty if only an earlier model had labels. NULL: sent
 * already, or none. */
GstEvent *model_host_take_labels (ModelHost * self);

G_END_DECLS
