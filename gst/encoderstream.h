/* gst-continual: live streams through a model, with their times
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/continual.h>

#include "vectorclock.h"

G_BEGIN_DECLS

/**
 * EncoderStream: a CoStream, when its vectors were, and what came of them
 *
 * Not thread-safe. What forward and drain leave behind to be read belongs to their caller's thread alone; clean,
 * get_state and set_state don't touch it.
 */
typedef struct _EncoderStream EncoderStream;

typedef enum
{
  ENCODER_OUTPUT,               /* of @time, for encoder_stream_read() */
  ENCODER_GAP,                  /* nothing is or will be answered for @time */
  ENCODER_REFUSED,              /* @stream's vector of @time has a NaN or an infinity */
  ENCODER_FULL,                 /* @stream holds max-len vectors and didn't take that of @time */
} EncoderEventType;

typedef struct
{
  EncoderEventType type;
  VectorTime time;
  guint stream;
  gsize age, first, end;        /* private: the outputs that are the rows of this one */
} EncoderEvent;

/* Vectors in a buffer, of which those at @from are next */
typedef struct
{
  gconstpointer data;           /* (S, length, width) float32, aligned or not */
  gsize length, from;
} EncoderRows;

/* As CoInput: where data is NULL, the keys are x and the values the keys. */
typedef struct
{
  EncoderRows x, key, value;
} EncoderInput;

/* What one call did. */
typedef struct
{
  guint64 vectors, outputs, refused, absent;
  GstClockTime step_time;       /* of one step */
} EncoderCounts;

EncoderStream *encoder_stream_new (CoModel * model, guint n_streams);
void encoder_stream_free (EncoderStream * self);

CoModel *encoder_stream_get_model (const EncoderStream * self);
guint encoder_stream_get_n_streams (const EncoderStream * self);

/* The bytes of one output: (S, n_positions, D) float32. */
gsize encoder_stream_get_output_size (const EncoderStream * self);

/* How many steps to give at once at most. */
gsize encoder_stream_get_max_steps (const EncoderStream * self);

/* Forgets what came: @stream, or -1 for all. */
void encoder_stream_clean (EncoderStream * self, gint stream);
GBytes *encoder_stream_get_state (const EncoderStream * self);
gboolean encoder_stream_set_state (EncoderStream * self, GBytes * state,
    GError ** error);

/* The next @n_steps steps of @input, whose x.length vectors share @time evenly. What came of the last call must have
 * been read. */
void encoder_stream_forward (EncoderStream * self, const EncoderInput * input,
    gsize n_steps, const VectorTime * time, EncoderCounts * counts);

/* Answers what waits for the end of a chunk of a chunked kernel. */
void encoder_stream_drain (EncoderStream * self, EncoderCounts * counts);

/* The next thing that came of the last call, in the order of time; FALSE: that was all. */
gboolean encoder_stream_next (EncoderStream * self, EncoderEvent * event);

/* Writes an ENCODER_OUTPUT: NaN where a stream has none. */
void encoder_stream_read (const EncoderStream * self,
    const EncoderEvent * event, float *y /* (S, n_positions, D) */ );

/* Drops what wasn't read. */
void encoder_stream_forget (EncoderStream * self);

G_END_DECLS
