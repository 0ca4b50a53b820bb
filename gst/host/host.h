/* gst-continual: the model of an element and its streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/attention-weights.h"
#include "host/modelproperties.h"
#include "host/statefile.h"
#include "host/stats.h"
#include "host/stream.h"

G_BEGIN_DECLS

typedef enum
{
  MODEL_ON_INVALID_DROP,
  MODEL_ON_INVALID_ERROR
} ModelOnInvalid;

/**
 * ModelHost: the model that an element runs, its streams, properties, statistics and action signals
 *
 * A field of the element. The element calls the host; the host never calls the element. Its properties and signals are
 * in host/properties.h, its outputs in host/output.h.
 */
typedef struct
{
  GstElement *element;
  ModelElement kind;            /* which element it is */

  /* Values of properties, under the object lock of the element. Constant between start and stop, but for the path of
   * the model: so the streaming thread reads them without the lock. */
  ModelProperties settings;
  gboolean reset_on_discont;
  ModelOnInvalid on_invalid;
  AttentionWeights weights;     /* property attention-weights */
  guint stats_interval;         /* seconds; 0: never */
  guint n_threads;              /* of a step at most */

  /* Under the object lock. */
  gboolean started;
  CoModel *model;               /* NULL: stopped */
  CoModel *next_model;          /* set while the element runs: for the next buffer; NULL: none */
  gchar *next_path;
  ModelStats stats;

  /* Private to gst/host. The streaming thread replaces the stream and calls it under this lock; other threads reset,
   * save and restore it under the lock. Outputs are read in the streaming thread only, without the lock. No message
   * is posted and nothing is pushed under it. */
  GMutex stream_lock;
  ModelStream *stream;          /* NULL: stopped */

  ModelState state;             /* its settings under the object lock, as those above */

  /* Streaming thread only. */
  CoModel *candidate;           /* from model_host_take_next() to its adoption or refusal, else NULL */
  gchar *candidate_path;
  gboolean labels_due;          /* before the next buffer */
  gboolean labels_sent;         /* downstream keeps them until others come */
  guint64 n_not_finite;         /* outputs since the start */
  guint told_streams;           /* that found no room, which was told already; 0: none */
  GstClockTime last_stats;      /* when the last message with statistics was due */
} ModelHost;

/* From any thread. */

/* Loads the model and makes one fresh stream. FALSE: an error was posted, and the host is stopped. */
gboolean model_host_start (ModelHost * self);
/* Writes the state to its file, and drops streams and model. */
void model_host_stop (ModelHost * self);

/* Stopped, stores the path for the next start. Running, loads the model now, for the next buffer. Errors are posted as
 * warnings; the model in use then stays. */
void model_host_set_path (ModelHost * self, const gchar * path);

/* The model in use; unref it. NULL: stopped. */
CoModel *model_host_ref_model (ModelHost * self);

/* The property attention-weights. */
AttentionWeights model_host_get_weights (ModelHost * self);

/* Vectors from the arrival of one to its answer; 0: stopped. */
gsize model_host_get_delay (ModelHost * self);

/* 0: stopped. */
guint model_host_get_n_streams (ModelHost * self);

/* What the property `stats` holds, without the fields that the element adds. */
GstStructure *model_host_get_stats (ModelHost * self);

/* Resets @stream, or all for -1. Does nothing if there is no such stream. A decoder's memory stays; if there is no room to
 * set it again, a warning is posted. */
void model_host_reset (ModelHost * self, gint stream);

/* A snapshot of @stream, or of all for -1; NULL: stopped, or there is no such stream or no room for it, which a warning then
 * says. */
GBytes *model_host_get_state (ModelHost * self, gint stream);
/* Restores @stream, or all for -1, from a snapshot, or NULL. FALSE: *why (free it) says why nothing changed. */
gboolean model_host_set_state (ModelHost * self, gint stream, GBytes * state,
    gchar ** why);

/* From the streaming thread, between start and stop. */

/* The model of the streams. It lives until another one is adopted. */
const CoModelInfo *model_host_get_info (ModelHost * self);

/* Replaces the streams by @n_streams fresh ones, unless there are as many already. Then restores the state of the state
 * file, the first time. FALSE: there is no room for so many, an error was posted, and the streams stay. */
gboolean model_host_set_n_streams (ModelHost * self, guint n_streams);

/* The model that was set while the element runs; NULL: none. The element checks it, then calls refuse_next(), or
 * answers what waits and calls adopt_next(). */
const CoModelInfo *model_host_take_next (ModelHost * self);
/* Drops it with a warning: "The model in use stays: @why." */
void model_host_refuse_next (ModelHost * self, const gchar * why);
/* Makes it the model in use, with as many fresh streams. FALSE: there is no room for them, so it was refused. */
gboolean model_host_adopt_next (ModelHost * self);

/* Most steps of one forward() call. */
gsize model_host_get_max_steps (ModelHost * self);

/* Processes @n_steps steps of @input, whose vectors share @time evenly: see model_stream_forward(). Counts them, and
 * saves the state if it is time. GST_FLOW_ERROR: an error was posted, for there is no room for the outputs. */
GstFlowReturn model_host_forward (ModelHost * self, const ModelInput * input,
    gsize n_steps, const VectorTime * time);
/* Answers the vectors that wait for the end of a chunk. GST_FLOW_ERROR: as above. */
GstFlowReturn model_host_drain (ModelHost * self);

/* The statistics, if a message with them is due, every stats-interval seconds; else NULL. */
GstStructure *model_host_take_due_stats (ModelHost * self);

/* A decoder's memory, for all streams. FALSE: it is refused, the last one stays. */
gboolean model_host_set_memory (ModelHost * self,
    const float *memory /* (n, n_memory) */ , gsize n, GError ** error);
gboolean model_host_has_memory (ModelHost * self);

/* Reads an event named continual-reset. FALSE: @event is another one, or names a stream that does not exist, which a
 * warning then says. *drain: the element must answer what waits before it calls model_host_reset (*stream). */
gboolean model_host_read_reset (ModelHost * self, GstEvent * event,
    gint * stream, gboolean * drain);

/* A new stream downstream: it has not seen the labels. */
void model_host_set_labels_due (ModelHost * self);

G_END_DECLS
