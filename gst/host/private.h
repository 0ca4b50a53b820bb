/* gst-continual: what the files of a host share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"

G_BEGIN_DECLS

/* Where an element's signals find its host */
#define HOST_KEY "gst-continual-model-host"

#define DEFAULT_STATE_INTERVAL 10       /* s */

/* Stopped, the path waits for start. Running, the model is loaded here and waits for the next buffer. */
void model_host_set_path (ModelHost * self, const gchar * path);

/* 0: stopped. */
guint model_host_get_n_streams (ModelHost * self);

/* What the property `stats` holds. */
GstStructure *model_host_get_stats (ModelHost * self);

/* Adds to it what @n_steps of a stream have come to (0: an end was drained). */
void model_host_count (ModelHost * self, const ModelCounts * counts,
    gsize n_steps);

/* Posts it every stats-interval seconds. */
void model_host_post_stats (ModelHost * self);

G_END_DECLS
