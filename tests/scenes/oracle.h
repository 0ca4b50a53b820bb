/* What a stream must answer, by float64
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "variants.h"

typedef struct
{
  const RefModel *m;
  GArray *x;                    /* float (n, C): what the stream has taken, as far back as an answer can depend on */
  guint64 forgotten;            /* vectors before those */
  guint64 n_checked;
  double worst;                 /* largest error since it was last looked at, in parts of the tolerance */
} Oracle;

void oracle_init (Oracle * self, const RefModel * m);
void oracle_clear (Oracle * self);

/* A fresh stream, perhaps through another model of the same width. */
void oracle_reset (Oracle * self, const RefModel * m);

/* The stream takes a vector. Returns: whether an answer comes. */
gboolean oracle_take (Oracle * self, const float *x /* (C) */ );

/* Whether @y is the answer to the newest vector. */
gboolean oracle_check (Oracle * self, const float *y /* (D) */ , gsize size);
