/* continual-worker: one stream of vectors, and its outputs
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "common/message.h"
#include "tensor/caps.h"
#include "worker/post.h"
#include "worker/record.h"
#include "worker/slots.h"

G_BEGIN_DECLS

/* What all streams have in common */
typedef struct
{
  Link *link;
  CoModel *model;
  const CoModelInfo *info;
  Slots *slots;
  const gchar *name;
  const gchar *vectors, *outputs, *states;      /* streams of JetStream */
  const gchar *worker;
  gsize max_payload;
  guint64 n_problems;
} FeedContext;

/* A vector of the batch, or a gap */
typedef struct
{
  guint64 sequence;             /* of its message */
  RecordTime time;
  gboolean gap, discont;
} FeedStep;

/* An output, or a gap */
typedef struct
{
  TensorBuffer buffer;
  guint64 sequence;             /* of the message that it answers */
  guint part;                   /* its place among the answers of that one, from 1 */
} FeedOut;

/**
 * Feed: a stream that this worker runs
 *
 * Its messages are added in the order of their sequences, as many as come; a batch steps them, and the outputs are posted. What is
 * covered by the state, or answered already, is left out. A feed that is loaded again from its record gives the same outputs.
 */
typedef struct
{
  FeedContext *context;
  gchar *key, *subject, *state_subject;
  guint slot;
  Record record;
  guint64 revision;             /* of the record in the bucket; 0: none */
  gboolean dirty;               /* the record is not of the state */
  gint64 used;                  /* monotonic time of its last message */

  /* Of the caps in the record */
  gboolean caps_fit;
  gchar *out_caps;

  /* Of the outputs that are stored */
  guint64 last_output;          /* sequence of the last one; 0: none */
  gchar *out_stream;            /* ID of its stream */
  guint64 out_index;            /* of the next message */
  guint64 answered;             /* sequence of the message up to which there are outputs… */
  guint answered_part;          /* …or this many outputs of that one; 0: all */
  gint64 labels_at;             /* monotonic time when labels were sent */

  /* The batch */
  GArray *steps;                /* FeedStep */
  GByteArray *x;                /* (steps, C) float32 */
  GArray *outs;                 /* FeedOut */
  GByteArray *y;                /* of the outs that are no gaps */
  guint next_out;               /* the first of outs that is not posted… */
  gsize next_y;                 /* …and its place in y */
  gboolean ends;                /* the stream ends behind these steps */
  guint64 newest;               /* sequence of the last message of the batch */
  guint64 hole;                 /* sequence of the last message that was behind a hole */
  /* The message of outputs that is on its way */
  guint64 posted_index, posted_source;
  guint posted_part;
  gboolean end_posted;

  gchar *problem;               /* the last one that was told */
  gint64 problem_at;
} Feed;

/* Loads the stream @key: its record, and what is stored of its outputs. NULL: *again: the servers did not answer, try again; else there
 * is no room for it, which was told. */
Feed *feed_load (FeedContext * context, const gchar * key, gboolean * again);
void feed_free (Feed * self);

typedef enum
{
  FEED_ADDED,
  FEED_SKIPPED,                 /* it is covered, or bad, which was told */
  FEED_LATER,                   /* another stream begins with it: run the batch first */
  FEED_HOLE                     /* messages before it did not come: add those that the stream has; then it is added, and what is missing told */
} FeedAdded;

/* Adds the message @msg with @sequence to the batch. */
FeedAdded feed_add (Feed * self, natsMsg * msg, guint64 sequence);

/* The outputs of step @i: @n of them, with the fate of its vector. In the order of steps */
void feed_answer (Feed * self, gsize i, CoVectorStatus status,
    const float *y /* (n, y_size) */ , const CoOutput * outputs, gsize n);

/* Behind the last step: answers what waits, if the stream ends. */
void feed_finish (Feed * self);

/* The next message of outputs of the batch. NULL: there is none (more). */
Post *feed_post_output (Feed * self);
/* It was stored. */
void feed_output_stored (Feed * self, const Post * post);
void feed_clear_batch (Feed * self);

/* The record of the state. NULL: it is stored already, or there is no room for a snapshot. */
Post *feed_post_record (Feed * self);
void feed_record_stored (Feed * self, const Post * post);

/* Tells on NAME.problems.KEY. The same problem of a stream is told every ten seconds at most. */
void feed_tell (Feed * self, guint64 sequence, const gchar * problem);

/* Microseconds between two reports of the same problem */
#define FEED_TELL_AGAIN (10 * G_USEC_PER_SEC)
/* Publishes what is wrong to NAME.problems.KEY; takes @problem, a JSON object or NULL. */
void feed_publish_problem (const FeedContext * context, const gchar * key,
    json_t * problem);

G_END_DECLS
