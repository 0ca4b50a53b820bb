/* gst-continual: times of the rows of a buffer
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mux/times.h"

/* Most buffers between mux and demux */
#define N_ROUNDS 1024

typedef struct
{
  guint slot;
  VectorTime time;
} RowTime;

typedef struct
{
  GstClockTime pts;
  GArray *rows;                 /* of RowTime */
} RoundTimes;

struct _MuxTimes
{
  gatomicrefcount refs;
  gchar *id;
  GMutex lock;                  /* guards what follows */
  guint64 n_rounds;
  RoundTimes rounds[N_ROUNDS];  /* ring, in order of time */
};

/* Existing objects by id, without a reference. registry_lock guards it, and their last unref. */
static GMutex registry_lock;
static GHashTable *registry;

MuxTimes *
mux_times_new (void)
{
  MuxTimes *self = g_new0 (MuxTimes, 1);

  g_atomic_ref_count_init (&self->refs);
  self->id = g_uuid_string_random ();
  g_mutex_init (&self->lock);
  g_mutex_lock (&registry_lock);
  if (!registry)
    registry = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (registry, self->id, self);
  g_mutex_unlock (&registry_lock);
  return self;
}

MuxTimes *
mux_times_find (GstEvent * event)
{
  const gchar *id =
      gst_structure_get_string (gst_event_get_structure (event), "id");
  MuxTimes *self = NULL;

  g_mutex_lock (&registry_lock);
  if (id && registry)
    self = g_hash_table_lookup (registry, id);
  if (self)
    g_atomic_ref_count_inc (&self->refs);
  g_mutex_unlock (&registry_lock);
  return self;
}

void
mux_times_unref (MuxTimes * self)
{
  gboolean last;

  g_mutex_lock (&registry_lock);
  last = g_atomic_ref_count_dec (&self->refs);
  if (last)
    g_hash_table_remove (registry, self->id);
  g_mutex_unlock (&registry_lock);
  if (!last)
    return;
  for (guint i = 0; i < N_ROUNDS; i++)
    g_clear_pointer (&self->rounds[i].rows, g_array_unref);
  g_mutex_clear (&self->lock);
  g_free (self->id);
  g_free (self);
}

GstEvent *
mux_times_event_new (MuxTimes * self)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
      gst_structure_new (TIMES_EVENT_NAME, "id", G_TYPE_STRING, self->id,
          NULL));
}

void
mux_times_begin (MuxTimes * self, GstClockTime pts)
{
  RoundTimes *round;

  g_mutex_lock (&self->lock);
  round = &self->rounds[self->n_rounds++ % N_ROUNDS];
  round->pts = pts;
  if (round->rows)
    g_array_set_size (round->rows, 0);
  g_mutex_unlock (&self->lock);
}

void
mux_times_add (MuxTimes * self, guint slot, const VectorTime * time)
{
  RowTime row = { slot, *time };
  RoundTimes *round;

  g_mutex_lock (&self->lock);
  round = &self->rounds[(self->n_rounds - 1) % N_ROUNDS];
  if (!round->rows)
    round->rows = g_array_new (FALSE, FALSE, sizeof (RowTime));
  g_array_append_val (round->rows, row);
  g_mutex_unlock (&self->lock);
}

void
mux_times_discard (MuxTimes * self)
{
  g_mutex_lock (&self->lock);
  self->n_rounds = 0;
  g_mutex_unlock (&self->lock);
}

/* Under the lock; NULL: none. */
static RoundTimes *
find_round (MuxTimes * self, GstClockTime pts)
{
  guint64 from = self->n_rounds > N_ROUNDS ? self->n_rounds - N_ROUNDS : 0;
  guint64 to = self->n_rounds;

  while (from < to) {
    guint64 middle = from + (to - from) / 2;
    RoundTimes *round = &self->rounds[middle % N_ROUNDS];

    if (round->pts == pts)
      return round;
    if (round->pts < pts)
      from = middle + 1;
    else
      to = middle;
  }
  return NULL;
}

gboolean
mux_times_get (MuxTimes * self, GstClockTime pts, guint slot, VectorTime * time)
{
  RoundTimes *round;
  gboolean found = FALSE;

  g_mutex_lock (&self->lock);
  round = find_round (self, pts);
  for (guint i = 0; round && round->rows && i < round->rows->len; i++) {
    RowTime *row = &g_array_index (round->rows, RowTime, i);

    if (row->slot == slot) {
      *time = row->time;
      found = TRUE;
    }
  }
  g_mutex_unlock (&self->lock);
  return found;
}
