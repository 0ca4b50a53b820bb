/* gst-continual: a picture of panels, one for each stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scope/style.h"

G_BEGIN_DECLS

typedef struct _ScopePicture ScopePicture;

/* @history is borrowed. NULL: there is no memory for it. */
ScopePicture *scope_picture_new (const ScopeStyle * style,
    const guint dims[3], guint n_streams, guint width, guint height,
    const ScopeHistory * history);
void scope_picture_free (ScopePicture * self);

/* The picture that has a pixel for each thing it shows */
void scope_picture_get_least_size (const ScopeStyle * style,
    const guint dims[3], guint n_streams, guint * width, guint * height);

/* @labels: (dims[0]) or NULL; borrowed until the next call */
void scope_picture_set_labels (ScopePicture * self,
    const gchar * const *labels);

/* Draws what is in the history. */
void scope_picture_draw (ScopePicture * self, const ScopeScale * scale);

/* Copies what was drawn to rows of 0x00RRGGBB in the machine's byte order. */
void scope_picture_copy (const ScopePicture * self, guint8 * to, gsize stride);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ScopePicture, scope_picture_free)

G_END_DECLS
