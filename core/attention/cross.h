/* libcontinual: attention of a decoder to a memory
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attention/attention.h"

G_BEGIN_DECLS

/* A kind of cross-attention. The keys and values of a memory are projected once, into memory_size bytes to which every step
 * attends. Projections, heads and features are those of a CoAttention, whose class is not used. */
typedef struct
{
  const gchar *name;
  gsize (*memory_size) (const CoAttention * self, gsize n);
  gsize (*scratch_size) (const CoAttention * self, gsize n);    /* floats */
  /* @memory is zero. */
  void (*project) (const CoAttention * self,
      const float *vectors /* (n, E) */ , gsize n, gpointer memory);
  void (*attend) (const CoAttention * self, gconstpointer memory, gsize n,
      const float *q /* (H dk) */ , float *context /* (H dv) */ ,
      float *scratch);
} CoCrossClass;

extern const CoCrossClass co_cross_full_class;
extern const CoCrossClass co_cross_linear_class;

G_END_DECLS
