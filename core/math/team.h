/* libcontinual: the threads that share the work of a call
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One pool for the process. A call that may use n threads is its own thread and up to n - 1 of the pool that are idle at that
 * moment; it never waits for one that has not begun. What is shared is cut where results do not depend on the cut, so that
 * outputs are the same to the bit with any number of threads. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CO_TEAM_MAX 64

/* Floats that are worth another thread where each is worked on by itself, some 20 microseconds' work: to hand rows from core to
 * core costs some of them */
#define CO_TEAM_LEAST_FLOATS 65536
/* Multiply-accumulates that are worth another thread, likewise */
#define CO_TEAM_LEAST_MACS 327680

/* The items from @begin to @end - 1. No two threads have the same number @thread at once: from 0, the caller's, to one less than
 * the caller was given. Whatever else a part runs, it runs alone. */
typedef void (*CoTeamPart) (gconstpointer data, guint thread, gsize begin, gsize end);

/* Calls @part for 0 to n - 1, in pieces of at least @least items, on at most as many threads as the calling thread was given.
 * Returns when all are done. */
void co_team_run (CoTeamPart part, gconstpointer data, gsize n, gsize least);

/* As @least: the items that are worth another thread where each is @macs multiply-accumulates. */
static inline gsize
co_team_least (guint64 macs)
{
  return CO_TEAM_LEAST_MACS / (macs + 1) + 1;
}

/* For tests, whose models are small: a single item is worth another thread. */
extern gboolean co_team_eager;

/* Gives the calling thread @n_threads for what follows, from 1 to CO_TEAM_MAX; threads of the pool are started where there are
 * too few. Returns how many it had. */
guint co_team_enter (guint n_threads);
/* @before: what co_team_enter() returned */
void co_team_leave (guint before);

G_END_DECLS
