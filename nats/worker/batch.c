/* continual-worker: one step after another of many streams
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/batch.h"

#include <string.h>

/* Rows of a call at most, unless there are more slots */
#define MAX_ROWS 1024

/* The memory of a call: T steps of S streams */
typedef struct
{
  gsize T, S;
  float *x;                     /* (S, T, C) */
  guint8 *mask;                 /* (S, T) */
  CoVectorStatus *status;       /* (S, T) */
  float *y;                     /* (capacity, y_size) */
  CoOutput *outputs;            /* (capacity) */
  gsize capacity;
} Call;

static void
call_init (Call * self, CoStream * stream, const CoModelInfo * info, gsize T)
{
  self->T = T;
  self->S = co_stream_get_n_streams (stream);
  self->capacity = co_stream_max_outputs (stream, T);
  self->x = g_new0 (float, self->S * T * info->n_inputs);
  self->mask = g_new0 (guint8, self->S * T);
  self->status = g_new0 (CoVectorStatus, self->S * T);
  self->y = g_new (float, MAX (1, self->capacity) * info->n_positions * info->n_outputs);
  self->outputs = g_new (CoOutput, MAX (1, self->capacity));
}

static void
call_clear (Call * self)
{
  g_free (self->x);
  g_free (self->mask);
  g_free (self->status);
  g_free (self->y);
  g_free (self->outputs);
}

/* Steps @from to @from + T of each feed */
static void
fill (Call * self, GPtrArray * feeds, gsize from, gsize width)
{
  memset (self->mask, 0, self->S * self->T);
  for (guint f = 0; f < feeds->len; f++) {
    const Feed *feed = feeds->pdata[f];
    const gsize n = feed->steps->len > from ? MIN (self->T, feed->steps->len - from) : 0;

    if (n > 0)
      memcpy (self->x + feed->slot * self->T * width,
          feed->x->data + from * width * sizeof (float), n * width * sizeof (float));
    for (gsize t = 0; t < n; t++)
      self->mask[feed->slot * self->T + t] =
          !g_array_index (feed->steps, FeedStep, from + t).gap;
  }
}

/* Hands the outputs of each step to their feeds. @by_slot: (S) Feed * or NULL */
static void
hand_out (const Call * self, GPtrArray * feeds, Feed ** by_slot, gsize from,
    gsize got, gsize y_size)
{
  gsize next = 0;

  for (gsize t = 0; t < self->T; t++) {
    for (guint s = 0; s < self->S; s++) {
      Feed *feed = by_slot[s];
      const gsize first = next;

      while (next < got && self->outputs[next].step == t
          && self->outputs[next].stream == s)
        next++;
      if (feed && from + t < feed->steps->len)
        feed_answer (feed, from + t, self->status[s * self->T + t],
            self->y + first * y_size, self->outputs + first, next - first);
    }
  }
}

void
batch_run (FeedContext * context, GPtrArray * feeds, BatchCounts * counts)
{
  const CoModelInfo *info = context->info;
  const gsize y_size = info->n_positions * info->n_outputs;
  CoStream *stream = slots_get_stream (context->slots);
  const gsize S = co_stream_get_n_streams (stream);
  g_autofree Feed **by_slot = g_new0 (Feed *, S);
  gsize longest = 0;
  Call call;

  for (guint f = 0; f < feeds->len; f++) {
    Feed *feed = feeds->pdata[f];

    by_slot[feed->slot] = feed;
    longest = MAX (longest, feed->steps->len);
  }
  if (longest > 0) {
    call_init (&call, stream, info, MIN (longest, MAX (1, MAX_ROWS / S)));
    for (gsize from = 0; from < longest; from += call.T) {
      CoResult result = {.capacity = call.capacity,.y = call.y,.outputs = call.outputs,.status = call.status };
      const gint64 begin = g_get_monotonic_time ();
      gsize got;

      fill (&call, feeds, from, info->n_inputs);
      got = co_stream_forward_steps (stream, &(CoInput) {
            .x = call.x,.mask = call.mask}, call.T, TRUE, &result);
      counts->step_time += g_get_monotonic_time () - begin;
      counts->outputs += got;
      for (gsize i = 0; i < S * call.T; i++)
        counts->vectors += call.mask[i];
      hand_out (&call, feeds, by_slot, from, got, y_size);
    }
    call_clear (&call);
  }
  for (guint f = 0; f < feeds->len; f++)
    feed_finish (feeds->pdata[f]);
  counts->batches++;
}

gboolean
batch_post (PostOffice * office, GPtrArray * feeds, GPtrArray * lost,
    gint * stop)
{
  for (;;) {
    g_autoptr (GPtrArray) posts =
        g_ptr_array_new_with_free_func ((GDestroyNotify) post_free);

    for (guint f = 0; f < feeds->len; f++) {
      Post *post = feed_post_output (feeds->pdata[f]);

      if (post)
        g_ptr_array_add (posts, post);
    }
    if (posts->len == 0)
      return TRUE;
    if (!post_office_send (office, posts, stop))
      return FALSE;
    for (guint i = 0; i < posts->len; i++) {
      const Post *post = posts->pdata[i];

      if (post->state == POST_STORED) {
        feed_output_stored (post->owner, post);
      } else {
        g_ptr_array_remove (feeds, post->owner);
        g_ptr_array_add (lost, post->owner);
      }
    }
  }
}
