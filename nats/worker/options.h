/* continual-worker: what its command line says
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *model;                 /* file or folder */
  CoOptions *model_options;
  gchar *name;                  /* first token of all subjects, and begin of the names of streams and buckets */
  gchar *servers, *credentials;
  guint shards;
  guint threads;                /* of a step at most */
  gdouble snapshot_interval;    /* seconds */
  guint window;                 /* messages of a shard without an acknowledgement, at most */
  gdouble lease;                /* seconds */
  guint replicas;               /* of what this worker creates */
  gdouble max_age;              /* seconds that vectors and outputs are kept; of what this worker creates */
  gdouble idle;                 /* seconds after which a silent stream leaves the memory */
  gdouble status_interval;      /* seconds */
} WorkerOptions;

/* NULL: *error says what is wrong, or is NULL where --help or --version was answered. */
WorkerOptions *worker_options_parse (int *argc, char ***argv, GError ** error);
void worker_options_free (WorkerOptions * self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WorkerOptions, worker_options_free)

G_END_DECLS
