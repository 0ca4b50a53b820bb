/* Real servers on loopback, and workers beside them
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/link.h"

#define MAX_SERVERS 3

typedef struct
{
  guint n, shards;
  gchar *dir, *urls;
  guint port[MAX_SERVERS], route[MAX_SERVERS];
  GSubprocess *process[MAX_SERVERS];
} Servers;

/* One, or a cluster of three, with JetStream in a new directory; NAME.vectors is mapped to @shards partitions. Waits until they
 * serve. */
Servers *servers_new (guint n, guint shards);
void servers_free (Servers * self);

/* SIGKILL, and back with the same storage. */
void servers_kill (Servers * self, guint i);
void servers_start (Servers * self, guint i);
/* Waits until JetStream answers at every server. */
void servers_wait (Servers * self);

Link *servers_link (Servers * self);

/* A worker with the model of @golden, a folder of the test data, and further arguments, separated by spaces. Its output goes to the log of @dir. */
GSubprocess *worker_start (Servers * self, const gchar * golden,
    const gchar * arguments);

/* The same with a file */
GSubprocess *worker_start_file (Servers * self, const gchar * model,
    const gchar * arguments);

/* The file of a model in the test data */
gchar *golden_file (const gchar * golden);
