/* libcontinual: the scratch memory of a step
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/memory.h"

G_BEGIN_DECLS

/* The vector that a row answers for */
typedef struct
{
  guint stream;
  gsize step;                   /* of the call, at which the row was answered */
  guint64 arrival;              /* position of the vector at whose arrival the row was answered */
  guint64 position;             /* position of the answered vector, counted from the stream's reset */
} CoTag;

/* Vectors on their way through the layers, in the order of steps, then of streams */
typedef struct
{
  gsize n;
  float *x;                     /* (n, widest) */
  CoTag *tags;                  /* (n) */
} CoRows;

/* Keys and values that differ from the queries: of a bare attention only */
typedef struct
{
  const float *key;             /* (n, kdim) */
  const float *value;           /* (n, vdim) */
} CoSeparate;

/* Reserved once for a stream; no content outlives a call. */
typedef struct
{
  CoRows rows;
  CoRows answered;              /* a layer's output, before it is swapped with rows */
  float *input;                 /* (rows, C) */
  float *key, *value;           /* (rows, kdim), (rows, vdim) */
  float *u;                     /* (rows, E) input of an attention or a feed-forward */
  float *p;                     /* (rows, proj_width) projected queries, keys and values */
  float *base;                  /* (rows, C) */
  float *context;               /* (rows, H dv) */
  float *a;                     /* (rows, E), (N, C): output of an attention or a feed-forward */
  float *ff;                    /* (rows, d_ff) */
  float *h;                     /* (N + 1, E) a window, and the class token */
  float *angles;                /* (2, n / 2) of a rotary position */
  float *pooled;                /* (rows, widest) rows that are answered */
  float *chain;                 /* (2, rows, widest) scratch of a CoChain */
  float *scratch;               /* of an attention: as much for each thread, one after another */
  gsize scratch_size;           /* floats for each thread */
  float *cross_scratch;         /* likewise, for the longest memory; grows when a memory is set */
  gsize cross_scratch_size;     /* floats for each thread */
  guint64 answer_interval;      /* every K-th vector is answered */
  CoMemory **memories;          /* (S) each NULL until it is set; NULL: not a decoder */
} CoWork;

G_END_DECLS
