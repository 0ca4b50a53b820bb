/* gst-continual: the last vectors of each stream
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A ring for each of S streams; they advance together. All its memory is allocated at once. */
typedef struct _ScopeHistory ScopeHistory;

/* Of @length vectors of @width values. NULL: there is no memory for it. */
ScopeHistory *scope_history_new (guint n_streams, gsize width, guint length);
void scope_history_free (ScopeHistory * self);

/* Forgets the vectors of @stream; -1: of all. */
void scope_history_clear (ScopeHistory * self, gint stream);

/* The rows of new vectors, to be written by the caller: (S, width). */
gfloat *scope_history_push (ScopeHistory * self);

/* The vector that is older than the newest one by @age, below the length. Where there is none, it is NaN throughout. */
const gfloat *scope_history_get (const ScopeHistory * self, guint stream,
    guint age);

gsize scope_history_get_width (const ScopeHistory * self);
guint scope_history_get_length (const ScopeHistory * self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ScopeHistory, scope_history_free)

G_END_DECLS
