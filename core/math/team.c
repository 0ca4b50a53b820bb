/* libcontinual: the threads that share the work of a call
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A worker has a slot for one job. A caller puts its job into the slots of idle workers, takes pieces itself until none are
 * left, and takes the job back from workers that have not begun. So a worker that wakes late costs its help, not time. */
#include "math/team.h"
#include "math/fpmode.h"

/* How often a worker looks into its slot before it sleeps: some tens of microseconds, longer than between the products of a
 * step */
#define SPINS 4000
/* Pieces of each thread's share, so that one which is interrupted leaves the rest to the others */
#define PIECES 4
/* Bytes that cores exchange */
#define LINE 64

/* Items that one thread takes first, at every call the same, so that its weights stay in its core's cache */
typedef struct
{
  gsize next;                   /* atomic: the first item that nobody has taken */
  gsize end;
} __attribute__ ((aligned (LINE))) Share;

typedef struct
{
  CoTeamPart part;
  gconstpointer data;
  gsize piece;
  guint n_shares;
  Share *shares;
  gint n_threads;               /* atomic: that have begun, the caller first */
  gint helpers;                 /* atomic: workers that have the job, or may begin it */
} Job;

typedef struct
{
  Job *job;                     /* atomic: to be begun; NULL: none */
  gint busy;                    /* atomic: has begun one */
  gint asleep;                  /* atomic: waits for a signal */
  GMutex lock;
  GCond wake;
} Worker;

static Worker workers[CO_TEAM_MAX - 1];
static gint n_workers;          /* atomic: that run; grows under the lock, never shrinks */
static GMutex start_lock;

gboolean co_team_eager;

static __thread guint team = 1;

static inline void
pause_briefly (void)
{
#if defined (__SSE2__)
  _mm_pause ();
#elif defined (__aarch64__)
  __asm__ volatile ("yield");
#endif
}

/* Runs the pieces of share @first, then the remaining pieces of the other shares. */
static void
take_pieces (Job * job, guint thread, guint first)
{
  for (guint i = 0; i < job->n_shares; i++) {
    Share *share = &job->shares[(first + i) % job->n_shares];
    gsize begin;

    while (__atomic_load_n (&share->next, __ATOMIC_RELAXED) < share->end
        && (begin = __atomic_fetch_add (&share->next, job->piece, __ATOMIC_RELAXED)) < share->end)
      job->part (job->data, thread, begin, MIN (begin + job->piece, share->end));
  }
}

static Job *
wait_for_job (Worker * self)
{
  Job *job = NULL;

  for (guint i = 0; i < SPINS && !(job = g_atomic_pointer_get (&self->job)); i++)
    pause_briefly ();
  if (job)
    return job;
  g_mutex_lock (&self->lock);
  g_atomic_int_set (&self->asleep, TRUE);
  while (!(job = g_atomic_pointer_get (&self->job)))
    g_cond_wait (&self->wake, &self->lock);
  g_atomic_int_set (&self->asleep, FALSE);
  g_mutex_unlock (&self->lock);
  return job;
}

static gpointer
work (gpointer data)
{
  Worker *self = data;

  co_fp_enter ();
  for (;;) {
    Job *job = wait_for_job (self);

    g_atomic_int_set (&self->busy, TRUE);
    if (g_atomic_pointer_compare_and_exchange (&self->job, job, NULL)) {
      take_pieces (job, g_atomic_int_add (&job->n_threads, 1), 1 + (self - workers) % (job->n_shares - 1));
      g_atomic_int_set (&self->busy, FALSE);
      g_atomic_int_add (&job->helpers, -1);     /* @job may be invalid from here on: its caller returns */
    } else {
      g_atomic_int_set (&self->busy, FALSE);
    }
  }
  return NULL;
}

/* FALSE: it has one. */
static gboolean
offer (Worker * worker, Job * job)
{
  if (g_atomic_int_get (&worker->busy)
      || !g_atomic_pointer_compare_and_exchange (&worker->job, NULL, job))
    return FALSE;
  if (g_atomic_int_get (&worker->asleep)) {
    g_mutex_lock (&worker->lock);
    g_cond_signal (&worker->wake);
    g_mutex_unlock (&worker->lock);
  }
  return TRUE;
}

/* Runs the items in @n_shares shares, one of them for the calling thread. */
static void
run_shares (CoTeamPart part, gconstpointer data, gsize n, guint n_shares)
{
  Share shares[CO_TEAM_MAX];
  Worker *offered[CO_TEAM_MAX - 1];
  Job job = {.part = part,.data = data,.piece = MAX (1, n / (n_shares * PIECES)),.n_shares =
        n_shares,.shares = shares,.n_threads = 1 };
  const guint threads = team;
  guint n_offered = 0, running;

  for (guint i = 0; i < n_shares; i++) {
    shares[i].next = n * i / n_shares;
    shares[i].end = n * (i + 1) / n_shares;
  }
  running = g_atomic_int_get (&n_workers);
  for (guint i = 0; i < running && n_offered + 1 < n_shares; i++) {
    g_atomic_int_inc (&job.helpers);
    if (offer (&workers[i], &job))
      offered[n_offered++] = &workers[i];
    else
      g_atomic_int_add (&job.helpers, -1);
  }
  team = 1;                     /* what a part runs, it runs alone */
  take_pieces (&job, 0, 0);
  team = threads;
  for (guint i = 0; i < n_offered; i++)
    if (g_atomic_pointer_compare_and_exchange (&offered[i]->job, &job, NULL))
      g_atomic_int_add (&job.helpers, -1);
  for (guint i = 0; g_atomic_int_get (&job.helpers) > 0; i++)
    if (i < SPINS)
      pause_briefly ();
    else
      g_thread_yield ();        /* a worker was interrupted */
}

void
co_team_run (CoTeamPart part, gconstpointer data, gsize n, gsize least)
{
  if (co_team_eager)
    least = 1;
  if (team == 1 || n < 2 * least)
    part (data, 0, 0, n);
  else
    run_shares (part, data, n, MIN (team, n / least));
}

guint
co_team_enter (guint n_threads)
{
  const guint before = team, wanted = CLAMP (n_threads, 1, CO_TEAM_MAX) - 1;

  team = wanted + 1;
  if (wanted <= (guint) g_atomic_int_get (&n_workers))
    return before;
  g_mutex_lock (&start_lock);
  for (guint i = n_workers; i < wanted; i++) {
    GThread *thread = g_thread_try_new ("continual-team", work, &workers[i], NULL);

    if (!thread)                /* fewer do the same */
      break;
    g_thread_unref (thread);
    g_atomic_int_set (&n_workers, i + 1);
  }
  g_mutex_unlock (&start_lock);
  return before;
}

void
co_team_leave (guint before)
{
  team = before;
}
