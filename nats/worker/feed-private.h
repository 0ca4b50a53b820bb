/* continual-worker: one stream of vectors: what its files share
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "worker/feed.h"

G_BEGIN_DECLS

/* Reads the caps of the record, which may not fit the model. */
void feed_take_caps (Feed * self);

/* The vectors that an output can be behind its own */
static inline gsize
feed_get_reach (const Feed * self)
{
  const CoModelInfo *info = self->context->info;

  return MAX (info->delay, MAX (info->chunk_len, 1) - 1);
}

G_END_DECLS
