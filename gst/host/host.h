/* gst-continual: what every element that runs a model has
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/weights.h"
#include "host/statefile.h"
#include "host/settings.h"

G_BEGIN_DECLS

typedef enum
{
  MODEL_ON_INVALID_DROP,
  MODEL_ON_INVALID_ERROR
} ModelOnInvalid;

typedef struct
{
  ModelCounts sum;            /* step_time: of the last step */
  guint64 steps;
  GstClockTime time;            /* of all steps */
} ModelStats;

typedef struct _ModelHost ModelHost;

/* What is each element's own. */
typedef struct
{
  /* Why the element can't run such a model at all, as the end of a sentence; NULL: it can. */
  gchar *(*refuse_model) (const CoModelInfo * info);
  /* Streaming thread: why @model can't take over from the one in use; NULL: it can. */
  gchar *(*find_obstacle) (GstElement * element, CoModel * model);
  /* Streaming thread: answers what waits, before another model takes over. */
  void (*drain) (GstElement * element);
  /* Adds fields to the property `stats`; NULL: none. */
  void (*add_stats) (GstElement * element, GstStructure * stats);
} ModelHostClass;

/**
 * ModelHost: the model of an element, its properties, streams, statistics and action signals
 *
 * A part of the element, which calls it by name; its signals find it by themselves.
 */
struct _ModelHost
{
  GstElement *element;
  const ModelHostClass *klass;

  /* Under the element's object lock. Settings but the model's path don't change between start and stop. */
  ModelSettings settings;
  gboolean reset_on_discont;
  ModelOnInvalid on_invalid;
  AttentionWeights weights;     /* property attention-weights */
  guint stats_interval;         /* seconds; 0: never */
  gboolean started;
  CoModel *model;               /* NULL: stopped */
  CoModel *next_model;          /* takes over at the next buffer; NULL: none */
  gchar *next_path;
  ModelStats stats;

  /* The streaming thread replaces the stream and calls it under this lock; other threads reset, save and restore it.
   * What comes out of it is read in the streaming thread alone. Nothing is pushed or posted under it. */
  GMutex stream_lock;
  ModelStream *stream;        /* NULL: stopped */

  ModelState state;             /* its settings under the object lock, as the others */

  /* The streaming thread's. */
  gboolean labels_due;          /* before the next buffer */
  gboolean labels_sent;         /* downstream keeps them until others come */
  GstClockTime last_stats;      /* when they were posted */
};

/* Installs the properties and signals of @element; the first property id that is free. */
guint model_host_class_init (GObjectClass * klass, ModelElement element);

void model_host_init (ModelHost * self, GstElement * element,
    const ModelHostClass * klass);
void model_host_finalize (ModelHost * self);

/* FALSE: @pspec is none of the host's. What is refused while the element runs, or wrong, is told on the bus. */
gboolean model_host_set_property (ModelHost * self, const GValue * value,
    GParamSpec * pspec);
gboolean model_host_get_property (ModelHost * self, GValue * value,
    GParamSpec * pspec);

/* Tells that @pspec was not set since the element runs. */
void model_host_refuse_property (ModelHost * self, GParamSpec * pspec);

/* Loads the model. FALSE: an error was posted. */
gboolean model_host_start (ModelHost * self);
void model_host_stop (ModelHost * self);

/* The model in use; unref it. NULL: stopped. */
CoModel *model_host_ref_model (ModelHost * self);

/* The property attention-weights. */
AttentionWeights model_host_get_weights (ModelHost * self);

/* Vectors from the arrival of one to its answer. */
gsize model_host_get_delay (ModelHost * self);

/* Forgets what came: @stream, or -1 for all. */
void model_host_reset (ModelHost * self, gint stream);

/* The rest is for the streaming thread. */

/* TRUE: the model that was set while the element runs is now the one in use. */
gboolean model_host_adopt_next (ModelHost * self);

/* Fresh streams through the model, unless there are as many already. */
void model_host_set_n_streams (ModelHost * self, guint n_streams);

void model_host_forward (ModelHost * self, const ModelInput * input,
    gsize n_steps, const VectorTime * time);
/* A decoder's; a reset keeps it. */
void model_host_set_memory (ModelHost * self,
    const float *memory /* (n, n_memory) */ , gsize n);
gboolean model_host_has_memory (ModelHost * self);
void model_host_drain (ModelHost * self);

/* An MODEL_OUTPUT as a buffer of @pool, which is consumed; NULL: the element is stopping. */
GstFlowReturn model_host_make_output (ModelHost * self, GstBufferPool * pool,
    const ModelEvent * event, GstBuffer ** out);

/* An MODEL_REFUSED or MODEL_FULL: GST_FLOW_ERROR if an error was posted. The first vector that is refused is worth
 * a warning, then the tenth, and so on. */
GstFlowReturn model_host_refuse (ModelHost * self,
    const ModelEvent * event);

/* Resets by an event named continual-reset, after it answered what waits. FALSE: @event is another one. */
gboolean model_host_handle_reset (ModelHost * self, GstEvent * event);

/* The names of the outputs, before the first of them, or that an earlier model's hold no longer; NULL: none, or sent
 * already. */
GstEvent *model_host_take_labels (ModelHost * self);

G_END_DECLS
