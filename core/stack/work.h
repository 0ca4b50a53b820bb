/* libcontinual: the memory of a step
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stack/memory.h"

G_BEGIN_DECLS

/* Which vector a row is. */
typedef struct
{
  guint stream;
  gsize step;                   /* of the call, on whose arrival the row came */
  guint64 arrival;              /* position of the vector on whose arrival the row came */
  guint64 position;             /* since the stream's reset, of the vector that the row answers for */
} CoTag;

/* Rows on their way through a stack, in the order of steps, then streams. */
typedef struct
{
  gsize n;
  float *x;                     /* (n, widest) */
  CoTag *tags;                  /* (n) */
} CoRows;

/* Keys and values that are not the queries: of a bare attention only. */
typedef struct
{
  const float *key;             /* (n, kdim) */
  const float *value;           /* (n, vdim) */
} CoSeparate;

/* Reserved once for a stream; nothing in it outlives a call. */
typedef struct
{
  CoRows rows;
  CoRows answered;              /* what a layer gives, before it changes places with rows */
  float *input;                 /* (rows, C) */
  float *key, *value;           /* (rows, kdim), (rows, vdim) */
  float *u;                     /* (rows, E) what an attention projects */
  float *p;                     /* (rows, proj_width) */
  float *base;                  /* (rows, C) what a window's sums are added to */
  float *context;               /* (rows, H dv) */
  float *a;                     /* (rows, E), (N, C): what an attention gives */
  float *ff;                    /* (rows, d_ff) */
  float *h;                     /* (N, E) a window */
  float *scratch;
  float *cross_scratch;         /* for the longest memory; grows when one is set */
  CoMemory **memories;          /* (S) the stream's, each NULL until it has one; NULL: not a decoder */
} CoWork;

G_END_DECLS
