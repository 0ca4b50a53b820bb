/* libcontinual: what is inside a model
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <continual/model.h>
#include "stack/stack.h"
#include "settings/settings.h"

G_BEGIN_DECLS

struct _CoModel
{
  gint ref_count;               /* under the cache's lock */
  gchar *key;                   /* in the cache, or NULL */
  GPtrArray *owned;             /* the memory that the stack points into */
  gsize owned_bytes;
  CoStack stack;
  CoModelInfo info;
  gchar **labels;
  CoSettings settings;
  gchar *name;                  /* of the file, in messages */
  gchar *parts;                 /* the layout in words (model/describe.h) */
  GPtrArray *warnings;          /* gchar * */
  guint8 fingerprint[32];       /* of weights and hyper-parameters, for snapshots */
};

G_END_DECLS
