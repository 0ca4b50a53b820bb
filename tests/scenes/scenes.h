/* What the soak test runs all the time
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/gst.h>
#include "oracle.h"

#define N_MODELS 2

/* Models of the same width, in files, and vectors for them */
typedef struct
{
  gchar *dir;
  gchar *paths[N_MODELS], *state;
  RefModel *models[N_MODELS];
  GRand *random;
} World;

typedef struct _Scene Scene;

/* One encoder, stepped in lock with its oracle: NaNs, gaps, flushes, resets, model swaps, restarts from state-path. */
Scene *scene_encoder_new (World * world);
/* Three streams through a mux, one encoder and a demux, each with its oracle; some vectors of some are missing. */
Scene *scene_streams_new (World * world);
/* Sound to mel frames, a classifier and labels, in its own time; played again from its beginning. */
Scene *scene_sound_new (World * world);

/* A few hundred vectors. FALSE: something is wrong, and was said. */
gboolean scene_run (Scene * self);
void scene_free (Scene * self);

typedef struct
{
  guint64 vectors, refused, step_time;
  double worst;                 /* since it was last asked */
} SceneReport;

/* Adds what this scene did to @report. */
void scene_report (Scene * self, SceneReport * report);
